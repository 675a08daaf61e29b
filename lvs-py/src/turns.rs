//! Turns of other threads, in calls that make or read many objects of Python.

use std::cell::Cell;
use std::thread;
use std::time::{Duration, Instant};

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

/// How long a call holds the interpreter at most: half of what a loop written in Python does.
const HELD: Duration = Duration::from_millis(2);

/// How long it lets go. A thread that waits has to wake up first: if the interpreter were taken
/// back at once, it would find it taken again, and have waited for nothing.
const LET_GO: Duration = Duration::from_micros(50);

/// How many objects come between two looks at the clock.
const OBJECTS: u32 = 16;

/// Lets other threads, and signal handlers, have their turn while a call goes over many objects.
/// No lock may be held meanwhile that is ever waited for with the interpreter in hand.
pub(crate) struct Turns {
    objects: Cell<u32>,
    since: Cell<Instant>,
}

thread_local! {
    /// For what is called again and again in one call, and cannot be handed any.
    pub(crate) static TURNS: Turns = Turns::begin();
}

impl Turns {
    /// At the begin of a call.
    pub(crate) fn begin() -> Self {
        Self { objects: Cell::new(0), since: Cell::new(Instant::now()) }
    }

    /// At the begin of another call.
    pub(crate) fn restart(&self) {
        self.since.set(Instant::now());
    }

    /// Before each object.
    pub(crate) fn next(&self, py: Python<'_>) -> PyResult<()> {
        let objects = self.objects.get().wrapping_add(1);
        self.objects.set(objects);
        if objects.is_multiple_of(OBJECTS) && self.since.get().elapsed() >= HELD {
            py.detach(|| thread::sleep(LET_GO));
            py.check_signals()?;
            self.restart();
        }
        Ok(())
    }
}

/// Many objects. They get into a tuple or a list when all are there: the garbage collector would
/// show an unfinished one to other threads.
fn objects<'py, T: IntoPyObject<'py>>(
    py: Python<'py>,
    items: impl IntoIterator<Item = T>,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let turns = Turns::begin();
    let object = |item: T| {
        turns.next(py)?;
        item.into_bound_py_any(py)
    };
    items.into_iter().map(object).collect()
}

/// A tuple of many objects.
pub(crate) fn tuple<'py, T: IntoPyObject<'py>>(
    py: Python<'py>,
    items: impl IntoIterator<Item = T>,
) -> PyResult<Bound<'py, PyTuple>> {
    PyTuple::new(py, objects(py, items)?)
}

/// A list of many objects.
pub(crate) fn list<'py, T: IntoPyObject<'py>>(
    py: Python<'py>,
    items: impl IntoIterator<Item = T>,
) -> PyResult<Bound<'py, PyList>> {
    PyList::new(py, objects(py, items)?)
}

/// What each item of an iterable is read as.
pub(crate) fn read<'py, T>(
    iterable: &Bound<'py, PyAny>,
    mut item: impl FnMut(&Bound<'py, PyAny>) -> PyResult<T>,
) -> PyResult<Vec<T>> {
    let turns = Turns::begin();
    let one = |value: PyResult<Bound<'py, PyAny>>| {
        turns.next(iterable.py())?;
        item(&value?)
    };
    iterable.try_iter()?.map(one).collect()
}
