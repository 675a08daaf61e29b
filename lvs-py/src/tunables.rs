//! The sysctls behind `lvs.Sysctls`.

use lvs_core::{Director, ErrorKind};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;

use crate::args::{AsText as _, Text};
use crate::director::PyHandle;
use crate::errors::not_found;

#[pymethods]
impl PyHandle {
    fn sysctl_names(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.with(py, |director| director.sysctl_names())
    }

    fn sysctl_get<'py>(&self, py: Python<'py>, name: Text) -> PyResult<Bound<'py, PyAny>> {
        let text = self.with(py, |director| found(director.sysctl(&name)))?;
        let text = text.ok_or_else(|| not_found(py, format!("no tunable {name}")))?;
        match text.parse::<i64>() {
            Ok(number) => number.into_bound_py_any(py),
            Err(_) => text.into_bound_py_any(py),
        }
    }

    fn sysctl_set(&self, py: Python<'_>, name: Text, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let text = match value.extract::<i64>() {
            Ok(number) => number.to_string(),
            Err(_) => value.str()?.text()?.into_owned(),
        };
        let written = self.with(py, |director| found(director.set_sysctl(&name, &text)))?;
        written.ok_or_else(|| not_found(py, format!("no tunable {name}")))
    }
}

/// Nothing for a sysctl that is not there.
fn found<T>(result: lvs_core::Result<T>) -> lvs_core::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
