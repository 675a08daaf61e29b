//! `Scope`, `Plan`, `Step` and `Outcome`: from what a director holds to what it should hold.

use std::sync::Arc;

use lvs_core::Error;
use lvs_core::model::OperationKind;
use lvs_core::plan::{Applied, Incomplete, OnFailure, Outcome, Phase, Plan, Planner, Step};
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use crate::args::Index;
use crate::batch::refusals;
use crate::director::PyHandle;
use crate::errors::{self, invalid};
use crate::failures::{self, OrRaise};
use crate::operation::PyOperation;
use crate::schema::schema_methods;
use crate::scope::{PyScope, scope_of};
use crate::table::table_of;
use crate::turns;

fn planner(scope: Option<&Bound<'_, PyScope>>, allow_empty: bool, check: bool, allow: Option<Kinds>) -> Planner {
    let mut planner = Planner::new(&scope_of(scope));
    if allow_empty {
        planner = planner.removing_all();
    }
    if !check {
        planner = planner.unchecked();
    }
    if let Some(Kinds(allow)) = allow {
        planner = planner.allowing(allow);
    }
    planner
}

/// The kinds of operations that a plan may hold, by their names.
pub(crate) struct Kinds(Vec<OperationKind>);

impl<'a, 'py> FromPyObject<'a, 'py> for Kinds {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let py = value.py();
        let not_names = || invalid(py, "allow is kinds of operations, such as [\"add_service\", \"add_destination\"]");
        // A string is a sequence of strings, too.
        if value.is_instance_of::<PyString>() {
            return Err(not_names());
        }
        let names = value.try_iter().map_err(|_| not_names())?;
        let kind = |name: PyResult<Bound<'py, PyAny>>| {
            let name: String = name?.extract().map_err(|_| not_names())?;
            name.parse::<OperationKind>().map_err(|error| invalid(py, error.to_string()))
        };
        Ok(Self(names.map(kind).collect::<PyResult<_>>()?))
    }
}

/// One operation of a plan and what takes it back.
#[pyclass(name = "Step", module = "lvs_py", frozen, eq)]
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PyStep(Step);

#[pymethods]
impl PyStep {
    /// When it runs: "stop_daemons", "add", "change", "quiesce", "remove" or "settle", in this
    /// order.
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

schema_methods!(PyStep, "Step" as Step, |value| &value.0, |read| Ok(Self(read)));

/// The ordered operations that turn one table into another, in steps that keep serving.
#[pyclass(name = "Plan", module = "lvs_py", frozen, eq)]
#[derive(PartialEq, Eq)]
pub(crate) struct PyPlan(Arc<Plan>);

#[pymethods]
impl PyPlan {
    #[new]
    #[pyo3(signature = (current, wanted, *, scope = None, allow_empty = false, check = true, allow = None))]
    fn new(
        current: &Bound<'_, PyAny>,
        wanted: &Bound<'_, PyAny>,
        scope: Option<&Bound<'_, PyScope>>,
        allow_empty: bool,
        check: bool,
        allow: Option<Kinds>,
    ) -> PyResult<Self> {
        let py = current.py();
        let (current, wanted) = (table_of(current)?, table_of(wanted)?);
        let planner = planner(scope, allow_empty, check, allow);
        let plan = py.detach(|| planner.plan(&current, &wanted)).or_raise(py)?;
        Ok(Self(Arc::new(plan)))
    }

    /// The plan that brings back, within a scope, what was there before: whatever that was, and
    /// whatever else others have put there.
    #[staticmethod]
    #[pyo3(signature = (current, before, *, scope = None))]
    fn rollback(
        current: &Bound<'_, PyAny>,
        before: &Bound<'_, PyAny>,
        scope: Option<&Bound<'_, PyScope>>,
    ) -> PyResult<Self> {
        let py = current.py();
        let (current, before, scope) = (table_of(current)?, table_of(before)?, scope_of(scope));
        let plan = py.detach(|| Plan::rollback(&current, &before, &scope)).or_raise(py)?;
        Ok(Self(Arc::new(plan)))
    }

    /// The steps in order.
    #[getter]
    fn steps<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        turns::tuple(py, self.0.steps().iter().cloned().map(PyStep))
    }

    /// The operations in order.
    #[getter]
    fn operations<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        turns::tuple(py, self.0.operations().copied().map(PyOperation))
    }

    /// The operations that the plan would hold, too, if they were allowed.
    #[getter]
    fn withheld<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        turns::tuple(py, self.0.withheld().iter().copied().map(PyOperation))
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __getitem__(&self, index: Index) -> PyResult<PyStep> {
        let steps = self.0.steps();
        let found = index.place(steps.len()).map(|at| &steps[at]);
        found.cloned().map(PyStep).ok_or_else(|| pyo3::exceptions::PyIndexError::new_err("no such step"))
    }

    fn __bool__(&self) -> bool {
        !self.0.is_empty()
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, pyo3::types::PyIterator>> {
        turns::list(py, self.0.steps().iter().cloned().map(PyStep))?.into_any().try_iter()
    }

    fn __str__(&self, py: Python<'_>) -> String {
        py.detach(|| self.0.to_string())
    }

    fn __repr__(&self) -> String {
        let steps = self.0.len();
        format!("<Plan of {steps} {}>", if steps == 1 { "step" } else { "steps" })
    }

    /// What `Director.apply_plan` calls.
    fn _apply(&self, py: Python<'_>, handle: &Bound<'_, PyHandle>, undo: Undo) -> PyResult<PyOutcome> {
        let plan = self.0.clone();
        let outcome = handle.get().with(py, |director| Ok(plan.apply(director, undo.0)))?;
        PyOutcome::new(py, self.0.clone(), outcome)
    }
}

schema_methods!(PyPlan, "Plan" as Plan, |value| &*value.0, |read| Ok(Self(Arc::new(read))));

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

/// What `Director.plan` calls.
#[pyfunction]
#[pyo3(signature = (handle, wanted, scope, allow_empty, check, allow))]
pub(crate) fn _plan(
    py: Python<'_>,
    handle: &Bound<'_, PyHandle>,
    wanted: &Bound<'_, PyAny>,
    scope: Option<&Bound<'_, PyScope>>,
    allow_empty: bool,
    check: bool,
    allow: Option<Kinds>,
) -> PyResult<PyPlan> {
    let (wanted, planner) = (table_of(wanted)?, planner(scope, allow_empty, check, allow));
    let plan = handle.get().with(py, |director| Ok(planner.plan_for(director, &wanted)))?;
    Ok(PyPlan(Arc::new(plan.or_raise(py)?)))
}

/// What `Director.reconcile` calls.
#[pyfunction]
#[pyo3(signature = (handle, wanted, scope, undo, allow_empty, check, allow))]
#[allow(clippy::too_many_arguments, reason = "each is an argument of `Director.reconcile`")]
pub(crate) fn _reconcile(
    py: Python<'_>,
    handle: &Bound<'_, PyHandle>,
    wanted: &Bound<'_, PyAny>,
    scope: Option<&Bound<'_, PyScope>>,
    undo: Undo,
    allow_empty: bool,
    check: bool,
    allow: Option<Kinds>,
) -> PyResult<PyOutcome> {
    let (wanted, planner) = (table_of(wanted)?, planner(scope, allow_empty, check, allow));
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

/// What in a table cannot work, refused by the kernel or taken by it without effect: a sentence
/// each, with the way out.
#[pyfunction]
pub(crate) fn lint(table: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    let (py, table) = (table.py(), table_of(table)?);
    Ok(py.detach(|| lvs_core::lint::table(&table).iter().map(ToString::to_string).collect()))
}

/// What came of a plan.
#[pyclass(name = "Outcome", module = "lvs_py", frozen)]
pub(crate) struct PyOutcome {
    plan: Arc<Plan>,
    outcome: Outcome,
    /// The steps that were refused.
    #[pyo3(get)]
    refused: Py<PyTuple>,
}

/// An outcome with its plan, as the schema has them side by side.
#[derive(serde::Serialize)]
struct OutcomeRecord<'a> {
    plan: &'a Plan,
    outcome: &'a Outcome,
}

/// The same as it is read.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnedOutcome {
    plan: Plan,
    outcome: Outcome,
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
        turns::tuple(py, self.outcome.done.iter().map(|&index| self.step(index)))
    }

    /// The steps that were not carried out because another one was refused. Steps that are neither
    /// here nor done nor refused were never begun.
    #[getter]
    fn held<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        turns::tuple(py, self.outcome.held.iter().map(|held| self.step(held.step)))
    }

    /// What broke the way to the director, if something did: steps of that batch may or may not
    /// have taken effect.
    #[getter]
    fn interrupted<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.outcome.interrupted.as_ref().map(|error| failures::shown(py, error))
    }

    /// Whether the table is as it was before: something went wrong, and every step done was undone
    /// again.
    #[getter]
    fn undone(&self) -> bool {
        self.outcome.is_undone()
    }

    /// What the director refused to undo, as exceptions.
    #[getter]
    fn undo_refused<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        turns::tuple(py, self.outcome.undo_refused.iter().map(|error| failures::refusal(py, error).into_value(py)))
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

schema_methods!(
    PyOutcome,
    "Outcome" as OwnedOutcome,
    |value| &OutcomeRecord { plan: &value.plan, outcome: &value.outcome },
    |read, py| Self::new(py, Arc::new(read.plan), read.outcome)
);
