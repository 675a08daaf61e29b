//! mh: Maglev hashing.

use super::hash::{fold, fold_as, hsiphash};
use super::weights::gcd;
use super::{BindError, DestinationId, Pool, Request, Scheduler, SchedulerOptions};

/// Table sizes by `CONFIG_IP_VS_MH_TAB_INDEX` − 8: the largest primes below the powers of two from
/// 2<sup>8</sup>.
const PRIMES: [u32; 10] = [251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65521, 131071];

// ip_vs_mh.c: the two keys of ip_vs_mh_hash functions.
const KEY_1: u64 = 2_654_435_761;
const KEY_2: u64 = 2_654_446_892;

/// Maglev hashing: the client's address decides, and few clients move when the set of destinations
/// changes.
///
/// # What for
/// As [`Sh`](super::Sh), where servers come and go: several directors agree without telling each
/// other, and adding or removing a server moves little more than its own share.
///
/// # How it decides
/// Each destination has its own order of preference over the 4093 slots, which follows from its
/// address and port. In turns, as many as its weight at a time, each takes the first slot of its
/// order that is free, until all are taken. The client's address, with `mh-port` plus its port, is
/// hashed to a slot.
///
/// # When it surprises
/// * Setting a weight to **0 changes no slot**: clients hashed there are refused, unless the
///   service has the flag `mh-fallback`, and come back when the weight does. A destination *added*
///   with weight 0 has no slots.
/// * The table depends on the order in which destinations were added: two directors agree only if
///   both added them in the same order.
/// * Weights are shortened to 6 bits after division by their greatest common divisor: 1000 and 999
///   are equal.
/// * The port belongs to a destination's identity: 198.51.100.1:80 and 198.51.100.1:81 own
///   different slots.
/// * More destinations than slots are refused when the scheduler is bound; later additions beyond
///   that leave the table as it is.
///
/// # Example
/// ```
/// # use lvs_core::schedulers::*;
/// # mod examples { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/schedulers/examples.rs")); }
/// # use examples::*;
/// let (mut before, mut after) = (service("mh", &[1, 1, 1]), service("mh", &[1, 1, 1]));
/// after.remove(named(&after, 'B'));
/// let mut moved = |host: u8| {
///     let request = Request::tcp(([203, 0, 113, host], 40000).into(), ([192, 0, 2, 1], 80).into());
///     let owner = before.pick(&request).map(|at| name(&before, at));
///     owner != Some('B') && owner != after.pick(&request).map(|at| name(&after, at))
/// };
/// // Of 256 clients one moves that had no need to.
/// assert_eq!((0..=255).filter(|&host| moved(host)).count(), 1);
/// ```
#[derive(Clone, Debug)]
pub struct Mh {
    flags: u32,
    weight_bits: u32,
    size: u32,
    /// Empty, or `size` slots.
    slots: Vec<DestinationId>,
    /// The table is to be filled before it is used.
    stale: bool,
}

struct Setup {
    at: DestinationId,
    position: u32,
    skip: u32,
    turns: u32,
}

impl Mh {
    /// A scheduler that is bound to no pool yet.
    ///
    /// Reads [`SchedulerOptions::flags`] and [`SchedulerOptions::mh_table_index`], which is brought
    /// into its range.
    pub fn new(options: &SchedulerOptions) -> Self {
        let index = options.mh_table_index.clamp(8, 17);
        Self {
            flags: options.flags,
            weight_bits: index / 2,
            size: PRIMES[index as usize - 8],
            slots: Vec::new(),
            stale: false,
        }
    }

    /// The destination of each slot, or nothing if no destination has a weight.
    ///
    /// Two tables compared slot by slot tell which share of the clients a change moves.
    pub fn table(&mut self, pool: &Pool) -> Vec<DestinationId> {
        if !self.too_many(pool) {
            self.fill(pool, pool.iter());
        }
        self.slots.clone()
    }

    fn too_many(&self, pool: &Pool) -> bool {
        pool.len() > self.size as usize
    }

    /// The list or a weight changed. The table waits for the next choice, so that many changes fill
    /// it but once; as there are no choices between, nobody can tell. With too many destinations it
    /// stays as it is.
    fn changed(&mut self, pool: &Pool) {
        if !self.too_many(pool) {
            self.stale = true;
        }
    }

    /// Fills the table for the destinations of `list`.
    fn fill(&mut self, pool: &Pool, list: impl Iterator<Item = DestinationId> + Clone) {
        self.stale = false;
        self.slots.clear();
        let weights = list.clone().map(|at| pool.last_weight(at)).filter(|&w| w > 0);
        let divisor = weights.clone().fold(0, |g, w| gcd(w as u32, g));
        let Some(heaviest) = weights.max() else {
            return;
        };
        let shift = (u32::BITS - (heaviest as u32 / divisor).leading_zeros()).saturating_sub(self.weight_bits);
        let mut setups: Vec<Setup> = list
            .map(|at| {
                let base = u32::from(pool.port(at)).wrapping_add(fold_as(pool.family(), pool.addr(at)));
                let weight = pool.last_weight(at);
                let turns = if weight > 0 { ((weight as u32 / divisor) >> shift).max(1) } else { 0 };
                Setup {
                    at,
                    position: hsiphash(base, KEY_1) % self.size,
                    skip: hsiphash(base, KEY_2) % (self.size - 1) + 1,
                    turns,
                }
            })
            .collect();
        let mut slots = vec![None; self.size as usize];
        let mut left = self.size;
        'population: loop {
            for setup in &mut setups {
                for _ in 0..setup.turns {
                    while slots[setup.position as usize].is_some() {
                        setup.position = (setup.position + setup.skip) % self.size;
                    }
                    slots[setup.position as usize] = Some(setup.at);
                    left -= 1;
                    if left == 0 {
                        break 'population;
                    }
                }
            }
        }
        self.slots.extend(slots.into_iter().flatten());
    }
}

impl Scheduler for Mh {
    fn name(&self) -> &'static str {
        "mh"
    }

    fn bind(&mut self, pool: &Pool, _: u64) -> Result<(), BindError> {
        if self.too_many(pool) {
            return Err(BindError::TooManyDestinations { destinations: pool.len(), slots: self.size as usize });
        }
        self.stale = true;
        Ok(())
    }

    fn added(&mut self, pool: &Pool, at: DestinationId) {
        if self.stale && self.too_many(pool) {
            // The one too many: the table stays as the others have it.
            self.fill(pool, pool.iter().filter(|&other| other != at));
        }
        self.changed(pool);
    }

    fn removed(&mut self, pool: &Pool, _: DestinationId) {
        self.changed(pool);
    }

    fn edited(&mut self, pool: &Pool, _: DestinationId) {
        self.changed(pool);
    }

    fn reconfigured(&mut self, options: &SchedulerOptions) {
        self.flags = options.flags;
    }

    fn pick(&mut self, pool: &Pool, request: &Request) -> Option<DestinationId> {
        if self.stale {
            self.fill(pool, pool.iter());
        }
        if self.slots.is_empty() {
            return None;
        }
        let port = if self.flags & SchedulerOptions::PORT != 0 { request.hashed_port() } else { 0 };
        let hashed = u32::from(port).wrapping_add(fold(request.client));
        let first = hsiphash(hashed, KEY_1) % self.size;
        let at = self.slots[first as usize];
        if pool.usable(at) {
            return Some(at);
        }
        if self.flags & SchedulerOptions::FALLBACK == 0 {
            return None;
        }
        (0..self.size)
            .map(|offset| {
                let step = (offset + first) % self.size;
                self.slots[(hsiphash(step.wrapping_add(hashed), KEY_1) % self.size) as usize]
            })
            .find(|&at| pool.usable(at))
    }

    fn holds(&self, at: DestinationId) -> bool {
        !self.stale && self.slots.contains(&at)
    }
}
