//! Waiting for what has to come.

use std::thread;
use std::time::{Duration, Instant};

/// What has not come after that will not come.
pub const LIMIT: Duration = Duration::from_secs(300);

/// Waits until something is so.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < LIMIT, "{what}");
        thread::sleep(Duration::from_millis(50));
    }
}
