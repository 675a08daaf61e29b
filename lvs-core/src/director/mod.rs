//! What both directors speak: one trait, its operations, and its errors.
//!
//! A program written against [`Director`] runs on the kernel and on the embedded director alike,
//! and gets the same answers. Single changes have a method each; many changes go through
//! [`Director::apply`], which makes as few system calls as it can and says of each refused
//! operation why.
//!
//! Connections are visited rather than collected: a table can hold millions.
//!
//! ```
//! use lvs_core::Director;
//! use lvs_core::director::{Cause, OnRefusal, Operation};
//! use lvs_core::embedded::EmbeddedDirector;
//! use lvs_core::model::{Destination, ServiceKey};
//!
//! let web = ServiceKey::tcp("192.0.2.1", 80)?;
//! let server = Destination::new("198.51.100.7".parse()?, 80);
//! let mut director = EmbeddedDirector::new(); // or KernelDirector::open()?
//! let report = director.apply(
//!     &[
//!         Operation::AddService(web.into()),
//!         Operation::AddDestination(web, server),
//!         Operation::AddDestination(web, server),
//!     ],
//!     OnRefusal::Continue,
//! );
//! assert_eq!((report.applied(), report.refused[0].index), (2, 2));
//! assert_eq!(report.refused[0].error.cause, Cause::DestinationExists);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod batch;
mod delegate;
mod error;
mod follower;
#[cfg(feature = "serde")]
mod record;

use std::ops::ControlFlow;

pub use crate::model::Operation;
pub use batch::{BatchReport, OnRefusal, Refusal};
pub use error::{Attempt, Cause, OperationError};
pub use follower::Follower;
pub(crate) use follower::Pace;
#[cfg(feature = "serde")]
pub(crate) use record::interruption;

use crate::connections::ConnectionFilter;
use crate::error::Result;
use crate::model::{
    Connection, Daemon, DaemonRole, Destination, DestinationEntry, DestinationKey, Info, SchedulerName, Service,
    ServiceEntry, ServiceKey, Snapshot, Stats, Timeouts,
};
use crate::procfs::Status;
use crate::schedulers::Profile;

/// A holder of an IPVS table.
///
/// A director that wraps another one forwards what it does not change with
/// [`delegate_director!`](crate::delegate_director).
///
/// ```
/// use lvs_core::Director;
/// use lvs_core::embedded::EmbeddedDirector;
/// use lvs_core::model::ServiceKey;
///
/// /// Works for both directors, by value, borrowed and boxed.
/// fn quiesce(director: &mut impl Director, service: &ServiceKey) -> lvs_core::Result<()> {
///     for entry in director.destinations(service)? {
///         director.update_destination(service, &entry.destination.with_weight(0))?;
///     }
///     Ok(())
/// }
///
/// let mut director = EmbeddedDirector::new();
/// let web = ServiceKey::tcp("192.0.2.1", 80)?;
/// director.add_service(&web.into())?;
/// director.add_destination(&web, &std::net::SocketAddr::from(([198, 51, 100, 7], 80)).into())?;
/// quiesce(&mut director, &web)?;
/// assert_eq!(director.destinations(&web)?[0].destination.weight, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Every method fails with [`Error::Refused`](crate::Error::Refused) when the director says no, and
/// with another [`Error`](crate::Error) when it cannot be asked.
pub trait Director {
    /// Version and size of the connection table.
    fn info(&mut self) -> Result<Info>;

    /// All services, without their destinations, in the director's order.
    fn services(&mut self) -> Result<Vec<ServiceEntry>>;

    /// One service.
    fn service(&mut self, key: &ServiceKey) -> Result<ServiceEntry>;

    /// The destinations of a service, the one added last first. A service that is not there is an
    /// error.
    fn destinations(&mut self, key: &ServiceKey) -> Result<Vec<DestinationEntry>>;

    /// Everything in one call: services, destinations, statistics, timeouts, daemons. Whether that
    /// is all there was, [`Snapshot::complete`] says.
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

    /// As [`Director::snapshot`], by whatever costs least when `last` is the snapshot before it: for
    /// callers that look again and again. What this may overlook, the director's own documentation
    /// says (`KernelDirector::snapshot_after`); so take a whole snapshot from time to time, as
    /// [`Follower`] does.
    ///
    /// # Errors
    /// As [`Director::snapshot`].
    fn snapshot_after(&mut self, last: &Snapshot) -> Result<Snapshot> {
        let _ = last;
        self.snapshot()
    }

    /// The timeouts.
    fn timeouts(&mut self) -> Result<Timeouts>;

    /// The running sync daemons, the master first.
    fn daemons(&mut self) -> Result<Vec<Daemon>>;

    /// Carries out operations in order and reports on each.
    fn apply(&mut self, operations: &[Operation], on_refusal: OnRefusal) -> BatchReport;

    /// Shows every entry of the connection table, templates included, in the director's order,
    /// until the visitor breaks off. The kernel leaves out where a connection came from: see
    /// [`visit_connection_origins`](Self::visit_connection_origins).
    ///
    /// # Errors
    /// When it cannot be read, or, after the last, [`Cause::Changing`] when entries may have been
    /// missing or come twice.
    fn visit_connections(&mut self, visitor: &mut dyn FnMut(&Connection<'_>) -> ControlFlow<()>) -> Result<()>;

    /// The same, each connection with its [`origin`](Connection::origin). The kernel has that in
    /// another file, which leaves out the data of persistence engines.
    fn visit_connection_origins(&mut self, visitor: &mut dyn FnMut(&Connection<'_>) -> ControlFlow<()>) -> Result<()>;

    /// Shows the connections that a filter lets pass, with their origins if the filter asks for
    /// one.
    fn visit_matching_connections(
        &mut self,
        filter: &ConnectionFilter,
        visitor: &mut dyn FnMut(&Connection<'_>) -> ControlFlow<()>,
    ) -> Result<()> {
        let mut visit_matching = |connection: &Connection<'_>| {
            if filter.matches(connection) { visitor(connection) } else { ControlFlow::Continue(()) }
        };
        if filter.origin.is_some() {
            self.visit_connection_origins(&mut visit_matching)
        } else {
            self.visit_connections(&mut visit_matching)
        }
    }

    /// Counters and rates of the whole director, as in `/proc/net/ip_vs_stats`.
    fn totals(&mut self) -> Result<Stats>;

    /// How full its tables are, as in `/proc/net/ip_vs_status`. The kernel has that since 7.1, for
    /// root alone.
    fn status(&mut self) -> Result<Status>;

    /// Which series of kernels it behaves like.
    fn profile(&mut self) -> Result<Profile>;

    /// Whether it can give services this scheduler; `None` where only giving it to one would tell,
    /// as over the old socket options. Nothing changes, but the kernel loads the scheduler's module
    /// if it finds it.
    fn has_scheduler(&mut self, name: &SchedulerName) -> Result<Option<bool>>;

    /// The names of the sysctls below `net.ipv4.vs` that it has, sorted.
    fn sysctl_names(&mut self) -> Result<Vec<String>>;

    /// Reads a sysctl by its name, such as `conn_reuse_mode`. The error for one that is not there
    /// has the kind [`NotFound`](crate::ErrorKind::NotFound).
    fn sysctl(&mut self, name: &str) -> Result<String>;

    /// Writes a sysctl. A value that no kernel takes is an [`Error::Sysctl`](crate::Error::Sysctl),
    /// and nothing is written.
    fn set_sysctl(&mut self, name: &str, value: &str) -> Result<()>;

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
