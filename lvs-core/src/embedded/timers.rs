//! What the director does by itself, apart from the expiry of connections.

/// One thing that falls due. Of those that are due at the same tick, the first runs first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Timer {
    /// Looks for connections of removed destinations.
    Orphans,
    /// Looks at the memory, and drops entries.
    Defence,
    /// Lets schedulers drop what they remember.
    Schedulers,
    /// Looks through the trash.
    Trash,
    /// Resizes the service table.
    ServiceTable,
    /// Resizes the connection table.
    ConnectionTable,
}

impl Timer {
    const ALL: [Self; 6] =
        [Self::Orphans, Self::Defence, Self::Schedulers, Self::Trash, Self::ServiceTable, Self::ConnectionTable];
}

/// When a timer goes off that repeats itself.
#[derive(Debug, Clone, Copy)]
struct Dormant {
    /// The tick at which it would have gone off.
    due: u64,
    period: u64,
}

impl Dormant {
    /// The first time at `tick` or later.
    const fn next(self, tick: u64) -> u64 {
        let missed = tick.saturating_sub(self.due).div_ceil(self.period);
        self.due.saturating_add(missed.saturating_mul(self.period))
    }
}

/// All timers, each with the tick at which it goes off.
///
/// A periodic timer that will find nothing to do until something else happens can be laid to rest,
/// so that a long time without events takes no work; it wakes up at the phase that it would have
/// had.
#[derive(Debug, Clone, Default)]
pub(super) struct Timers {
    due: [Option<u64>; Timer::ALL.len()],
    dormant: [Option<Dormant>; Timer::ALL.len()],
}

impl Timers {
    /// Sets a timer to a tick, or stops it.
    pub(super) fn set(&mut self, timer: Timer, due: Option<u64>) {
        self.due[timer as usize] = due;
        self.dormant[timer as usize] = None;
    }

    /// Sets a timer to a tick unless it is to go off earlier.
    pub(super) fn set_earlier(&mut self, timer: Timer, due: u64) {
        let present = self.due[timer as usize];
        self.set(timer, Some(present.map_or(due, |present| present.min(due))));
    }

    /// Whether a timer is to go off.
    pub(super) fn is_set(&self, timer: Timer) -> bool {
        self.due[timer as usize].is_some()
    }

    /// Sets a timer that would go off at `due`, and every `period` from then on, but has nothing to
    /// do until it is woken.
    pub(super) fn rest(&mut self, timer: Timer, due: u64, period: u64) {
        self.due[timer as usize] = None;
        self.dormant[timer as usize] = Some(Dormant { due, period });
    }

    /// Wakes all timers: they go off at `tick` at the earliest.
    pub(super) fn wake(&mut self, tick: u64) {
        if self.dormant.iter().all(Option::is_none) {
            return;
        }
        for (due, dormant) in self.due.iter_mut().zip(&mut self.dormant) {
            if let Some(dormant) = dormant.take() {
                *due = Some(dormant.next(tick));
            }
        }
    }

    /// The tick at which the next one goes off.
    pub(super) fn next(&self) -> Option<u64> {
        self.due.iter().flatten().copied().min()
    }

    /// Takes one that goes off at `now`, the first in their order.
    pub(super) fn take_due(&mut self, now: u64) -> Option<Timer> {
        let timer = Timer::ALL.into_iter().find(|timer| self.due[*timer as usize].is_some_and(|due| due <= now))?;
        self.due[timer as usize] = None;
        Some(timer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_go_off_in_the_order_of_their_ticks_and_kinds() {
        let mut timers = Timers::default();
        timers.set(Timer::Trash, Some(5));
        timers.set(Timer::Orphans, Some(7));
        timers.set(Timer::Defence, Some(5));
        timers.set_earlier(Timer::Orphans, 9);
        let mut order = Vec::new();
        while let Some(now) = timers.next() {
            order.push((now, timers.take_due(now).unwrap()));
        }
        assert_eq!(order, [(5, Timer::Defence), (5, Timer::Trash), (7, Timer::Orphans)]);
    }

    #[test]
    fn a_timer_that_rested_wakes_up_in_phase() {
        for (woken, due) in [(0, 30), (30, 30), (31, 90), (90, 90), (1000, 1050)] {
            let mut timers = Timers::default();
            timers.rest(Timer::Trash, 30, 60);
            assert_eq!(timers.next(), None);
            timers.wake(woken);
            assert_eq!(timers.next(), Some(due), "woken at {woken}");
        }
    }
}
