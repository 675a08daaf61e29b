//! A pool and its scheduler, kept in step.

use super::{BindError, DestinationExists, DestinationId, NewDestination, Pool, Request, Scheduler, SchedulerOptions};

/// The destinations of one virtual service together with the scheduler that chooses among them.
///
/// Each method changes the pool and tells the scheduler, as the kernel's commands and connections
/// do. It knows no connections: the caller counts them.
#[derive(Debug)]
pub struct Balancer {
    pool: Pool,
    scheduler: Box<dyn Scheduler>,
}

impl Balancer {
    /// Binds `scheduler` to `pool` at time `now`, in milliseconds.
    ///
    /// # Errors
    /// [`BindError`] if the scheduler refuses the pool.
    pub fn new(pool: Pool, mut scheduler: Box<dyn Scheduler>, now: u64) -> Result<Self, BindError> {
        scheduler.bind(&pool, now)?;
        Ok(Self { pool, scheduler })
    }

    /// The destinations.
    #[inline]
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// The scheduler.
    pub fn scheduler(&self) -> &dyn Scheduler {
        &*self.scheduler
    }

    /// Takes the two apart.
    pub fn into_parts(self) -> (Pool, Box<dyn Scheduler>) {
        (self.pool, self.scheduler)
    }

    /// Binds another scheduler at time `now`, in milliseconds.
    ///
    /// # Errors
    /// [`BindError`] if the new one refuses the pool. Then the former one is bound again, its state
    /// fresh.
    pub fn set_scheduler(&mut self, mut scheduler: Box<dyn Scheduler>, now: u64) -> Result<(), BindError> {
        match scheduler.bind(&self.pool, now) {
            Ok(()) => {
                self.scheduler = scheduler;
                Ok(())
            }
            Err(error) => {
                // Should the former one refuse too (mh, grown too large), it stays as it was.
                let _ = self.scheduler.bind(&self.pool, now);
                Err(error)
            }
        }
    }

    /// Changes those settings that may change while a scheduler is bound.
    pub fn reconfigure(&mut self, options: &SchedulerOptions) {
        self.scheduler.reconfigured(options);
    }

    /// Adds a destination at the head of the list; a removed one that is still in use comes back
    /// with its counters.
    ///
    /// # Errors
    /// [`DestinationExists`] if it is on the list.
    pub fn add(&mut self, new: NewDestination) -> Result<DestinationId, DestinationExists> {
        let at = self.pool.insert(new)?;
        self.scheduler.added(&self.pool, at);
        Ok(at)
    }

    /// Sets weight and thresholds of a destination.
    pub fn edit(&mut self, at: DestinationId, weight: i32, upper_threshold: u32, lower_threshold: u32) {
        self.pool.set_weight(at, weight);
        self.pool.set_thresholds(at, upper_threshold, lower_threshold);
        self.scheduler.edited(&self.pool, at);
    }

    /// Sets the weight of a destination, and its thresholds to what they are.
    pub fn set_weight(&mut self, at: DestinationId, weight: i32) {
        self.edit(at, weight, self.pool.upper_threshold(at), self.pool.lower_threshold(at));
    }

    /// Takes a destination off the list. Its id, counters and connections stay until it is
    /// [released](Self::release).
    pub fn remove(&mut self, at: DestinationId) {
        if self.pool.available(at) {
            self.pool.detach(at);
            self.scheduler.removed(&self.pool, at);
        }
    }

    /// Forgets a removed destination, unless it is listed, the scheduler still refers to it, or it
    /// has connections or templates. Returns whether it is forgotten.
    pub fn release(&mut self, at: DestinationId) -> bool {
        let pool = &self.pool;
        let idle = pool.connections(at) == 0 && pool.persistent(at) == 0;
        if pool.available(at) || !idle || self.scheduler.holds(at) {
            return false;
        }
        self.pool.release(at);
        true
    }

    /// Chooses the destination of a new connection; `None` if none may have it.
    #[inline]
    pub fn pick(&mut self, request: &Request) -> Option<DestinationId> {
        self.scheduler.pick(&self.pool, request)
    }

    /// Chooses the destination of a new connection and counts that as an active one, as of TCP.
    ///
    /// The caller ends it: [`connection_removed`](Self::connection_removed)`(at, true)`.
    #[inline]
    pub fn connect(&mut self, request: &Request) -> Option<DestinationId> {
        let at = self.pick(request)?;
        self.connection_added(at);
        self.connection_activated(at);
        Some(at)
    }

    /// Counts a new connection. It begins inactive.
    #[inline]
    pub fn connection_added(&mut self, at: DestinationId) {
        self.pool.connection_added(at);
        self.scheduler.counters_changed(&self.pool, at);
    }

    /// A connection entered an active state.
    #[inline]
    pub fn connection_activated(&mut self, at: DestinationId) {
        self.pool.connection_activated(at);
        self.scheduler.counters_changed(&self.pool, at);
    }

    /// A connection left the active states.
    #[inline]
    pub fn connection_deactivated(&mut self, at: DestinationId) {
        self.pool.connection_deactivated(at);
        self.scheduler.counters_changed(&self.pool, at);
    }

    /// A connection is gone; `active` says whether it was in an active state.
    #[inline]
    pub fn connection_removed(&mut self, at: DestinationId, active: bool) {
        self.pool.connection_removed(at, active);
        self.scheduler.counters_changed(&self.pool, at);
    }

    /// Counts a new persistence template.
    pub fn template_added(&mut self, at: DestinationId) {
        self.pool.template_added(at);
        self.scheduler.counters_changed(&self.pool, at);
    }

    /// A persistence template is gone.
    pub fn template_removed(&mut self, at: DestinationId) {
        self.pool.template_removed(at);
        self.scheduler.counters_changed(&self.pool, at);
    }

    /// When [`tick`](Self::tick) has something to do next, in milliseconds; `None` while it has
    /// not.
    pub fn next_tick(&self) -> Option<u64> {
        self.scheduler.next_tick()
    }

    /// Does what is due by `now`, in milliseconds.
    pub fn tick(&mut self, now: u64) {
        self.scheduler.tick(&self.pool, now);
    }
}
