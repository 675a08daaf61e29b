//! The comparison of the weighted least-connection schedulers.

use super::{DestinationId, Pool};

/// The destination of `candidates` with the smallest cost for its weight; of equals the first.
///
/// It starts with the first that is usable; a later one replaces it when `cost(best) * weight(later) > cost(later) * weight(best)`.
pub(super) fn lightest(
    pool: &Pool,
    candidates: impl IntoIterator<Item = DestinationId>,
    cost: impl Fn(DestinationId) -> i32,
) -> Option<DestinationId> {
    let mut candidates = candidates.into_iter();
    let mut best = candidates.by_ref().find(|&at| pool.usable(at))?;
    let mut best_cost = i64::from(cost(best));
    for at in candidates {
        if pool.overloaded(at) {
            continue;
        }
        let this = i64::from(cost(at));
        if best_cost * i64::from(pool.weight(at)) > this * i64::from(pool.weight(best)) {
            best = at;
            best_cost = this;
        }
    }
    Some(best)
}

/// What sed and nq compare: the active connections that it would have.
pub(super) fn expected_delay(pool: &Pool, at: DestinationId) -> i32 {
    pool.active(at).wrapping_add(1)
}
