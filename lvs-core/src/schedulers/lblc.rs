//! lblc: locality-based least connections.

use super::cache::Cache;
use super::index::{Index, Standing};
use super::least::{by_overhead, lightest};
use super::{BindError, DestinationId, Options, Pool, Request, Scheduler};

/// Locality-based least connections: the same destination address to the same destination, until that has too much to do.
///
/// # What for
/// Caches behind a firewall-mark service, as [`Dh`](super::Dh), but with regard to load and weights.
///
/// # How it decides
/// It remembers a destination for each address that was asked for. That one gets the connection unless it is quiesced or gone, or has more
/// active connections than its weight while another has less than half of its own. Otherwise [`Wlc`](super::Wlc)'s
/// choice is taken and remembered. Entries idle for `lblc_expiration` are dropped, but only every half hour is that looked at.
///
/// # When it surprises
/// * A service of one address has one entry, and so one destination at a time: it is filled beyond its weight before the next one is
///   touched. Weights are numbers of connections here, small ones move often.
/// * The **overload flag does not matter** for a remembered destination: thresholds do not protect it.
/// * When all are above half of their weight nothing moves any more.
///
/// # Example
/// ```
/// # use lvs_core::schedulers::*;
/// # mod examples { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/schedulers/examples.rs")); }
/// # use examples::*;
/// let mut service = service("lblc", &[3, 2, 1]);
/// assert_eq!(picks(&mut service, 12), "CCBBBAAAAAAA");
/// ```
#[derive(Clone, Debug)]
pub struct Lblc {
    expiration: u64,
    cache: Cache<DestinationId>,
    service: Service,
}

impl Lblc {
    /// Not yet bound.
    ///
    /// Reads [`Options::lblc_expiration`] and [`Options::lblc_capped`].
    pub fn new(options: &Options) -> Self {
        Self {
            expiration: options.lblc_expiration,
            cache: Cache::new(options.lblc_capped),
            service: Service::default(),
        }
    }
}

/// What lblc and lblcr ask of all destinations of the service.
#[derive(Clone, Debug, Default)]
pub(super) struct Service {
    index: Index,
}

impl Service {
    pub(super) fn forget(&mut self) {
        self.index.forget();
    }

    #[inline]
    pub(super) fn touch(&mut self, at: DestinationId) {
        self.index.touch(at);
    }

    /// What wlc would choose.
    pub(super) fn lightest(&mut self, pool: &Pool) -> Option<DestinationId> {
        self.index.choose(pool, |at| look(pool, at)).unwrap_or_else(|_| lightest(pool, pool, |at| pool.overhead(at)))
    }

    /// Whether `at` has more than its share while any other, even a quiesced one, has less than half of its own.
    pub(super) fn overloads(&mut self, pool: &Pool, at: DestinationId) -> bool {
        pool.active(at) > pool.weight(at) && self.index.any_marked(pool, |at| look(pool, at))
    }
}

/// How it stands, and whether it has less than half of its share.
fn look(pool: &Pool, at: DestinationId) -> (Standing, bool) {
    (by_overhead(pool, at), pool.active(at).wrapping_mul(2) < pool.weight(at))
}

impl Scheduler for Lblc {
    fn name(&self) -> &'static str {
        "lblc"
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
        self.expiration = options.lblc_expiration;
    }

    fn pick(&mut self, pool: &Pool, request: &Request) -> Option<DestinationId> {
        let cached = self.cache.touch(request.destination, request.now).copied();
        // The overload flag does not matter here.
        if let Some(at) = cached
            && pool.available(at)
            && pool.weight(at) > 0
            && !self.service.overloads(pool, at)
        {
            return cached;
        }
        let chosen = self.service.lightest(pool)?;
        if cached != Some(chosen) {
            self.cache.store(request.destination, chosen, request.now);
        }
        Some(chosen)
    }

    fn next_tick(&self) -> Option<u64> {
        Some(self.cache.next_sweep())
    }

    fn tick(&mut self, _: &Pool, now: u64) {
        self.cache.sweep(now, self.expiration);
    }

    fn holds(&self, at: DestinationId) -> bool {
        self.cache.values().any(|&cached| cached == at)
    }
}
