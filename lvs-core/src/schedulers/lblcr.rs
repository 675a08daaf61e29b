//! lblcr: locality-based least connections with replication.

use super::cache::Cache;
use super::lblc::Service;
use super::least::lightest;
use super::{BindError, DestinationId, Options, Pool, Request, Scheduler};

/// Locality-based least connections with replication: the same destination address to the same few destinations.
///
/// # What for
/// As [`Lblc`](super::Lblc), where one server may be too little for a popular address.
///
/// # How it decides
/// It remembers a set of destinations for each address. The least loaded of the set gets the connection, unless it has more active
/// connections than its weight while another of the service has less than half of its own; then [`Wlc`](super::Wlc)'s choice joins the set.
/// A set of several that has not changed for `lblcr_expiration` loses its most loaded member.
///
/// # When it surprises
/// * A service of one address has one set, which soon has everybody: then this is wlc at a higher price.
/// * In contrast to lblc overloaded members are passed over.
///
/// # Example
/// ```
/// # use lvs_core::schedulers::*;
/// # mod examples { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/schedulers/examples.rs")); }
/// # use examples::*;
/// let mut service = service("lblcr", &[1, 1, 1]);
/// assert_eq!(picks(&mut service, 20), "CCBBAAABCABCABCABCAB");
/// ```
#[derive(Clone, Debug)]
pub struct Lblcr {
    expiration: u64,
    cache: Cache<Replicas>,
    service: Service,
}

/// The destinations that serve one address.
#[derive(Clone, Debug)]
struct Replicas {
    /// Newest member last.
    members: Vec<DestinationId>,
    last_change: u64,
}

impl Replicas {
    fn newest_first(&self) -> impl Iterator<Item = DestinationId> {
        self.members.iter().rev().copied()
    }

    fn least(&self, pool: &Pool) -> Option<DestinationId> {
        lightest(pool, self.newest_first().filter(|&at| pool.available(at)), |at| pool.overhead(at))
    }

    /// The member with the most to do for its weight, available or not.
    fn most(&self, pool: &Pool) -> Option<DestinationId> {
        let mut members = self.newest_first();
        let mut most = members.find(|&at| pool.weight(at) > 0)?;
        for at in members {
            let this = i64::from(pool.overhead(at)) * i64::from(pool.weight(most));
            if i64::from(pool.overhead(most)) * i64::from(pool.weight(at)) < this && pool.weight(at) > 0 {
                most = at;
            }
        }
        Some(most)
    }

    fn insert(&mut self, at: DestinationId, now: u64) {
        if !self.members.contains(&at) {
            self.members.push(at);
            self.last_change = now;
        }
    }
}

impl Lblcr {
    /// Not yet bound.
    ///
    /// Reads [`Options::lblcr_expiration`] and [`Options::lblc_capped`].
    pub fn new(options: &Options) -> Self {
        Self {
            expiration: options.lblcr_expiration,
            cache: Cache::new(options.lblc_capped),
            service: Service::default(),
        }
    }
}

impl Scheduler for Lblcr {
    fn name(&self) -> &'static str {
        "lblcr"
    }

    fn bind(&mut self, _: &Pool, now: u64) -> Result<(), BindError> {
        self.cache.reset(now);
        self.service.forget();
        Ok(())
    }

    fn added(&mut self, _: &Pool, at: DestinationId) {
        self.service.touch(at);
    }

    fn removed(&mut self, _: &Pool, at: DestinationId) {
        self.service.touch(at);
    }

    fn edited(&mut self, _: &Pool, at: DestinationId) {
        self.service.touch(at);
    }

    #[inline]
    fn counters_changed(&mut self, _: &Pool, at: DestinationId) {
        self.service.touch(at);
    }

    fn reconfigured(&mut self, options: &Options) {
        self.expiration = options.lblcr_expiration;
    }

    fn pick(&mut self, pool: &Pool, request: &Request) -> Option<DestinationId> {
        let now = request.now;
        let expiration = self.expiration;
        if let Some(replicas) = self.cache.touch(request.destination, now) {
            let least = replicas.least(pool);
            if replicas.members.len() > 1
                && now > replicas.last_change + expiration
                && let Some(most) = replicas.most(pool)
            {
                replicas.members.retain(|&at| at != most);
                replicas.last_change = now;
            }
            if let Some(at) = least
                && !self.service.overloads(pool, at)
            {
                return least;
            }
            let chosen = self.service.lightest(pool)?;
            replicas.insert(chosen, now);
            return Some(chosen);
        }
        let chosen = self.service.lightest(pool)?;
        self.cache.store(request.destination, Replicas { members: vec![chosen], last_change: now }, now);
        Some(chosen)
    }

    fn next_tick(&self) -> Option<u64> {
        Some(self.cache.next_sweep())
    }

    fn tick(&mut self, _: &Pool, now: u64) {
        self.cache.sweep(now, self.expiration);
    }

    fn holds(&self, at: DestinationId) -> bool {
        self.cache.values().any(|replicas| replicas.members.contains(&at))
    }
}
