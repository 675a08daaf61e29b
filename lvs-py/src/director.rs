//! The handle behind `lvs.Director`: one director of the core, whichever, that threads may share.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lvs_core::Director;
use lvs_core::connections::ConnectionSums;
use lvs_core::director::OnRefusal;
use lvs_core::embedded::EmbeddedDirector;
use lvs_core::model::ServiceSnapshot;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::batch::{PyBatchReport, operations_of};
use crate::connections::{PyConnectionFilter, PyConnectionSums, PyConnections, collector, counter};
use crate::convert::KeyArg;
use crate::errors::{self, OrRaise};
use crate::operation::PyOperation;
use crate::settings::{PyDaemon, PyInfo, PyTimeouts};
use crate::snapshot::{PyDestinations, PyServiceEntry, PySnapshot, lone_service};
use crate::stats::PyStats;

/// Which director it is.
pub(crate) enum Inner {
    Embedded(Box<EmbeddedDirector>),
}

impl Inner {
    fn director(&mut self) -> &mut dyn Director {
        match self {
            Self::Embedded(director) => &mut **director,
        }
    }
}

/// One director of the core. The lock is only ever taken while detached from the interpreter, so that a thread that
/// waits for it keeps nobody else from running.
#[pyclass(name = "Handle", module = "lvs._lvs", frozen)]
pub(crate) struct PyHandle {
    inner: Mutex<Option<Inner>>,
    /// The process that opened it: a child shares the socket, but must not use it.
    process: u32,
}

impl PyHandle {
    fn new(inner: Inner) -> Self {
        Self { inner: Mutex::new(Some(inner)), process: std::process::id() }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Inner>> {
        // A panic in the core leaves its director as consistent as the last complete call did.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the director, detached from the interpreter.
    pub(crate) fn with<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut dyn Director) -> lvs_core::Result<T> + Send,
    ) -> PyResult<T> {
        self.with_inner(py, |inner| work(inner.director()))?.or_raise(py)
    }

    fn with_inner<T: Send>(&self, py: Python<'_>, work: impl FnOnce(&mut Inner) -> T + Send) -> PyResult<T> {
        if self.process != std::process::id() {
            return Err(errors::closed(py, "this director was opened before a fork: open one in the child"));
        }
        py.detach(|| self.lock().as_mut().map(work)).ok_or_else(|| errors::closed(py, "the director is closed"))
    }

    fn with_embedded<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut EmbeddedDirector) -> T + Send,
    ) -> PyResult<T> {
        self.with_inner(py, |inner| match inner {
            Inner::Embedded(director) => work(director),
        })
    }
}

#[pymethods]
impl PyHandle {
    #[staticmethod]
    fn embedded() -> Self {
        Self::new(Inner::Embedded(Box::new(EmbeddedDirector::new())))
    }

    fn close(&self, py: Python<'_>) {
        if self.process == std::process::id() {
            py.detach(|| drop(self.lock().take()));
        }
    }

    fn closed(&self, py: Python<'_>) -> bool {
        self.process != std::process::id() || py.detach(|| self.lock().is_none())
    }

    fn info(&self, py: Python<'_>) -> PyResult<PyInfo> {
        self.with(py, |director| director.info()).map(PyInfo)
    }

    fn timeouts(&self, py: Python<'_>) -> PyResult<PyTimeouts> {
        self.with(py, |director| director.timeouts()).map(PyTimeouts)
    }

    fn daemons<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.with(py, |director| director.daemons())?.into_iter().map(PyDaemon))
    }

    fn snapshot(&self, py: Python<'_>) -> PyResult<PySnapshot> {
        self.with(py, |director| director.snapshot()).map(PySnapshot::wrap)
    }

    fn service(&self, py: Python<'_>, key: KeyArg) -> PyResult<PyServiceEntry> {
        let service = self.with(py, |director| {
            let entry = director.service(&key.0)?;
            Ok(ServiceSnapshot { entry, destinations: director.destinations(&key.0)? })
        })?;
        Ok(PyServiceEntry::new(lone_service(service), 0))
    }

    fn has_service(&self, py: Python<'_>, key: KeyArg) -> PyResult<bool> {
        match self.with_inner(py, |inner| inner.director().service(&key.0))? {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == lvs_core::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(errors::from_core(py, error)),
        }
    }

    fn service_count(&self, py: Python<'_>) -> PyResult<usize> {
        self.with(py, |director| director.services()).map(|services| services.len())
    }

    fn destinations(&self, py: Python<'_>, key: KeyArg) -> PyResult<PyDestinations> {
        let destinations = self.with(py, |director| director.destinations(&key.0))?;
        let service = lvs_core::model::Service::new(key.0);
        let entry = lvs_core::model::ServiceEntry::new(service);
        Ok(PyDestinations::new(lone_service(ServiceSnapshot { entry, destinations })))
    }

    fn connections(&self, py: Python<'_>, filter: &Bound<'_, PyConnectionFilter>) -> PyResult<PyConnections> {
        let filter = filter.get().0;
        let found = self.with(py, |director| {
            let mut found = Vec::new();
            director.visit_connections(&mut collector(filter, &mut found))?;
            Ok(found)
        })?;
        Ok(PyConnections::new(found))
    }

    fn connection_sums(&self, py: Python<'_>, filter: &Bound<'_, PyConnectionFilter>) -> PyResult<PyConnectionSums> {
        let filter = filter.get().0;
        self.with(py, |director| {
            let mut sums = ConnectionSums::new();
            director.visit_connections(&mut counter(filter, &mut sums))?;
            Ok(PyConnectionSums(sums))
        })
    }

    fn execute(&self, py: Python<'_>, operation: &Bound<'_, PyOperation>) -> PyResult<()> {
        let operation = operation.get().0;
        self.with(py, |director| director.execute(operation))
    }

    fn apply(&self, py: Python<'_>, operations: &Bound<'_, PyAny>, stop: bool) -> PyResult<PyBatchReport> {
        let operations = operations_of(operations)?;
        let on_refusal = if stop { OnRefusal::Stop } else { OnRefusal::Continue };
        let report = self.with(py, |director| Ok(director.apply(&operations, on_refusal)))?;
        PyBatchReport::new(py, report, &operations)
    }

    // What only the embedded director has.

    fn now(&self, py: Python<'_>) -> PyResult<Duration> {
        self.with_embedded(py, |director| director.now())
    }

    fn advance(&self, py: Python<'_>, by: Duration) -> PyResult<()> {
        self.with_embedded(py, |director| director.advance(by))
    }

    fn totals(&self, py: Python<'_>) -> PyResult<PyStats> {
        self.with_embedded(py, |director| director.totals()).map(PyStats)
    }
}
