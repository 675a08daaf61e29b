//! The exceptions of `lvs_py.exceptions`. Those that carry an operation are made in `failures`.

use lvs_core::ErrorKind;
use lvs_core::model::ModelError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

/// A class of `lvs_py.exceptions`.
pub(crate) fn class<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    static MODULE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let module =
        MODULE.get_or_try_init(py, || py.import("lvs_py.exceptions").map(|module| module.into_any().unbind()))?;
    module.bind(py).getattr(name)
}

pub(crate) fn raise(py: Python<'_>, name: &str, args: impl for<'py> pyo3::call::PyCallArgs<'py>) -> PyErr {
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

/// An exception that is an `OSError`, too.
pub(crate) fn os_error(
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

/// What a mapping raises that lacks a key: `NotFoundError`, which is a `KeyError`.
pub(crate) fn not_found(py: Python<'_>, message: String) -> PyErr {
    os_error(py, ErrorKind::NotFound, message, None, None, None)
}

/// A value of the model that cannot be said, as an `InvalidInputError`.
pub(crate) trait OrInvalid<T> {
    fn or_invalid(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> OrInvalid<T> for Result<T, ModelError> {
    fn or_invalid(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| invalid(py, error.to_string()))
    }
}
