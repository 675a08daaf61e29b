use std::io;

use crate::decode::DecodeError;
use crate::director::{Cause, OperationError};
use crate::drain::DrainError;
use crate::errno::Errno;
use crate::health::HealthError;
use crate::model::ModelError;
use crate::plan::{Incomplete, OwnershipError, PlanError};
use crate::procfs::{ParseError, SysctlError};
use crate::rules::SyntaxErrors;
use crate::schedulers::BindError;

/// What a caller can do something about, in every language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The value cannot be said to any director.
    InvalidInput,
    /// Rules text that does not parse.
    Syntax,
    /// No such service, destination or daemon.
    NotFound,
    /// The service, destination or daemon is there already.
    AlreadyExists,
    /// The caller lacks a privilege.
    PermissionDenied,
    /// The kernel, transport or director lacks IPVS, a scheduler, a family.
    Unsupported,
    /// An answer that makes no sense.
    Decode,
    /// Any other answer of the kernel.
    Kernel,
    /// Files, sockets, namespaces.
    Io,
}

/// Everything that can go wrong: `?` takes every error of this crate, and the cause stays whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value that no director could take.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Rules text that does not parse, with all its errors.
    #[error(transparent)]
    Rules(#[from] SyntaxErrors),
    /// A director's refusal.
    #[error(transparent)]
    Refused(#[from] Box<OperationError>),
    /// A malformed reply of the director.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Malformed text of the kernel.
    #[error(transparent)]
    Procfs(#[from] ParseError),
    /// A value that a sysctl does not take.
    #[error(transparent)]
    Sysctl(#[from] SysctlError),
    /// A table for which there is no plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A plan of which not every step took effect, with its outcome.
    #[error(transparent)]
    Incomplete(#[from] Box<Incomplete>),
    /// An ownership record of somebody else's.
    #[error(transparent)]
    Ownership(#[from] OwnershipError),
    /// A drain that cannot begin.
    #[error(transparent)]
    Drain(#[from] DrainError),
    /// Something of health checking that cannot be watched or changed.
    #[error(transparent)]
    Health(#[from] HealthError),
    /// A scheduler that cannot work for a service.
    #[error(transparent)]
    Scheduler(#[from] BindError),
    /// The way to the director, or a file, failed. The message says what the system answered, so
    /// [`source`](std::error::Error::source) does not repeat it.
    #[error("{}", describe(attempted, error))]
    Io {
        /// What was attempted, as the end of a sentence; empty if that is not known.
        attempted: String,
        /// What the system answered.
        error: io::Error,
    },
}

fn describe(attempted: &str, error: &io::Error) -> String {
    if attempted.is_empty() { error.to_string() } else { format!("cannot {attempted}: {error}") }
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An I/O error with what was attempted, as the end of a sentence: `open /proc/net/ip_vs_conn`.
    pub fn io(attempted: impl Into<String>, error: io::Error) -> Self {
        Self::Io { attempted: attempted.into(), error }
    }

    /// The category.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Model(_) | Self::Sysctl(_) | Self::Plan(_) | Self::Ownership(_) => ErrorKind::InvalidInput,
            Self::Incomplete(incomplete) => match (incomplete.first_refusal(), &incomplete.outcome.interrupted) {
                (Some(refusal), _) => refusal.kind(),
                (None, Some(error)) => error.kind(),
                (None, None) => ErrorKind::Kernel,
            },
            Self::Drain(DrainError::NotFound(_))
            | Self::Health(HealthError::ServiceNotWatched(_) | HealthError::ServerNotWatched(..)) => {
                ErrorKind::NotFound
            }
            Self::Health(_) => ErrorKind::InvalidInput,
            Self::Scheduler(_) => ErrorKind::Kernel,
            Self::Procfs(_) => ErrorKind::Decode,
            Self::Rules(_) => ErrorKind::Syntax,
            Self::Refused(error) => error.kind(),
            Self::Decode(_) => ErrorKind::Decode,
            Self::Io { error, .. } => match error.kind() {
                io::ErrorKind::PermissionDenied => ErrorKind::PermissionDenied,
                io::ErrorKind::NotFound => ErrorKind::NotFound,
                // Said by this crate before it asked the system; an EINVAL is the system's own answer.
                io::ErrorKind::InvalidInput if error.raw_os_error().is_none() => ErrorKind::InvalidInput,
                _ => ErrorKind::Io,
            },
        }
    }

    /// The errno behind the error, if there is one.
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::Refused(error) => error.errno,
            Self::Io { error, .. } => error.raw_os_error().map(Errno),
            Self::Scheduler(error) => Some(Errno(error.errno())),
            Self::Incomplete(incomplete) => match (incomplete.first_refusal(), &incomplete.outcome.interrupted) {
                (Some(refusal), _) => refusal.errno,
                (None, interrupted) => interrupted.as_ref().and_then(Self::errno),
            },
            _ => None,
        }
    }
}

impl From<io::Error> for Error {
    /// Without what was attempted: [`Error::io`] says more.
    fn from(error: io::Error) -> Self {
        Self::io("", error)
    }
}

impl From<Error> for io::Error {
    /// The system's error as it was, anything else with the whole error inside.
    fn from(error: Error) -> Self {
        let kind = match (error.kind(), error.errno()) {
            (ErrorKind::NotFound, _) => io::ErrorKind::NotFound,
            (ErrorKind::AlreadyExists, _) => io::ErrorKind::AlreadyExists,
            (ErrorKind::PermissionDenied, _) => io::ErrorKind::PermissionDenied,
            (ErrorKind::InvalidInput, _) => io::ErrorKind::InvalidInput,
            (ErrorKind::Unsupported, _) => io::ErrorKind::Unsupported,
            (ErrorKind::Syntax | ErrorKind::Decode, _) => io::ErrorKind::InvalidData,
            (ErrorKind::Kernel | ErrorKind::Io, Some(errno)) => Self::from(errno).kind(),
            (ErrorKind::Kernel | ErrorKind::Io, None) => io::ErrorKind::Other,
        };
        match error {
            Error::Io { attempted, error } if attempted.is_empty() => error,
            error => Self::new(kind, error),
        }
    }
}

impl From<Errno> for io::Error {
    fn from(errno: Errno) -> Self {
        Self::from_raw_os_error(errno.0)
    }
}

impl From<Incomplete> for Error {
    fn from(error: Incomplete) -> Self {
        Self::Incomplete(Box::new(error))
    }
}

impl From<OperationError> for Error {
    fn from(error: OperationError) -> Self {
        Self::Refused(Box::new(error))
    }
}

impl OperationError {
    /// The category.
    pub fn kind(&self) -> ErrorKind {
        match self.cause {
            Cause::ServiceNotFound
            | Cause::DestinationNotFound
            | Cause::DaemonNotRunning
            | Cause::InterfaceNotFound => ErrorKind::NotFound,
            Cause::ServiceExists | Cause::DestinationExists | Cause::DaemonRunning => ErrorKind::AlreadyExists,
            Cause::PermissionDenied => ErrorKind::PermissionDenied,
            Cause::SchedulerNotFound(_)
            | Cause::EngineNotFound(_)
            | Cause::SchedulerOrEngineNotFound(..)
            | Cause::ModuleMissing
            | Cause::FamilyUnsupported
            | Cause::Unsupported => ErrorKind::Unsupported,
            Cause::OutOfRange | Cause::Invalid | Cause::Changing | Cause::Other(_) => ErrorKind::Kernel,
        }
    }
}
