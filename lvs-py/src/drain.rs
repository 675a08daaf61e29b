//! `Drain`: taking servers out without cutting a connection. The waiting is Python's.

use std::sync::{Mutex, MutexGuard, PoisonError};

use lvs_core::drain::{Drain, DrainPolicy, DrainProgress, DrainRun, DrainTarget, Remaining, WaitFor};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::args::{OfArgument, Span, Text, choice};
use crate::convert;
use crate::destination::{DestinationKeyArg, PyDestinationKey};
use crate::director::PyHandle;
use crate::errors::invalid;
use crate::failures::OrRaise;
use crate::operation::PyOperation;
use crate::schema::schema_methods;
use crate::service::{KeyArg, PyServiceKey};
use crate::snapshot::PySnapshot;
use crate::table::table_of;
use crate::turns;

fn wait_for(py: Python<'_>, what: &str) -> PyResult<WaitFor> {
    let choices = [
        ("nothing", WaitFor::Nothing),
        ("active", WaitFor::Active),
        ("inactive", WaitFor::Inactive),
        ("persistent", WaitFor::Persistent),
    ];
    choice(py, what, "cannot be waited for", &choices)
}

/// A drain under way: a state machine without clock or director. Show it a snapshot and the time,
/// and it says which operations are due and how much is left. `Director.drain` drives it.
#[pyclass(name = "Drain", module = "lvs_py", frozen)]
pub(crate) struct PyDrain(Mutex<Drain>);

#[pymethods]
impl PyDrain {
    #[new]
    #[pyo3(signature = (service = None, destination = None, *, real_server = None, wait_for = None, deadline = None,
        remove = true))]
    fn new(
        py: Python<'_>,
        service: Option<KeyArg>,
        destination: Option<DestinationKeyArg>,
        real_server: Option<&Bound<'_, PyAny>>,
        wait_for: Option<Text>,
        deadline: Option<Span>,
        remove: bool,
    ) -> PyResult<Self> {
        let target = match (service, destination, real_server) {
            (Some(service), Some(destination), None) => DrainTarget::Destination(service.0, destination.0),
            (Some(service), None, None) => DrainTarget::Service(service.0),
            (None, None, Some(address)) => {
                DrainTarget::RealServer(convert::address(address).of_argument(py, "real_server")?)
            }
            _ => return Err(invalid(py, "drain a service, a destination of a service, or a real server everywhere")),
        };
        let mut policy = DrainPolicy::default();
        if let Some(what) = wait_for {
            policy = policy.waiting_for(self::wait_for(py, &what)?);
        }
        policy.deadline = deadline.map(|span| span.0);
        policy.remove = remove;
        Ok(Self(Mutex::new(Drain::new(target, policy))))
    }

    /// The same after a restart: the weights that `cancel` goes back to are those of this table.
    fn resuming(&self, table: &Bound<'_, PyAny>) -> PyResult<Self> {
        let (py, table) = (table.py(), table_of(table)?);
        Ok(Self(Mutex::new(self.with(py, |drain| drain.clone().resuming(&table)))))
    }

    /// Raises `NotFoundError` if the table has nothing of what is to be taken out. For the first
    /// look.
    fn check(&self, snapshot: &Bound<'_, PySnapshot>) -> PyResult<()> {
        let py = snapshot.py();
        let shared = &snapshot.get().0;
        self.with(py, |drain| drain.check(&shared.snapshot)).or_raise(py)
    }

    /// Looks at the table at a time (of any clock that does not run backwards) and says what is
    /// due.
    fn step(&self, snapshot: &Bound<'_, PySnapshot>, now: Span) -> PyDrainProgress {
        let shared = &snapshot.get().0;
        PyDrainProgress(self.with(snapshot.py(), |drain| drain.step(&shared.snapshot, now.0)))
    }

    /// Gives up: what puts the weights back, as far as the destinations are still there.
    fn cancel<'py>(&self, snapshot: &Bound<'py, PySnapshot>) -> PyResult<Bound<'py, PyTuple>> {
        let (py, shared) = (snapshot.py(), &snapshot.get().0);
        let operations = self.with(py, |drain| drain.cancel(&shared.snapshot));
        turns::tuple(py, operations.into_iter().map(PyOperation))
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        self.with(py, |drain| match drain.target() {
            DrainTarget::Destination(service, destination) => format!("<Drain of {destination} of {service}>"),
            DrainTarget::Service(service) => format!("<Drain of {service}>"),
            DrainTarget::RealServer(address) => format!("<Drain of {address}>"),
        })
    }
}

impl PyDrain {
    /// Does something with it, as with a director: the lock is only ever taken while detached from
    /// the interpreter.
    fn with<T: Send>(&self, py: Python<'_>, work: impl FnOnce(&mut Drain) -> T + Send) -> T {
        py.detach(|| work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// A drain being carried out on a director: what `Director.drain` drives.
#[pyclass(name = "DrainRun", module = "lvs_py._lvs", frozen)]
pub(crate) struct PyDrainRun {
    director: Py<PyHandle>,
    run: Mutex<DrainRun>,
}

#[pymethods]
impl PyDrainRun {
    #[new]
    fn new(director: Py<PyHandle>, drain: &Bound<'_, PyDrain>) -> Self {
        let drain = drain.get().with(drain.py(), |drain| drain.clone());
        Self { director, run: Mutex::new(DrainRun::new(drain)) }
    }

    /// Looks at the director's table at a time and applies what is due. The last look has all that
    /// was cut or left behind on the way.
    fn step(&self, py: Python<'_>, now: Span) -> PyResult<PyDrainProgress> {
        let progress = self.director.get().with(py, |director| {
            let mut run = self.lock();
            let mut progress = run.step(director, now.0)?;
            if progress.done {
                progress.cut.clone_from(&run.drained().cut);
                progress.left_behind.clone_from(&run.drained().left_behind);
            }
            Ok(progress)
        })?;
        Ok(PyDrainProgress(progress))
    }

    /// Gives up: brings the weights back, as far as the destinations are still there.
    fn cancel(&self, py: Python<'_>) -> PyResult<()> {
        self.director.get().with(py, |director| self.lock().cancel(director))
    }
}

impl PyDrainRun {
    fn lock(&self) -> MutexGuard<'_, DrainRun> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one look of a drain came to.
#[pyclass(name = "DrainProgress", module = "lvs_py", frozen, eq)]
#[derive(PartialEq, Eq)]
pub(crate) struct PyDrainProgress(DrainProgress);

#[pymethods]
impl PyDrainProgress {
    /// What is due now; who looks applies it.
    #[getter]
    fn operations<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        turns::tuple(py, self.0.operations.iter().copied().map(PyOperation))
    }

    /// What is being waited for.
    #[getter]
    fn waiting<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        turns::tuple(py, self.0.waiting.iter().copied().map(PyRemaining))
    }

    /// What was cut because the deadline passed, with what it still held.
    #[getter]
    fn cut<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        turns::tuple(py, self.0.cut.iter().copied().map(PyRemaining))
    }

    /// What was removed, or left quiesced at the deadline, while it still held something that is
    /// not waited for. What still comes on these is dropped until they time out, unless
    /// `net.ipv4.vs.expire_nodest_conn` is 1.
    #[getter]
    fn left_behind<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        turns::tuple(py, self.0.left_behind.iter().copied().map(PyRemaining))
    }

    /// Whether nothing is left to be done: the drain is over.
    #[getter]
    const fn done(&self) -> bool {
        self.0.done
    }

    fn __repr__(&self) -> String {
        let DrainProgress { operations, waiting, cut, done, .. } = &self.0;
        let (due, waiting, cut) = (operations.len(), waiting.len(), cut.len());
        format!("<DrainProgress: {due} operations due, {waiting} waiting, {cut} cut, done: {done}>")
    }
}

schema_methods!(PyDrainProgress, "DrainProgress" as DrainProgress, |value| &value.0, |read| Ok(Self(read)));

/// What a destination still holds.
#[pyclass(name = "Remaining", module = "lvs_py", frozen, eq, hash)]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct PyRemaining(Remaining);

#[pymethods]
impl PyRemaining {
    /// The service.
    #[getter]
    const fn service(&self) -> PyServiceKey {
        PyServiceKey(self.0.service)
    }

    /// The destination.
    #[getter]
    const fn destination(&self) -> PyDestinationKey {
        PyDestinationKey(self.0.destination)
    }

    /// Active connections.
    #[getter]
    const fn active(&self) -> u32 {
        self.0.active
    }

    /// Inactive connections.
    #[getter]
    const fn inactive(&self) -> u32 {
        self.0.inactive
    }

    /// Persistence templates.
    #[getter]
    const fn persistent(&self) -> u32 {
        self.0.persistent
    }

    fn __repr__(&self) -> String {
        let Remaining { service, destination, active, inactive, persistent } = self.0;
        format!("<Remaining {destination} of {service}: active={active} inactive={inactive} persistent={persistent}>")
    }
}

schema_methods!(PyRemaining, "Remaining" as Remaining, |value| &value.0, |read| Ok(Self(read)));
