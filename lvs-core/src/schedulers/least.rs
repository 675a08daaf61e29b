//! The comparison of the weighted least-connection schedulers.

use super::index::Standing;
use super::{DestinationId, Pool};

/// The destination of `candidates` with the smallest cost for its weight; of equals the first.
///
/// It starts with the first that is usable; a later one replaces it when
/// `cost(best) * weight(later) > cost(later) * weight(best)`.
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

/// How `at` stands in an index that is to choose as [`lightest`] does among all by overhead.
#[inline]
pub(super) fn by_overhead(pool: &Pool, at: DestinationId) -> Standing {
    let cost = i64::from(pool.overhead(at));
    if pool.usable(at) {
        Standing::Candidate { cost, weight: pool.weight(at) }
    } else if cost < 0 && !pool.overloaded(at) {
        // From 2^23 active connections on the overhead is negative, and then a quiesced destination
        // wins the comparison: less than nothing for no weight. Where it stands on the list
        // decides.
        Standing::Unordered
    } else {
        Standing::Out
    }
}
