//! sed: shortest expected delay.

use super::index::{Index, Standing, scheduler_by_index};

/// Shortest expected delay: the fewest for its weight, the new one included.
///
/// # What for
/// Servers of very different strength: the strong one gets the first connections too, where wlc
/// would begin with an idle weak one.
///
/// # How it decides
/// The smallest quotient of active connections + 1 and weight; of equals the first on the list.
///
/// # When it surprises
/// * Inactive connections count for nothing, so **UDP is not balanced at all**: its connections are
///   never active and all go to one of the heaviest.
/// * A weak server may stay idle for long. [`Nq`](super::Nq) mends that.
///
/// # Example
/// ```
/// # use lvs_core::schedulers::*;
/// # mod examples { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/schedulers/examples.rs")); }
/// # use examples::*;
/// let mut service = service("sed", &[3, 2, 1]);
/// assert_eq!(picks(&mut service, 12), "ABACBAABACBA");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Sed {
    index: Index,
}

scheduler_by_index!(Sed, "sed", |index, pool| {
    let choice = index.choose(pool, |at| {
        let cost = i64::from(pool.active(at)) + 1;
        let weight = pool.weight(at);
        (if pool.usable(at) { Standing::Candidate { cost, weight } } else { Standing::Out }, false)
    });
    choice.ok().flatten()
});
