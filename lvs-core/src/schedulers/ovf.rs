//! ovf: weighted overflow.

use super::{BindError, DestinationId, Pool, Request, Scheduler};

/// Weighted overflow: all to the heaviest destination until it has more active connections than weight, then to the next.
#[derive(Clone, Debug, Default)]
pub struct Ovf {
    _private: (),
}

impl Ovf {
    /// Not yet bound.
    pub const fn new() -> Self {
        Self { _private: () }
    }
}

impl Scheduler for Ovf {
    fn name(&self) -> &'static str {
        "ovf"
    }

    fn bind(&mut self, _: &Pool, _: u64) -> Result<(), BindError> {
        Ok(())
    }

    fn added(&mut self, _: &Pool, _: DestinationId) {}

    fn removed(&mut self, _: &Pool, _: DestinationId) {}

    fn edited(&mut self, _: &Pool, _: DestinationId) {}

    fn pick(&mut self, pool: &Pool, _: &Request) -> Option<DestinationId> {
        let mut heaviest = None;
        for at in pool {
            let weight = pool.weight(at);
            if pool.usable(at) && pool.active(at) <= pool.weight(at) && heaviest.is_none_or(|(_, most)| weight > most) {
                heaviest = Some((at, weight));
            }
        }
        heaviest.map(|(at, _)| at)
    }
}
