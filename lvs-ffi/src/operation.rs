//! Operations, as read back from a batch or a plan.

use lvs_core::director::Operation;
use lvs_core::model::{DaemonRole, OperationKind};

use crate::address::lvs_address;
use crate::batch::lvs_batch;
use crate::boundary::call;
use crate::daemon::lvs_daemon;
use crate::destination::{lvs_destination, lvs_destination_key};
use crate::error::{Failure, lvs_error};
use crate::exports::init;
use crate::handle::required;
use crate::list::nth;
use crate::record::{self, record, zeroed};
use crate::service::{lvs_service, lvs_service_key};
use crate::status::lvs_status;
use crate::text::lvs_text;
use crate::timeouts::lvs_timeouts;

/// What an operation does.
#[repr(u32)]
pub enum lvs_operation_kind {
    /// Adds a virtual service.
    AddService = 1,
    /// Replaces everything of a service but its key.
    UpdateService = 2,
    /// Removes a service and its destinations.
    RemoveService = 3,
    /// Adds a destination to a service.
    AddDestination = 4,
    /// Replaces everything of a destination but its key.
    UpdateDestination = 5,
    /// Removes a destination from a service.
    RemoveDestination = 6,
    /// Sets timeouts.
    SetTimeouts = 7,
    /// Starts a sync daemon.
    StartDaemon = 8,
    /// Stops a sync daemon.
    StopDaemon = 9,
    /// Zeroes counters: of a service, or all if the key has no family.
    Zero = 10,
    /// Removes all services.
    Flush = 11,
}

/// What an operation does, and to what. Initialise it with LVS_OPERATION_INIT.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_operation {
    /// The size of this record as the program was compiled.
    pub struct_size: u32,
    /// What it does: enum lvs_operation_kind.
    pub kind: u32,
    /// The service that it is about; without a family if it is about none.
    pub service: lvs_service_key,
    /// The destination that it is about; without a family if it is about none.
    pub destination: lvs_destination_key,
    /// The sync daemon that it starts or stops: enum lvs_role; else 0.
    pub role: u32,
}

record! { lvs_operation: 68; }

init!(lvs_operation_init, operation: lvs_operation, zeroed());

const NO_DESTINATION: lvs_destination_key = lvs_destination_key { addr: lvs_address::NONE, port: 0, reserved: 0 };
const NO_SERVICE: lvs_service_key =
    lvs_service_key { addr: lvs_address::NONE, port: 0, protocol: 0, fwmark: 0, reserved: 0 };

impl From<&Operation> for lvs_operation {
    fn from(operation: &Operation) -> Self {
        Self {
            struct_size: size_of::<Self>() as u32,
            kind: lvs_operation_kind::from(operation.kind()) as u32,
            service: operation.service_key().map_or(NO_SERVICE, Into::into),
            destination: operation.destination_key().map_or(NO_DESTINATION, Into::into),
            role: operation.daemon_role().map_or(0, DaemonRole::number),
        }
    }
}

impl From<OperationKind> for lvs_operation_kind {
    fn from(kind: OperationKind) -> Self {
        match kind {
            OperationKind::AddService => Self::AddService,
            OperationKind::UpdateService => Self::UpdateService,
            OperationKind::RemoveService => Self::RemoveService,
            OperationKind::AddDestination => Self::AddDestination,
            OperationKind::UpdateDestination => Self::UpdateDestination,
            OperationKind::RemoveDestination => Self::RemoveDestination,
            OperationKind::SetTimeouts => Self::SetTimeouts,
            OperationKind::StartDaemon => Self::StartDaemon,
            OperationKind::StopDaemon => Self::StopDaemon,
            OperationKind::Zero => Self::Zero,
            OperationKind::Flush => Self::Flush,
        }
    }
}

/// The values that an operation carries, each NULL if it is not wanted.
#[derive(Clone, Copy)]
pub(crate) struct Values {
    pub(crate) service: *mut lvs_service,
    pub(crate) destination: *mut lvs_destination,
}

pub(crate) unsafe fn write(operation: &Operation, record: *mut lvs_operation, values: Values) -> Result<(), Failure> {
    // SAFETY: NULL or as large as they say, by the promise of the caller.
    unsafe {
        record::write_optional(record, || operation.into())?;
        match operation {
            Operation::AddService(service) | Operation::UpdateService(service) => {
                record::write_optional(values.service, || service.into())
            }
            Operation::AddDestination(_, destination) | Operation::UpdateDestination(_, destination) => {
                record::write_optional(values.destination, || destination.into())
            }
            _ => Ok(()),
        }
    }
}

/// The operations as sentences, a line each.
pub(crate) fn describe<'a>(
    operations: impl Iterator<Item = &'a Operation>,
    text: Option<&mut lvs_text>,
) -> Result<(), Failure> {
    use std::fmt::Write as _;
    required(text, "text")?.replace(|text| {
        for operation in operations {
            let _ = writeln!(text, "{operation}");
        }
        Ok(())
    })
}

/// Reads operation `index` of a batch. `service` is written if it adds or updates one,
/// `destination` likewise, and both are left alone otherwise; each of the three may be NULL if it
/// is not wanted.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_batch_get(
    batch: Option<&lvs_batch>,
    index: usize,
    operation: *mut lvs_operation,
    service: *mut lvs_service,
    destination: *mut lvs_destination,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, { write(nth(&required(batch, "batch")?.0, index)?, operation, Values { service, destination }) })
}

/// Reads the timeouts that operation `index` of a batch sets. LVS_STATUS_NOT_FOUND if it sets none.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_batch_get_timeouts(
    batch: Option<&lvs_batch>,
    index: usize,
    timeouts: *mut lvs_timeouts,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        match nth(&required(batch, "batch")?.0, index)? {
            Operation::SetTimeouts(value) => record::write(timeouts, (*value).into()),
            other => Err(other_kind("sets no timeouts", other)),
        }
    })
}

/// Reads the sync daemon that operation `index` of a batch starts. LVS_STATUS_NOT_FOUND if it
/// starts none.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_batch_get_daemon(
    batch: Option<&lvs_batch>,
    index: usize,
    daemon: *mut lvs_daemon,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        match nth(&required(batch, "batch")?.0, index)? {
            Operation::StartDaemon(value) => record::write(daemon, value.into()),
            other => Err(other_kind("starts no daemon", other)),
        }
    })
}

fn other_kind(what: &str, operation: &Operation) -> Failure {
    Failure::own(lvs_status::NotFound, format!("the operation {what}: it is to {operation}"))
}

/// Writes the operations of a batch as sentences, a line each: "add destination 198.51.100.7:80 to
/// tcp://192.0.2.1:80". Ends the process if there is no memory for it.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_batch_describe(
    batch: Option<&lvs_batch>,
    text: Option<&mut lvs_text>,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, { describe(required(batch, "batch")?.0.iter(), text) })
}
