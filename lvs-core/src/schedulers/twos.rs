//! twos: power of two choices.

use std::fmt;

use super::{BindError, DestinationId, Pool, Random, Request, Scheduler};

/// Power of two choices: of two drawn by weight, the one with less to do.
#[derive(Clone)]
pub struct Twos<R> {
    random: R,
}

impl<R: Random> Twos<R> {
    /// Not yet bound; draws from `random`, twice for each choice.
    pub const fn new(random: R) -> Self {
        Self { random }
    }
}

impl<R> fmt::Debug for Twos<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Twos").finish_non_exhaustive()
    }
}

impl<R: Random + Send> Scheduler for Twos<R> {
    fn name(&self) -> &'static str {
        "twos"
    }

    fn bind(&mut self, _: &Pool, _: u64) -> Result<(), BindError> {
        Ok(())
    }

    fn added(&mut self, _: &Pool, _: DestinationId) {}

    fn removed(&mut self, _: &Pool, _: DestinationId) {}

    fn edited(&mut self, _: &Pool, _: DestinationId) {}

    fn pick(&mut self, pool: &Pool, _: &Request) -> Option<DestinationId> {
        let usable = pool.iter().filter(|&at| pool.usable(at));
        let total = usable.clone().fold(0i32, |sum, at| sum.wrapping_add(pool.weight(at)));
        if total == 0 {
            return None;
        }
        let bound = total.wrapping_add(1) as u32;
        let draws = [self.random.below(bound) as i32, self.random.below(bound) as i32];
        let [first, second] = draws.map(|draw| {
            let mut left = draw;
            usable.clone().find(|&at| {
                left = left.wrapping_sub(pool.weight(at));
                left <= 0
            })
        });
        let (first, second) = (first?, second?);
        // 32 bits wide, unlike the other weighted comparisons.
        let lighter = pool.weight(second).wrapping_mul(pool.overhead(first))
            > pool.weight(first).wrapping_mul(pool.overhead(second));
        Some(if lighter { second } else { first })
    }
}
