use std::fmt;

use super::Operation;
use crate::errno::Errno;
use crate::lint::{self, Flaw};
use crate::model::{EngineName, SchedulerName, ServiceKey};

/// What was attempted when a director refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Attempt {
    /// To open the director.
    Open,
    /// To change the table.
    Operation(Operation),
    /// To read version and size.
    ReadInfo,
    /// To read all services.
    ReadServices,
    /// To read one service.
    ReadService(ServiceKey),
    /// To read the destinations of a service.
    ReadDestinations(ServiceKey),
    /// To read the timeouts.
    ReadTimeouts,
    /// To read the sync daemons.
    ReadDaemons,
    /// To read the connection table.
    ReadConnections,
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("open the director"),
            Self::Operation(operation) => operation.fmt(f),
            Self::ReadInfo => f.write_str("read the version"),
            Self::ReadServices => f.write_str("read the services"),
            Self::ReadService(key) => write!(f, "read service {key}"),
            Self::ReadDestinations(key) => write!(f, "read the destinations of {key}"),
            Self::ReadTimeouts => f.write_str("read the timeouts"),
            Self::ReadDaemons => f.write_str("read the sync daemons"),
            Self::ReadConnections => f.write_str("read the connection table"),
        }
    }
}

/// Why a director refused: what an errno means for what was attempted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// There is no such service.
    #[error("no such service")]
    ServiceNotFound,
    /// The service is there already.
    #[error("the service exists already")]
    ServiceExists,
    /// The service has no such destination.
    #[error("no such destination")]
    DestinationNotFound,
    /// The service has that destination already.
    #[error("the destination exists already")]
    DestinationExists,
    /// No such scheduler, and no module brings it.
    #[error("no scheduler {0:?}")]
    SchedulerNotFound(SchedulerName),
    /// No such persistence engine, and no module brings it.
    #[error("no persistence engine {0:?}")]
    EngineNotFound(EngineName),
    /// The scheduler or the persistence engine is missing; the kernel does not say which.
    #[error("no scheduler {0:?} or no persistence engine {1:?}")]
    SchedulerOrEngineNotFound(SchedulerName, EngineName),
    /// A sync daemon of that role runs already.
    #[error("that sync daemon runs already")]
    DaemonRunning,
    /// No sync daemon of that role runs.
    #[error("that sync daemon does not run")]
    DaemonNotRunning,
    /// The interface does not exist.
    #[error("no such network interface")]
    InterfaceNotFound,
    /// The caller lacks `CAP_NET_ADMIN` (for netlink: in the initial user namespace).
    #[error("permission denied: this needs CAP_NET_ADMIN")]
    PermissionDenied,
    /// The kernel has no IPVS, or its module is not loaded.
    #[error("this kernel has no IPVS: the module ip_vs is not loaded (modprobe ip_vs, or the option load_module)")]
    ModuleMissing,
    /// A weight, or a lower threshold above the upper one, is out of range.
    #[error("a weight or threshold is out of range")]
    OutOfRange,
    /// The kernel has no IPv6, or none in IPVS.
    #[error("the address family is not supported")]
    FamilyUnsupported,
    /// This director, transport or kernel cannot do that at all.
    #[error("not supported")]
    Unsupported,
    /// The list changed each time it was read, or the connections while they were, and nothing
    /// tells what was passed over. Asking again may help.
    #[error("the list kept changing while it was read")]
    Changing,
    /// The kernel refuses the values; it does not say which.
    #[error("invalid values")]
    Invalid,
    /// Any other errno.
    #[error("{0}")]
    Other(Errno),
}

impl Cause {
    /// What an errno means as the answer to an attempt (`ip_vs_ctl.c`).
    pub fn of(attempt: &Attempt, errno: Errno) -> Self {
        use Operation as Op;
        let operation = match attempt {
            Attempt::Operation(operation) => Some(operation),
            _ => None,
        };
        match (errno, operation) {
            (Errno::EPERM | Errno::EACCES, _) => Self::PermissionDenied,
            (Errno::ENOPROTOOPT, _) => Self::ModuleMissing,
            (Errno::ENOENT, None) if *attempt == Attempt::Open => Self::ModuleMissing,
            (Errno::ESRCH, Some(Op::StopDaemon(_))) => Self::DaemonNotRunning,
            (Errno::ESRCH, _) => Self::ServiceNotFound,
            (Errno::EEXIST, Some(Op::AddService(_))) => Self::ServiceExists,
            (Errno::EEXIST, Some(Op::AddDestination(..))) => Self::DestinationExists,
            (Errno::EEXIST, Some(Op::StartDaemon(_))) => Self::DaemonRunning,
            (Errno::ENOENT, Some(Op::AddService(service) | Op::UpdateService(service))) => match service.engine {
                Some(engine) => Self::SchedulerOrEngineNotFound(service.scheduler, engine),
                None => Self::SchedulerNotFound(service.scheduler),
            },
            (Errno::ENOENT, Some(Op::UpdateDestination(..) | Op::RemoveDestination(..))) => Self::DestinationNotFound,
            (Errno::ENODEV, Some(Op::StartDaemon(_))) => Self::InterfaceNotFound,
            (Errno::ERANGE, _) => Self::OutOfRange,
            (Errno::EAFNOSUPPORT, _) => Self::FamilyUnsupported,
            (Errno::EOPNOTSUPP, _) => Self::Unsupported,
            (Errno::EINVAL, _) => Self::Invalid,
            (errno, _) => Self::Other(errno),
        }
    }
}

#[cfg(feature = "serde")]
impl Cause {
    /// Every cause that a director may give for an attempt and an errno.
    pub(crate) fn all_of(attempt: &Attempt, errno: Option<Errno>) -> Vec<Self> {
        let mut all = vec![
            Self::ServiceNotFound,
            Self::ServiceExists,
            Self::DestinationNotFound,
            Self::DestinationExists,
            Self::DaemonRunning,
            Self::DaemonNotRunning,
            Self::InterfaceNotFound,
            Self::PermissionDenied,
            Self::ModuleMissing,
            Self::OutOfRange,
            Self::FamilyUnsupported,
            Self::Unsupported,
            Self::Changing,
            Self::Invalid,
        ];
        if let Attempt::Operation(Operation::AddService(service) | Operation::UpdateService(service)) = attempt {
            all.push(Self::SchedulerNotFound(service.scheduler));
            if let Some(engine) = service.engine {
                all.push(Self::EngineNotFound(engine));
                all.push(Self::SchedulerOrEngineNotFound(service.scheduler, engine));
            }
        }
        all.extend(errno.map(Self::Other));
        all
    }
}

/// A director's refusal: what was attempted, on what, and why not.
///
/// Both directors answer the same question with the same error.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct OperationError {
    /// What was attempted.
    pub attempt: Attempt,
    /// What the answer means.
    pub cause: Cause,
    /// The answer itself, if it was an errno.
    pub errno: Option<Errno>,
    /// The kernel's own words, where it sent any (extended acknowledgement).
    pub message: Option<Box<str>>,
    /// The rule that the operation broke, where it shows which: the kernel says only that one was
    /// broken.
    pub flaw: Option<Flaw>,
}

impl OperationError {
    /// The meaning of an errno as the answer to an attempt.
    pub fn from_errno(attempt: Attempt, errno: Errno) -> Self {
        let flaw = match &attempt {
            Attempt::Operation(operation) => lint::explain(operation, errno),
            _ => None,
        };
        Self { attempt, cause: Cause::of(&attempt, errno), errno: Some(errno), message: None, flaw }
    }

    /// A refusal with a cause of its own.
    pub const fn new(attempt: Attempt, cause: Cause, errno: Option<Errno>) -> Self {
        Self { attempt, cause, errno, message: None, flaw: None }
    }

    /// With the kernel's own words.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<Box<str>>) -> Self {
        self.message = Some(message.into());
        self
    }
}

impl fmt::Display for OperationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.flaw {
            Some(flaw) => write!(f, "cannot {}: {flaw}", self.attempt)?,
            None => write!(f, "cannot {}: {}", self.attempt, self.cause)?,
        }
        match &self.message {
            Some(message) => write!(f, " ({message})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for OperationError {}
