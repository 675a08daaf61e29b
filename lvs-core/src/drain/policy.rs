use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use crate::model::{DestinationEntry, DestinationKey, Protocol, ServiceKey, Snapshot};

/// What is taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
// Exhaustive: one server of one service, one server everywhere, one service.
pub enum DrainTarget {
    /// One destination of one service.
    Destination(ServiceKey, DestinationKey),
    /// Every destination with this address, whatever its port, in every service.
    RealServer(IpAddr),
    /// A service with all its destinations, and then the service itself.
    Service(ServiceKey),
}

/// `destination 198.51.100.7:80 of tcp://192.0.2.1:80`, `real server 198.51.100.7`,
/// `service fwmark:7`.
impl fmt::Display for DrainTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Destination(service, server) => write!(f, "destination {server} of {service}"),
            Self::RealServer(addr) => write!(f, "real server {addr}"),
            Self::Service(service) => write!(f, "service {service}"),
        }
    }
}

/// A drain that cannot begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum DrainError {
    /// The table has none of it: a typing error, perhaps, and the server meant still serves.
    #[error("cannot drain {0}: the table has none")]
    NotFound(DrainTarget),
    /// The table kept changing while it was read, and what was read has none of it. Asking again
    /// may help.
    #[error("cannot tell whether {0} is there: the table kept changing while it was read")]
    Incomplete(DrainTarget),
}

impl DrainTarget {
    /// Whether a table holds any of it.
    pub fn is_in(&self, snapshot: &Snapshot) -> bool {
        matches!(self, Self::Service(key) if snapshot.services.iter().any(|service| service.entry.service.key() == *key))
            || self.servers(snapshot).next().is_some()
    }

    /// The destinations of a table that are taken out.
    pub fn servers(self, snapshot: &Snapshot) -> impl Iterator<Item = (ServiceKey, DestinationKey)> {
        snapshot.services.iter().flat_map(move |service| {
            let key = service.entry.service.key();
            let destinations = service.destinations.iter().map(|entry| entry.destination.key);
            destinations
                .filter(move |destination| self.covers(&key, destination))
                .map(move |destination| (key, destination))
        })
    }

    /// Whether some of it may be there and not in the snapshot.
    pub(super) const fn may_be_hidden(&self, snapshot: &Snapshot) -> bool {
        match self {
            Self::Destination(key, _) | Self::Service(key) => !snapshot.complete.of(key.family()),
            Self::RealServer(_) => !snapshot.complete.is_whole(),
        }
    }

    pub(super) fn covers(&self, service: &ServiceKey, destination: &DestinationKey) -> bool {
        match self {
            Self::Destination(key, server) => key == service && server == destination,
            Self::RealServer(addr) => *addr == destination.addr,
            Self::Service(key) => key == service,
        }
    }
}

/// Which connections of a quiesced destination are waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
// Exhaustive: each includes the one before.
pub enum WaitFor {
    /// None: it goes at once.
    Nothing,
    /// Active ones: established or on the way there.
    Active,
    /// Inactive ones as well: closing ones, and everything of UDP.
    Inactive,
    /// Persistence templates as well.
    Persistent,
}

impl WaitFor {
    pub(super) fn is_over(self, entry: &DestinationEntry) -> bool {
        let counts = [entry.active, entry.inactive, entry.persistent];
        counts[..self as usize].iter().all(|&count| count == 0)
    }
}

/// How long and for what a drain waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
#[non_exhaustive]
pub struct DrainPolicy {
    /// For TCP and firewall marks.
    pub tcp: WaitFor,
    /// For UDP. Every UDP entry counts as inactive until it times out, so the default is not to
    /// wait.
    pub udp: WaitFor,
    /// For SCTP.
    pub sctp: WaitFor,
    /// When the waiting ends and what is left is cut, counted from the first step; `None` waits for
    /// ever.
    #[cfg_attr(feature = "serde", serde(with = "crate::seconds::optional"))]
    pub deadline: Option<Duration>,
    /// Whether a drained destination (and service) is removed, or stays quiesced.
    pub remove: bool,
}

impl Default for DrainPolicy {
    /// Waits for active connections of TCP and SCTP without a deadline, not for UDP, then removes.
    fn default() -> Self {
        Self { tcp: WaitFor::Active, udp: WaitFor::Nothing, sctp: WaitFor::Active, deadline: None, remove: true }
    }
}

impl DrainPolicy {
    /// With a deadline, counted from the first step.
    #[must_use]
    pub const fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Waiting for the same with every protocol.
    #[must_use]
    pub const fn waiting_for(mut self, what: WaitFor) -> Self {
        (self.tcp, self.udp, self.sctp) = (what, what, what);
        self
    }

    /// Leaving the drained destinations in the table, quiesced.
    #[must_use]
    pub const fn keeping(mut self) -> Self {
        self.remove = false;
        self
    }

    pub(super) fn wait_for(&self, service: &ServiceKey) -> WaitFor {
        match service.protocol() {
            Some(Protocol::Udp) => self.udp,
            Some(Protocol::Sctp) => self.sctp,
            _ => self.tcp,
        }
    }
}
