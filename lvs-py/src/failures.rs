//! What a director, a file or a system call answers, as exceptions: they carry the operation that
//! was refused.

use lvs_core::director::{Attempt, OperationError};
use lvs_core::{Error, ErrorKind};
use pyo3::prelude::*;

use crate::errors::{invalid, os_error, raise};
use crate::operation::PyOperation;

/// A director's refusal as an exception object, not raised.
pub(crate) fn refusal(py: Python<'_>, error: &OperationError) -> PyErr {
    let operation = match &error.attempt {
        Attempt::Operation(operation) => PyOperation::wrap(py, *operation).ok(),
        _ => None,
    };
    os_error(py, error.kind(), error.to_string(), error.errno.map(|errno| errno.0), operation, error.message.as_deref())
}

/// An error of the core as an exception object, not raised.
pub(crate) fn shown<'py>(py: Python<'py>, error: &Error) -> Bound<'py, PyAny> {
    exception(py, error).into_value(py).into_bound(py).into_any()
}

/// An error of the core as an exception.
pub(crate) fn from_core(py: Python<'_>, error: Error) -> PyErr {
    exception(py, &error)
}

fn exception(py: Python<'_>, error: &Error) -> PyErr {
    match error {
        Error::Refused(error) => refusal(py, error),
        error => match error.kind() {
            ErrorKind::InvalidInput => invalid(py, error.to_string()),
            ErrorKind::Decode => raise(py, "DecodeError", (error.to_string(),)),
            ErrorKind::Internal => raise(py, "LvsError", (error.to_string(),)),
            kind => {
                let errno = error.errno().map(|errno| errno.0);
                os_error(py, kind, error.to_string(), errno, None, None)
            }
        },
    }
}

/// `Result` of the core to `PyResult`.
pub(crate) trait OrRaise<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T, E: Into<Error>> OrRaise<T> for Result<T, E> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| from_core(py, error.into()))
    }
}
