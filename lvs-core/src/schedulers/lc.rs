//! lc: least connections.

use super::index::{Index, Standing};
use super::{BindError, DestinationId, Pool, Request, Scheduler};

/// Least connections: the destination with the smallest [overhead](Pool::overhead), whatever its weight (0 excepted).
#[derive(Clone, Debug, Default)]
pub struct Lc {
    index: Index,
}

impl Lc {
    /// Not yet bound.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Scheduler for Lc {
    fn name(&self) -> &'static str {
        "lc"
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
            // Without sign, unlike the weighted schedulers.
            let cost = i64::from(pool.overhead(at) as u32);
            (if pool.usable(at) { Standing::Candidate { cost, weight: 1 } } else { Standing::Out }, false)
        });
        self.index.best().ok().flatten()
    }
}
