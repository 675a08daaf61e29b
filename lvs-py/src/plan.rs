//! `Scope`, `Plan`, `Step` and `Outcome`: from what a director holds to what it should hold.

use std::sync::Arc;

use lvs_core::Error;
use lvs_core::model::{AddressFamily, ServiceKey};
use lvs_core::plan::{Applied, Incomplete, OnFailure, Outcome, Phase, Plan, Planner, Scope, Step};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use crate::batch::refusals;
use crate::convert;
use crate::director::PyHandle;
use crate::errors::{self, invalid};
use crate::failures::{self, OrRaise};
use crate::operation::PyOperation;
use crate::service::KeyArg;
use crate::table::table_of;

/// What a plan may touch. Everything else stays as it is. Scopes combine by `|`, `&` and `~`. Timeouts and sync daemons
/// are the whole table's: only `Scope.all()` owns them by itself.
#[pyclass(name = "Scope", module = "lvs", frozen)]
#[derive(Clone)]
pub(crate) struct PyScope(Scope);

#[pymethods]
impl PyScope {
    /// The whole table: every service, the timeouts and the sync daemons.
    #[staticmethod]
    fn all() -> Self {
        Self(Scope::all())
    }

    /// These services, there or not.
    #[staticmethod]
    #[pyo3(signature = (*services))]
    fn services(services: &Bound<'_, PyTuple>) -> PyResult<Self> {
        let keys = services.iter().map(|key| Ok(key.extract::<KeyArg>()?.0));
        Ok(Self(Scope::services(keys.collect::<PyResult<Vec<ServiceKey>>>()?)))
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
        Scope::network(addr, length).or_raise(py).map(Self)
    }

    /// Services with ports from `first` to `last`; firewall-mark services have none.
    #[staticmethod]
    #[pyo3(signature = (first, last = None))]
    fn ports(first: u16, last: Option<u16>) -> Self {
        Self(Scope::ports(first..=last.unwrap_or(first)))
    }

    /// Firewall-mark services, of either family, with marks from `first` to `last`.
    #[staticmethod]
    #[pyo3(signature = (first, last = None))]
    fn marks(first: u32, last: Option<u32>) -> Self {
        Self(Scope::marks(first..=last.unwrap_or(first)))
    }

    /// Whether a service is in the scope.
    fn __contains__(&self, key: KeyArg) -> bool {
        self.0.owns(&key.0)
    }

    /// The same scope and the timeouts.
    fn with_timeouts(&self) -> Self {
        Self(self.0.clone().with_timeouts())
    }

    /// The same scope and the sync daemons.
    fn with_daemons(&self) -> Self {
        Self(self.0.clone().with_daemons())
    }

    /// Whether the timeouts are in the scope.
    #[getter]
    const fn owns_timeouts(&self) -> bool {
        self.0.owns_timeouts()
    }

    /// Whether the sync daemons are in the scope.
    #[getter]
    const fn owns_daemons(&self) -> bool {
        self.0.owns_daemons()
    }

    fn __repr__(&self) -> String {
        format!("<{:?}>", self.0)
    }

    fn __or__(&self, other: &Self) -> Self {
        Self(self.0.clone().or(other.0.clone()))
    }

    fn __and__(&self, other: &Self) -> Self {
        Self(self.0.clone().and(other.0.clone()))
    }

    fn __invert__(&self) -> Self {
        Self(self.0.clone().inverted())
    }
}

pub(crate) fn scope_of(scope: Option<&Bound<'_, PyScope>>) -> Scope {
    scope.map_or_else(Scope::all, |scope| scope.get().0.clone())
}

fn planner(scope: Option<&Bound<'_, PyScope>>, allow_empty: bool, check: bool) -> Planner {
    let mut planner = Planner::new(&scope_of(scope));
    if allow_empty {
        planner = planner.removing_all();
    }
    if !check {
        planner = planner.unchecked();
    }
    planner
}

/// One operation of a plan and what takes it back.
#[pyclass(name = "Step", module = "lvs", frozen, eq)]
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PyStep(Step);

#[pymethods]
impl PyStep {
    /// When it runs: "stop_daemons", "add", "change", "quiesce", "remove" or "settle", in this order.
    #[getter]
    const fn phase(&self) -> &'static str {
        match self.0.phase {
            Phase::StopDaemons => "stop_daemons",
            Phase::Add => "add",
            Phase::Change => "change",
            Phase::Quiesce => "quiesce",
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
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<Step {}: {}>", self.phase(), self.0)
    }
}

/// The ordered operations that turn one table into another, in steps that keep serving.
#[pyclass(name = "Plan", module = "lvs", frozen, eq)]
#[derive(PartialEq, Eq)]
pub(crate) struct PyPlan(Arc<Plan>);

#[pymethods]
impl PyPlan {
    #[new]
    #[pyo3(signature = (current, wanted, *, scope = None, allow_empty = false, check = true))]
    fn new(
        current: &Bound<'_, PyAny>,
        wanted: &Bound<'_, PyAny>,
        scope: Option<&Bound<'_, PyScope>>,
        allow_empty: bool,
        check: bool,
    ) -> PyResult<Self> {
        let py = current.py();
        let (current, wanted, planner) = (table_of(current)?, table_of(wanted)?, planner(scope, allow_empty, check));
        let plan = py.detach(|| planner.plan(&current, &wanted)).or_raise(py)?;
        Ok(Self(Arc::new(plan)))
    }

    /// The plan that brings back, within a scope, what was there before: whatever that was, and whatever else others
    /// have put there.
    #[staticmethod]
    #[pyo3(signature = (current, before, *, scope = None))]
    fn rollback(
        current: &Bound<'_, PyAny>,
        before: &Bound<'_, PyAny>,
        scope: Option<&Bound<'_, PyScope>>,
    ) -> PyResult<Self> {
        let py = current.py();
        let (current, before, scope) = (table_of(current)?, table_of(before)?, scope_of(scope));
        Ok(Self(Arc::new(Plan::rollback(&current, &before, &scope).or_raise(py)?)))
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
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<Plan of {} steps>", self.0.len())
    }

    /// What `Director.apply_plan` calls.
    fn _apply(&self, py: Python<'_>, handle: &Bound<'_, PyHandle>, undo: Undo) -> PyResult<PyOutcome> {
        let plan = self.0.clone();
        let outcome = handle.get().with(py, |director| Ok(plan.apply(director, undo.0)))?;
        PyOutcome::new(py, self.0.clone(), outcome)
    }
}

/// What becomes of the steps done: `False`, `True`, or "service".
pub(crate) struct Undo(OnFailure);

impl<'a, 'py> FromPyObject<'a, 'py> for Undo {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        match (value.extract::<bool>(), value.extract::<String>().as_deref()) {
            (Ok(false), _) => Ok(Self(OnFailure::Keep)),
            (Ok(true), _) => Ok(Self(OnFailure::Undo)),
            (_, Ok("service")) => Ok(Self(OnFailure::UndoService)),
            _ => Err(invalid(value.py(), "undo is True, False or \"service\"")),
        }
    }
}

/// What `Director.reconcile` calls.
#[pyfunction]
#[pyo3(signature = (handle, wanted, scope, undo, allow_empty, check))]
pub(crate) fn _reconcile(
    py: Python<'_>,
    handle: &Bound<'_, PyHandle>,
    wanted: &Bound<'_, PyAny>,
    scope: Option<&Bound<'_, PyScope>>,
    undo: Undo,
    allow_empty: bool,
    check: bool,
) -> PyResult<PyOutcome> {
    let (wanted, planner) = (table_of(wanted)?, planner(scope, allow_empty, check));
    let done = handle.get().with(py, |director| Ok(planner.reconcile(director, &wanted, undo.0)))?;
    match done {
        Ok(Applied { plan, .. }) => {
            let outcome = Outcome::complete(&plan);
            PyOutcome::new(py, Arc::new(plan), outcome)
        }
        Err(Error::Incomplete(incomplete)) => {
            let Incomplete { plan, outcome, .. } = *incomplete;
            PyOutcome::new(py, Arc::new(plan), outcome)
        }
        Err(error) => Err(failures::from_core(py, error)),
    }
}

/// What in a table cannot work, refused by the kernel or taken by it without effect: a sentence each, with the way out.
#[pyfunction]
pub(crate) fn lint(table: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    let table = table_of(table)?;
    Ok(lvs_core::lint::table(&table).iter().map(ToString::to_string).collect())
}

/// What came of a plan.
#[pyclass(name = "Outcome", module = "lvs", frozen)]
pub(crate) struct PyOutcome {
    plan: Arc<Plan>,
    outcome: Outcome,
    /// The steps that were refused.
    #[pyo3(get)]
    refused: Py<PyTuple>,
}

impl PyOutcome {
    fn new(py: Python<'_>, plan: Arc<Plan>, outcome: Outcome) -> PyResult<Self> {
        let refused = refusals(py, &outcome.refused, |index| plan.steps()[index].operation)?;
        Ok(Self { plan, outcome, refused })
    }

    fn step(&self, index: usize) -> PyStep {
        PyStep(self.plan.steps()[index].clone())
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
        PyTuple::new(py, self.outcome.done.iter().map(|&index| self.step(index)))
    }

    /// The steps that were not carried out because another one was refused. Steps that are neither here nor done nor
    /// refused were never begun.
    #[getter]
    fn held<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.outcome.held.iter().map(|held| self.step(held.step)))
    }

    /// What broke the way to the director, if something did: steps of that batch may or may not have taken effect.
    #[getter]
    fn interrupted<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.outcome.interrupted.as_ref().map(|error| failures::shown(py, error))
    }

    /// Whether the table is as it was before: something went wrong, and every step done was undone again.
    #[getter]
    fn undone(&self) -> bool {
        self.outcome.is_undone()
    }

    /// What the director refused to undo, as exceptions.
    #[getter]
    fn undo_refused<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.outcome.undo_refused.iter().map(|error| failures::refusal(py, error).into_value(py)))
    }

    /// Whether the wanted table is in force.
    #[getter]
    const fn complete(&self) -> bool {
        self.outcome.is_complete()
    }

    /// Raises what went wrong: nothing if complete, else a PlanError.
    fn raise_for_failures(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        if slf.get().complete() {
            return Ok(());
        }
        Err(PyErr::from_value(errors::class(py, "PlanError")?.call1((slf,))?))
    }

    fn __repr__(&self) -> String {
        let Outcome { steps, done, refused, .. } = &self.outcome;
        format!("<Outcome: {} of {steps} steps done, {} refused>", done.len(), refused.len())
    }
}
