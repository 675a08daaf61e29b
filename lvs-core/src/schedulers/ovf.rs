//! ovf: weighted overflow.

use super::index::{Index, Standing};
use super::{BindError, DestinationId, Pool, Request, Scheduler};

/// Weighted overflow: all to the heaviest destination until it has more active connections than weight, then to the next.
#[derive(Clone, Debug, Default)]
pub struct Ovf {
    index: Index,
}

impl Ovf {
    /// Not yet bound.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Scheduler for Ovf {
    fn name(&self) -> &'static str {
        "ovf"
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
            let weight = pool.weight(at);
            let room = pool.usable(at) && pool.active(at) <= weight;
            let cost = -i64::from(weight);
            (if room { Standing::Candidate { cost, weight: 1 } } else { Standing::Out }, false)
        });
        self.index.best().ok().flatten()
    }
}
