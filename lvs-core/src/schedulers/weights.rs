//! The greatest common divisor and the maximum of a set of weights, kept up to date one weight at a
//! time.

use super::{DestinationId, Pool};

/// Weights by slot, in a binary tree whose nodes hold divisor and maximum of what is below.
#[derive(Clone, Debug, Default)]
pub(super) struct Weights {
    /// Node 1 is the root, the leaf of slot `s` is `leaves + s`.
    nodes: Vec<Measure>,
    leaves: usize,
}

/// Of a set of weights; both 0 if none is above 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Measure {
    pub(super) divisor: u32,
    pub(super) maximum: u32,
}

impl Measure {
    const fn of(weight: i32) -> Self {
        let weight = if weight > 0 { weight as u32 } else { 0 };
        Self { divisor: weight, maximum: weight }
    }

    fn join(self, other: Self) -> Self {
        Self { divisor: gcd(self.divisor, other.divisor), maximum: self.maximum.max(other.maximum) }
    }
}

/// The greatest common divisor; that of 0 and a number is the number.
pub(super) const fn gcd(mut a: u32, mut b: u32) -> u32 {
    if a == 1 || b == 1 {
        return 1;
    }
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl Weights {
    /// The weights of all that are listed.
    pub(super) fn rebuild(&mut self, pool: &Pool) {
        self.leaves = pool.capacity().next_power_of_two();
        self.nodes.clear();
        self.nodes.resize(2 * self.leaves, Measure::default());
        for at in pool {
            self.nodes[self.leaves + at.index() as usize] = Measure::of(pool.weight(at));
        }
        for n in (1..self.leaves).rev() {
            self.nodes[n] = self.nodes[2 * n].join(self.nodes[2 * n + 1]);
        }
    }

    /// Follows a change of `at`.
    pub(super) fn follow(&mut self, pool: &Pool, at: DestinationId) {
        if at.index() as usize >= self.leaves {
            return self.rebuild(pool);
        }
        let mut measure = Measure::of(if pool.available(at) { pool.weight(at) } else { 0 });
        let mut n = self.leaves + at.index() as usize;
        while self.nodes[n] != measure {
            self.nodes[n] = measure;
            if n == 1 {
                break;
            }
            measure = measure.join(self.nodes[n ^ 1]);
            n /= 2;
        }
    }

    pub(super) fn measure(&self) -> Measure {
        self.nodes.get(1).copied().unwrap_or_default()
    }
}
