//! `Operation`: one change of a table, to match on and to collect in batches.

use lvs_core::director::Operation;
use lvs_core::model::DaemonRole;
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;

use crate::args::AsText as _;
use crate::convert;
use crate::destination::{DestinationKeyArg, PyDestination, PyDestinationKey, destination_of};
use crate::schema::schema_methods;
use crate::service::{KeyArg, PyService, PyServiceKey, service_of};
use crate::settings::{PyDaemon, PyTimeouts, daemon_of, timeouts_of};

/// One change of a director's table.
#[pyclass(name = "Operation", module = "lvs_py", frozen, eq, hash)]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct PyOperation(pub(crate) Operation);

impl PyOperation {
    pub(crate) fn wrap(py: Python<'_>, operation: Operation) -> PyResult<Py<PyAny>> {
        Self(operation).into_py_any(py)
    }
}

#[pymethods]
impl PyOperation {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Py<PyAny>> {
        ("action", "key", "value").into_py_any(py)
    }

    /// Adds a virtual service.
    #[staticmethod]
    fn add_service(service: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self(Operation::AddService(service_of(service)?)))
    }

    /// Replaces scheduler, flags, timeout, netmask and engine of a service.
    #[staticmethod]
    fn update_service(service: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self(Operation::UpdateService(service_of(service)?)))
    }

    /// Removes a service and its destinations.
    #[staticmethod]
    fn remove_service(key: KeyArg) -> Self {
        Self(Operation::RemoveService(key.0))
    }

    /// Adds a destination to a service.
    #[staticmethod]
    fn add_destination(key: KeyArg, destination: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self(Operation::AddDestination(key.0, destination_of(destination)?)))
    }

    /// Replaces everything of a destination but its key.
    #[staticmethod]
    fn update_destination(key: KeyArg, destination: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self(Operation::UpdateDestination(key.0, destination_of(destination)?)))
    }

    /// Removes a destination from a service.
    #[staticmethod]
    fn remove_destination(key: KeyArg, destination: DestinationKeyArg) -> Self {
        Self(Operation::RemoveDestination(key.0, destination.0))
    }

    /// Sets timeouts; 0 leaves one as it is.
    #[staticmethod]
    fn set_timeouts(timeouts: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self(Operation::SetTimeouts(timeouts_of(timeouts)?)))
    }

    /// Starts a sync daemon.
    #[staticmethod]
    fn start_daemon(daemon: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self(Operation::StartDaemon(daemon_of(daemon)?)))
    }

    /// Stops a sync daemon.
    #[staticmethod]
    fn stop_daemon(role: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self(Operation::StopDaemon(convert::role(role)?)))
    }

    /// Zeroes the counters of a service and its destinations, or of all.
    #[staticmethod]
    #[pyo3(signature = (key = None))]
    fn zero(key: Option<KeyArg>) -> Self {
        Self(Operation::Zero(key.map(|key| key.0)))
    }

    /// Removes all services.
    #[staticmethod]
    const fn flush() -> Self {
        Self(Operation::Flush)
    }

    /// What it does, by the name of the method that does it: "add_service", "flush".
    #[getter]
    fn action(&self) -> String {
        self.0.kind().to_string()
    }

    /// The service it is about, None for all or none.
    #[getter]
    fn key(&self) -> Option<PyServiceKey> {
        self.0.service_key().map(PyServiceKey)
    }

    /// What it sets: a Service, Destination, DestinationKey, Timeouts, Daemon or DaemonRole, None
    /// for the others.
    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        match self.0 {
            Operation::AddService(service) | Operation::UpdateService(service) => {
                PyService(service).into_bound_py_any(py)
            }
            Operation::AddDestination(_, destination) | Operation::UpdateDestination(_, destination) => {
                PyDestination(destination).into_bound_py_any(py)
            }
            Operation::RemoveDestination(_, key) => PyDestinationKey(key).into_bound_py_any(py),
            Operation::SetTimeouts(timeouts) => PyTimeouts(timeouts).into_bound_py_any(py),
            Operation::StartDaemon(daemon) => PyDaemon(daemon).into_bound_py_any(py),
            Operation::StopDaemon(role) => role_object(py, role),
            Operation::RemoveService(_) | Operation::Zero(_) | Operation::Flush => return Ok(None),
        }
        .map(Some)
    }

    /// As the end of a sentence: "add destination 198.51.100.7:80 to tcp://192.0.2.1:80".
    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let arguments = self.arguments(py)?;
        let parts =
            arguments.iter().map(|value| Ok(value.repr()?.text()?.into_owned())).collect::<PyResult<Vec<_>>>()?;
        Ok(format!("Operation.{}({})", self.0.kind(), parts.join(", ")))
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }
}

impl PyOperation {
    /// What its constructor takes.
    fn arguments<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let key = match self.0 {
            Operation::AddService(_) | Operation::UpdateService(_) => None,
            _ => self.key(),
        };
        let key = key.map(|key| key.into_bound_py_any(py)).transpose()?;
        Ok(key.into_iter().chain(self.value(py)?).collect())
    }
}

schema_methods!(PyOperation, "Operation" as Operation, |value| &value.0, |read| Ok(Self(read)));

fn role_object(py: Python<'_>, role: DaemonRole) -> PyResult<Bound<'_, PyAny>> {
    convert::member(convert::role_class(py)?, role.number())
}
