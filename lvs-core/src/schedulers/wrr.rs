//! wrr: weighted round robin.

use super::line::Line;
use super::weights::Weights;
use super::{BindError, DestinationId, Pool, Request, Scheduler};

/// Weighted round robin: one after the other, the heavier ones more often.
///
/// # What for
/// Servers of different strength and connections that are alike.
///
/// # How it decides
/// In passes over the list, newest destination first. Each pass has a threshold, and serves all
/// destinations whose weight reaches it. The threshold begins at the maximum weight and falls from
/// pass to pass by the weights' greatest common divisor; after the lowest one it begins again. With
/// weights 4, 3, 2 a cycle is `A`, `B A`, `C B A`, `C B A`.
///
/// # When it surprises
/// * **Any command that touches a destination, even one that changes nothing, restarts the walk at
///   the head** of the list, at the present threshold. A controller that writes the same weights
///   every second spoils the proportions.
/// * A service that is filled one destination at a time begins with the threshold of its first one,
///   so its first round ignores the weights (below). Binding wrr to a service that is filled
///   already begins at the top.
/// * In a cycle the heaviest destination gets its surplus in one go: weights 5, 1, 1 give four in a
///   row. Smooth interleaving is not what this is; compare [`Sed`](super::Sed).
/// * An overloaded destination's weight still counts for maximum and divisor.
///
/// # Example
/// ```
/// # use lvs_core::schedulers::*;
/// # mod examples { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/schedulers/examples.rs")); }
/// # use examples::*;
/// let mut filling = service("wrr", &[4, 3, 2]);
/// assert_eq!(picks(&mut filling, 12), "CBAABACBACBA");
///
/// let mut filled = service("rr", &[4, 3, 2]);
/// let wrr = by_name("wrr", &SchedulerOptions::default()).expect("the name of a scheduler");
/// filled.set_scheduler(wrr, 0)?;
/// assert_eq!(picks(&mut filled, 9), "ABACBACBA");
/// # Ok::<(), BindError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Wrr {
    /// Place of the current entry; `None` stands for the list's head, before the first entry.
    current: Option<usize>,
    /// The weight that an entry must have in the present pass.
    threshold: i32,
    /// Threshold of the first pass: maximum weight − (step − 1).
    maximum: i32,
    /// By how much the threshold falls from pass to pass: the weights' greatest common divisor.
    step: i32,
    order: Order,
    weights: Weights,
}

/// The list from its tail on: places in a row, new destinations at the end.
#[derive(Clone, Debug, Default)]
struct Order {
    /// Who is at a place; what left it is still named there.
    slots: Vec<u32>,
    /// Where a slot is, or `NOWHERE`.
    places: Vec<u32>,
    /// Weights by place, 0 for those that may not be chosen now.
    line: Line,
}

const NOWHERE: u32 = u32::MAX;

impl Order {
    fn rebuild(&mut self, pool: &Pool) {
        self.slots.clear();
        self.line.clear();
        self.places.clear();
        self.places.resize(pool.capacity(), NOWHERE);
        let mut at = pool.tail();
        while let Some(here) = at {
            self.append(pool, here);
            at = pool.previous(here);
        }
    }

    fn append(&mut self, pool: &Pool, at: DestinationId) {
        let slot = at.index() as usize;
        if slot >= self.places.len() {
            self.places.resize(slot + 1, NOWHERE);
        }
        self.places[slot] = self.slots.len() as u32;
        self.slots.push(at.index());
        self.line.push(standing(pool, at));
    }

    fn add(&mut self, pool: &Pool, at: DestinationId) {
        // Places left behind are swept up when they outnumber the others.
        if self.slots.len() > 2 * pool.len() + 64 {
            self.rebuild(pool);
        } else {
            self.append(pool, at);
        }
    }

    fn remove(&mut self, at: DestinationId) {
        let place = std::mem::replace(&mut self.places[at.index() as usize], NOWHERE);
        self.line.set(place as usize, 0);
    }

    #[inline]
    fn follow(&mut self, pool: &Pool, at: DestinationId) {
        let place = self.places.get(at.index() as usize).copied().unwrap_or(NOWHERE);
        if place != NOWHERE && self.line.get(place as usize) != standing(pool, at) {
            self.line.set(place as usize, standing(pool, at));
        }
    }
}

#[inline]
fn standing(pool: &Pool, at: DestinationId) -> i32 {
    if pool.usable(at) { pool.weight(at) } else { 0 }
}

impl Wrr {
    /// A scheduler that is bound to no pool yet.
    pub fn new() -> Self {
        Self { step: 1, ..Self::default() }
    }

    fn measure(&mut self) {
        let measure = self.weights.measure();
        self.step = measure.divisor.max(1) as i32;
        self.maximum = if measure.maximum == 0 { 0 } else { measure.maximum as i32 - (self.step - 1) };
    }

    // ip_vs_wrr.c: ip_vs_wrr_dest_changed()
    fn changed(&mut self, pool: &Pool, at: DestinationId) {
        self.current = None;
        self.weights.follow(pool, at);
        self.measure();
        if self.threshold > self.maximum || self.threshold == 0 {
            self.threshold = self.maximum;
        } else if self.step > 1 {
            self.threshold = self.threshold / self.step * self.step + 1;
        }
    }

    /// Lowers the threshold past passes that would find no destination, but not into the last pass.
    fn skip_empty_passes(&mut self) {
        let goal = self.order.line.max().max(self.step);
        if self.threshold > goal {
            let passes = ((self.threshold - goal) as u32).div_ceil(self.step as u32);
            self.threshold -= passes as i32 * self.step;
        }
    }
}

impl Scheduler for Wrr {
    fn name(&self) -> &'static str {
        "wrr"
    }

    fn bind(&mut self, pool: &Pool, _: u64) -> Result<(), BindError> {
        self.order.rebuild(pool);
        self.weights.rebuild(pool);
        self.current = None;
        self.measure();
        self.threshold = self.maximum;
        Ok(())
    }

    fn added(&mut self, pool: &Pool, at: DestinationId) {
        self.order.add(pool, at);
        self.changed(pool, at);
    }

    fn removed(&mut self, pool: &Pool, at: DestinationId) {
        self.order.remove(at);
        self.changed(pool, at);
    }

    fn edited(&mut self, pool: &Pool, at: DestinationId) {
        self.order.follow(pool, at);
        self.changed(pool, at);
    }

    #[inline]
    fn counters_changed(&mut self, pool: &Pool, at: DestinationId) {
        // Connections may have set or cleared the overload flag, which nothing has without a limit.
        if pool.upper_threshold(at) != 0 {
            self.order.follow(pool, at);
        }
    }

    fn pick(&mut self, _: &Pool, _: &Request) -> Option<DestinationId> {
        if self.maximum == 0 {
            return None;
        }
        let last = self.current;
        let mut stop = None;
        let (mut last_pass, mut restarted) = (false, false);
        loop {
            let end = self.current.unwrap_or(self.order.line.len());
            let found = self.order.line.last_before(end, self.threshold);
            if let Some(stop) = stop
                && found.is_none_or(|place| place < stop)
            {
                // The walk ends where the last choice was.
                self.current = Some(stop);
                return None;
            }
            if let Some(place) = found {
                self.current = found;
                return Some(DestinationId::new(self.order.slots[place]));
            }
            self.current = None;
            self.threshold -= self.step;
            if self.threshold <= 0 {
                self.threshold = self.maximum;
                if last_pass || last.is_none() {
                    return None;
                }
                restarted = true;
            }
            self.skip_empty_passes();
            last_pass = self.threshold <= self.step;
            if last_pass && restarted {
                stop = last;
            }
        }
    }
}
