use std::io;

use crate::director::{Cause, OperationError};
use crate::errno::Errno;
use crate::model::ModelError;
use crate::procfs::{ParseError, SysctlError};
use crate::rules::SyntaxErrors;
use crate::wire::WireError;

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

/// Everything that can go wrong, with the cause of each room kept whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value that cannot be said.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Rules text that does not parse: all its mistakes.
    #[error(transparent)]
    Rules(#[from] SyntaxErrors),
    /// A director's refusal.
    #[error(transparent)]
    Refused(#[from] Box<OperationError>),
    /// An answer of the director that makes no sense.
    #[error(transparent)]
    Decode(#[from] WireError),
    /// Text of the kernel that is not as it should be.
    #[error(transparent)]
    Procfs(#[from] ParseError),
    /// A value that a tunable does not take.
    #[error(transparent)]
    Sysctl(#[from] SysctlError),
    /// The way to the director, or a file, failed.
    #[error("cannot {attempted}: {source}")]
    Io {
        /// What was attempted, as the end of a sentence.
        attempted: String,
        /// What the system said.
        source: io::Error,
    },
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An I/O error with what was attempted, as the end of a sentence: `open /proc/net/ip_vs_conn`.
    pub fn io(attempted: impl Into<String>, source: io::Error) -> Self {
        Self::Io { attempted: attempted.into(), source }
    }

    /// The category.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Model(_) | Self::Sysctl(_) => ErrorKind::InvalidInput,
            Self::Procfs(_) => ErrorKind::Decode,
            Self::Rules(_) => ErrorKind::Syntax,
            Self::Refused(error) => error.kind(),
            Self::Decode(_) => ErrorKind::Decode,
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied => ErrorKind::PermissionDenied,
                io::ErrorKind::NotFound => ErrorKind::NotFound,
                // Said by this crate before it asked the system; an EINVAL is the system's own answer.
                io::ErrorKind::InvalidInput if source.raw_os_error().is_none() => ErrorKind::InvalidInput,
                _ => ErrorKind::Io,
            },
        }
    }

    /// The errno behind the error, if there is one.
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::Refused(error) => error.errno,
            Self::Io { source, .. } => source.raw_os_error().map(Errno),
            Self::Model(_) | Self::Rules(_) | Self::Decode(_) | Self::Procfs(_) | Self::Sysctl(_) => None,
        }
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
            Cause::OutOfRange | Cause::Invalid | Cause::Other(_) => ErrorKind::Kernel,
        }
    }
}
