//! wlc: weighted least connections.

use super::least::lightest;
use super::{BindError, DestinationId, Pool, Request, Scheduler};

/// Weighted least connections: the smallest [overhead](Pool::overhead) for its weight.
#[derive(Clone, Debug, Default)]
pub struct Wlc {
    _private: (),
}

impl Wlc {
    /// Not yet bound.
    pub const fn new() -> Self {
        Self { _private: () }
    }
}

impl Scheduler for Wlc {
    fn name(&self) -> &'static str {
        "wlc"
    }

    fn bind(&mut self, _: &Pool, _: u64) -> Result<(), BindError> {
        Ok(())
    }

    fn added(&mut self, _: &Pool, _: DestinationId) {}

    fn removed(&mut self, _: &Pool, _: DestinationId) {}

    fn edited(&mut self, _: &Pool, _: DestinationId) {}

    fn pick(&mut self, pool: &Pool, _: &Request) -> Option<DestinationId> {
        lightest(pool, pool, |at| pool.overhead(at))
    }
}
