use std::ops::ControlFlow;
use std::time::Duration;

use super::{Drain, DrainProgress};
use crate::director::{Director, OnRefusal, Operation};
use crate::error::Result;

/// Drives a drain to its end: looks, applies what is due, and waits.
///
/// `wait` is called between two looks with what is left and returns the time of the next one, or breaks off: then the drain
/// is cancelled and the weights go back. It is where a program sleeps, or a test moves the embedded director's clock.
/// Returns the last progress; `done` says whether the drain came to its end.
///
/// # Errors
/// When the director cannot be read, or refuses a step for another reason than that what is to be changed is gone.
pub fn run<D: Director + ?Sized>(
    director: &mut D,
    drain: &mut Drain,
    mut now: Duration,
    mut wait: impl FnMut(&mut D, &DrainProgress) -> ControlFlow<(), Duration>,
) -> Result<DrainProgress> {
    loop {
        let progress = drain.step(&director.snapshot()?, now);
        apply(director, &progress.operations)?;
        if progress.done {
            return Ok(progress);
        }
        // What was just removed or quiesced is looked at again at once only if nothing else is waited for.
        if progress.waiting.is_empty() {
            continue;
        }
        match wait(director, &progress) {
            ControlFlow::Continue(time) => now = time,
            ControlFlow::Break(()) => {
                let back = drain.cancel(&director.snapshot()?);
                apply(director, &back)?;
                return Ok(progress);
            }
        }
    }
}

/// Applies operations; what another program has removed meanwhile needs no removing.
fn apply<D: Director + ?Sized>(director: &mut D, operations: &[Operation]) -> Result<()> {
    let mut report = director.apply(operations, OnRefusal::Continue);
    report.failures.retain(|failure| failure.error.kind() != crate::ErrorKind::NotFound);
    report.into_result()
}
