//! sh: source hashing.

use super::hash::{fold, hash_32};
use super::{BindError, DestinationId, Pool, Request, Scheduler, SchedulerOptions};

/// Source hashing: the client's address decides.
///
/// # What for
/// Clients that shall meet the same server again without persistence templates, or the same on
/// several directors.
///
/// # How it decides
/// The client's address, with `sh-port` plus its port, is hashed to one of 256 slots. Each
/// destination has as many slots as its weight, one after the other and over again until all are
/// dealt.
///
/// # When it surprises
/// * A quiesced or overloaded destination keeps its slots (a quiesced one keeps one), and clients
///   hashed there are **refused**, unless the service has the flag `sh-fallback`.
/// * Any change of any weight refills all slots, and most clients move. [`Mh`](super::Mh) moves
///   few.
/// * Weights that sum up to more than 256 leave the destinations added first with too little or
///   nothing: use small ones.
/// * Neighbouring addresses do not spread evenly: the hash is a multiplication.
///
/// # Example
/// ```
/// # use lvs_core::schedulers::*;
/// # mod examples { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/schedulers/examples.rs")); }
/// # use examples::*;
/// let mut service = service("sh", &[3, 2, 1]);
/// assert_eq!(picks_for_clients(&mut service, 20), "BACAAAABACACBCBABACB");
/// assert_eq!(picks_for_clients(&mut service, 20), "BACAAAABACACBCBABACB");
/// service.set_weight(named(&service, 'A'), 0);
/// assert_eq!(picks_for_clients(&mut service, 20), "BCBCB-B-BBCBCB-B-BBC");
/// ```
#[derive(Clone, Debug)]
pub struct Sh {
    flags: u32,
    bits: u32,
    /// Empty, or one for each hash.
    slots: Vec<DestinationId>,
    /// The table is to be filled before it is used.
    stale: bool,
}

impl Sh {
    /// A scheduler that is bound to no pool yet.
    ///
    /// Reads [`SchedulerOptions::flags`] and [`SchedulerOptions::sh_table_bits`], which is brought
    /// into its range.
    pub fn new(options: &SchedulerOptions) -> Self {
        let bits = options.sh_table_bits.clamp(4, 20);
        Self { flags: options.flags, bits, slots: Vec::new(), stale: false }
    }

    /// The destination of each slot, 2<sup>bits</sup> of them, or nothing if the pool is empty.
    ///
    /// For a look at how clients spread; [`pick`](Scheduler::pick) needs no such call.
    pub fn table(&mut self, pool: &Pool) -> Vec<DestinationId> {
        self.fill(pool);
        self.slots.clone()
    }

    // Filling waits for the next choice, so that many changes fill the table but once; it follows
    // from the list and the weights alone, and each change of these is told.
    fn fill(&mut self, pool: &Pool) {
        self.stale = false;
        // Each its weight in consecutive slots, at least one, and over again until all slots are
        // taken.
        let turns = |at| std::iter::repeat_n(at, pool.weight(at).max(1) as usize);
        self.slots.clear();
        self.slots.extend(pool.iter().cycle().flat_map(turns).take(1 << self.bits));
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

    fn reconfigured(&mut self, options: &SchedulerOptions) {
        self.flags = options.flags;
    }

    fn pick(&mut self, pool: &Pool, request: &Request) -> Option<DestinationId> {
        if self.stale {
            self.fill(pool);
        }
        let port = if self.flags & SchedulerOptions::PORT != 0 { request.hashed_port() } else { 0 };
        let hashed = u32::from(port).wrapping_add(fold(request.client));
        let first = hash_32(hashed, self.bits);
        let at = *self.slots.get(first as usize)?;
        if pool.usable(at) {
            return Some(at);
        }
        if self.flags & SchedulerOptions::FALLBACK == 0 {
            return None;
        }
        let last = self.slots.len() as u32 - 1;
        (0..=last)
            .map(|offset| (((offset + first) & last) + first) & last)
            .map(|slot| self.slots[slot as usize])
            .find(|&at| pool.usable(at))
    }
}
