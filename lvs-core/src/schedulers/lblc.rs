//! lblc: locality-based least connections.

use super::cache::Cache;
use super::index::Index;
use super::least::{by_overhead, lightest};
use super::{BindError, DestinationId, Options, Pool, Request, Scheduler};

/// Locality-based least connections: the same destination address to the same destination, until that has too much to do.
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

    fn settle(&mut self, pool: &Pool) {
        self.index.settle(pool, |at| {
            let underused = pool.active(at).wrapping_mul(2) < pool.weight(at);
            (by_overhead(pool, at), underused)
        });
    }

    /// What wlc would choose.
    pub(super) fn lightest(&mut self, pool: &Pool) -> Option<DestinationId> {
        self.settle(pool);
        self.index.best().unwrap_or_else(|_| lightest(pool, pool, |at| pool.overhead(at)))
    }

    /// Whether `at` has more than its share while any other, even a quiesced one, has less than half of its own.
    pub(super) fn overloads(&mut self, pool: &Pool, at: DestinationId) -> bool {
        pool.active(at) > pool.weight(at) && {
            self.settle(pool);
            self.index.any_marked()
        }
    }
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
