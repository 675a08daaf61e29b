use std::time::Duration;

/// A point on the caller's clock, in nanoseconds from its zero.
///
/// Wider than a [`Duration`] and signed: adding any two durations cannot overflow, and what
/// happened before a restart, when the clock began at zero again, has a place, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Time(i128);

impl Time {
    pub(super) fn plus(self, time: Duration) -> Self {
        Self(self.0.saturating_add(nanoseconds(time)))
    }

    /// This point and `part / whole` of a time, rounded up: then that part has passed.
    pub(super) fn plus_part(self, time: Duration, part: u32, whole: u32) -> Self {
        let (time, part, whole) = (nanoseconds(time), i128::from(part), i128::from(whole.max(1)));
        Self(self.0.saturating_add((time * part + whole - 1) / whole))
    }

    pub(super) fn minus(self, time: Duration) -> Self {
        Self(self.0.saturating_sub(nanoseconds(time)))
    }

    /// The time from an earlier point to this one, zero if it is not earlier.
    pub(super) fn since(self, earlier: Self) -> Duration {
        duration(self.0.saturating_sub(earlier.0))
    }

    /// The point on the caller's clock, zero if it lies before the clock's beginning.
    pub(super) fn on_clock(self) -> Duration {
        duration(self.0)
    }
}

impl From<Duration> for Time {
    fn from(now: Duration) -> Self {
        Self(nanoseconds(now))
    }
}

/// A duration of at most 2^64 seconds has at most 94 bits of nanoseconds.
fn nanoseconds(time: Duration) -> i128 {
    time.as_nanos() as i128
}

fn duration(nanoseconds: i128) -> Duration {
    const SECOND: i128 = 1_000_000_000;
    if nanoseconds <= 0 {
        return Duration::ZERO;
    }
    match u64::try_from(nanoseconds / SECOND) {
        Ok(seconds) => Duration::new(seconds, (nanoseconds % SECOND) as u32),
        Err(_) => Duration::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_durations_add_up_and_come_back() {
        let end = Time::from(Duration::MAX).plus(Duration::MAX);
        assert_eq!(end.on_clock(), Duration::MAX);
        assert_eq!(end.minus(Duration::MAX).on_clock(), Duration::MAX);
        let before = Time::from(Duration::from_secs(1)).minus(Duration::from_secs(5));
        assert_eq!(before.on_clock(), Duration::ZERO);
        assert_eq!(Time::from(Duration::from_millis(2500)).since(before), Duration::from_millis(6500));
    }
}
