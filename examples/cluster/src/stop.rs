//! The signals that ask a program to end.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Ctrl-C and `SIGTERM`, remembered from the moment this is made.
#[derive(Debug)]
pub struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    /// Listens from now on; needs a runtime.
    ///
    /// # Errors
    /// The system refuses the handler.
    pub fn new() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits until the program is asked to end.
    pub async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Whether the program is asked to end within a time.
    pub async fn within(&mut self, time: Duration) -> bool {
        tokio::time::timeout(time, self.asked()).await.is_ok()
    }
}
