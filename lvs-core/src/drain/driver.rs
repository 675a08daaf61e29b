use std::ops::ControlFlow;
use std::time::Duration;

use super::{Drain, DrainProgress, Remaining};
use crate::director::{Director, OnRefusal, Operation};
use crate::error::{ErrorKind, Result};

/// How a drain ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use = "what was cut or left behind is only reported here"]
#[non_exhaustive]
pub struct Drained {
    /// Whether it was broken off: then the weights are back.
    pub cancelled: bool,
    /// What was applied on the way, in order; of a cancelled drain without what brought the weights back.
    pub operations: Vec<Operation>,
    /// What was cut because the deadline passed, with what it still held. Its connections are lost.
    pub cut: Vec<Remaining>,
    /// What was removed without being cut while something of it was left: closing connections, UDP flows, templates.
    /// What still comes on these is dropped until they time out, unless `net.ipv4.vs.expire_nodest_conn` is 1: then the
    /// next packet makes the client start over with another server.
    pub left_behind: Vec<Remaining>,
}

/// Drives a drain to its end: looks, applies what is due, and waits.
///
/// `wait` is called after each look that leaves something to be waited for and returns the time of the next one, or
/// breaks off: then the drain is cancelled and the weights go back, as they do when the director fails. It is where a
/// program sleeps, or a test moves the embedded director's clock.
///
/// # Errors
/// [`DrainError::NotFound`](super::DrainError) when nothing of the target is there at the first look. Otherwise when the director cannot be
/// read, or refuses a step for another reason than that what is to be changed is gone.
pub fn run<D: Director + ?Sized>(
    director: &mut D,
    drain: &mut Drain,
    now: Duration,
    wait: impl FnMut(&mut D, &DrainProgress) -> ControlFlow<(), Duration>,
) -> Result<Drained> {
    drain.check(&director.snapshot()?)?;
    let drained = drive(director, drain, now, wait);
    if !matches!(drained, Ok(Drained { cancelled: false, .. })) {
        let back = drain.cancel(&director.snapshot()?);
        apply(director, &back)?;
    }
    drained
}

fn drive<D: Director + ?Sized>(
    director: &mut D,
    drain: &mut Drain,
    mut now: Duration,
    mut wait: impl FnMut(&mut D, &DrainProgress) -> ControlFlow<(), Duration>,
) -> Result<Drained> {
    let mut drained = Drained::default();
    loop {
        let progress = drain.step(&director.snapshot()?, now);
        apply(director, &progress.operations)?;
        drained.operations.extend(&progress.operations);
        add(&mut drained.cut, &progress.cut);
        add(&mut drained.left_behind, &progress.left_behind);
        if progress.done {
            return Ok(drained);
        }
        // What was just removed or quiesced is looked at again at once if nothing else is waited for.
        if progress.waiting.is_empty() {
            continue;
        }
        match wait(director, &progress) {
            ControlFlow::Continue(time) => now = time,
            ControlFlow::Break(()) => {
                drained.cancelled = true;
                return Ok(drained);
            }
        }
    }
}

/// Adds what is not there yet: a removal that was refused comes again.
fn add(all: &mut Vec<Remaining>, new: &[Remaining]) {
    let is_known = |all: &[Remaining], one: &Remaining| {
        all.iter().any(|known| known.service == one.service && known.destination == one.destination)
    };
    for one in new {
        if !is_known(all, one) {
            all.push(*one);
        }
    }
}

/// Applies operations; what another program has removed meanwhile needs no removing.
fn apply<D: Director + ?Sized>(director: &mut D, operations: &[Operation]) -> Result<()> {
    let mut report = director.apply(operations, OnRefusal::Continue);
    report.refused.retain(|refusal| refusal.error.kind() != ErrorKind::NotFound);
    report.into_result()
}
