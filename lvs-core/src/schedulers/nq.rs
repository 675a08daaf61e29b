//! nq: never queue.

use super::index::{Index, Standing};
use super::{BindError, DestinationId, Pool, Request, Scheduler};

/// Never queue: an idle destination if there is one, else the shortest expected delay.
#[derive(Clone, Debug, Default)]
pub struct Nq {
    index: Index,
}

impl Nq {
    /// Not yet bound.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Scheduler for Nq {
    fn name(&self) -> &'static str {
        "nq"
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
            let standing = match (pool.usable(at), i64::from(pool.active(at))) {
                (false, _) => Standing::Out,
                // Better than any that is not idle, and no better than another idle one.
                (true, 0) => Standing::Candidate { cost: 0, weight: 1 },
                (true, active) => Standing::Candidate { cost: active + 1, weight: pool.weight(at) },
            };
            (standing, false)
        });
        self.index.best().ok().flatten()
    }
}
