//! dh: destination hashing.

use super::hash::{fold, hash_32};
use super::{BindError, DestinationId, Pool, Request, Scheduler};

const BITS: u32 = 8;
const SLOTS: usize = 1 << BITS;

/// Destination hashing: the address that the client asked for decides.
#[derive(Clone, Debug)]
pub struct Dh {
    slots: Box<[Option<DestinationId>; SLOTS]>,
    /// The table is to be filled before it is used.
    stale: bool,
}

impl Dh {
    /// Not yet bound.
    pub fn new() -> Self {
        Self { slots: Box::new([None; SLOTS]), stale: false }
    }

    // Filling waits for the next choice, so that many changes fill the table but once; it follows from the list alone.
    fn fill(&mut self, pool: &Pool) {
        self.stale = false;
        let mut list = pool.iter().cycle();
        self.slots.fill_with(|| list.next());
    }
}

impl Default for Dh {
    fn default() -> Self {
        Self::new()
    }
}

impl Scheduler for Dh {
    fn name(&self) -> &'static str {
        "dh"
    }

    fn bind(&mut self, _: &Pool, _: u64) -> Result<(), BindError> {
        self.stale = true;
        Ok(())
    }

    fn added(&mut self, _: &Pool, _: DestinationId) {
        self.stale = true;
    }

    fn removed(&mut self, _: &Pool, _: DestinationId) {
        self.stale = true;
    }

    fn edited(&mut self, _: &Pool, _: DestinationId) {}

    fn pick(&mut self, pool: &Pool, request: &Request) -> Option<DestinationId> {
        if self.stale {
            self.fill(pool);
        }
        let slot = hash_32(fold(request.destination), BITS);
        self.slots[slot as usize].filter(|&at| pool.available(at) && pool.usable(at))
    }
}
