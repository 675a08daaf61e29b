use std::collections::TryReserveError;
use std::{fmt, io};

use nix::errno::Errno as SystemErrno;

use crate::director::{Attempt, OperationError};
use crate::errno::Errno;
use crate::error::Error;
use crate::wire::DecodeError;
use crate::wire::message::{Answer, ExtendedAck};

/// What ended an exchange early.
#[derive(Debug)]
pub(super) enum Fault {
    /// The kernel refused the request.
    Refused(Errno, Option<Box<str>>),
    /// A reply was lost or the exchange was disturbed; repeating the request may help.
    Disturbed(Error),
    /// The socket is unusable.
    Broken(Error),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(errno, _) => errno.fmt(f),
            Self::Disturbed(error) | Self::Broken(error) => error.fmt(f),
        }
    }
}

impl From<DecodeError> for Fault {
    fn from(error: DecodeError) -> Self {
        Self::Broken(error.into())
    }
}

impl From<TryReserveError> for Fault {
    fn from(error: TryReserveError) -> Self {
        Self::Broken(error.into())
    }
}

impl Fault {
    pub(super) fn refused(errno: Errno, extended: &ExtendedAck<'_>) -> Self {
        Self::Refused(errno, extended.message.map(Into::into))
    }

    pub(super) fn sending(error: io::Error) -> Self {
        Self::of_socket("send to the netlink socket", error)
    }

    pub(super) fn receiving(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::WouldBlock {
            let late = io::Error::new(io::ErrorKind::TimedOut, "no reply in time");
            return Self::Broken(Error::io(RECEIVE, late));
        }
        if error.raw_os_error() == Some(SystemErrno::ENOBUFS as i32) {
            return Self::Disturbed(lost());
        }
        Self::of_socket(RECEIVE, error)
    }

    /// A socket that was closed can be opened again; other errors would come back.
    fn of_socket(attempted: &str, error: io::Error) -> Self {
        let closed = matches!(
            error.raw_os_error().map(SystemErrno::from_raw),
            Some(SystemErrno::EBADF | SystemErrno::ENOTCONN | SystemErrno::EPIPE | SystemErrno::ECONNREFUSED)
        );
        let error = Error::io(attempted, error);
        if closed { Self::Disturbed(error) } else { Self::Broken(error) }
    }

    /// A list that changed while it was read.
    pub(super) fn interrupted() -> Self {
        let error = io::Error::new(io::ErrorKind::Interrupted, "the list changed while it was read");
        Self::Disturbed(Error::io(RECEIVE, error))
    }

    pub(super) fn into_error(self, attempt: Attempt) -> Error {
        match self {
            Self::Refused(errno, message) => refusal(attempt, errno, message).into(),
            Self::Disturbed(error) | Self::Broken(error) => error,
        }
    }
}

const RECEIVE: &str = "receive from the netlink socket";

pub(super) fn refusal(attempt: Attempt, errno: Errno, message: Option<Box<str>>) -> OperationError {
    let error = OperationError::from_errno(attempt, errno);
    match message {
        Some(message) => error.with_message(message),
        None => error,
    }
}

/// The receive buffer was too small for all replies.
fn lost() -> Error {
    Error::io("receive all replies from the netlink socket", SystemErrno::ENOBUFS.into())
}

/// Whether a reply that carries no data ends an exchange.
pub(super) fn is_end(answer: &Answer<'_>) -> Result<bool, Fault> {
    match answer {
        Answer::Done => Ok(true),
        Answer::Error(errno, extended) => Err(Fault::refused(*errno, extended)),
        Answer::Overrun => Err(Fault::Disturbed(lost())),
        Answer::Noop | Answer::Data(..) => Ok(false),
    }
}
