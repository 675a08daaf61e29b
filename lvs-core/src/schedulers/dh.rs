//! dh: destination hashing.

use super::hash::{fold, hash_32};
use super::{BindError, DestinationId, Pool, Request, Scheduler};

const BITS: u32 = 8;
const SLOTS: usize = 1 << BITS;

/// Destination hashing: the address that the client asked for decides.
#[derive(Clone, Debug)]
pub struct Dh {
    slots: Box<[Option<DestinationId>; SLOTS]>,
}

impl Dh {
    /// Not yet bound.
    pub fn new() -> Self {
        Self { slots: Box::new([None; SLOTS]) }
    }

    fn fill(&mut self, pool: &Pool) {
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

    fn bind(&mut self, pool: &Pool, _: u64) -> Result<(), BindError> {
        self.fill(pool);
        Ok(())
    }

    fn added(&mut self, pool: &Pool, _: DestinationId) {
        self.fill(pool);
    }

    fn removed(&mut self, pool: &Pool, _: DestinationId) {
        self.fill(pool);
    }

    fn edited(&mut self, _: &Pool, _: DestinationId) {}

    fn pick(&mut self, pool: &Pool, request: &Request) -> Option<DestinationId> {
        let slot = hash_32(fold(request.destination), BITS);
        self.slots[slot as usize].filter(|&at| pool.available(at) && pool.usable(at))
    }
}
