//! fo: weighted failover.

use super::{BindError, DestinationId, Pool, Request, Scheduler};

/// Weighted failover: all to the heaviest destination that is up.
#[derive(Clone, Debug, Default)]
pub struct Fo {
    _private: (),
}

impl Fo {
    /// Not yet bound.
    pub const fn new() -> Self {
        Self { _private: () }
    }
}

impl Scheduler for Fo {
    fn name(&self) -> &'static str {
        "fo"
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
            if pool.usable(at) && heaviest.is_none_or(|(_, most)| weight > most) {
                heaviest = Some((at, weight));
            }
        }
        heaviest.map(|(at, _)| at)
    }
}
