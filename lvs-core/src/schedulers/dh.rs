//! dh: destination hashing.

use super::hash::{fold, hash_32};
use super::{BindError, DestinationId, Pool, Request, Scheduler};

const BITS: u32 = 8;

/// Destination hashing: the address that the client asked for decides.
///
/// # What for
/// Transparent caches behind a firewall-mark service: each address on the Internet belongs to one
/// cache.
///
/// # How it decides
/// The destination address is hashed to one of 256 slots, which are dealt to the destinations in
/// turn.
///
/// # When it surprises
/// * A service of one address has **one destination for everything**: there is nothing else to
///   hash.
/// * Weights other than 0 count for nothing, and a quiesced destination keeps its slots: what is
///   hashed there is **refused**. Remove a server that is down; there is no fallback.
/// * Adding or removing a destination refills all slots, and most addresses move. [`Mh`](super::Mh)
///   was made to avoid that.
/// * With more than 256 destinations the ones added first get nothing.
///
/// # Example
/// ```
/// # use lvs_core::schedulers::*;
/// # mod examples { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/schedulers/examples.rs")); }
/// # use examples::*;
/// let mut service = service("dh", &[1, 1, 1]);
/// let mut owners = String::new();
/// for host in 1..=6 {
///     let request = Request::tcp("203.0.113.9:40000".parse()?, format!("192.0.2.{host}:80").parse()?);
///     owners.extend(service.pick(&request).map(|at| name(&service, at)));
/// }
/// assert_eq!(owners, "ABCBAC");
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Dh {
    /// Empty, or one for each hash.
    slots: Vec<DestinationId>,
    /// The table is to be filled before it is used.
    stale: bool,
}

impl Dh {
    /// A scheduler that is bound to no pool yet.
    pub fn new() -> Self {
        Self { slots: Vec::new(), stale: false }
    }

    // Filling waits for the next choice, so that many changes fill the table but once; it follows
    // from the list alone.
    fn fill(&mut self, pool: &Pool) {
        self.stale = false;
        self.slots.clear();
        self.slots.extend(pool.iter().cycle().take(1 << BITS));
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
        self.slots.get(slot as usize).copied().filter(|&at| pool.usable(at))
    }
}
