//! fo: weighted failover.

use super::index::{Index, Standing, scheduler_by_index};

/// Weighted failover: everything to the heaviest destination that is up.
///
/// # What for
/// A primary and spares. Failing over means setting a weight to 0 or removing the destination.
///
/// # How it decides
/// The largest weight above 0 among those that are not overloaded; of equals the first on the list.
///
/// # When it surprises
/// * Of equals the one **added last** has it all, and adding another one of the same weight moves
///   all new connections to it.
/// * Connections that exist stay where they are when the heavier one comes back; persistence holds
///   clients too.
///
/// # Example
/// ```
/// # use lvs_core::schedulers::*;
/// # mod examples { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/schedulers/examples.rs")); }
/// # use examples::*;
/// let mut service = service("fo", &[3, 2, 1]);
/// assert_eq!(picks(&mut service, 3), "AAA");
/// service.set_weight(named(&service, 'A'), 0);
/// assert_eq!(picks(&mut service, 3), "BBB");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Fo {
    index: Index,
}

scheduler_by_index!(Fo, "fo", |index, pool| {
    let choice = index.choose(pool, |at| {
        let cost = -i64::from(pool.weight(at));
        (if pool.usable(at) { Standing::Candidate { cost, weight: 1 } } else { Standing::Out }, false)
    });
    choice.ok().flatten()
});
