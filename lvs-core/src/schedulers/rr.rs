//! rr: round robin.

use super::{BindError, DestinationId, Pool, Request, Scheduler};

/// Round robin: one after the other, whatever their weights (0 excepted).
#[derive(Clone, Debug, Default)]
pub struct Rr {
    /// The last one chosen; `None` stands for the list's head, before the first entry.
    last: Option<DestinationId>,
}

impl Rr {
    /// Not yet bound.
    pub const fn new() -> Self {
        Self { last: None }
    }
}

impl Scheduler for Rr {
    fn name(&self) -> &'static str {
        "rr"
    }

    fn bind(&mut self, _: &Pool, _: u64) -> Result<(), BindError> {
        self.last = None;
        Ok(())
    }

    fn added(&mut self, _: &Pool, _: DestinationId) {}

    fn removed(&mut self, pool: &Pool, at: DestinationId) {
        if self.last == Some(at) {
            self.last = pool.previous(at);
        }
    }

    fn edited(&mut self, _: &Pool, _: DestinationId) {}

    fn pick(&mut self, pool: &Pool, _: &Request) -> Option<DestinationId> {
        let start = self.last;
        let mut at = start.map_or(pool.head(), |last| pool.next(last));
        while let Some(here) = at {
            if pool.usable(here) {
                self.last = at;
                return at;
            }
            at = pool.next(here);
        }
        // Once around, up to and including the one where the walk began.
        let start = start?;
        let mut at = pool.head();
        while let Some(here) = at {
            if pool.usable(here) {
                self.last = at;
                return at;
            }
            if here == start {
                break;
            }
            at = pool.next(here);
        }
        None
    }
}
