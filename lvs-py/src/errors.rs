//! The exceptions of `lvs.exceptions`, raised from the errors of the core.

use lvs_core::director::{Attempt, OperationError};
use lvs_core::{Error, ErrorKind};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

use crate::operation::PyOperation;

/// A class of `lvs.exceptions`.
pub(crate) fn class<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    static MODULE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let module = MODULE.get_or_try_init(py, || py.import("lvs.exceptions").map(|module| module.into_any().unbind()))?;
    module.bind(py).getattr(name)
}

fn raise(py: Python<'_>, name: &str, args: impl for<'py> pyo3::call::PyCallArgs<'py>) -> PyErr {
    match class(py, name).and_then(|class| class.call1(args)) {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

/// `InvalidInputError`.
pub(crate) fn invalid(py: Python<'_>, message: impl Into<String>) -> PyErr {
    raise(py, "InvalidInputError", (message.into(),))
}

/// `ClosedError`.
pub(crate) fn closed(py: Python<'_>, message: &str) -> PyErr {
    raise(py, "ClosedError", (message,))
}

/// A director's refusal as an exception object, not raised.
pub(crate) fn refusal(py: Python<'_>, error: &OperationError) -> PyErr {
    let operation = match &error.attempt {
        Attempt::Operation(operation) => PyOperation::wrap(py, *operation).ok(),
        _ => None,
    };
    os_error(py, error.kind(), error.to_string(), error.errno.map(|errno| errno.0), operation, error.message.as_deref())
}

fn os_error(
    py: Python<'_>,
    kind: ErrorKind,
    message: String,
    errno: Option<i32>,
    operation: Option<Py<PyAny>>,
    kernel_message: Option<&str>,
) -> PyErr {
    let name = match kind {
        ErrorKind::NotFound => "NotFoundError",
        ErrorKind::AlreadyExists => "AlreadyExistsError",
        ErrorKind::PermissionDenied => "PermissionDeniedError",
        ErrorKind::Unsupported => "UnsupportedError",
        ErrorKind::Io => "SystemCallError",
        _ => "KernelError",
    };
    let build = || -> PyResult<PyErr> {
        let kwargs = PyDict::new(py);
        kwargs.set_item("operation", operation)?;
        kwargs.set_item("kernel_message", kernel_message)?;
        let exception = class(py, name)?.call((message, errno), Some(&kwargs))?;
        Ok(PyErr::from_value(exception))
    };
    build().unwrap_or_else(|error| error)
}

/// An error of the core as an exception.
pub(crate) fn from_core(py: Python<'_>, error: Error) -> PyErr {
    match error {
        Error::Refused(error) => refusal(py, &error),
        error => match error.kind() {
            ErrorKind::InvalidInput => invalid(py, error.to_string()),
            ErrorKind::Decode => raise(py, "DecodeError", (error.to_string(),)),
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
