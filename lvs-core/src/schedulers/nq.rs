//! nq: never queue.

use super::index::{Index, Standing, scheduler_by_index};

/// Never queue: an idle destination if there is one, else the shortest expected delay.
///
/// # What for
/// As [`Sed`](super::Sed), but no server shall be idle while another works.
///
/// # How it decides
/// The first destination on the list without active connections; if there is none, as sed does.
///
/// # When it surprises
/// * Among idle ones weights count for nothing.
/// * Connections that are not active count for nothing: a destination with many closing ones is
///   idle. With UDP all connections go to the destination **added last**.
///
/// # Example
/// ```
/// # use lvs_core::schedulers::*;
/// # mod examples { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/schedulers/examples.rs")); }
/// # use examples::*;
/// let mut service = service("nq", &[5, 1, 1]);
/// assert_eq!(picks(&mut service, 12), "CBAAAAAAAAAC");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Nq {
    index: Index,
}

scheduler_by_index!(Nq, "nq", |index, pool| {
    let choice = index.choose(pool, |at| {
        let standing = match (pool.usable(at), i64::from(pool.active(at))) {
            (false, _) => Standing::Out,
            // Better than any that is not idle, and no better than another idle one.
            (true, 0) => Standing::Candidate { cost: 0, weight: 1 },
            (true, active) => Standing::Candidate { cost: active + 1, weight: pool.weight(at) },
        };
        (standing, false)
    });
    choice.ok().flatten()
});
