//! The chances of twos, worked out instead of drawn.

use lvs_core::schedulers::{DestinationId, Pool};

/// How likely each destination is to be chosen next.
///
/// Each of two independent draws is one of 0 to W, the sum of the weights, each equally likely; it
/// falls on the first destination at which it has been used up, so the first one has one more
/// chance than its weight.
pub(crate) fn chances(pool: &Pool) -> Vec<(DestinationId, f64)> {
    let usable: Vec<DestinationId> = pool.iter().filter(|&at| pool.usable(at)).collect();
    let total: i64 = usable.iter().map(|&at| i64::from(pool.weight(at))).sum();
    let drawn = |i: usize| (i64::from(pool.weight(usable[i])) + i64::from(i == 0)) as f64 / (total + 1) as f64;
    let load = |a: usize, b: usize| pool.weight(usable[a]).wrapping_mul(pool.overhead(usable[b]));
    let mut chances: Vec<(DestinationId, f64)> = usable.iter().map(|&at| (at, 0.0)).collect();
    for first in 0..usable.len() {
        for second in 0..usable.len() {
            let winner = if load(second, first) > load(first, second) { second } else { first };
            chances[winner].1 += drawn(first) * drawn(second);
        }
    }
    chances
}

/// Sums up choices and how likely they were, and tells how far apart the two are.
#[derive(Default)]
pub(crate) struct Tally {
    /// For each name: times chosen, times expected, variance.
    sums: std::collections::BTreeMap<u32, (f64, f64, f64)>,
    pub(crate) choices: usize,
}

impl Tally {
    /// Destination `chosen` was chosen when the chances were these.
    pub(crate) fn add(&mut self, chances: &[(DestinationId, f64)], chosen: DestinationId) {
        for &(at, chance) in chances {
            let sum = self.sums.entry(at.index()).or_default();
            sum.0 += f64::from(at == chosen);
            sum.1 += chance;
            sum.2 += chance * (1.0 - chance);
        }
        self.choices += 1;
    }

    /// The largest distance of any destination's count from what was expected, in standard
    /// deviations.
    pub(crate) fn largest_deviation(&self) -> f64 {
        self.sums
            .values()
            .map(|&(got, expected, variance)| (got - expected).abs() / variance.max(1e-9).sqrt())
            .fold(0.0, f64::max)
    }
}
