//! The kernel's schedulers without a director: `Balancer`.

use std::sync::{Mutex, PoisonError};

use lvs_core::model::{Destination, DestinationKey};
use lvs_core::schedulers::{
    self, Balancer, DestinationId, Family, NewDestination, Pool, Profile, Request, SCHEDULERS, SchedulerOptions,
};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::args::{Span, Text, Whole};
use crate::convert;
use crate::destination::{DestinationKeyArg, PyDestinationKey, destination_of};
use crate::errors::{invalid, not_found};

/// What there is to know about a scheduler before using it.
#[pyclass(name = "SchedulerInfo", module = "lvs_py", frozen, eq, hash)]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct PySchedulerInfo {
    /// Its name, as in `ipvsadm -s`.
    #[pyo3(get)]
    name: &'static str,
    /// Its name in full.
    #[pyo3(get)]
    title: &'static str,
    /// Whether its choices follow from the history alone.
    #[pyo3(get)]
    deterministic: bool,
}

#[pymethods]
impl PySchedulerInfo {
    fn __repr__(&self) -> String {
        format!("<SchedulerInfo {}: {}>", self.name, self.title)
    }
}

/// All schedulers that the kernel ships, in the order of ipvsadm's manual.
#[pyfunction(name = "schedulers")]
pub(crate) fn all_schedulers(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
    let all = SCHEDULERS.iter().map(|info| PySchedulerInfo {
        name: info.name,
        title: info.title,
        deterministic: info.deterministic,
    });
    PyTuple::new(py, all.collect::<Vec<_>>())
}

/// The profile of a kernel: "new", "old" or "linux7".
pub(crate) fn profile(py: Python<'_>, name: &str) -> PyResult<Profile> {
    name.parse().map_err(|_| {
        let known = Profile::ALL.map(|profile| format!("{:?}", profile.name())).join(", ");
        invalid(py, format!("{name:?} is no profile: {known}"))
    })
}

struct State {
    balancer: Balancer,
    now: u64,
}

impl State {
    fn find(&self, key: &DestinationKey) -> Option<DestinationId> {
        let pool = self.balancer.pool();
        pool.iter().find(|at| pool.addr(*at) == key.addr && pool.port(*at) == key.port)
    }
}

/// Destinations and the scheduler that chooses among them, making the very choices that the kernel
/// makes.
///
/// It knows no connections: `pick` only says which destination the next one would get, `connect`
/// counts it, too.
#[pyclass(name = "Balancer", module = "lvs_py", frozen)]
pub(crate) struct PyBalancer {
    state: Mutex<State>,
    scheduler: &'static str,
}

#[pymethods]
impl PyBalancer {
    #[new]
    #[pyo3(signature = (scheduler, destinations = None, *, family = None, flags = None, seed = Whole(0),
        profile = Text::from("new")), text_signature = "(scheduler, destinations=None, *, family=None, flags=None, seed=0, profile=\"new\")")]
    fn new(
        py: Python<'_>,
        scheduler: Text,
        destinations: Option<&Bound<'_, PyAny>>,
        family: Option<&Bound<'_, PyAny>>,
        flags: Option<&Bound<'_, PyAny>>,
        seed: Whole<u64>,
        profile: Text,
    ) -> PyResult<Self> {
        let destinations = match destinations {
            Some(list) => list.try_iter()?.map(|d| destination_of(&d?)).collect::<PyResult<Vec<Destination>>>()?,
            None => Vec::new(),
        };
        let family = match family.map(convert::family).transpose()? {
            Some(lvs_core::model::AddressFamily::Ipv6) => Family::V6,
            Some(lvs_core::model::AddressFamily::Ipv4) => Family::V4,
            None => destinations.first().map_or(Family::V4, |first| Family::of(first.key.addr)),
        };
        let flags = flags.map_or(Ok(0), |flags| convert::service_flags(flags, &scheduler).map(|flags| flags.bits()))?;
        let options = SchedulerOptions::default().with_flags(flags).with_seed(seed.0);
        let info = schedulers::info(&scheduler)
            .ok_or_else(|| invalid(py, format!("{scheduler:?} is no scheduler: see lvs_py.schedulers()")))?;
        let bound = schedulers::by_name(info.name, &options)
            .ok_or_else(|| invalid(py, format!("{scheduler:?} is no scheduler")))?;
        let pool = Pool::new(self::profile(py, &profile)?, family);
        let balancer = Balancer::new(pool, bound, 0).map_err(|error| invalid(py, error.to_string()))?;
        let balancer = Self { state: Mutex::new(State { balancer, now: 0 }), scheduler: info.name };
        for destination in destinations {
            balancer.insert(py, &destination)?;
        }
        Ok(balancer)
    }

    /// The scheduler's name.
    #[getter]
    const fn scheduler(&self) -> &'static str {
        self.scheduler
    }

    /// Adds a destination at the head of the list, as the kernel does.
    fn add(&self, destination: &Bound<'_, PyAny>) -> PyResult<()> {
        self.insert(destination.py(), &destination_of(destination)?)
    }

    /// Takes a destination off the list.
    fn remove(&self, py: Python<'_>, destination: DestinationKeyArg) -> PyResult<()> {
        self.at(py, &destination.0, |balancer, at| {
            balancer.remove(at);
            balancer.release(at);
        })
    }

    /// Sets the weight of a destination.
    fn set_weight(&self, py: Python<'_>, destination: DestinationKeyArg, weight: Whole<u32>) -> PyResult<()> {
        let weight = self::weight(py, weight.0)?;
        self.at(py, &destination.0, |balancer, at| balancer.set_weight(at, weight))
    }

    /// The destination that the next connection would get, None if none may have it. Counts
    /// nothing.
    #[pyo3(signature = (client = None, target = None, *, protocol = None))]
    fn pick(
        &self,
        client: Option<DestinationKeyArg>,
        target: Option<DestinationKeyArg>,
        protocol: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Option<PyDestinationKey>> {
        let request = self.request(client, target, protocol)?;
        let mut state = self.lock();
        let now = state.now;
        let chosen = state.balancer.pick(&request.at(now));
        Ok(chosen.map(|at| key_at(&state.balancer, at)))
    }

    /// Picks the destination of a connection and counts it there: active if `active`, else
    /// inactive.
    #[pyo3(signature = (client = None, target = None, *, protocol = None, active = true))]
    fn connect(
        &self,
        client: Option<DestinationKeyArg>,
        target: Option<DestinationKeyArg>,
        protocol: Option<&Bound<'_, PyAny>>,
        active: bool,
    ) -> PyResult<Option<PyDestinationKey>> {
        let request = self.request(client, target, protocol)?;
        let mut state = self.lock();
        let now = state.now;
        let Some(at) = state.balancer.pick(&request.at(now)) else { return Ok(None) };
        state.balancer.connection_added(at);
        if active {
            state.balancer.connection_activated(at);
        }
        Ok(Some(key_at(&state.balancer, at)))
    }

    /// A connection of a destination is gone.
    #[pyo3(signature = (destination, *, active = true))]
    fn disconnect(&self, py: Python<'_>, destination: DestinationKeyArg, active: bool) -> PyResult<()> {
        self.at(py, &destination.0, |balancer, at| balancer.connection_removed(at, active))
    }

    /// Moves the clock, which only lblc and lblcr look at, by seconds.
    fn advance(&self, by: Span) {
        let mut state = self.lock();
        state.now = state.now.saturating_add(u64::try_from(by.0.as_millis()).unwrap_or(u64::MAX));
        let now = state.now;
        state.balancer.tick(now);
    }

    /// Active and inactive connections of each destination, head of the list first.
    #[getter]
    fn connections<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, pyo3::types::PyDict>> {
        // No lock is held while Python runs: another thread might wait for it with the interpreter
        // in its hand.
        let counts: Vec<_> = {
            let state = self.lock();
            let pool = state.balancer.pool();
            pool.iter().map(|at| (key_at(&state.balancer, at), (pool.active(at), pool.inactive(at)))).collect()
        };
        let dict = pyo3::types::PyDict::new(py);
        for (key, count) in counts {
            dict.set_item(key, count)?;
        }
        Ok(dict)
    }

    fn __repr__(&self) -> String {
        format!("<Balancer {} of {} destinations>", self.scheduler, self.lock().balancer.pool().iter().count())
    }
}

fn weight(py: Python<'_>, weight: u32) -> PyResult<i32> {
    i32::try_from(weight).map_err(|_| invalid(py, "a weight is at most 2147483647"))
}

fn key_at(balancer: &Balancer, at: DestinationId) -> PyDestinationKey {
    let pool = balancer.pool();
    PyDestinationKey(DestinationKey::new(pool.addr(at), pool.port(at)))
}

impl PyBalancer {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with a destination. No lock is held while the exception is made, which runs
    /// Python.
    fn at<T>(
        &self,
        py: Python<'_>,
        key: &DestinationKey,
        act: impl FnOnce(&mut Balancer, DestinationId) -> T,
    ) -> PyResult<T> {
        let done = {
            let mut state = self.lock();
            state.find(key).map(|at| act(&mut state.balancer, at))
        };
        done.ok_or_else(|| not_found(py, format!("no destination {key}")))
    }

    fn insert(&self, py: Python<'_>, destination: &Destination) -> PyResult<()> {
        let weight = weight(py, destination.weight)?;
        let new = NewDestination::new(destination.key.addr, destination.key.port, weight)
            .with_thresholds(destination.upper_threshold, destination.lower_threshold);
        let added = self.lock().balancer.add(new);
        added.map(|_| ()).map_err(|error| invalid(py, format!("{}: {error}", destination.key)))
    }

    fn request(
        &self,
        client: Option<DestinationKeyArg>,
        target: Option<DestinationKeyArg>,
        protocol: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Request> {
        let any = DestinationKey::new(lvs_core::model::AddressFamily::Ipv4.unspecified(), 0);
        let client = client.map_or(any, |key| key.0);
        let target = target.map_or(any, |key| key.0);
        let protocol = protocol.map_or(Ok(6), |protocol| convert::protocol(protocol).map(|p| p.number()))?;
        Ok(Request::new(protocol as u8, (client.addr, client.port).into(), (target.addr, target.port).into()))
    }
}
