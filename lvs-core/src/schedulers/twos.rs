//! twos: power of two choices.

use std::fmt;

use super::{BindError, DestinationId, Pool, Random, Request, Scheduler};

/// Power of two choices: of two drawn by weight, the one with less to do.
///
/// # What for
/// Many directors that share servers without knowing of each other's connections: chance keeps them
/// from all rushing to the same idle one, and two draws come close to the least loaded.
///
/// # How it decides
/// Two destinations are drawn independently, each with a probability proportional to its weight,
/// from those with weight above 0 that are not overloaded. The second is taken if its
/// [overhead](super::Pool::overhead) for its weight is smaller, else the first.
///
/// # When it surprises
/// * The draw is from 0 to the sum of weights *inclusive*, so the destination **added last** has
///   one more chance in (sum + 1): with weights of 1 and few destinations that shows. Use larger
///   weights.
/// * The comparison is 32 bits wide and may overflow with large weights and many connections.
/// * Choices cannot be foretold, only repeated: with the same [seed](super::SchedulerOptions::seed)
///   they are the same. The kernel draws from its own generator.
/// * Linux 6.1 as Debian builds it does not have it.
///
/// # Example
/// ```
/// # use lvs_core::schedulers::*;
/// # mod examples { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/schedulers/examples.rs")); }
/// # use examples::*;
/// let mut service = service("twos", &[30, 20, 10]);
/// let picked = picks(&mut service, 6000);
/// let share = |name| picked.matches(name).count() as f64 / 6000.0;
/// assert!((share('A') - 0.5).abs() < 0.02 && (share('C') - 0.167).abs() < 0.02);
/// ```
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

impl<R: Random + Send + Clone + 'static> Scheduler for Twos<R> {
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
