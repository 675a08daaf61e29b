//! sed: shortest expected delay.

use super::least::{expected_delay, lightest};
use super::{BindError, DestinationId, Pool, Request, Scheduler};

/// Shortest expected delay: the fewest active connections, the new one included, for its weight.
#[derive(Clone, Debug, Default)]
pub struct Sed {
    _private: (),
}

impl Sed {
    /// Not yet bound.
    pub const fn new() -> Self {
        Self { _private: () }
    }
}

impl Scheduler for Sed {
    fn name(&self) -> &'static str {
        "sed"
    }

    fn bind(&mut self, _: &Pool, _: u64) -> Result<(), BindError> {
        Ok(())
    }

    fn added(&mut self, _: &Pool, _: DestinationId) {}

    fn removed(&mut self, _: &Pool, _: DestinationId) {}

    fn edited(&mut self, _: &Pool, _: DestinationId) {}

    fn pick(&mut self, pool: &Pool, _: &Request) -> Option<DestinationId> {
        lightest(pool, pool, |at| expected_delay(pool, at))
    }
}
