//! `Batch`, `BatchReport` and `Refusal`: many changes at once, with an answer to each.

use std::sync::{Mutex, PoisonError};

use lvs_core::director::{Attempt, BatchReport, Operation, OperationError, Refusal};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::convert;
use crate::destination::{DestinationKeyArg, destination_of};
use crate::failures;
use crate::operation::PyOperation;
use crate::schema::schema_methods;
use crate::service::{KeyArg, service_of};
use crate::settings::{daemon_of, timeouts_of};
use crate::turns;

/// Operations that are collected to go out together.
#[pyclass(name = "Operations", module = "lvs_py._lvs", frozen, subclass)]
#[derive(Default)]
pub(crate) struct PyOperations(Mutex<Vec<Operation>>);

impl PyOperations {
    fn push(&self, operation: Operation) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(operation);
    }

    pub(crate) fn to_vec(&self) -> Vec<Operation> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[pymethods]
impl PyOperations {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Adds a virtual service.
    fn add_service(&self, service: &Bound<'_, PyAny>) -> PyResult<()> {
        self.push(Operation::AddService(service_of(service)?));
        Ok(())
    }

    /// Replaces scheduler, flags, timeout, netmask and engine of a service.
    fn update_service(&self, service: &Bound<'_, PyAny>) -> PyResult<()> {
        self.push(Operation::UpdateService(service_of(service)?));
        Ok(())
    }

    /// Removes a service and its destinations.
    fn remove_service(&self, key: KeyArg) {
        self.push(Operation::RemoveService(key.0));
    }

    /// Adds a destination to a service.
    fn add_destination(&self, key: KeyArg, destination: &Bound<'_, PyAny>) -> PyResult<()> {
        self.push(Operation::AddDestination(key.0, destination_of(destination)?));
        Ok(())
    }

    /// Replaces everything of a destination but its key.
    fn update_destination(&self, key: KeyArg, destination: &Bound<'_, PyAny>) -> PyResult<()> {
        self.push(Operation::UpdateDestination(key.0, destination_of(destination)?));
        Ok(())
    }

    /// Removes a destination from a service.
    fn remove_destination(&self, key: KeyArg, destination: DestinationKeyArg) {
        self.push(Operation::RemoveDestination(key.0, destination.0));
    }

    /// Sets timeouts; 0 leaves one as it is.
    fn set_timeouts(&self, timeouts: &Bound<'_, PyAny>) -> PyResult<()> {
        self.push(Operation::SetTimeouts(timeouts_of(timeouts)?));
        Ok(())
    }

    /// Starts a sync daemon.
    fn start_daemon(&self, daemon: &Bound<'_, PyAny>) -> PyResult<()> {
        self.push(Operation::StartDaemon(daemon_of(daemon)?));
        Ok(())
    }

    /// Stops a sync daemon.
    fn stop_daemon(&self, role: &Bound<'_, PyAny>) -> PyResult<()> {
        self.push(Operation::StopDaemon(convert::role(role)?));
        Ok(())
    }

    /// Zeroes the counters of a service and its destinations, or of all.
    #[pyo3(signature = (key = None))]
    fn zero(&self, key: Option<KeyArg>) {
        self.push(Operation::Zero(key.map(|key| key.0)));
    }

    /// Removes all services.
    fn flush(&self) {
        self.push(Operation::Flush);
    }

    /// Adds an operation.
    fn append(&self, operation: &Bound<'_, PyOperation>) {
        self.push(operation.get().0);
    }

    /// Adds operations.
    fn extend(&self, operations: &Bound<'_, PyAny>) -> PyResult<()> {
        let operations = operations_of(operations)?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(operations);
        Ok(())
    }

    /// Forgets all operations.
    fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn __len__(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, pyo3::types::PyIterator>> {
        turns::list(py, self.to_vec().into_iter().map(PyOperation))?.into_any().try_iter()
    }
}

/// Operations from whatever goes over them.
pub(crate) fn operations_of(value: &Bound<'_, PyAny>) -> PyResult<Vec<Operation>> {
    if let Ok(operations) = value.cast::<PyOperations>() {
        return Ok(operations.get().to_vec());
    }
    turns::read(value, |operation| Ok(operation.cast::<PyOperation>()?.get().0))
}

/// A refused operation of a batch, or a refused step of a plan.
#[pyclass(name = "Refusal", module = "lvs_py", frozen, eq)]
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PyRefusal {
    /// Which operation of the batch or step of the plan, from 0.
    #[pyo3(get)]
    pub(crate) index: usize,
    pub(crate) error: OperationError,
    pub(crate) operation: Operation,
}

#[pymethods]
impl PyRefusal {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Py<PyAny>> {
        ("index", "operation", "error").into_py_any(py)
    }

    /// The operation that was refused.
    #[getter]
    const fn operation(&self) -> PyOperation {
        PyOperation(self.operation)
    }

    /// Why, as the exception that the operation alone would have raised.
    #[getter]
    fn error<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        failures::refusal(py, &self.error).into_value(py).into_bound(py).into_any()
    }

    fn __repr__(&self) -> String {
        format!("<Refusal {}: {}>", self.index, self.error)
    }
}

impl PyRefusal {
    /// A refusal that names its operation, as all that were read do.
    fn from_core(refusal: Refusal) -> Self {
        let operation = match refusal.error.attempt {
            Attempt::Operation(operation) => operation,
            _ => unreachable!("refusals without an operation are not read"),
        };
        Self { index: refusal.index, error: refusal.error, operation }
    }

    fn core(&self) -> Refusal {
        Refusal { index: self.index, error: self.error.clone() }
    }
}

schema_methods!(PyRefusal, "Refusal" as Refusal, |value| &value.core(), |read| Ok(Self::from_core(read)));

/// What came of a batch: enough to know the table that is now in force.
#[pyclass(name = "BatchReport", module = "lvs_py", frozen)]
pub(crate) struct PyBatchReport {
    report: BatchReport,
    /// The refused operations, in order: they changed nothing, all others that were answered took
    /// effect.
    #[pyo3(get)]
    refused: Py<PyTuple>,
}

impl PyBatchReport {
    pub(crate) fn new(py: Python<'_>, report: BatchReport, operations: &[Operation]) -> PyResult<Self> {
        Ok(Self { refused: refusals(py, &report.refused, |index| operations[index])?, report })
    }

    /// A report that was read: its refusals name their operations.
    fn from_core(py: Python<'_>, report: BatchReport) -> PyResult<Self> {
        let refused = report.refused.iter().cloned().map(PyRefusal::from_core).collect::<Vec<_>>();
        Ok(Self { refused: turns::tuple(py, refused)?.unbind(), report })
    }
}

/// Refusals as a tuple of Python's.
pub(crate) fn refusals(
    py: Python<'_>,
    refused: &[Refusal],
    operation: impl Fn(usize) -> Operation,
) -> PyResult<Py<PyTuple>> {
    let refused = refused.iter().map(|refusal| PyRefusal {
        index: refusal.index,
        error: refusal.error.clone(),
        operation: operation(refusal.index),
    });
    Ok(turns::tuple(py, refused)?.unbind())
}

#[pymethods]
impl PyBatchReport {
    /// How many operations the director has answered, from the first on.
    #[getter]
    const fn answered(&self) -> usize {
        self.report.answered
    }

    /// How many operations were sent.
    #[getter]
    const fn sent(&self) -> usize {
        self.report.sent
    }

    /// What broke the way to the director, if something did: operations from `answered` to `sent`
    /// may or may not have taken effect.
    #[getter]
    fn interrupted<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.report.interrupted.as_ref().map(|error| failures::shown(py, error))
    }

    /// Whether every operation took effect.
    #[getter]
    const fn complete(&self) -> bool {
        self.report.is_complete()
    }

    /// How many operations took effect for certain.
    #[getter]
    const fn applied(&self) -> usize {
        self.report.applied()
    }

    const fn __len__(&self) -> usize {
        self.report.operations
    }

    const fn __bool__(&self) -> bool {
        true
    }

    /// Raises what went wrong: nothing if complete, else a BatchError.
    fn raise_for_failures(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        if slf.get().complete() {
            return Ok(());
        }
        let class = py.import("lvs_py.exceptions")?.getattr("BatchError")?;
        Err(PyErr::from_value(class.call1((slf,))?))
    }

    fn __repr__(&self) -> String {
        format!("<BatchReport: {} of {} operations took effect>", self.applied(), self.report.operations)
    }
}

schema_methods!(PyBatchReport, "BatchReport" as BatchReport, |value| &value.report, |read, py| Self::from_core(
    py, read
));
