//! wlc: weighted least connections.

use super::index::{Index, scheduler_by_index};
use super::least::{by_overhead, lightest};

/// Weighted least connections: the fewest for its weight. `ipvsadm`'s default.
///
/// # What for
/// Servers of different strength and connections of different length: the usual case.
///
/// # How it decides
/// The smallest quotient of [overhead](super::Pool::overhead) and weight; of equals the first on the list.
/// The quotients are compared exactly.
///
/// # When it surprises
/// * While nobody has a connection all quotients are 0, so the first one goes to the destination
///   **added last**, whatever its weight. [`Sed`](super::Sed) looks one connection ahead instead.
/// * A server that comes back empty gets every new connection until it has its share; give it a
///   small weight first.
/// * UDP connections are never active, so only their number counts.
/// * From 2<sup>23</sup> active connections on one destination the overhead, 32 bits wide, wraps
///   and is negative: it then looks the least loaded of all. The kernel does that, and so does
///   this.
///
/// # Example
/// ```
/// # use lvs_core::schedulers::*;
/// # mod examples { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/schedulers/examples.rs")); }
/// # use examples::*;
/// let mut service = service("wlc", &[3, 2, 1]);
/// assert_eq!(picks(&mut service, 12), "CBAABACBAABA");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Wlc {
    index: Index,
}

scheduler_by_index!(Wlc, "wlc", |index, pool| {
    let choice = index.choose(pool, |at| (by_overhead(pool, at), false));
    choice.unwrap_or_else(|_| lightest(pool, pool, |at| pool.overhead(at)))
});
