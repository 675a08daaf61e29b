//! What `ipvsadm` says of refusals, and how it exits.

use lvs_core::director::{Attempt, Cause, Operation, OperationError};
use lvs_core::rules::SyntaxError;
use lvs_core::{Errno, Error};

/// How the program ends.
#[derive(Debug)]
pub(crate) struct Exit {
    /// The exit status.
    pub(crate) status: u8,
    /// What goes to the standard error, with its newline.
    pub(crate) message: Option<String>,
    /// Whether a restore ends with it.
    pub(crate) aborts: bool,
}

impl Exit {
    pub(crate) const SUCCESS: Self = Self { status: 0, message: None, aborts: false };

    /// Ends everything.
    pub(crate) fn failed(status: u8, message: String) -> Self {
        Self { status, message: Some(message), aborts: true }
    }

    /// A refused change: a restore goes on with the next line.
    pub(crate) fn refused(error: &Error) -> Self {
        Self { status: 255, message: Some(text(error) + "\n"), aborts: false }
    }

    /// A listing that could not be had.
    pub(crate) fn unlisted(error: &Error) -> Self {
        Self::failed(1, text(error) + "\n")
    }

    /// What `ipvsadm` prints for an error in its arguments.
    pub(crate) fn compat(error: &SyntaxError, program: &str) -> Self {
        let message = error.ipvsadm(program);
        Self { status: message.status, message: Some(message.text), aborts: message.aborts }
    }

    /// The standard output could not be written. `ipvsadm` does not look.
    pub(crate) fn unwritten(error: &std::io::Error) -> Self {
        // DIFFERENCE: a full disk is an error. A reader that has seen enough is none.
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self { status: 141, message: None, aborts: true },
            _ => Self::failed(1, format!("cannot write: {error}\n")),
        }
    }
}

/// The text for an error.
pub(crate) fn text(error: &Error) -> String {
    match error {
        Error::Refused(refusal) => refused(refusal),
        other => match other.errno() {
            Some(errno) => general(errno),
            None => other.to_string(),
        },
    }
}

/// `ipvsadm` reads each errno by what it had asked for last.
pub(crate) fn refused(refusal: &OperationError) -> String {
    let Some(errno) = refusal.errno.or_else(|| errno_of(&refusal.cause)) else { return refusal.cause.to_string() };
    use Operation as Op;
    let service = "No such service";
    let no_service = "Service not defined";
    let no_scheduler = "Scheduler or persistence engine not found";
    let known = match (&refusal.attempt, errno) {
        (Attempt::Operation(operation), errno) => match (operation, errno) {
            (Op::AddService(_), Errno::EEXIST) => Some("Service already exists"),
            (Op::AddService(_) | Op::UpdateService(_), Errno::ENOENT) => Some(no_scheduler),
            (Op::UpdateService(_) | Op::RemoveService(_) | Op::Zero(_), Errno::ESRCH) => Some(service),
            (Op::AddDestination(..) | Op::UpdateDestination(..) | Op::RemoveDestination(..), Errno::ESRCH) => {
                Some(no_service)
            }
            (Op::AddDestination(..), Errno::EEXIST) => Some("Destination already exists"),
            (Op::UpdateDestination(..) | Op::RemoveDestination(..), Errno::ENOENT) => Some("No such destination"),
            (Op::StartDaemon(_), Errno::EEXIST) => Some("Daemon has already run"),
            (Op::StopDaemon(_), Errno::ESRCH) => Some("No daemon is running"),
            _ => None,
        },
        (_, Errno::ESRCH) => Some(service),
        _ => None,
    };
    known.map_or_else(|| general(errno), str::to_owned)
}

/// Causes that are found out by other means than an errno.
fn errno_of(cause: &Cause) -> Option<Errno> {
    Some(match cause {
        Cause::ServiceNotFound => Errno::ESRCH,
        Cause::PermissionDenied => Errno::EPERM,
        Cause::ModuleMissing => Errno::ENOPROTOOPT,
        Cause::FamilyUnsupported => Errno::EAFNOSUPPORT,
        _ => return None,
    })
}

fn general(errno: Errno) -> String {
    match errno {
        Errno::EPERM => "Permission denied (you must be root)".to_owned(),
        Errno::EINVAL => "Invalid operation.  Possibly wrong module version, address not unicast, ...".to_owned(),
        Errno::ENOPROTOOPT => "Protocol not available".to_owned(),
        Errno::ENOMEM => "Memory allocation problem".to_owned(),
        Errno::EOPNOTSUPP => "Operation not supported with IPv6".to_owned(),
        Errno::EAFNOSUPPORT => "Operation not supported with specified address family".to_owned(),
        Errno::EMSGSIZE => "Module is wrong version".to_owned(),
        other => match other.description() {
            Some(text) => text.to_owned(),
            None => {
                let text = std::io::Error::from_raw_os_error(other.0).to_string();
                text.split(" (os error").next().unwrap_or_default().to_owned()
            }
        },
    }
}

/// The kernel has no IPVS, or does not let us.
pub(crate) fn cannot_initialise(error: &Error) -> Exit {
    let text = match error {
        Error::Refused(refusal) if refusal.cause == Cause::ModuleMissing => general(Errno::ENOPROTOOPT),
        other => text(other),
    };
    Exit::failed(
        2,
        format!(
            "Can't initialize ipvs: {text}\nAre you sure that IP Virtual Server is built in the kernel or as module?\n"
        ),
    )
}
