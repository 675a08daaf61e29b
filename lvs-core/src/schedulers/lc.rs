//! lc: least connections.

use super::index::{Index, Standing, scheduler_by_index};

/// Least connections: the destination with the fewest.
///
/// # What for
/// Servers that are alike and connections that are not: long ones and short ones.
///
/// # How it decides
/// By [overhead](super::Pool::overhead), in which an active connection weighs as much as 256 inactive
/// ones; of equals the first on the list.
///
/// # When it surprises
/// * Weights other than 0 count for nothing. [`Wlc`](super::Wlc) is the one that heeds them.
/// * UDP connections are never active, so only their number counts.
/// * A server that comes back empty gets **every** new connection until it has as many as the
///   others.
/// * An active connection counts 256 under [`Profile::Old`](super::Profile::Old), 257 under
///   [`Profile::New`](super::Profile::New).
///
/// # Example
/// ```
/// # use lvs_core::schedulers::*;
/// # mod examples { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/schedulers/examples.rs")); }
/// # use examples::*;
/// let mut service = service("lc", &[1, 1, 1]);
/// assert_eq!(picks(&mut service, 6), "CBACBA");
/// let b = named(&service, 'B');
/// service.connection_removed(b, true);
/// assert_eq!(picks(&mut service, 2), "BC");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Lc {
    index: Index,
}

scheduler_by_index!(Lc, "lc", |index, pool| {
    let choice = index.choose(pool, |at| {
        // Without sign, unlike the weighted schedulers.
        let cost = i64::from(pool.overhead(at) as u32);
        (if pool.usable(at) { Standing::Candidate { cost, weight: 1 } } else { Standing::Out }, false)
    });
    choice.ok().flatten()
});
