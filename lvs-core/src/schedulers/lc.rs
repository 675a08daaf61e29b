//! lc: least connections.

use super::{BindError, DestinationId, Pool, Request, Scheduler};

/// Least connections: the destination with the smallest [overhead](Pool::overhead), whatever its weight (0 excepted).
#[derive(Clone, Debug, Default)]
pub struct Lc {
    _private: (),
}

impl Lc {
    /// Not yet bound.
    pub const fn new() -> Self {
        Self { _private: () }
    }
}

impl Scheduler for Lc {
    fn name(&self) -> &'static str {
        "lc"
    }

    fn bind(&mut self, _: &Pool, _: u64) -> Result<(), BindError> {
        Ok(())
    }

    fn added(&mut self, _: &Pool, _: DestinationId) {}

    fn removed(&mut self, _: &Pool, _: DestinationId) {}

    fn edited(&mut self, _: &Pool, _: DestinationId) {}

    fn pick(&mut self, pool: &Pool, _: &Request) -> Option<DestinationId> {
        let mut least = None;
        for at in pool {
            if pool.overloaded(at) || pool.weight(at) == 0 {
                continue;
            }
            // Without sign, unlike the weighted schedulers.
            let overhead = pool.overhead(at) as u32;
            if least.is_none_or(|(_, best)| overhead < best) {
                least = Some((at, overhead));
            }
        }
        least.map(|(at, _)| at)
    }
}
