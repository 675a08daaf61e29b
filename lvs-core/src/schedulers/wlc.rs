//! wlc: weighted least connections.

use super::index::Index;
use super::least::{by_overhead, lightest};
use super::{BindError, DestinationId, Pool, Request, Scheduler};

/// Weighted least connections: the smallest [overhead](Pool::overhead) for its weight.
#[derive(Clone, Debug, Default)]
pub struct Wlc {
    index: Index,
}

impl Wlc {
    /// Not yet bound.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Scheduler for Wlc {
    fn name(&self) -> &'static str {
        "wlc"
    }

    fn bind(&mut self, _: &Pool, _: u64) -> Result<(), BindError> {
        self.index.forget();
        Ok(())
    }

    fn added(&mut self, _: &Pool, at: DestinationId) {
        self.index.touch(at);
    }

    fn removed(&mut self, _: &Pool, at: DestinationId) {
        self.index.touch(at);
    }

    fn edited(&mut self, _: &Pool, at: DestinationId) {
        self.index.touch(at);
    }

    #[inline]
    fn counters_changed(&mut self, _: &Pool, at: DestinationId) {
        self.index.touch(at);
    }

    fn pick(&mut self, pool: &Pool, _: &Request) -> Option<DestinationId> {
        self.index.settle(pool, |at| (by_overhead(pool, at), false));
        self.index.best().unwrap_or_else(|_| lightest(pool, pool, |at| pool.overhead(at)))
    }
}
