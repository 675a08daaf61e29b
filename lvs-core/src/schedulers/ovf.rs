//! ovf: weighted overflow.

use super::index::{Index, Standing, scheduler_by_index};

/// Weighted overflow: the heaviest destination until it is full, then the next.
///
/// # What for
/// Few servers well filled and the others idle, so that they can be switched off: the weight is the
/// number of connections that a server can take.
///
/// # How it decides
/// The largest weight among those that are not overloaded and do not have more active connections
/// than weight; of equals the first on the list.
///
/// # When it surprises
/// * A destination takes **one more** active connection than its weight: it is passed over when it
///   has *more* than that.
/// * When all are full, there is no choice and the client is refused, as with thresholds.
/// * UDP connections are never active: the heaviest gets them all.
///
/// # Example
/// ```
/// # use lvs_core::schedulers::*;
/// # mod examples { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/schedulers/examples.rs")); }
/// # use examples::*;
/// let mut service = service("ovf", &[3, 2, 1]);
/// assert_eq!(picks(&mut service, 10), "AAAABBBCC-");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Ovf {
    index: Index,
}

scheduler_by_index!(Ovf, "ovf", |index, pool| {
    let choice = index.choose(pool, |at| {
        let weight = pool.weight(at);
        let room = pool.usable(at) && pool.active(at) <= weight;
        let cost = -i64::from(weight);
        (if room { Standing::Candidate { cost, weight: 1 } } else { Standing::Out }, false)
    });
    choice.ok().flatten()
});
