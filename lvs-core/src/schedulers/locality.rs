//! What lblc and lblcr have in common: they remember what was decided for each destination address.

use std::fmt;

use super::cache::Cache;
use super::index::{Index, Standing};
use super::least::{by_overhead, lightest};
use super::{BindError, DestinationId, Pool, Request, Scheduler};

/// What is remembered of one address.
pub trait Memory: Clone + fmt::Debug + Send {
    /// The scheduler that remembers so.
    const NAME: &'static str;

    /// How long an entry may be idle, in milliseconds.
    fn expiration(options: &super::SchedulerOptions) -> u64;

    /// Remembers the first destination.
    fn first(at: DestinationId, now: u64) -> Self;

    /// The destination that is to have the next connection if it has not too much to do; time may
    /// change what is remembered.
    fn recall(&mut self, pool: &Pool, now: u64, expiration: u64) -> Option<DestinationId>;

    /// Remembers another one. Whether that is an entry of its own.
    fn replace(&mut self, at: DestinationId, now: u64) -> bool;

    /// Whether a destination is remembered.
    fn holds(&self, at: DestinationId) -> bool;
}

/// A scheduler that remembers what it decided for each destination address.
#[derive(Clone, Debug)]
pub struct Locality<M> {
    expiration: u64,
    cache: Cache<M>,
    service: Service,
}

impl<M: Memory> Locality<M> {
    /// A scheduler that is bound to no pool yet.
    ///
    /// Reads [`SchedulerOptions::lblc_expiration`](super::SchedulerOptions::lblc_expiration) or
    /// [`SchedulerOptions::lblcr_expiration`](super::SchedulerOptions::lblcr_expiration), and
    /// [`SchedulerOptions::lblc_capped`](super::SchedulerOptions::lblc_capped).
    pub fn new(options: &super::SchedulerOptions) -> Self {
        Self { expiration: M::expiration(options), cache: Cache::new(options.lblc_capped), service: Service::default() }
    }
}

/// What is asked of all destinations of the service.
#[derive(Clone, Debug, Default)]
struct Service {
    index: Index,
}

impl Service {
    fn forget(&mut self) {
        self.index.forget();
    }

    #[inline]
    fn touch(&mut self, at: DestinationId) {
        self.index.touch(at);
    }

    /// What wlc would choose.
    fn lightest(&mut self, pool: &Pool) -> Option<DestinationId> {
        self.index.choose(pool, |at| look(pool, at)).unwrap_or_else(|_| lightest(pool, pool, |at| pool.overhead(at)))
    }

    /// Whether `at` has more than its share while any other, even a quiesced one, has less than
    /// half of its own.
    fn overloads(&mut self, pool: &Pool, at: DestinationId) -> bool {
        pool.active(at) > pool.weight(at) && self.index.any_marked(pool, |at| look(pool, at))
    }
}

/// How it stands, and whether it has less than half of its share.
fn look(pool: &Pool, at: DestinationId) -> (Standing, bool) {
    (by_overhead(pool, at), pool.active(at).wrapping_mul(2) < pool.weight(at))
}

impl<M: Memory + 'static> Scheduler for Locality<M> {
    fn name(&self) -> &'static str {
        M::NAME
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

    fn reconfigured(&mut self, options: &super::SchedulerOptions) {
        self.expiration = M::expiration(options);
    }

    fn pick(&mut self, pool: &Pool, request: &Request) -> Option<DestinationId> {
        let (addr, now) = (request.destination, request.now);
        let mut remembered = self.cache.touch(addr, now);
        if let Some(memory) = &mut remembered
            && let Some(at) = memory.recall(pool, now, self.expiration)
            && !self.service.overloads(pool, at)
        {
            return Some(at);
        }
        let chosen = self.service.lightest(pool)?;
        if remembered.is_none_or(|memory| memory.replace(chosen, now)) {
            self.cache.store(addr, M::first(chosen, now), now);
        }
        Some(chosen)
    }

    fn has_timer(&self) -> bool {
        true
    }

    fn next_tick(&self) -> Option<u64> {
        self.cache.next_sweep()
    }

    fn tick(&mut self, _: &Pool, now: u64) {
        self.cache.sweep(now, self.expiration);
    }

    fn holds(&self, at: DestinationId) -> bool {
        self.cache.values().any(|memory| memory.holds(at))
    }
}
