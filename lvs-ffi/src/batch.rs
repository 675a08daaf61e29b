//! Batches: many operations at once, and their outcome.

use lvs_core::Error;
use lvs_core::director::{BatchReport, OnRefusal, Operation, Refusal};

use crate::boundary::{call, infallible};
use crate::daemon::{self, lvs_daemon};
use crate::destination::{self, lvs_destination, lvs_destination_key};
use crate::error::{Failure, lvs_error};
use crate::exports::{free, len, new};
use crate::handle::{choice, hand_over, required};
use crate::list::nth;
use crate::record;
use crate::service::{self, lvs_service, lvs_service_key};
use crate::status::lvs_status;
use crate::timeouts::lvs_timeouts;

/// What a batch does when the director refuses one of its operations.
#[repr(u32)]
pub enum lvs_on_refusal {
    /// It goes on with the rest. The fastest way: requests travel many to a system call.
    Continue = 0,
    /// It does nothing after the first refusal. Exact, and therefore one round trip an operation.
    Stop = 1,
}

/// Changes of a table, collected to be carried out in order with few system calls by
/// lvs_director_apply().
///
/// Made by lvs_batch_new(), released by lvs_batch_free(). One thread at a time.
pub struct lvs_batch(pub(crate) Vec<Operation>);

/// What came of a batch: enough to know the table that is now in force.
///
/// Made by lvs_director_apply(), released by lvs_report_free(). It never changes: any number of
/// threads may read it.
pub struct lvs_report {
    pub(crate) report: BatchReport,
    refused: Vec<(usize, lvs_error)>,
    interrupted: Option<lvs_error>,
}

impl lvs_report {
    pub(crate) fn new(report: BatchReport) -> Self {
        Self {
            refused: refusals(&report.refused),
            interrupted: report.interrupted.as_ref().map(lvs_error::copy_of),
            report,
        }
    }
}

/// Refusals with errors that C can look at.
pub(crate) fn refusals(refused: &[Refusal]) -> Vec<(usize, lvs_error)> {
    refused.iter().map(|refusal| (refusal.index, lvs_error::refused(&refusal.error))).collect()
}

/// The first thing that went wrong, which is what the call returns.
pub(crate) fn first_failure(refused: &[Refusal], interrupted: Option<&Error>) -> Result<(), Failure> {
    match (refused.first(), interrupted) {
        (Some(refusal), _) => Err(Failure::refused(refusal.error.clone())),
        // The error itself stays in the report; its words and its numbers are what both say.
        (None, Some(error)) => Err(Failure::recorded(lvs_error::copy_of(error))),
        (None, None) => Ok(()),
    }
}

/// Whether a batch goes on after a refusal, by a number that came from C.
pub(crate) fn on_refusal(number: u32) -> Result<OnRefusal, Failure> {
    choice(number, "number of what to do on a refusal", &[OnRefusal::Continue, OnRefusal::Stop])
}

/// Hands out the report, if it is wanted, and the first thing that went wrong.
pub(crate) unsafe fn conclude(done: BatchReport, report: *mut *mut lvs_report) -> Result<(), Failure> {
    let first = first_failure(&done.refused, done.interrupted.as_ref());
    if !report.is_null() {
        // SAFETY: not NULL, and valid by the promise of the caller.
        unsafe { hand_over(report, lvs_report::new(done))? };
    }
    first
}

fn push(batch: Option<&mut lvs_batch>, operation: Result<Operation, Failure>) -> Result<(), Failure> {
    let batch = required(batch, "batch")?;
    let operation = operation?;
    batch.0.try_reserve(1)?;
    batch.0.push(operation);
    Ok(())
}

new!(lvs_batch_new, batch: lvs_batch, lvs_batch(Vec::new()), "Makes an empty batch.");

/// Adds to the batch: add a virtual service. Copies what it is given, as all of these do.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_batch_add_service(
    batch: Option<&mut lvs_batch>,
    service: *const lvs_service,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, { push(batch, service::read(service).map(Operation::AddService)) })
}

/// Adds to the batch: replace scheduler, flags, timeout, netmask and engine of a service.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_batch_update_service(
    batch: Option<&mut lvs_batch>,
    service: *const lvs_service,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, { push(batch, service::read(service).map(Operation::UpdateService)) })
}

/// Adds to the batch: remove a service and its destinations.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_batch_remove_service(
    batch: Option<&mut lvs_batch>,
    key: *const lvs_service_key,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, { push(batch, service::key(key).map(Operation::RemoveService)) })
}

/// Adds to the batch: add a destination to a service.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_batch_add_destination(
    batch: Option<&mut lvs_batch>,
    key: *const lvs_service_key,
    destination: *const lvs_destination,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let key = service::key(key)?;
        push(batch, destination::read(destination).map(|destination| Operation::AddDestination(key, destination)))
    })
}

/// Adds to the batch: replace everything of a destination but its key.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_batch_update_destination(
    batch: Option<&mut lvs_batch>,
    key: *const lvs_service_key,
    destination: *const lvs_destination,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let key = service::key(key)?;
        push(batch, destination::read(destination).map(|destination| Operation::UpdateDestination(key, destination)))
    })
}

/// Adds to the batch: remove a destination from a service.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_batch_remove_destination(
    batch: Option<&mut lvs_batch>,
    key: *const lvs_service_key,
    destination: *const lvs_destination_key,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let key = service::key(key)?;
        push(batch, destination::key(destination).map(|destination| Operation::RemoveDestination(key, destination)))
    })
}

/// Adds to the batch: set timeouts; 0 leaves one as it is.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_batch_set_timeouts(
    batch: Option<&mut lvs_batch>,
    timeouts: *const lvs_timeouts,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, { push(batch, record::read(timeouts).map(|timeouts| Operation::SetTimeouts(timeouts.into()))) })
}

/// Adds to the batch: start a sync daemon.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_batch_start_daemon(
    batch: Option<&mut lvs_batch>,
    daemon: *const lvs_daemon,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, { push(batch, daemon::read(daemon).map(Operation::StartDaemon)) })
}

/// Adds to the batch: stop a sync daemon; `role` is one of enum lvs_role.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_batch_stop_daemon(
    batch: Option<&mut lvs_batch>,
    role: u32,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, { push(batch, daemon::role(role).map(Operation::StopDaemon)) })
}

/// Adds to the batch: zero the counters of a service and its destinations, or all counters if `key`
/// is NULL.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_batch_zero(
    batch: Option<&mut lvs_batch>,
    key: *const lvs_service_key,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let key = if key.is_null() { None } else { Some(service::key(key)?) };
        push(batch, Ok(Operation::Zero(key)))
    })
}

/// Adds to the batch: remove all services.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_batch_flush(batch: Option<&mut lvs_batch>, err: *mut *mut lvs_error) -> lvs_status {
    call!(err, { push(batch, Ok(Operation::Flush)) })
}

len!(
    lvs_batch_len, batch: lvs_batch, batch.0.len(),
    "How many operations the batch holds; 0 if `batch` is NULL."
);

/// Empties the batch and keeps its memory. NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_batch_clear(batch: Option<&mut lvs_batch>) {
    infallible!((), {
        if let Some(batch) = batch {
            batch.0.clear();
        }
    });
}

free!(lvs_batch_free, batch: lvs_batch, "a batch");

len!(
    lvs_report_answered, report: lvs_report, report.report.answered,
    "How many operations the director has answered, from the first on; 0 if `report` is NULL.\n\nOperations \
     before this number took effect unless they were refused: those changed nothing. Operations from it on \
     were not sent, unless lvs_report_interrupted() says that the way to the director broke: then those \
     before lvs_report_sent() may or may not have taken effect."
);

len!(
    lvs_report_sent, report: lvs_report, report.report.sent,
    "How many operations were sent; 0 if `report` is NULL."
);

len!(
    lvs_report_applied, report: lvs_report, report.report.applied(),
    "How many operations took effect for certain; 0 if `report` is NULL."
);

/// Whether every operation of the batch took effect. False if `report` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_report_is_complete(report: Option<&lvs_report>) -> bool {
    infallible!(false, { report.is_some_and(|report| report.report.is_complete()) })
}

len!(
    lvs_report_refused_len, report: lvs_report, report.refused.len(),
    "How many operations were refused; 0 if `report` is NULL."
);

/// Reads refusal `index`, in the order of the batch: `operation` becomes the operation's place in
/// the batch, from 0, and `why` an error that belongs to the report: do not release it. Each may be
/// NULL if it is not wanted.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_report_refused_get(
    report: Option<&lvs_report>,
    index: usize,
    operation: *mut usize,
    why: *mut *const lvs_error,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let (place, error) = nth(&required(report, "report")?.refused, index)?;
        if !operation.is_null() {
            operation.write(*place);
        }
        if !why.is_null() {
            why.write(error);
        }
        Ok(())
    })
}

/// What broke the way to the director, or NULL if nothing did. It belongs to the report: do not
/// release it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_report_interrupted(report: Option<&lvs_report>) -> *const lvs_error {
    infallible!(std::ptr::null(), {
        report.and_then(|report| report.interrupted.as_ref()).map_or(std::ptr::null(), std::ptr::from_ref)
    })
}

free!(lvs_report_free, report: lvs_report, "a report");
