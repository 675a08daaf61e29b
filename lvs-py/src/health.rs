//! `Health` and `HealthPolicy`: from what probes say to the weights that should be.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lvs_core::health::{Change, Changes, Damping, Forced, Health, HealthPolicy, OnDown, Override, Probe, StartAs};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::args::{OfArgument, Span, Text, Whole};
use crate::convert;
use crate::destination::{DestinationKeyArg, PyDestinationKey, destination_of};
use crate::errors::{invalid, raise};
use crate::failures::OrRaise;
use crate::schema::schema_methods;
use crate::scope::PyScope;
use crate::service::{KeyArg, PyServiceKey, service_of};
use crate::table::{PyTable, table_of};
use crate::turns;

/// When servers come and go, and what a service does when too few are left.
#[pyclass(name = "HealthPolicy", module = "lvs_py", frozen, eq, hash)]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct PyHealthPolicy(HealthPolicy);

#[pymethods]
impl PyHealthPolicy {
    #[new]
    #[pyo3(signature = (*, rise = Whole(1), fall = Whole(3), remove = false, start_down = false, quorum = Whole(1), hysteresis = Whole(0),
        sorry_server = None, slow_start = None, damping = None, max_asked_weight = Whole(256)), text_signature = "(*, rise=1, fall=3, remove=False, start_down=False, quorum=1, hysteresis=0, sorry_server=None, slow_start=None, damping=None, max_asked_weight=256)")]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn new(
        py: Python<'_>,
        rise: Whole<u32>,
        fall: Whole<u32>,
        remove: bool,
        start_down: bool,
        quorum: Whole<u32>,
        hysteresis: Whole<u32>,
        sorry_server: Option<&Bound<'_, PyAny>>,
        slow_start: Option<Span>,
        damping: Option<(Whole<u32>, Span, Span)>,
        max_asked_weight: Whole<u32>,
    ) -> PyResult<Self> {
        let mut policy =
            HealthPolicy::default().with_rise(rise.0).with_fall(fall.0).with_quorum(quorum.0, hysteresis.0);
        policy.on_down = if remove { OnDown::Remove } else { OnDown::Inhibit };
        policy.start_as = if start_down { StartAs::Down } else { StartAs::Up };
        policy.sorry_server = sorry_server.map(destination_of).transpose().of_argument(py, "sorry_server")?;
        policy.slow_start = slow_start.map(|span| span.0);
        policy.damping =
            damping.map(|(falls, window, hold)| Damping { falls: falls.0, window: window.0, hold: hold.0 });
        policy.max_asked_weight = max_asked_weight.0;
        policy.check().map_err(|error| invalid(py, error.to_string()))?;
        Ok(Self(policy))
    }

    /// Successes in a row that bring a server back.
    #[getter]
    const fn rise(&self) -> u32 {
        self.0.rise
    }

    /// Failures in a row that take a server out.
    #[getter]
    const fn fall(&self) -> u32 {
        self.0.fall
    }

    /// Whether a server that is down is removed rather than kept with weight 0.
    #[getter]
    fn remove(&self) -> bool {
        self.0.on_down == OnDown::Remove
    }

    /// Whether servers are out of use until a first probe succeeds.
    #[getter]
    fn start_down(&self) -> bool {
        self.0.start_as == StartAs::Down
    }

    /// The weight of the servers in use below which the service has lost its quorum.
    #[getter]
    const fn quorum(&self) -> u32 {
        self.0.quorum
    }

    /// By how much the weight must pass the quorum.
    #[getter]
    const fn hysteresis(&self) -> u32 {
        self.0.hysteresis
    }

    /// Who serves while the quorum is lost.
    #[getter]
    fn sorry_server(&self) -> Option<crate::destination::PyDestination> {
        self.0.sorry_server.map(crate::destination::PyDestination)
    }

    /// How long a server that comes back takes to reach its weight.
    #[getter]
    const fn slow_start(&self) -> Option<Duration> {
        self.0.slow_start
    }

    /// How many falls within which time count as flapping, and how long the server then stays down.
    #[getter]
    fn damping(&self) -> Option<(u32, Duration, Duration)> {
        self.0.damping.map(|damping| (damping.falls, damping.window, damping.hold))
    }

    /// The largest weight that a probe gets by asking for it, unless the server was given more.
    #[getter]
    const fn max_asked_weight(&self) -> u32 {
        self.0.max_asked_weight
    }

    fn __repr__(&self) -> String {
        let HealthPolicy { rise, fall, quorum, hysteresis, .. } = self.0;
        format!("<HealthPolicy rise={rise} fall={fall} quorum={quorum} hysteresis={hysteresis}>")
    }
}

schema_methods!(PyHealthPolicy, "HealthPolicy" as HealthPolicy, |value| &value.0, |read| Ok(Self(read)));

/// What a report, or the time, has changed.
#[pyclass(name = "HealthChange", module = "lvs_py", frozen, eq, hash)]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct PyHealthChange(Change);

#[pymethods]
impl PyHealthChange {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Py<PyAny>> {
        use pyo3::IntoPyObjectExt;
        ("kind", "service", "server").into_py_any(py)
    }

    /// "server_up", "server_down", "server_damped", "quorum_lost", "quorum_regained",
    /// "override_expired" or "weight_limited".
    #[getter]
    const fn kind(&self) -> &'static str {
        self.0.kind()
    }

    /// The service.
    #[getter]
    const fn service(&self) -> PyServiceKey {
        PyServiceKey(self.0.service())
    }

    /// The server, None if it is about the service.
    #[getter]
    fn server(&self) -> Option<PyDestinationKey> {
        self.0.server().map(PyDestinationKey)
    }

    fn __repr__(&self) -> String {
        let (kind, service) = (self.0.kind(), self.0.service());
        match self.0.server() {
            Some(server) => format!("<HealthChange {kind}: {server} of {service}>"),
            None => format!("<HealthChange {kind}: {service}>"),
        }
    }
}

schema_methods!(PyHealthChange, "HealthChange" as Change, |value| &value.0, |read| Ok(Self(read)));

fn changes(changes: Changes) -> Vec<PyHealthChange> {
    changes.into_iter().map(PyHealthChange).collect()
}

/// The health of services and their servers: probe results in, the wanted table out. It does no
/// probing, has no clock and touches no director: put `wanted` in force with `Director.reconcile`.
#[pyclass(name = "Health", module = "lvs_py", frozen)]
#[derive(Default)]
pub(crate) struct PyHealth(Mutex<Health>);

impl PyHealth {
    /// Does something with it. The lock is only ever taken while detached from the interpreter, so
    /// that a thread that waits for it keeps nobody else from running.
    fn with<T: Send>(&self, py: Python<'_>, work: impl FnOnce(&mut Health) -> T + Send) -> T {
        py.detach(|| work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

#[pymethods]
impl PyHealth {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Watches a service and its servers. Their weights are those for when they are well.
    ///
    /// A service that is watched already gets this configuration instead of the one it had: servers
    /// that stay keep their states and overrides. Returns what that changes.
    #[pyo3(signature = (service, servers, policy = None))]
    fn watch(
        &self,
        service: &Bound<'_, PyAny>,
        servers: &Bound<'_, PyAny>,
        policy: Option<&Bound<'_, PyHealthPolicy>>,
    ) -> PyResult<Vec<PyHealthChange>> {
        let py = service.py();
        let service = service_of(service)?;
        let servers = turns::read(servers, destination_of)?;
        let policy = policy.map_or_else(HealthPolicy::default, |policy| policy.get().0);
        self.with(py, |health| health.watch(service, servers, policy)).map(changes).or_raise(py)
    }

    /// Forgets a service. Returns whether it was watched.
    fn unwatch(&self, py: Python<'_>, service: KeyArg) -> bool {
        self.with(py, |health| health.unwatch(&service.0))
    }

    /// Replaces the servers of a service; those that stay keep their states and overrides. Returns
    /// what that changes.
    fn set_servers(&self, service: KeyArg, servers: &Bound<'_, PyAny>) -> PyResult<Vec<PyHealthChange>> {
        let py = servers.py();
        let servers = turns::read(servers, destination_of)?;
        self.with(py, |health| health.set_servers(&service.0, servers)).map(changes).or_raise(py)
    }

    /// Sets the weight of a server for when it is well.
    fn set_weight(
        &self,
        py: Python<'_>,
        service: KeyArg,
        server: DestinationKeyArg,
        weight: Whole<u32>,
    ) -> PyResult<Vec<PyHealthChange>> {
        self.with(py, |health| health.set_weight(&service.0, &server.0, weight.0)).map(changes).or_raise(py)
    }

    /// Holds a server up, down, or to a weight, whatever its probes say, until a time or until it
    /// is cleared.
    #[pyo3(signature = (service, server, forced, reason, *, until = None))]
    fn set_override(
        &self,
        py: Python<'_>,
        service: KeyArg,
        server: DestinationKeyArg,
        forced: ForcedArg,
        reason: Text,
        until: Option<Span>,
    ) -> PyResult<Vec<PyHealthChange>> {
        let mut decision = Override::new(forced.0, reason.0);
        decision.until = until.map(|span| span.0);
        self.with(py, |health| health.set_override(&service.0, &server.0, decision)).map(changes).or_raise(py)
    }

    /// Ends an override; without one nothing changes.
    fn clear_override(
        &self,
        py: Python<'_>,
        service: KeyArg,
        server: DestinationKeyArg,
    ) -> PyResult<Vec<PyHealthChange>> {
        self.with(py, |health| health.clear_override(&service.0, &server.0)).map(changes).or_raise(py)
    }

    /// Learns from what a director holds which servers were out of use, for a start without a saved
    /// state: those with weight 0, and with `absent_down` those that are missing from a service
    /// that is there.
    #[pyo3(signature = (held, *, absent_down = false))]
    fn start_from(&self, held: &Bound<'_, PyAny>, absent_down: bool) -> PyResult<()> {
        let (py, held) = (held.py(), table_of(held)?);
        let absent = if absent_down { StartAs::Down } else { StartAs::Up };
        self.with(py, |health| health.start_from(&held, absent));
        Ok(())
    }

    /// What is known of all servers as JSON, to be kept over a restart.
    fn save(&self, py: Python<'_>, now: Span) -> PyResult<String> {
        self.with(py, |health| serde_json::to_string(&health.save(now.0)))
            .map_err(|error| invalid(py, error.to_string()))
    }

    /// Goes on from what `save` wrote: servers that are watched and were saved are as they were.
    /// `away` is the time that has passed since, as far as it is known. Call `tick` afterwards.
    #[pyo3(signature = (state, now, *, away = Span(Duration::ZERO)))]
    fn restore(&self, py: Python<'_>, state: &str, now: Span, away: Span) -> PyResult<()> {
        let state = py
            .detach(|| serde_json::from_str(state))
            .map_err(|error| raise(py, "DecodeError", (format!("malformed health state: {error}"),)))?;
        self.with(py, |health| health.restore(&state, now.0, away.0)).or_raise(py)
    }

    /// What is odd about the policies, such as a quorum that all servers together do not reach: a
    /// sentence each.
    fn warnings(&self, py: Python<'_>) -> Vec<String> {
        let sentence = |(key, warning)| format!("service {key}: {warning}");
        self.with(py, |health| health.warnings().map(sentence).collect())
    }

    /// What is to be probed: every server with its service. Sorry servers are not.
    fn watched<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let watched = self.with(py, |health| health.watched().collect::<Vec<_>>());
        turns::list(py, watched.into_iter().map(|(service, server)| (PyServiceKey(service), PyDestinationKey(server))))
    }

    /// The services that are probed: what `AsyncDirector.keep_healthy` touches.
    fn _scope(&self, py: Python<'_>) -> PyResult<PyScope> {
        let mut services = self.with(py, |health| health.watched().map(|(service, _)| service).collect::<Vec<_>>());
        services.dedup();
        PyScope::of_services(py, services)
    }

    /// Takes in what a probe of one server of one service says at a time; `weight` is what the
    /// server asks for. `up` is None if the probe could not be run: then nothing changes.
    #[pyo3(signature = (service, server, up, now, *, weight = None))]
    fn report(
        &self,
        py: Python<'_>,
        service: KeyArg,
        server: DestinationKeyArg,
        up: Option<bool>,
        now: Span,
        weight: Option<Whole<u32>>,
    ) -> PyResult<Vec<PyHealthChange>> {
        let probe = probe(up, weight.map(|weight| weight.0));
        self.with(py, |health| health.report(&service.0, &server.0, probe, now.0)).map(changes).or_raise(py)
    }

    /// Takes in what a probe of a whole host says: of all its servers in all services.
    #[pyo3(signature = (address, up, now, *, weight = None))]
    fn report_host(
        &self,
        address: &Bound<'_, PyAny>,
        up: Option<bool>,
        now: Span,
        weight: Option<Whole<u32>>,
    ) -> PyResult<Vec<PyHealthChange>> {
        let (py, address) = (address.py(), convert::address(address)?);
        let probe = probe(up, weight.map(|weight| weight.0));
        Ok(changes(self.with(py, |health| health.report_host(address, probe, now.0))))
    }

    /// What time alone has changed: call it when `next_change` says so.
    fn tick(&self, py: Python<'_>, now: Span) -> Vec<PyHealthChange> {
        changes(self.with(py, |health| health.tick(now.0)))
    }

    /// The table that is wanted at a time.
    fn wanted(&self, py: Python<'_>, now: Span) -> PyTable {
        PyTable(Arc::new(self.with(py, |health| health.wanted(now.0))))
    }

    /// When the wanted table changes next without any report, None if never.
    fn next_change(&self, py: Python<'_>, now: Span) -> Option<Duration> {
        self.with(py, |health| health.next_change(now.0))
    }

    /// Whether a server is in use, None if it is not watched.
    fn is_up(&self, py: Python<'_>, service: KeyArg, server: DestinationKeyArg) -> Option<bool> {
        self.with(py, |health| health.is_up(&service.0, &server.0))
    }

    /// Whether a service has its quorum, None if it is not watched.
    fn has_quorum(&self, py: Python<'_>, service: KeyArg) -> Option<bool> {
        self.with(py, |health| health.has_quorum(&service.0))
    }
}

const fn probe(up: Option<bool>, weight: Option<u32>) -> Probe {
    match (up, weight) {
        (None, _) => Probe::Unknown,
        (Some(false), _) => Probe::Down,
        (Some(true), None) => Probe::Up,
        (Some(true), Some(weight)) => Probe::UpWithWeight(weight),
    }
}

/// "up", "down", or a weight.
struct ForcedArg(Forced);

impl<'a, 'py> FromPyObject<'a, 'py> for ForcedArg {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        match (value.extract::<u32>(), value.extract::<String>().as_deref()) {
            (Ok(weight), _) => Ok(Self(Forced::Weight(weight))),
            (_, Ok("up")) => Ok(Self(Forced::Up)),
            (_, Ok("down")) => Ok(Self(Forced::Down)),
            _ => Err(invalid(value.py(), "an override is \"up\", \"down\" or a weight")),
        }
    }
}
