//! `Scope`, `Plan`, `Step` and `Outcome`: from what a director holds to what it should hold.

use std::sync::Arc;

use lvs_core::Error;
use lvs_core::director::OperationError;
use lvs_core::model::{AddressFamily, ServiceKey};
use lvs_core::plan::{OnFailure, Outcome, Phase, Plan, ReconcileError, Scope, Step, reconcile};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use crate::convert;
use crate::director::PyHandle;
use crate::errors::{self, invalid};
use crate::failures::{self, OrRaise};
use crate::operation::PyOperation;
use crate::service::KeyArg;
use crate::table::table_of;

type Predicate = dyn Fn(&ServiceKey) -> bool + Send + Sync;

/// Which services a plan may touch. All others stay as they are. Scopes combine by `|`, `&` and `~`.
#[pyclass(name = "Scope", module = "lvs", frozen)]
#[derive(Clone)]
pub(crate) struct PyScope(Arc<Predicate>);

impl PyScope {
    fn of(scope: Scope) -> Self {
        Self(Arc::new(move |key| scope.owns(key)))
    }

    fn core(&self) -> Scope {
        let predicate = self.0.clone();
        Scope::matching(move |key| predicate(key))
    }
}

#[pymethods]
impl PyScope {
    /// Every service.
    #[staticmethod]
    fn all() -> Self {
        Self::of(Scope::all())
    }

    /// These services, there or not.
    #[staticmethod]
    #[pyo3(signature = (*services))]
    fn services(services: &Bound<'_, PyTuple>) -> PyResult<Self> {
        let keys = services.iter().map(|key| Ok(key.extract::<KeyArg>()?.0));
        let keys = keys.collect::<PyResult<std::collections::HashSet<ServiceKey>>>()?;
        Ok(Self::of(Scope::matching(move |key| keys.contains(key))))
    }

    /// Services whose virtual address lies in a network, such as "192.0.2.0/24".
    #[staticmethod]
    fn network(network: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = network.py();
        let text = network.str()?;
        let text = text.to_cow()?;
        let (addr, length) = match text.split_once('/') {
            Some((addr, length)) => (convert::address_text(py, addr)?, length.parse().ok()),
            None => {
                let addr = convert::address_text(py, &text)?;
                (addr, Some(if AddressFamily::of(addr) == AddressFamily::Ipv4 { 32 } else { 128 }))
            }
        };
        let length: u8 = length.ok_or_else(|| invalid(py, format!("{text:?} is not a network")))?;
        Scope::network(addr, length).or_raise(py).map(Self::of)
    }

    /// Services with ports from `first` to `last`; firewall-mark services have none.
    #[staticmethod]
    #[pyo3(signature = (first, last = None))]
    fn ports(first: u16, last: Option<u16>) -> Self {
        Self::of(Scope::ports(first..=last.unwrap_or(first)))
    }

    /// Firewall-mark services, of either family, with marks from `first` to `last`.
    #[staticmethod]
    #[pyo3(signature = (first, last = None))]
    fn marks(first: u32, last: Option<u32>) -> Self {
        Self::of(Scope::marks(first..=last.unwrap_or(first)))
    }

    /// Whether a service is in the scope.
    fn __contains__(&self, key: KeyArg) -> bool {
        (self.0)(&key.0)
    }

    fn __or__(&self, other: &Self) -> Self {
        Self::of(self.core().or(other.core()))
    }

    fn __and__(&self, other: &Self) -> Self {
        Self::of(self.core().and(other.core()))
    }

    fn __invert__(&self) -> Self {
        Self::of(self.core().inverted())
    }
}

fn scope_of(scope: Option<&Bound<'_, PyScope>>) -> Scope {
    scope.map_or_else(Scope::all, |scope| scope.get().core())
}

/// One operation of a plan and what takes it back.
#[pyclass(name = "Step", module = "lvs", frozen, eq)]
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PyStep(Step);

#[pymethods]
impl PyStep {
    /// When it runs: "stop_daemons", "add", "change", "remove" or "settle"; a phase begins when those before it have
    /// succeeded.
    #[getter]
    const fn phase(&self) -> &'static str {
        match self.0.phase {
            Phase::StopDaemons => "stop_daemons",
            Phase::Add => "add",
            Phase::Change => "change",
            Phase::Remove => "remove",
            Phase::Settle => "settle",
        }
    }

    /// What it does.
    #[getter]
    const fn operation(&self) -> PyOperation {
        PyOperation(self.0.operation)
    }

    /// What takes it back, in order.
    #[getter]
    fn undo<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.undo.iter().copied().map(PyOperation))
    }

    fn __str__(&self) -> String {
        self.0.operation.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<Step {}: {}>", self.phase(), self.0.operation)
    }
}

/// The ordered operations that turn one table into another, in steps that keep serving.
#[pyclass(name = "Plan", module = "lvs", frozen, eq)]
#[derive(PartialEq, Eq)]
pub(crate) struct PyPlan(Arc<Plan>);

#[pymethods]
impl PyPlan {
    #[new]
    #[pyo3(signature = (current, wanted, *, scope = None))]
    fn new(
        current: &Bound<'_, PyAny>,
        wanted: &Bound<'_, PyAny>,
        scope: Option<&Bound<'_, PyScope>>,
    ) -> PyResult<Self> {
        let py = current.py();
        let (current, wanted, scope) = (table_of(current)?, table_of(wanted)?, scope_of(scope));
        let plan = py.detach(|| Plan::between(&current, &wanted, &scope));
        plan.map(|plan| Self(Arc::new(plan))).map_err(|error| invalid(py, error.to_string()))
    }

    /// The steps in order.
    #[getter]
    fn steps<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.steps().iter().cloned().map(PyStep))
    }

    /// The operations in order.
    #[getter]
    fn operations<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.operations().copied().map(PyOperation).collect::<Vec<_>>())
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __bool__(&self) -> bool {
        !self.0.is_empty()
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, pyo3::types::PyIterator>> {
        PyList::new(py, self.0.steps().iter().cloned().map(PyStep))?.into_any().try_iter()
    }

    fn __str__(&self) -> String {
        self.0.operations().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    fn __repr__(&self) -> String {
        format!("<Plan of {} steps>", self.0.len())
    }

    /// What `Director.apply_plan` calls.
    fn _apply(&self, py: Python<'_>, handle: &Bound<'_, PyHandle>, undo: bool) -> PyResult<PyOutcome> {
        let (plan, on_failure) = (self.0.clone(), on_failure(undo));
        let outcome = handle.get().with(py, |director| Ok(plan.apply(director, on_failure)))?;
        PyOutcome::new(py, self.0.clone(), outcome)
    }
}

const fn on_failure(undo: bool) -> OnFailure {
    if undo { OnFailure::Undo } else { OnFailure::Keep }
}

/// What `Director.reconcile` calls.
#[pyfunction]
#[pyo3(signature = (handle, wanted, scope, undo))]
pub(crate) fn _reconcile(
    py: Python<'_>,
    handle: &Bound<'_, PyHandle>,
    wanted: &Bound<'_, PyAny>,
    scope: Option<&Bound<'_, PyScope>>,
    undo: bool,
) -> PyResult<PyOutcome> {
    let (wanted, scope) = (table_of(wanted)?, scope_of(scope));
    let done = handle.get().with(py, |director| Ok(reconcile(director, &wanted, &scope, on_failure(undo))))?;
    match done {
        Ok((plan, outcome)) => PyOutcome::new(py, Arc::new(plan), outcome),
        Err(ReconcileError::Read(error)) => Err(failures::from_core(py, error)),
        Err(error) => Err(invalid(py, error.to_string())),
    }
}

/// A step that the director refused.
#[pyclass(name = "Refusal", module = "lvs", frozen)]
pub(crate) struct PyRefusal {
    /// The step.
    #[pyo3(get)]
    step: PyStep,
    error: OperationError,
}

#[pymethods]
impl PyRefusal {
    /// Why, as the exception that the operation alone would have raised.
    #[getter]
    fn error<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        failures::refusal(py, &self.error).into_value(py).into_bound(py).into_any()
    }

    fn __repr__(&self) -> String {
        format!("<Refusal: {}>", self.error)
    }
}

/// What came of a plan.
#[pyclass(name = "Outcome", module = "lvs", frozen)]
pub(crate) struct PyOutcome {
    plan: Arc<Plan>,
    done: Vec<usize>,
    /// The steps that were refused. Those neither done nor refused were never begun.
    #[pyo3(get)]
    refused: Py<PyTuple>,
    /// What broke the way to the director, if something did: steps of that batch may or may not have taken effect.
    #[pyo3(get)]
    interrupted: Option<Py<PyAny>>,
    /// Whether the steps done were undone again, completely.
    #[pyo3(get)]
    undone: bool,
    undo_failures: Vec<OperationError>,
}

impl PyOutcome {
    fn new(py: Python<'_>, plan: Arc<Plan>, outcome: Outcome) -> PyResult<Self> {
        let refused = outcome
            .refused
            .into_iter()
            .map(|refusal| PyRefusal { step: PyStep(plan.steps()[refusal.step].clone()), error: refusal.error });
        let refused = PyTuple::new(py, refused.collect::<Vec<_>>())?.unbind();
        let interrupted =
            outcome.interrupted.map(|error: Error| failures::from_core(py, error).into_value(py).into_any());
        Ok(Self {
            plan,
            done: outcome.done,
            refused,
            interrupted,
            undone: outcome.undone,
            undo_failures: outcome.undo_failures,
        })
    }
}

#[pymethods]
impl PyOutcome {
    /// The plan.
    #[getter]
    fn plan(&self) -> PyPlan {
        PyPlan(self.plan.clone())
    }

    /// The steps that took effect, in order.
    #[getter]
    fn done<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.done.iter().map(|step| PyStep(self.plan.steps()[*step].clone())))
    }

    /// What the director refused to undo, as exceptions.
    #[getter]
    fn undo_failures<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.undo_failures.iter().map(|error| failures::refusal(py, error).into_value(py)))
    }

    /// Whether the wanted table is in force.
    #[getter]
    fn complete(&self, py: Python<'_>) -> bool {
        self.refused.bind(py).is_empty() && self.interrupted.is_none()
    }

    /// Raises what went wrong: nothing if complete, else a PlanError.
    fn raise_for_failures(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        if slf.get().complete(py) {
            return Ok(());
        }
        Err(PyErr::from_value(errors::class(py, "PlanError")?.call1((slf,))?))
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let refused = self.refused.bind(py).len();
        format!("<Outcome: {} of {} steps done, {refused} refused>", self.done.len(), self.plan.len())
    }
}
