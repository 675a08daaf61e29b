use std::pin::pin;
use std::time::{Duration, Instant};

use super::ProbeOutcome;

/// Asks a server for so long; no answer in time is a failure. If it was this process that did not
/// run meanwhile (stopped, or on a machine that stood still), the server gets the time once more.
/// Needs tokio's timers.
pub async fn within(timeout: Duration, probe: impl Future<Output = ProbeOutcome>) -> ProbeOutcome {
    let mut probe = pin!(probe);
    for turn in [Turn::First, Turn::Last] {
        let started = Instant::now();
        if let Ok(outcome) = tokio::time::timeout(timeout, probe.as_mut()).await {
            return outcome;
        }
        if let Some(outcome) = turn.overdue(timeout, started.elapsed()) {
            return outcome;
        }
    }
    ProbeOutcome::Down(format!("no answer in {timeout:?}"))
}

/// Which of the times that a server gets.
#[derive(Clone, Copy)]
enum Turn {
    First,
    Last,
}

impl Turn {
    /// The outcome of a probe whose time is over, if there is one: a timer that fires much later
    /// than it should says that this process could not have seen an answer in time.
    fn overdue(self, timeout: Duration, elapsed: Duration) -> Option<ProbeOutcome> {
        let late = elapsed.saturating_sub(timeout);
        match self {
            Self::First if late > (timeout / 4).max(Duration::from_millis(100)) => None,
            // Twice in a row for longer than the server has: nothing can be said about it.
            Self::Last if late > timeout => {
                Some(ProbeOutcome::NotRun(format!("this process stood still for {:.1} s", late.as_secs_f64())))
            }
            _ => Some(ProbeOutcome::Down(format!("no answer in {timeout:?}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_timer_is_no_failure_of_the_server_until_it_had_its_time_again() {
        let second = Duration::from_secs(1);
        let down = Some(ProbeOutcome::Down("no answer in 2s".to_owned()));
        assert_eq!(Turn::First.overdue(2 * second, 2 * second), down);
        assert_eq!(Turn::First.overdue(2 * second, 3 * second), None, "it gets its time once more");
        assert_eq!(Turn::Last.overdue(2 * second, 3 * second), down, "a busy machine does not keep the dead alive");
        assert!(matches!(Turn::Last.overdue(2 * second, 9 * second), Some(ProbeOutcome::NotRun(_))));
    }
}
