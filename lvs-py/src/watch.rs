//! `Watcher` and `Event`: what has changed since the last look.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lvs_core::model::{DestinationEntry, DestinationKey, ServiceEntry, ServiceKey, ServiceSnapshot};
use lvs_core::watch::{Event, Watcher};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::args::Span;
use crate::destination::{PyDestination, PyDestinationEntry, PyDestinationKey};
use crate::director::DirectorArg;
use crate::entries::PyServiceEntry;
use crate::schema::schema_methods;
use crate::scope::{PyScope, scope_of};
use crate::sequence::shared_sequence;
use crate::service::{PyService, PyServiceKey};
use crate::settings::{PyDaemon, PyTimeouts};
use crate::shared::{lone_destination, lone_service};
use crate::snapshot::PySnapshot;
use crate::stats::PyCounters;

/// A difference between two looks at a director.
#[pyclass(name = "Event", module = "lvs_py", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct PyEvent(Event);

#[pymethods]
impl PyEvent {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Py<PyAny>> {
        ("kind", "service", "destination").into_py_any(py)
    }

    /// "service_appeared", "service_changed", "service_vanished", the same of destinations,
    /// "counted", "counters_reset", "timeouts_changed", "daemon_started" or "daemon_stopped".
    #[getter]
    const fn kind(&self) -> &'static str {
        match self.0 {
            Event::ServiceAppeared(_) => "service_appeared",
            Event::ServiceChanged { .. } => "service_changed",
            Event::ServiceVanished(_) => "service_vanished",
            Event::DestinationAppeared(..) => "destination_appeared",
            Event::DestinationChanged { .. } => "destination_changed",
            Event::DestinationVanished(..) => "destination_vanished",
            Event::Counted(_) => "counted",
            Event::CountersReset(..) => "counters_reset",
            Event::TimeoutsChanged { .. } => "timeouts_changed",
            Event::DaemonStarted(_) => "daemon_started",
            Event::DaemonStopped(_) => "daemon_stopped",
            _ => "other",
        }
    }

    /// The service it is about, if any.
    #[getter]
    fn service(&self) -> Option<PyServiceKey> {
        self.service_key().map(PyServiceKey)
    }

    /// The destination it is about, if any.
    #[getter]
    fn destination(&self) -> Option<PyDestinationKey> {
        self.destination_key().map(PyDestinationKey)
    }

    /// What was, of something that changed, vanished or stopped: a Service, Destination, Timeouts
    /// or Daemon.
    #[getter]
    fn before<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        match self.0 {
            Event::ServiceChanged { before, .. } => PyService(before).into_bound_py_any(py),
            Event::ServiceVanished(service) => PyService(service).into_bound_py_any(py),
            Event::DestinationChanged { before, .. } => PyDestination(before).into_bound_py_any(py),
            Event::DestinationVanished(_, destination) => PyDestination(destination).into_bound_py_any(py),
            Event::TimeoutsChanged { before, .. } => PyTimeouts(before).into_bound_py_any(py),
            Event::DaemonStopped(daemon) => PyDaemon(daemon).into_bound_py_any(py),
            _ => return Ok(None),
        }
        .map(Some)
    }

    /// What is, of something that appeared, changed or started: an entry, a Service, Destination,
    /// Timeouts or Daemon.
    #[getter]
    fn after<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        match self.0 {
            Event::ServiceAppeared(entry) => service_entry(entry).into_bound_py_any(py),
            Event::ServiceChanged { after, .. } => PyService(after).into_bound_py_any(py),
            Event::DestinationAppeared(_, entry) => destination_entry(entry).into_bound_py_any(py),
            Event::DestinationChanged { after, .. } => PyDestination(after).into_bound_py_any(py),
            Event::TimeoutsChanged { after, .. } => PyTimeouts(after).into_bound_py_any(py),
            Event::DaemonStarted(daemon) => PyDaemon(daemon).into_bound_py_any(py),
            _ => return Ok(None),
        }
        .map(Some)
    }

    /// How much was counted since the last look, of "counted".
    #[getter]
    const fn delta(&self) -> Option<PyCounters> {
        match self.0 {
            Event::Counted(count) => Some(PyCounters(count.delta)),
            _ => None,
        }
    }

    /// Averages per second over the last whole ticks of the kernel's estimator, of "counted": right
    /// at any interval. None as long as none can be taken.
    #[getter]
    fn per_second<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        let Event::Counted(count) = &self.0 else { return Ok(None) };
        let Some(rate) = count.per_second() else { return Ok(None) };
        let rates = PyDict::new(py);
        for (name, value) in [
            ("connections", rate.connections),
            ("packets_in", rate.packets_in),
            ("packets_out", rate.packets_out),
            ("bytes_in", rate.bytes_in),
            ("bytes_out", rate.bytes_out),
        ] {
            rates.set_item(name, value)?;
        }
        Ok(Some(rates))
    }

    /// The time between the looks, of "counted". Counters move every two seconds: see `per_second`
    /// for rates.
    #[getter]
    const fn elapsed(&self) -> Option<Duration> {
        match self.0 {
            Event::Counted(count) => Some(count.elapsed),
            _ => None,
        }
    }

    fn __repr__(&self) -> String {
        match (self.service_key(), self.destination_key()) {
            (Some(service), Some(destination)) => format!("<Event {}: {destination} of {service}>", self.kind()),
            (Some(service), None) => format!("<Event {}: {service}>", self.kind()),
            _ => format!("<Event {}>", self.kind()),
        }
    }
}

impl PyEvent {
    fn service_key(&self) -> Option<ServiceKey> {
        match self.0 {
            Event::ServiceAppeared(entry) => Some(entry.service.key()),
            Event::ServiceChanged { after, .. } => Some(after.key()),
            Event::ServiceVanished(service) => Some(service.key()),
            Event::DestinationAppeared(key, _)
            | Event::DestinationVanished(key, _)
            | Event::DestinationChanged { service: key, .. }
            | Event::CountersReset(key, _) => Some(key),
            Event::Counted(count) => Some(count.service),
            _ => None,
        }
    }

    const fn destination_key(&self) -> Option<DestinationKey> {
        match self.0 {
            Event::DestinationAppeared(_, entry) => Some(entry.destination.key),
            Event::DestinationChanged { after, .. } => Some(after.key),
            Event::DestinationVanished(_, destination) => Some(destination.key),
            Event::Counted(count) => count.destination,
            Event::CountersReset(_, key) => key,
            _ => None,
        }
    }
}

schema_methods!(PyEvent, "Event" as Event, |value| &value.0, |read| Ok(Self(read)));

/// The differences of one look: a sequence whose items are made when someone looks at them.
#[pyclass(name = "Events", module = "lvs_py", frozen)]
pub(crate) struct PyEvents(Arc<Vec<Event>>);

shared_sequence!(
    PyEvents of PyEvent(Event), PyEventIterator = "EventIterator", "event", "events", |event| event
);

fn service_entry(entry: ServiceEntry) -> PyServiceEntry {
    PyServiceEntry::new(lone_service(ServiceSnapshot { entry, destinations: Vec::new() }), 0)
}

fn destination_entry(entry: DestinationEntry) -> PyDestinationEntry {
    PyDestinationEntry::new(lone_destination(entry), 0, 0)
}

/// Compares each look at a director with the one before. It has no clock: see `Director.watch`.
#[pyclass(name = "Watcher", module = "lvs_py", frozen)]
pub(crate) struct PyWatcher(Mutex<Watcher>);

#[pymethods]
impl PyWatcher {
    /// A watcher of what is in the scope, or of everything.
    #[new]
    #[pyo3(signature = (*, scope = None))]
    fn new(scope: Option<&Bound<'_, PyScope>>) -> Self {
        Self(Mutex::new(Watcher::within(scope_of(scope))))
    }

    /// Takes in a look at a time (of any clock that does not run backwards) and says what is
    /// different.
    fn observe(&self, py: Python<'_>, snapshot: &Bound<'_, PySnapshot>, now: Span) -> PyEvents {
        let shared = snapshot.get().0.clone();
        PyEvents::new(py.detach(|| {
            let mut watcher = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            watcher.observe(shared.snapshot.clone(), now.0)
        }))
    }

    /// Reads a director and takes in what it shows, as `observe` does of a snapshot, at the least
    /// cost that the director offers.
    ///
    /// Of a kernel over netlink that is IPv4 services by the old socket options, and over netlink
    /// what these do not show and may have changed. Such a look misses a change of nothing but a
    /// service's persistence engine, one of nothing but a tunnel's parameters, and, where there was
    /// no IPv6 service before, IPv6 services. They are seen at the next whole look: the first, each
    /// after a failure, and every tenth. A watcher of a part of the table reads all of it each time.
    fn look(&self, py: Python<'_>, director: DirectorArg<'_>, now: Span) -> PyResult<PyEvents> {
        let events = director.0.get().with(py, |director| {
            let mut watcher = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            watcher.look(director, now.0)
        })?;
        Ok(PyEvents::new(events))
    }
}
