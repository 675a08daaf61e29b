//! fo: weighted failover.

use super::index::{Index, Standing};
use super::{BindError, DestinationId, Pool, Request, Scheduler};

/// Weighted failover: all to the heaviest destination that is up.
#[derive(Clone, Debug, Default)]
pub struct Fo {
    index: Index,
}

impl Fo {
    /// Not yet bound.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Scheduler for Fo {
    fn name(&self) -> &'static str {
        "fo"
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
            let cost = -i64::from(pool.weight(at));
            (if pool.usable(at) { Standing::Candidate { cost, weight: 1 } } else { Standing::Out }, false)
        });
        self.index.best().ok().flatten()
    }
}
