//! rr: round robin.

use super::{BindError, DestinationId, Pool, Request, Scheduler};

/// Round robin: one after the other.
///
/// # What for
/// Servers that are alike and connections that are alike. The cheapest choice there is.
///
/// # How it decides
/// From the last choice on, towards the tail of the list, the first destination with a weight above
/// 0 that is not overloaded; after the tail it goes on at the head.
///
/// # When it surprises
/// * Weights other than 0 count for nothing.
/// * It starts with the destination **added last**, because the list is newest first.
/// * A new destination waits until the walk has come around to the head.
/// * It does not look at connections: a server that came back empty fills no faster than the
///   others.
///
/// # Example
/// ```
/// # use lvs_core::schedulers::*;
/// # mod examples { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/schedulers/examples.rs")); }
/// # use examples::*;
/// let mut service = service("rr", &[1, 1, 1, 1]);
/// assert_eq!(picks(&mut service, 2), "DC");
/// service.remove(named(&service, 'C'));
/// assert_eq!(picks(&mut service, 6), "BADBAD");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Rr {
    /// The last one chosen; `None` stands for the list's head, before the first entry.
    last: Option<DestinationId>,
}

impl Rr {
    /// A scheduler that is bound to no pool yet.
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
