//! Signals, Ctrl-C above all, in calls that take long.

use std::time::{Duration, Instant};

use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;

/// How often Python's signal handlers get a chance to run.
const EVERY: Duration = Duration::from_millis(50);

/// Looks for signals now and then, in work that is detached from the interpreter and holds no lock:
/// a handler may do anything.
#[derive(Default)]
pub(crate) struct Signals {
    next: Option<Instant>,
    error: Option<PyErr>,
}

impl Signals {
    /// Whether a handler of Python has raised an exception.
    pub(crate) fn raised(&mut self) -> bool {
        let now = Instant::now();
        match self.next {
            Some(next) if now < next => return false,
            _ => self.next = Some(now + EVERY),
        }
        self.error = Python::attach(|py| py.check_signals()).err();
        self.error.is_some()
    }

    /// What the handler raised.
    pub(crate) fn into_error(self) -> PyErr {
        self.error.unwrap_or_else(|| PyKeyboardInterrupt::new_err(()))
    }
}
