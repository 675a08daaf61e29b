use std::time::Duration;

/// Ticks a second of the kernels that this crate follows (`CONFIG_HZ` of Debian on amd64).
pub(super) const HZ: u64 = 250;

const NANOS_PER_TICK: u64 = 1_000_000_000 / HZ;

/// The director's clock: it stands still until it is told to move.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Clock {
    nanos: u64,
}

impl Clock {
    /// Time since the director was made.
    pub(super) const fn now(self) -> Duration {
        Duration::from_nanos(self.nanos)
    }

    /// The same in whole ticks.
    pub(super) const fn ticks(self) -> u64 {
        self.nanos / NANOS_PER_TICK
    }

    /// Moves to a later time; never back. Times beyond five centuries count as five centuries.
    pub(super) fn set(&mut self, now: Duration) {
        self.nanos = self.nanos.max(u64::try_from(now.as_nanos()).unwrap_or(u64::MAX));
    }
}

/// A tick as milliseconds, the unit of the schedulers.
pub(super) const fn millis(ticks: u64) -> u64 {
    ticks * (1000 / HZ)
}
