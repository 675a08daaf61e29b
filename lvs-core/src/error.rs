use std::collections::TryReserveError;
use std::net::AddrParseError;
use std::{fmt, io};

use crate::decode::DecodeError;
use crate::director::{Cause, OperationError};
use crate::drain::DrainError;
use crate::errno::Errno;
use crate::health::{HealthError, PolicyError};
#[cfg(feature = "json")]
use crate::json::JsonError;
use crate::model::ModelError;
use crate::plan::{Incomplete, OwnershipError, PlanError};
use crate::procfs::{ParseError, SysctlError};
use crate::rules::SyntaxErrors;
use crate::schedulers::BindError;

/// What a caller can do something about, in every language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
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
    /// A fault of this library: please report it.
    Internal,
    /// There is not enough memory for that number of entries.
    OutOfMemory,
}

/// `not found`, `permission denied`: for messages, not to be read back.
impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidInput => "invalid input",
            Self::Syntax => "syntax error",
            Self::NotFound => "not found",
            Self::AlreadyExists => "already exists",
            Self::PermissionDenied => "permission denied",
            Self::Unsupported => "not supported",
            Self::Decode => "malformed reply",
            Self::Kernel => "refused by the director",
            Self::Io => "input/output error",
            Self::Internal => "internal error",
            Self::OutOfMemory => "out of memory",
        })
    }
}

/// Everything that can go wrong: `?` takes every error of this crate, and the cause stays whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value that no director could take.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Text that the standard library does not take for an address.
    #[error(transparent)]
    Address(#[from] AddrParseError),
    /// JSON that is not what it should be.
    #[cfg(feature = "json")]
    #[error(transparent)]
    Json(#[from] JsonError),
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
    /// A policy of health checking that contradicts itself.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// Something of health checking that cannot be watched or changed.
    #[error(transparent)]
    Health(#[from] HealthError),
    /// A scheduler that cannot work for a service.
    #[error(transparent)]
    Scheduler(#[from] BindError),
    /// Something that only one of the two directors does was asked of an
    /// [`AnyDirector`](crate::AnyDirector) that is the other.
    #[error("cannot {attempted}: only {needed} does that")]
    OtherDirector {
        /// What was attempted, as the end of a sentence.
        attempted: String,
        /// The director that does it, with its article.
        needed: &'static str,
    },
    /// An earlier call of an [`AnyDirector`](crate::AnyDirector) panicked.
    #[error("an earlier call panicked, so this director may be half changed: open another one")]
    Panicked,
    /// There is not enough memory for that number of entries: nothing has changed, and what failed may be
    /// tried again. What grows with a table or with the connections asks for memory in a way that
    /// can fail; small things abort, as they do everywhere in Rust.
    #[error("out of memory")]
    OutOfMemory(#[from] TryReserveError),
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
            Self::OutOfMemory(_) | Self::Plan(PlanError::OutOfMemory(_)) => ErrorKind::OutOfMemory,
            Self::Model(_)
            | Self::Address(_)
            | Self::Sysctl(_)
            | Self::Plan(_)
            | Self::Ownership(_)
            | Self::Policy(_) => ErrorKind::InvalidInput,
            #[cfg(feature = "json")]
            Self::Json(_) => ErrorKind::InvalidInput,
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
            Self::Drain(DrainError::Incomplete(_)) => ErrorKind::Kernel,
            Self::Scheduler(_) => ErrorKind::Kernel,
            Self::Procfs(_) => ErrorKind::Decode,
            Self::Rules(_) => ErrorKind::Syntax,
            Self::Refused(error) => error.kind(),
            Self::Decode(_) => ErrorKind::Decode,
            Self::OtherDirector { .. } => ErrorKind::Unsupported,
            Self::Panicked => ErrorKind::Internal,
            Self::Io { error, .. } => match error.kind() {
                io::ErrorKind::PermissionDenied => ErrorKind::PermissionDenied,
                io::ErrorKind::NotFound => ErrorKind::NotFound,
                // Said by this crate before it asked the system; an EINVAL is the system's own
                // answer.
                io::ErrorKind::InvalidInput if error.raw_os_error().is_none() => ErrorKind::InvalidInput,
                _ => ErrorKind::Io,
            },
        }
    }

    /// The errno behind the error, if there is one.
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::Refused(error) => error.errno,
            Self::OutOfMemory(_) | Self::Plan(PlanError::OutOfMemory(_)) => Some(Errno::ENOMEM),
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
            (ErrorKind::OutOfMemory, _) => io::ErrorKind::OutOfMemory,
            (ErrorKind::Unsupported, _) => io::ErrorKind::Unsupported,
            (ErrorKind::Syntax | ErrorKind::Decode, _) => io::ErrorKind::InvalidData,
            (ErrorKind::Kernel | ErrorKind::Io, Some(errno)) => Self::from(errno).kind(),
            (ErrorKind::Kernel | ErrorKind::Io, None) | (ErrorKind::Internal, _) => io::ErrorKind::Other,
        };
        match error {
            Error::Io { attempted, error } if attempted.is_empty() => error,
            error => Self::new(kind, error),
        }
    }
}

impl From<ModelError> for io::Error {
    fn from(error: ModelError) -> Self {
        Error::from(error).into()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::director::Attempt;
    use crate::drain::DrainTarget;
    use crate::model::{Protocol, ServiceKey};

    /// A message and those of its sources, as `anyhow` prints them with `{:#}`.
    fn chain(error: &dyn std::error::Error) -> Vec<String> {
        let mut messages = vec![error.to_string()];
        let mut next = error.source();
        while let Some(error) = next {
            messages.push(error.to_string());
            next = error.source();
        }
        messages
    }

    /// One error of each kind, with as much inside as it can have.
    fn one_of_each() -> Vec<Error> {
        let key = ServiceKey::endpoint(Protocol::Tcp, [192, 0, 2, 1].into(), 80);
        let denied = || io::Error::from_raw_os_error(Errno::EACCES.0);
        let refused = || OperationError::from_errno(Attempt::ReadService(key), Errno::ESRCH).with_message("no luck");
        let too_much = || Vec::<u64>::new().try_reserve(usize::MAX).unwrap_err();
        let mut outcome = crate::plan::Outcome::default();
        outcome.refused.push(crate::director::Refusal { index: 0, error: refused() });
        let incomplete = Incomplete { plan: crate::plan::Plan::default(), outcome };
        vec![
            "192.0.2.300".parse::<std::net::IpAddr>().unwrap_err().into(),
            PolicyError::ZeroFall.into(),
            "tcp://192.0.2.300:80".parse::<ServiceKey>().unwrap_err().into(),
            crate::rules::parse("-A -t 192.0.2.1:80 -s\n-Q").unwrap_err().into(),
            refused().into(),
            DecodeError::Truncated { what: "a header" }.into(),
            crate::procfs::read_stats(&b"nonsense"[..]).unwrap_err(),
            PlanError::OutOfScope(key).into(),
            PlanError::OutOfMemory(too_much()).into(),
            incomplete.into(),
            OwnershipError::Version(7).into(),
            DrainError::NotFound(DrainTarget::Service(key)).into(),
            HealthError::Policy(key, PolicyError::ZeroRise).into(),
            HealthError::ServiceNotWatched(key).into(),
            BindError::TooManyDestinations { destinations: 5000, slots: 4093 }.into(),
            Error::OtherDirector { attempted: "open a flow".to_owned(), needed: "the embedded director" },
            Error::Panicked,
            too_much().into(),
            Error::io("open /proc/net/ip_vs_conn", denied()),
            denied().into(),
        ]
    }

    #[test]
    fn no_error_chain_repeats_a_message() {
        for error in one_of_each() {
            let chain = chain(&error);
            for (place, message) in chain.iter().enumerate() {
                assert!(!message.is_empty(), "{error:?}");
                assert!(!chain[..place].iter().any(|before| before.contains(message)), "{}", chain.join(": "));
            }
        }
    }

    #[test]
    fn the_chain_of_a_file_that_may_not_be_read_is_one_sentence() {
        let error = Error::io("open /proc/net/ip_vs_conn", io::Error::from_raw_os_error(Errno::EACCES.0));
        assert_eq!(chain(&error), ["cannot open /proc/net/ip_vs_conn: Permission denied (os error 13)"]);
        let inside: io::Error = error.into();
        assert_eq!(inside.kind(), io::ErrorKind::PermissionDenied);
        assert_eq!(chain(&inside), ["cannot open /proc/net/ip_vs_conn: Permission denied (os error 13)"]);
    }

    #[test]
    fn a_missing_module_is_reported_with_the_command_that_loads_it() {
        for errno in [Errno::ENOENT, Errno::ENOPROTOOPT] {
            let error = Error::from(OperationError::from_errno(Attempt::Open, errno));
            assert_eq!(
                chain(&error),
                ["cannot open the director: this kernel has no IPVS: the module ip_vs is not loaded (modprobe ip_vs, \
                     or the option load_module)"]
            );
            assert_eq!(error.kind(), ErrorKind::Unsupported);
        }
    }
}
