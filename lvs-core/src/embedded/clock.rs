use std::time::Duration;

/// The director's clock: it stands still until it is moved.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    nanos: u64,
    hz: u64,
}

impl Clock {
    /// A clock with `hz` ticks a second, at time 0.
    pub(super) const fn new(hz: u64) -> Self {
        Self { nanos: 0, hz }
    }

    /// Time since the director was made.
    pub(super) const fn now(self) -> Duration {
        Duration::from_nanos(self.nanos)
    }

    /// Ticks a second.
    pub(super) const fn hz(self) -> u64 {
        self.hz
    }

    /// The time in whole ticks.
    #[inline]
    pub(super) const fn ticks(self) -> u64 {
        self.nanos / (1_000_000_000 / self.hz)
    }

    /// Moves to a later time; never back. Times beyond five centuries count as five centuries.
    pub(super) fn set(&mut self, now: Duration) {
        self.nanos = self.nanos.max(u64::try_from(now.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Moves to a tick; never back.
    pub(super) fn set_ticks(&mut self, ticks: u64) {
        self.nanos = self.nanos.max(ticks.saturating_mul(1_000_000_000 / self.hz));
    }
}
