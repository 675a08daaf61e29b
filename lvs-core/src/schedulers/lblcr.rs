//! lblcr: locality-based least connections with replication.

use super::least::lightest;
use super::locality::{Locality, Memory};
use super::{DestinationId, Pool, SchedulerOptions};

/// Locality-based least connections with replication: the same destination address to the same few
/// destinations.
///
/// # What for
/// As [`Lblc`](super::Lblc), where one server may be too little for a popular address.
///
/// # How it decides
/// It remembers a set of destinations for each address. The least loaded of the set gets the
/// connection, unless it has more active connections than its weight while another of the service
/// has less than half of its own; then [`Wlc`](super::Wlc)'s choice joins the set. A set of several
/// that has not changed for `lblcr_expiration` loses its most loaded member.
///
/// # When it surprises
/// * A service of one address has one set, which soon has everybody: then this is wlc at a higher
///   price.
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
pub type Lblcr = Locality<Replicas>;

/// The destinations that serve one address.
#[derive(Clone, Debug)]
pub struct Replicas {
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
}

impl Memory for Replicas {
    const NAME: &'static str = "lblcr";

    fn expiration(options: &SchedulerOptions) -> u64 {
        options.lblcr_expiration
    }

    fn first(at: DestinationId, now: u64) -> Self {
        Self { members: vec![at], last_change: now }
    }

    /// The least loaded member. Who has the most to do leaves a set that has long been the same.
    fn recall(&mut self, pool: &Pool, now: u64, expiration: u64) -> Option<DestinationId> {
        let least = self.least(pool);
        if self.members.len() > 1
            && now > self.last_change + expiration
            && let Some(most) = self.most(pool)
        {
            self.members.retain(|&at| at != most);
            self.last_change = now;
        }
        least
    }

    /// It joins the set.
    fn replace(&mut self, at: DestinationId, now: u64) -> bool {
        if !self.members.contains(&at) {
            self.members.push(at);
            self.last_change = now;
        }
        false
    }

    fn holds(&self, at: DestinationId) -> bool {
        self.members.contains(&at)
    }
}
