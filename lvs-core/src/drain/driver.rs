use std::ops::ControlFlow;
use std::time::Duration;

use super::{Drain, DrainProgress, Remaining};
use crate::director::{Director, OnRefusal, Operation};
use crate::error::{ErrorKind, Result};

/// How a drain ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[must_use = "what was cut or left behind is only reported here"]
#[non_exhaustive]
pub struct Drained {
    /// Whether it was broken off: then the weights are back.
    pub cancelled: bool,
    /// What was applied on the way, in order; of a cancelled drain without what brought the weights
    /// back.
    pub operations: Vec<Operation>,
    /// What was cut because the deadline passed, with what it still held. Its connections are lost.
    pub cut: Vec<Remaining>,
    /// What was removed without being cut while something of it was left: closing connections, UDP
    /// flows, templates. What still comes on these is dropped until they time out, unless
    /// `net.ipv4.vs.expire_nodest_conn` is 1: then the next packet makes the client start over with
    /// another server.
    pub left_behind: Vec<Remaining>,
}

/// A drain being carried out on a director, for programs with a loop of their own. [`run`] is the
/// loop for all others.
///
/// ```
/// use std::time::Duration;
/// use lvs_core::Director;
/// use lvs_core::drain::{Drain, DrainPolicy, DrainRun, DrainTarget};
/// use lvs_core::embedded::EmbeddedDirector;
/// use lvs_core::model::{Destination, Service, ServiceKey};
///
/// let mut director = EmbeddedDirector::new();
/// let key = ServiceKey::tcp("192.0.2.1", 80)?;
/// director.add_service(&Service::new(key))?;
/// director.add_destination(&key, &Destination::new("198.51.100.7".parse()?, 80))?;
///
/// let mut drain = DrainRun::new(Drain::new(DrainTarget::Service(key), DrainPolicy::default()));
/// while !drain.step(&mut director, Duration::ZERO)?.done {
///     // Wait for a second, or give up with `drain.cancel(&mut director)?`.
/// }
/// assert!(director.services()?.is_empty());
/// assert_eq!(drain.drained().operations.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct DrainRun {
    drain: Drain,
    begun: bool,
    drained: Drained,
}

impl DrainRun {
    /// A drain that has not begun.
    pub fn new(drain: Drain) -> Self {
        Self { drain, begun: false, drained: Drained::default() }
    }

    /// Looks at the director's table at a time (of any clock that does not run backwards) and
    /// applies what is due.
    ///
    /// When it fails, [`cancel`](Self::cancel) brings the weights back, or another step tries
    /// again.
    ///
    /// # Errors
    /// [`DrainError`](super::DrainError) when nothing of the target is there at the first step, or
    /// that cannot be told. Otherwise when the director cannot be read, or refuses an operation for
    /// another reason than that what is to be changed is gone.
    pub fn step<D: Director + ?Sized>(&mut self, director: &mut D, now: Duration) -> Result<DrainProgress> {
        let snapshot = director.snapshot()?;
        if !self.begun {
            self.drain.check(&snapshot)?;
            self.begun = true;
        }
        let progress = self.drain.step(&snapshot, now);
        apply(director, &progress.operations)?;
        self.drained.operations.extend(&progress.operations);
        add(&mut self.drained.cut, &progress.cut);
        add(&mut self.drained.left_behind, &progress.left_behind);
        Ok(progress)
    }

    /// Gives up: brings the weights back, as far as the destinations are still there.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub fn cancel<D: Director + ?Sized>(&mut self, director: &mut D) -> Result<()> {
        self.drained.cancelled = true;
        if !self.begun {
            return Ok(());
        }
        let back = self.drain.cancel(&director.snapshot()?);
        apply(director, &back)
    }

    /// What has come of it so far.
    pub const fn drained(&self) -> &Drained {
        &self.drained
    }
}

/// Drives a drain to its end: looks, applies what is due, and waits.
///
/// `wait` is called after each look that leaves something to be waited for and returns the time of
/// the next one, or breaks off: then the drain is cancelled and the weights go back, as they do
/// when the director fails. It is where a program sleeps, or a test moves the embedded director's
/// clock.
///
/// # Errors
/// As [`DrainRun::step`].
pub fn run<D: Director + ?Sized>(
    director: &mut D,
    drain: Drain,
    mut now: Duration,
    mut wait: impl FnMut(&mut D, &DrainProgress) -> ControlFlow<(), Duration>,
) -> Result<Drained> {
    let mut run = DrainRun::new(drain);
    loop {
        let progress = match run.step(director, now) {
            Ok(progress) => progress,
            Err(error) => {
                run.cancel(director)?;
                return Err(error);
            }
        };
        if progress.done {
            return Ok(run.drained);
        }
        // What was just removed or quiesced is looked at again at once if nothing else is waited
        // for.
        if progress.waiting.is_empty() && !progress.operations.is_empty() {
            continue;
        }
        match wait(director, &progress) {
            ControlFlow::Continue(time) => now = time,
            ControlFlow::Break(()) => {
                run.cancel(director)?;
                return Ok(run.drained);
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
    // What comes back may never have gone: an incomplete snapshot only did not show it.
    let is_no_matter = |kind| matches!(kind, ErrorKind::NotFound | ErrorKind::AlreadyExists);
    report.refused.retain(|refusal| !is_no_matter(refusal.error.kind()));
    report.into_result()
}
