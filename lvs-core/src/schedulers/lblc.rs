//! lblc: locality-based least connections.

use super::cache::Cache;
use super::least::lightest;
use super::{BindError, DestinationId, Options, Pool, Request, Scheduler};

/// Locality-based least connections: the same destination address to the same destination, until that has too much to do.
#[derive(Clone, Debug)]
pub struct Lblc {
    expiration: u64,
    cache: Cache<DestinationId>,
}

impl Lblc {
    /// Not yet bound.
    ///
    /// Reads [`Options::lblc_expiration`] and [`Options::lblc_capped`].
    pub fn new(options: &Options) -> Self {
        Self { expiration: options.lblc_expiration, cache: Cache::new(options.lblc_capped) }
    }
}

/// Whether `at` has more than its share while another one of the service has less than half of its own.
pub(super) fn locally_overloaded(pool: &Pool, at: DestinationId) -> bool {
    pool.active(at) > pool.weight(at)
        && pool.iter().any(|other| pool.active(other).wrapping_mul(2) < pool.weight(other))
}

impl Scheduler for Lblc {
    fn name(&self) -> &'static str {
        "lblc"
    }

    fn bind(&mut self, _: &Pool, now: u64) -> Result<(), BindError> {
        self.cache.reset(now);
        Ok(())
    }

    fn added(&mut self, _: &Pool, _: DestinationId) {}

    fn removed(&mut self, _: &Pool, _: DestinationId) {}

    fn edited(&mut self, _: &Pool, _: DestinationId) {}

    fn reconfigured(&mut self, options: &Options) {
        self.expiration = options.lblc_expiration;
    }

    fn pick(&mut self, pool: &Pool, request: &Request) -> Option<DestinationId> {
        let cached = self.cache.touch(request.destination, request.now).copied();
        // The overload flag does not matter here.
        if let Some(at) = cached
            && pool.available(at)
            && pool.weight(at) > 0
            && !locally_overloaded(pool, at)
        {
            return cached;
        }
        let chosen = lightest(pool, pool, |at| pool.overhead(at))?;
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
