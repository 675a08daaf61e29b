//! nq: never queue.

use super::least::{expected_delay, lightest};
use super::{BindError, DestinationId, Pool, Request, Scheduler};

/// Never queue: an idle destination if there is one, else the shortest expected delay.
#[derive(Clone, Debug, Default)]
pub struct Nq {
    _private: (),
}

impl Nq {
    /// Not yet bound.
    pub const fn new() -> Self {
        Self { _private: () }
    }
}

impl Scheduler for Nq {
    fn name(&self) -> &'static str {
        "nq"
    }

    fn bind(&mut self, _: &Pool, _: u64) -> Result<(), BindError> {
        Ok(())
    }

    fn added(&mut self, _: &Pool, _: DestinationId) {}

    fn removed(&mut self, _: &Pool, _: DestinationId) {}

    fn edited(&mut self, _: &Pool, _: DestinationId) {}

    fn pick(&mut self, pool: &Pool, _: &Request) -> Option<DestinationId> {
        let candidates = pool.iter().filter(|&at| pool.usable(at));
        if let Some(idle) = candidates.clone().find(|&at| pool.active(at) == 0) {
            return Some(idle);
        }
        lightest(pool, candidates, |at| expected_delay(pool, at))
    }
}
