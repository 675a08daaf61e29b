use std::fmt;

use super::named::{Named, text_by_name};
use super::{Daemon, DaemonRole, Destination, DestinationKey, Service, ServiceKey, Timeouts};

/// One change of a director's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(into = "Record", from = "Record"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
// Exhaustive: the kernel's commands that change something (ip_vs_ctl.c).
pub enum Operation {
    /// Adds a virtual service.
    AddService(Service),
    /// Replaces scheduler, flags, timeout, netmask and engine of a service.
    UpdateService(Service),
    /// Removes a service and its destinations.
    RemoveService(ServiceKey),
    /// Adds a destination to a service.
    AddDestination(ServiceKey, Destination),
    /// Replaces everything of a destination but its key.
    UpdateDestination(ServiceKey, Destination),
    /// Removes a destination from a service.
    RemoveDestination(ServiceKey, DestinationKey),
    /// Sets timeouts; 0 leaves one as it is.
    SetTimeouts(Timeouts),
    /// Starts a sync daemon.
    StartDaemon(Daemon),
    /// Stops a sync daemon.
    StopDaemon(DaemonRole),
    /// Zeroes the counters of a service and its destinations, or of all.
    Zero(Option<ServiceKey>),
    /// Removes all services.
    Flush,
}

/// The operation as the end of a sentence: `add destination 198.51.100.7:80 to tcp://192.0.2.1:80`.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddService(service) => write!(f, "add service {}", service.key()),
            Self::UpdateService(service) => write!(f, "update service {}", service.key()),
            Self::RemoveService(key) => write!(f, "remove service {key}"),
            Self::AddDestination(key, destination) => write!(f, "add destination {} to {key}", destination.key),
            Self::UpdateDestination(key, destination) => write!(f, "update destination {} of {key}", destination.key),
            Self::RemoveDestination(key, destination) => write!(f, "remove destination {destination} from {key}"),
            Self::SetTimeouts(_) => f.write_str("set the timeouts"),
            Self::StartDaemon(daemon) => write!(f, "start the {} sync daemon on {}", daemon.role, daemon.interface),
            Self::StopDaemon(role) => write!(f, "stop the {role} sync daemon"),
            Self::Zero(Some(key)) => write!(f, "zero the counters of {key}"),
            Self::Zero(None) => f.write_str("zero all counters"),
            Self::Flush => f.write_str("flush the table"),
        }
    }
}

/// What an [`Operation`] does. In text it is the name of the method that does it: `add_service`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
// Exhaustive: as the operations are.
pub enum OperationKind {
    /// Adds a virtual service.
    AddService,
    /// Replaces everything of a service but its key.
    UpdateService,
    /// Removes a service and its destinations.
    RemoveService,
    /// Adds a destination to a service.
    AddDestination,
    /// Replaces everything of a destination but its key.
    UpdateDestination,
    /// Removes a destination from a service.
    RemoveDestination,
    /// Sets timeouts.
    SetTimeouts,
    /// Starts a sync daemon.
    StartDaemon,
    /// Stops a sync daemon.
    StopDaemon,
    /// Zeroes counters.
    Zero,
    /// Removes all services.
    Flush,
}

impl Named for OperationKind {
    const WHAT: &'static str = "an operation";
    const NAMES: &'static [(Self, &'static str)] = &[
        (Self::AddService, "add_service"),
        (Self::UpdateService, "update_service"),
        (Self::RemoveService, "remove_service"),
        (Self::AddDestination, "add_destination"),
        (Self::UpdateDestination, "update_destination"),
        (Self::RemoveDestination, "remove_destination"),
        (Self::SetTimeouts, "set_timeouts"),
        (Self::StartDaemon, "start_daemon"),
        (Self::StopDaemon, "stop_daemon"),
        (Self::Zero, "zero"),
        (Self::Flush, "flush"),
    ];
}

text_by_name!(OperationKind);

impl Operation {
    /// What it does.
    pub const fn kind(&self) -> OperationKind {
        match self {
            Self::AddService(_) => OperationKind::AddService,
            Self::UpdateService(_) => OperationKind::UpdateService,
            Self::RemoveService(_) => OperationKind::RemoveService,
            Self::AddDestination(..) => OperationKind::AddDestination,
            Self::UpdateDestination(..) => OperationKind::UpdateDestination,
            Self::RemoveDestination(..) => OperationKind::RemoveDestination,
            Self::SetTimeouts(_) => OperationKind::SetTimeouts,
            Self::StartDaemon(_) => OperationKind::StartDaemon,
            Self::StopDaemon(_) => OperationKind::StopDaemon,
            Self::Zero(_) => OperationKind::Zero,
            Self::Flush => OperationKind::Flush,
        }
    }

    /// The service that it is about: none of those that are about all of them, or about none.
    pub const fn service_key(&self) -> Option<ServiceKey> {
        match self {
            Self::AddService(service) | Self::UpdateService(service) => Some(service.key()),
            Self::RemoveService(key)
            | Self::AddDestination(key, _)
            | Self::UpdateDestination(key, _)
            | Self::RemoveDestination(key, _) => Some(*key),
            Self::Zero(key) => *key,
            Self::SetTimeouts(_) | Self::StartDaemon(_) | Self::StopDaemon(_) | Self::Flush => None,
        }
    }

    /// The destination that it is about.
    pub const fn destination_key(&self) -> Option<DestinationKey> {
        match self {
            Self::AddDestination(_, destination) | Self::UpdateDestination(_, destination) => Some(destination.key),
            Self::RemoveDestination(_, key) => Some(*key),
            _ => None,
        }
    }

    /// The sync daemon that it starts or stops.
    pub const fn daemon_role(&self) -> Option<DaemonRole> {
        match self {
            Self::StartDaemon(daemon) => Some(daemon.role),
            Self::StopDaemon(role) => Some(*role),
            _ => None,
        }
    }
}

/// An operation as serde has it:
/// `{"operation": "add_destination", "service": KEY, "destination": {…}}`.
#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(tag = "operation", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
enum Record {
    AddService { service: Service },
    UpdateService { service: Service },
    RemoveService { service: ServiceKey },
    AddDestination { service: ServiceKey, destination: Destination },
    UpdateDestination { service: ServiceKey, destination: Destination },
    RemoveDestination { service: ServiceKey, destination: DestinationKey },
    SetTimeouts { timeouts: Timeouts },
    StartDaemon { daemon: Daemon },
    StopDaemon { role: DaemonRole },
    Zero { service: Option<ServiceKey> },
    Flush {},
}

#[cfg(feature = "serde")]
impl From<Operation> for Record {
    fn from(operation: Operation) -> Self {
        match operation {
            Operation::AddService(service) => Self::AddService { service },
            Operation::UpdateService(service) => Self::UpdateService { service },
            Operation::RemoveService(service) => Self::RemoveService { service },
            Operation::AddDestination(service, destination) => Self::AddDestination { service, destination },
            Operation::UpdateDestination(service, destination) => Self::UpdateDestination { service, destination },
            Operation::RemoveDestination(service, destination) => Self::RemoveDestination { service, destination },
            Operation::SetTimeouts(timeouts) => Self::SetTimeouts { timeouts },
            Operation::StartDaemon(daemon) => Self::StartDaemon { daemon },
            Operation::StopDaemon(role) => Self::StopDaemon { role },
            Operation::Zero(service) => Self::Zero { service },
            Operation::Flush => Self::Flush {},
        }
    }
}

#[cfg(feature = "serde")]
impl From<Record> for Operation {
    fn from(record: Record) -> Self {
        match record {
            Record::AddService { service } => Self::AddService(service),
            Record::UpdateService { service } => Self::UpdateService(service),
            Record::RemoveService { service } => Self::RemoveService(service),
            Record::AddDestination { service, destination } => Self::AddDestination(service, destination),
            Record::UpdateDestination { service, destination } => Self::UpdateDestination(service, destination),
            Record::RemoveDestination { service, destination } => Self::RemoveDestination(service, destination),
            Record::SetTimeouts { timeouts } => Self::SetTimeouts(timeouts),
            Record::StartDaemon { daemon } => Self::StartDaemon(daemon),
            Record::StopDaemon { role } => Self::StopDaemon(role),
            Record::Zero { service } => Self::Zero(service),
            Record::Flush {} => Self::Flush,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_names_what_it_is_about() {
        let key = ServiceKey::tcp("192.0.2.1", 80).unwrap();
        let destination = Destination::new([198, 51, 100, 7].into(), 80);
        let server = destination.key;
        let daemon = Daemon::new(DaemonRole::Backup, "eth0".parse().unwrap(), 7);
        let expected = [
            (Operation::AddService(Service::new(key)), Some(key), None, None),
            (Operation::UpdateService(Service::new(key)), Some(key), None, None),
            (Operation::RemoveService(key), Some(key), None, None),
            (Operation::AddDestination(key, destination), Some(key), Some(server), None),
            (Operation::UpdateDestination(key, destination), Some(key), Some(server), None),
            (Operation::RemoveDestination(key, server), Some(key), Some(server), None),
            (Operation::SetTimeouts(Timeouts::default()), None, None, None),
            (Operation::StartDaemon(daemon), None, None, Some(DaemonRole::Backup)),
            (Operation::StopDaemon(DaemonRole::Master), None, None, Some(DaemonRole::Master)),
            (Operation::Zero(Some(key)), Some(key), None, None),
            (Operation::Zero(None), None, None, None),
            (Operation::Flush, None, None, None),
        ];
        for (operation, service, destination, role) in expected {
            assert_eq!(operation.service_key(), service, "{operation}");
            assert_eq!(operation.destination_key(), destination, "{operation}");
            assert_eq!(operation.daemon_role(), role, "{operation}");
        }
    }
}
