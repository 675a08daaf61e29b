use std::fmt;

use super::{Daemon, DaemonRole, Destination, DestinationKey, Service, ServiceKey, Timeouts};

/// One change of a director's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
