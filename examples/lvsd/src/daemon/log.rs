//! The log: the journal under systemd, else lines on standard error. Neither can end the daemon.

use std::io::{self, Write};

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

/// Standard error, where a line that cannot be written is lost.
#[derive(Debug, Clone, Copy)]
struct Lossy;

impl Write for Lossy {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        // A full disk or a reader that has gone.
        let _ = io::stderr().write_all(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Starts it. `RUST_LOG` says what is logged, from `info` on unless it is set.
pub fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let journal = std::env::var_os("JOURNAL_STREAM").and_then(|_| tracing_journald::layer().ok());
    let lines = journal
        .is_none()
        .then(|| fmt::layer().with_writer(|| Lossy).with_target(false).with_ansi(false).log_internal_errors(false));
    // A test may have started one already.
    let _ = tracing_subscriber::registry().with(filter).with(journal).with(lines).try_init();
}
