use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::Window;
use crate::model::{Counters, DestinationKey, ServiceKey};

/// What is counted, and where.
type Place = (ServiceKey, Option<DestinationKey>);

/// The kernel's estimator moves the counters every two seconds (`ip_vs_est.c`).
const TICK: Duration = Duration::from_secs(2);

/// How many looks are remembered: enough to find one that lies whole ticks back, at any usual
/// interval.
const LOOKS: usize = 8;

/// Finds for each count the time in which it was counted.
///
/// The counters move every two seconds, at an unknown moment, while looks come at any
/// interval. Between two looks less than two seconds apart lies one tick if the counters have
/// moved; between two looks three seconds apart lie one or two. Looks that are a multiple of two
/// seconds apart have always the same number between them, so a rate is taken from the last look at
/// such a distance.
#[derive(Debug, Clone, Default)]
pub(super) struct Rates {
    /// When was looked, the oldest first; the last one may be the present look.
    looks: VecDeque<Duration>,
    /// What moved since the oldest look. What is not here has not.
    moved: HashMap<Place, Moves>,
}

/// How the counters of one place moved. Sums of what was counted, since counters may be reset.
#[derive(Debug, Clone)]
struct Moves {
    /// Since when it is watched.
    since: Duration,
    /// The sum before the first move.
    base: Counters,
    /// When a move was seen, and the sum from then on.
    moves: VecDeque<(Duration, Counters)>,
}

impl Rates {
    /// Begins a look.
    pub(super) fn look(&mut self, now: Duration) {
        self.looks.push_back(now);
        if self.looks.len() > LOOKS {
            self.looks.pop_front();
            let oldest = self.looks[0];
            self.moved.retain(|_, moves| moves.forget_before(oldest));
        }
    }

    /// Something is new: nothing is known of it from before.
    pub(super) fn appeared(&mut self, place: Place, now: Duration) {
        self.moved.insert(place, Moves { since: now, base: Counters::default(), moves: VecDeque::new() });
    }

    /// Something is gone.
    pub(super) fn vanished(&mut self, place: &Place) {
        self.moved.remove(place);
    }

    /// Something was counted; returns the window from which its rate can be taken, if there is one
    /// yet.
    pub(super) fn counted(&mut self, place: Place, delta: Counters, now: Duration) -> Option<Window> {
        let since = self.looks.front().copied().unwrap_or(now);
        let unmoved = || Moves { since, base: Counters::default(), moves: VecDeque::new() };
        let moves = self.moved.entry(place).or_insert_with(unmoved);
        let sum = moves.at(now).each(delta, u64::wrapping_add);
        moves.moves.push_back((now, sum));
        let known = self.looks.iter().copied().filter(|look| *look < now && *look >= moves.since);
        if known.clone().next_back().is_some_and(|last| now - last < TICK) {
            return Some(Window { counters: delta, elapsed: TICK });
        }
        // The nearest one among those that fit equally well: rates follow changes soon.
        let start = known.rev().min_by_key(|look| misfit(now - *look))?;
        let elapsed = now - start;
        // A tick more or less is at most a tenth of it.
        if misfit(elapsed) * 10 > elapsed {
            return None;
        }
        let counters = sum.each(moves.at(start), u64::wrapping_sub);
        Some(Window { counters, elapsed: TICK * ticks(elapsed) })
    }
}

impl Moves {
    /// The sum at a look.
    fn at(&self, look: Duration) -> Counters {
        self.moves.iter().rev().find(|(at, _)| *at <= look).map_or(self.base, |(_, counters)| *counters)
    }

    /// Forgets what lies before a look; returns whether anything is left that is not known without
    /// it.
    fn forget_before(&mut self, oldest: Duration) -> bool {
        while let Some((at, counters)) = self.moves.front().copied()
            && at <= oldest
        {
            self.base = counters;
            self.moves.pop_front();
        }
        !self.moves.is_empty() || self.since > oldest
    }
}

/// The number of ticks that is nearest to a time, at least one.
fn ticks(elapsed: Duration) -> u32 {
    let half = TICK.as_nanos() / 2;
    u32::try_from((elapsed.as_nanos() + half) / TICK.as_nanos()).unwrap_or(u32::MAX).max(1)
}

/// How far a time is from whole ticks.
fn misfit(elapsed: Duration) -> Duration {
    elapsed.abs_diff(TICK.saturating_mul(ticks(elapsed)))
}
