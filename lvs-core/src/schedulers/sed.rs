//! sed: shortest expected delay.

use super::index::{Index, Standing};
use super::{BindError, DestinationId, Pool, Request, Scheduler};

/// Shortest expected delay: the fewest active connections, the new one included, for its weight.
#[derive(Clone, Debug, Default)]
pub struct Sed {
    index: Index,
}

impl Sed {
    /// Not yet bound.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Scheduler for Sed {
    fn name(&self) -> &'static str {
        "sed"
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
        self.index.settle(pool, |at| {
            let cost = i64::from(pool.active(at)) + 1;
            let weight = pool.weight(at);
            (if pool.usable(at) { Standing::Candidate { cost, weight } } else { Standing::Out }, false)
        });
        self.index.best().ok().flatten()
    }
}
