//! What directors and plans tell `tracing`; nothing without the feature of that name.
//!
//! The fields have the names of the JSON form: `operation`, `service`, `destination`, `error`,
//! `errno`, `attempt`.
#![cfg_attr(not(feature = "tracing"), allow(unused_variables))]
// What reading takes is told by the kernel director alone.
#![cfg_attr(not(all(feature = "tracing", feature = "kernel", target_os = "linux")), allow(dead_code))]

use std::fmt::Display;

#[cfg(feature = "tracing")]
use crate::director::Refusal;
use crate::director::{BatchReport, Operation};
use crate::model::Snapshot;
#[cfg(feature = "tracing")]
use crate::model::{AddressFamily, DestinationKey, Named, OperationKind, ServiceKey};
use crate::plan::Outcome;

/// A batch: each operation that took effect at `DEBUG`, each refused one at `WARN`, a broken way to
/// the director at `ERROR`.
#[inline]
pub(crate) fn applied(operations: &[Operation], report: &BatchReport) {
    #[cfg(feature = "tracing")]
    {
        if tracing::enabled!(tracing::Level::DEBUG) {
            let mut refused = report.refused.iter().map(|refusal| refusal.index).peekable();
            for (index, operation) in operations.iter().enumerate().take(report.answered) {
                if refused.next_if_eq(&index).is_none() {
                    let (service, destination) = parts(operation);
                    tracing::debug!(operation = kind(operation), service, destination, "applied");
                }
            }
        }
        for Refusal { index, error } in &report.refused {
            let operation = &operations[*index];
            let (service, destination) = parts(operation);
            let errno = error.errno.map(|errno| errno.0);
            tracing::warn!(operation = kind(operation), service, destination, errno, %error, "refused");
        }
        if let Some(error) = &report.interrupted {
            let (answered, sent, operations) = (report.answered, report.sent, report.operations);
            tracing::error!(answered, sent, operations, %error, "interrupted");
        }
    }
}

/// A snapshot: at `WARN` if something may be missing.
#[inline]
pub(crate) fn read(snapshot: &Snapshot) {
    #[cfg(feature = "tracing")]
    for family in [AddressFamily::Ipv4, AddressFamily::Ipv6] {
        if !snapshot.complete.of(family) {
            let services = snapshot.services.len();
            tracing::warn!(%family, services, "incomplete: the table kept changing while it was read");
        }
    }
}

/// A request that is sent once more, at `DEBUG`.
#[inline]
pub(crate) fn repeated(tries: u32, error: &dyn Display) {
    #[cfg(feature = "tracing")]
    tracing::debug!(tries, %error, "asked again");
}

/// A list that is read once more, since it changed or may have changed while it was read; at
/// `DEBUG`.
#[inline]
pub(crate) fn list_again(attempt: &dyn Display) {
    #[cfg(feature = "tracing")]
    tracing::debug!(%attempt, "read again: the list may have changed meanwhile");
}

/// The kernel's family has another number than before, since its module was loaded again; at
/// `INFO`.
#[inline]
pub(crate) fn family_moved(before: u16, after: u16) {
    #[cfg(feature = "tracing")]
    tracing::info!(before, after, "the module ip_vs was loaded again: its table began empty");
}

/// A plan's end: `INFO` where every step took effect, `WARN` where not.
#[inline]
pub(crate) fn planned(steps: usize, outcome: &Outcome) {
    #[cfg(feature = "tracing")]
    {
        let (done, refused, held) = (outcome.done.len(), outcome.refused.len(), outcome.held.len());
        let (undone, undo_refused) = (outcome.undone.len(), outcome.undo_refused.len());
        if outcome.is_complete() {
            tracing::info!(steps, done, "plan carried out");
        } else {
            tracing::warn!(steps, done, refused, held, undone, undo_refused, "plan not carried out as a whole");
        }
    }
}

#[cfg(feature = "tracing")]
fn kind(operation: &Operation) -> &'static str {
    let kind = operation.kind();
    OperationKind::NAMES.iter().find(|(named, _)| *named == kind).map_or("", |(_, name)| name)
}

#[cfg(feature = "tracing")]
type Shown<T> = Option<tracing::field::DisplayValue<T>>;

/// Which service and destination an operation is about.
#[cfg(feature = "tracing")]
fn parts(operation: &Operation) -> (Shown<ServiceKey>, Shown<DestinationKey>) {
    let (service, destination) = (operation.service_key(), operation.destination_key());
    (service.map(tracing::field::display), destination.map(tracing::field::display))
}
