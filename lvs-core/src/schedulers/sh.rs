//! sh: source hashing.

use super::hash::{fold, hash_32};
use super::{BindError, DestinationId, Options, Pool, Request, Scheduler};

/// Source hashing: the client's address decides.
#[derive(Clone, Debug)]
pub struct Sh {
    flags: u32,
    bits: u32,
    slots: Box<[Option<DestinationId>]>,
    /// The table is to be filled before it is used.
    stale: bool,
}

impl Sh {
    /// Not yet bound.
    ///
    /// Reads [`Options::flags`] and [`Options::sh_table_bits`], which is brought into its range.
    pub fn new(options: &Options) -> Self {
        let bits = options.sh_table_bits.clamp(4, 20);
        Self { flags: options.flags, bits, slots: vec![None; 1 << bits].into(), stale: false }
    }

    /// The destination of each slot, 2<sup>bits</sup> of them, or nothing if the pool is empty.
    ///
    /// For a look at how clients spread; [`pick`](Scheduler::pick) needs no such call.
    pub fn table(&mut self, pool: &Pool) -> Vec<DestinationId> {
        self.fill(pool);
        self.slots.iter().flatten().copied().collect()
    }

    // Filling waits for the next choice, so that many changes fill the table but once; it follows from the list and the
    // weights alone, and each change of these is told.
    fn fill(&mut self, pool: &Pool) {
        self.stale = false;
        // Each its weight in consecutive slots, at least one, and over again until all slots are taken.
        let turns = |at| std::iter::repeat_n(at, pool.weight(at).max(1) as usize);
        let mut list = pool.iter().cycle().flat_map(turns);
        self.slots.fill_with(|| list.next());
    }

    fn slot(&self, offset: u32, hashed: u32) -> Option<DestinationId> {
        let slot = offset.wrapping_add(hash_32(hashed, self.bits));
        self.slots[slot as usize & (self.slots.len() - 1)]
    }
}

impl Scheduler for Sh {
    fn name(&self) -> &'static str {
        "sh"
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

    fn edited(&mut self, _: &Pool, _: DestinationId) {
        self.stale = true;
    }

    fn reconfigured(&mut self, options: &Options) {
        self.flags = options.flags;
    }

    fn pick(&mut self, pool: &Pool, request: &Request) -> Option<DestinationId> {
        if self.stale {
            self.fill(pool);
        }
        let port = if self.flags & Options::PORT != 0 { request.hashed_port() } else { 0 };
        let hashed = u32::from(port).wrapping_add(fold(request.client));
        let at = self.slot(0, hashed)?;
        if pool.usable(at) {
            return Some(at);
        }
        if self.flags & Options::FALLBACK == 0 {
            return None;
        }
        let slots = self.slots.len() as u32;
        let first = hash_32(hashed, self.bits);
        for offset in 0..slots {
            let at = self.slot((offset + first) % slots, hashed)?;
            if pool.usable(at) {
                return Some(at);
            }
        }
        None
    }
}
