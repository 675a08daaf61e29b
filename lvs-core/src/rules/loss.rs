//! What is lost when a table is written as text.

use std::fmt;

use crate::model::{Daemon, DaemonRole, Destination, DestinationKey, Service, ServiceKey, Timeouts};

/// Something of a table that the text does not express.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Loss {
    /// Of which service, if of one.
    pub service: Option<ServiceKey>,
    /// Of which destination, if of one.
    pub destination: Option<DestinationKey>,
    /// What is lost.
    pub what: LossKind,
}

/// What is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LossKind {
    /// All of it: the language cannot express it. With a service its destinations are lost, too.
    Everything,
    /// The text expresses it in a way that `ipvsadm` cannot read.
    Unreadable,
    /// Flag bits of a service.
    Flags,
    /// The timeout of a service.
    Timeout,
    /// The netmask of a service.
    Netmask,
    /// The persistence engine of a service.
    Engine,
    /// The forwarding method of a destination.
    Forwarding,
    /// The weight of a destination.
    Weight,
    /// The thresholds of a destination.
    Thresholds,
    /// The tunnel of a destination.
    Tunnel,
    /// The timeouts of the table.
    Timeouts,
    /// A sync daemon.
    Daemon(DaemonRole),
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.service, &self.destination) {
            (Some(service), Some(destination)) => write!(f, "destination {destination} of {service}: ")?,
            (Some(service), None) => write!(f, "service {service}: ")?,
            _ => {}
        }
        f.write_str(match self.what {
            LossKind::Everything => "the language has no words for it",
            LossKind::Unreadable => "written as ipvsadm writes it, which it cannot read",
            LossKind::Flags => "its flags are lost",
            LossKind::Timeout => "its timeout is lost",
            LossKind::Netmask => "its netmask is lost",
            LossKind::Engine => "its persistence engine is lost",
            LossKind::Forwarding => "its forwarding method is lost",
            LossKind::Weight => "its weight is lost",
            LossKind::Thresholds => "its thresholds are lost",
            LossKind::Tunnel => "its tunnel is lost",
            LossKind::Timeouts => "the timeouts are lost",
            LossKind::Daemon(DaemonRole::Master) => "the master sync daemon is lost",
            LossKind::Daemon(DaemonRole::Backup) => "the backup sync daemon is lost",
        })
    }
}

/// What of `whole` is not in `said`, the value that was written.
pub(crate) fn of_service(whole: &Service, said: &Service, losses: &mut Vec<Loss>) {
    let mut lose = |lost: bool, what| {
        if lost {
            losses.push(Loss { service: Some(whole.key()), destination: None, what });
        }
    };
    lose(whole.flags != said.flags, LossKind::Flags);
    lose(whole.timeout != said.timeout, LossKind::Timeout);
    lose(whole.netmask() != said.netmask(), LossKind::Netmask);
    lose(whole.engine != said.engine, LossKind::Engine);
}

pub(crate) fn of_server(key: &ServiceKey, whole: &Destination, said: &Destination, losses: &mut Vec<Loss>) {
    let mut lose = |lost: bool, what| {
        if lost {
            losses.push(Loss { service: Some(*key), destination: Some(whole.key), what });
        }
    };
    let thresholds = |of: &Destination| (of.upper_threshold, of.lower_threshold);
    lose(whole.forwarding != said.forwarding, LossKind::Forwarding);
    lose(whole.weight != said.weight, LossKind::Weight);
    lose(thresholds(whole) != thresholds(said), LossKind::Thresholds);
    lose(whole.tunnel != said.tunnel, LossKind::Tunnel);
}

pub(crate) fn of_timeouts(whole: Timeouts, said: Option<Timeouts>, losses: &mut Vec<Loss>) {
    if said != Some(whole) {
        losses.push(Loss { service: None, destination: None, what: LossKind::Timeouts });
    }
}

pub(crate) fn of_daemon(whole: &Daemon, said: Option<&Daemon>, losses: &mut Vec<Loss>) {
    if said != Some(whole) {
        losses.push(Loss { service: None, destination: None, what: LossKind::Daemon(whole.role) });
    }
}
