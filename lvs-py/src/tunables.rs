//! The sysctls behind `lvs.Sysctls`.

use std::borrow::Cow;

use lvs_core::{Director, ErrorKind};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;

use crate::director::PyHandle;

#[pymethods]
impl PyHandle {
    fn sysctl_names(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.with(py, |director| director.sysctl_names())
    }

    fn sysctl_get<'py>(&self, py: Python<'py>, name: Cow<'_, str>) -> PyResult<Bound<'py, PyAny>> {
        let text = self.with(py, |director| found(director.sysctl(&name)))?;
        let text = text.ok_or_else(|| PyKeyError::new_err(name.into_owned()))?;
        match text.parse::<i64>() {
            Ok(number) => number.into_bound_py_any(py),
            Err(_) => text.into_bound_py_any(py),
        }
    }

    fn sysctl_set(&self, py: Python<'_>, name: Cow<'_, str>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let text = match value.extract::<i64>() {
            Ok(number) => number.to_string(),
            Err(_) => value.str()?.to_cow()?.into_owned(),
        };
        let written = self.with(py, |director| found(director.set_sysctl(&name, &text)))?;
        written.ok_or_else(|| PyKeyError::new_err(name.into_owned()))
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
