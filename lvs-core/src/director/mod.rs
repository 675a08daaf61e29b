//! What both directors speak: one trait, its operations, and its errors.
//!
//! A program written against [`Director`] runs on the kernel and on the embedded director alike, and gets the same
//! answers. Single changes have a method each; many changes go through [`Director::apply`], which makes as few
//! system calls as it can and says of each refused operation why.
//!
//! Connections are visited rather than collected: a table can hold millions.

mod batch;
mod error;
mod forward;
#[cfg(feature = "serde")]
mod record;

use std::ops::ControlFlow;

pub use crate::model::Operation;
pub use batch::{BatchReport, OnRefusal, Refusal};
pub use error::{Attempt, Cause, OperationError};
#[cfg(feature = "serde")]
pub(crate) use record::as_text;

use crate::error::Result;
use crate::model::{
    Connection, Daemon, DaemonRole, Destination, DestinationEntry, DestinationKey, Info, Service, ServiceEntry,
    ServiceKey, Snapshot, Timeouts,
};

/// A holder of an IPVS table.
///
/// # Errors
/// Every method fails with [`Error::Refused`](crate::Error::Refused) when the director says no, and with another
/// [`Error`](crate::Error) when it cannot be asked.
pub trait Director {
    /// Version and size of the connection table.
    fn info(&mut self) -> Result<Info>;

    /// All services, without their destinations, in the director's order.
    fn services(&mut self) -> Result<Vec<ServiceEntry>>;

    /// One service.
    fn service(&mut self, key: &ServiceKey) -> Result<ServiceEntry>;

    /// The destinations of a service, the one added last first. A service that is not there is an error.
    fn destinations(&mut self, key: &ServiceKey) -> Result<Vec<DestinationEntry>>;

    /// Everything in one call: services, destinations, statistics, timeouts, daemons. Whether that is all there was,
    /// [`Snapshot::complete`] says.
    fn snapshot(&mut self) -> Result<Snapshot>;

    /// As [`Director::snapshot`], for those who conclude something from what is missing.
    ///
    /// # Errors
    /// As there, and [`Cause::Changing`] when the snapshot is not [complete](Snapshot::complete).
    fn complete_snapshot(&mut self) -> Result<Snapshot> {
        let snapshot = self.snapshot()?;
        if snapshot.complete.is_whole() {
            Ok(snapshot)
        } else {
            Err(OperationError::new(Attempt::ReadServices, Cause::Changing, None).into())
        }
    }

    /// The timeouts.
    fn timeouts(&mut self) -> Result<Timeouts>;

    /// The running sync daemons, the master first.
    fn daemons(&mut self) -> Result<Vec<Daemon>>;

    /// Carries out operations in order and reports on each.
    fn apply(&mut self, operations: &[Operation], on_refusal: OnRefusal) -> BatchReport;

    /// Shows every entry of the connection table, templates included, in the director's order, until the visitor
    /// breaks off.
    fn visit_connections(&mut self, visitor: &mut dyn FnMut(&Connection<'_>) -> ControlFlow<()>) -> Result<()>;

    /// Carries out one operation.
    fn execute(&mut self, operation: Operation) -> Result<()> {
        self.apply(&[operation], OnRefusal::Stop).into_result()
    }

    /// Adds a virtual service.
    fn add_service(&mut self, service: &Service) -> Result<()> {
        self.execute(Operation::AddService(*service))
    }

    /// Replaces scheduler, flags, timeout, netmask and engine of a service.
    fn update_service(&mut self, service: &Service) -> Result<()> {
        self.execute(Operation::UpdateService(*service))
    }

    /// Removes a service and its destinations.
    fn remove_service(&mut self, key: &ServiceKey) -> Result<()> {
        self.execute(Operation::RemoveService(*key))
    }

    /// Adds a destination to a service.
    fn add_destination(&mut self, key: &ServiceKey, destination: &Destination) -> Result<()> {
        self.execute(Operation::AddDestination(*key, *destination))
    }

    /// Replaces everything of a destination but its key.
    fn update_destination(&mut self, key: &ServiceKey, destination: &Destination) -> Result<()> {
        self.execute(Operation::UpdateDestination(*key, *destination))
    }

    /// Removes a destination from a service.
    fn remove_destination(&mut self, key: &ServiceKey, destination: &DestinationKey) -> Result<()> {
        self.execute(Operation::RemoveDestination(*key, *destination))
    }

    /// Sets timeouts; 0 leaves one as it is.
    fn set_timeouts(&mut self, timeouts: Timeouts) -> Result<()> {
        self.execute(Operation::SetTimeouts(timeouts))
    }

    /// Starts a sync daemon.
    fn start_daemon(&mut self, daemon: &Daemon) -> Result<()> {
        self.execute(Operation::StartDaemon(*daemon))
    }

    /// Stops a sync daemon.
    fn stop_daemon(&mut self, role: DaemonRole) -> Result<()> {
        self.execute(Operation::StopDaemon(role))
    }

    /// Zeroes the counters of a service and its destinations, or of all.
    fn zero(&mut self, key: Option<&ServiceKey>) -> Result<()> {
        self.execute(Operation::Zero(key.copied()))
    }

    /// Removes all services.
    fn flush(&mut self) -> Result<()> {
        self.execute(Operation::Flush)
    }
}
