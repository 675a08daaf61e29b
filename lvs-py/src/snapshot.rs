//! `Snapshot`, and the services in it. Entries are made when someone looks at them: a snapshot of ten thousand services
//! is one allocation of the core and no object of Python.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use lvs_core::model::{
    Coverage, Daemon, DestinationEntry, DestinationKey, Info, Service, ServiceEntry, ServiceKey, ServiceSnapshot,
    Snapshot,
};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{PyKeyError, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};

use crate::columns::PyColumns;
use crate::convert::{self, DestinationKeyArg, KeyArg};
use crate::destination::{PyDestinationEntry, PyDestinationKey};
use crate::service::{PyService, PyServiceKey};
use crate::settings::{PyDaemon, PyInfo, PyTimeouts, daemon_of, info_of, timeouts_of};
use crate::stats::{PyStats, stats_of};
use crate::table::PyTable;
use crate::value::{Fields, Value, hash, value_methods};

/// What all entries of a snapshot share.
pub(crate) struct Shared {
    pub(crate) snapshot: Snapshot,
    index: OnceLock<HashMap<ServiceKey, usize>>,
}

impl Shared {
    pub(crate) fn new(snapshot: Snapshot) -> Arc<Self> {
        Arc::new(Self { snapshot, index: OnceLock::new() })
    }

    fn find(&self, key: &ServiceKey) -> Option<usize> {
        let services = &self.snapshot.services;
        if services.len() < 8 {
            return services.iter().position(|service| service.entry.service.key() == *key);
        }
        let build = || services.iter().enumerate().map(|(i, service)| (service.entry.service.key(), i)).collect();
        self.index.get_or_init(build).get(key).copied()
    }
}

/// A destination that belongs to no director.
pub(crate) fn lone_destination(entry: DestinationEntry) -> Arc<Shared> {
    let key = ServiceKey::Endpoint {
        protocol: lvs_core::model::Protocol::Tcp,
        addr: lvs_core::model::AddressFamily::Inet.unspecified(),
        port: 0,
    };
    lone_service(ServiceSnapshot { entry: ServiceEntry::new(Service::new(key)), destinations: vec![entry] })
}

/// A service that belongs to no snapshot.
pub(crate) fn lone_service(service: ServiceSnapshot) -> Arc<Shared> {
    let mut snapshot = Snapshot::new(Info::default(), Coverage::FULL);
    snapshot.services.push(service);
    Shared::new(snapshot)
}

/// A service as a director reports it, with its destinations and statistics.
#[pyclass(name = "ServiceEntry", module = "lvs", frozen)]
pub(crate) struct PyServiceEntry {
    shared: Arc<Shared>,
    index: usize,
}

impl PyServiceEntry {
    pub(crate) const fn new(shared: Arc<Shared>, index: usize) -> Self {
        Self { shared, index }
    }

    pub(crate) fn entry(&self) -> &ServiceSnapshot {
        &self.shared.snapshot.services[self.index]
    }

    pub(crate) fn service(&self) -> Service {
        self.entry().entry.service
    }
}

impl Value for PyServiceEntry {
    const NAME: &'static str = "ServiceEntry";

    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Fields<'py>> {
        let ServiceEntry { service, stats, stats64, .. } = self.entry().entry;
        let destinations = PyTuple::new(py, self.destinations().entries())?;
        Fields::new(py)
            .positional("service", PyService(service))?
            .positional("destinations", destinations)?
            .unless("stats", stats.map(PyStats), stats.is_none())?
            .unless("stats64", stats64.map(PyStats), stats64.is_none())
    }

    fn repr(&self, _py: Python<'_>) -> PyResult<String> {
        let ServiceSnapshot { entry, destinations } = self.entry();
        let (key, scheduler) = (convert::key_string(&entry.service.key()), entry.service.scheduler);
        Ok(format!("<ServiceEntry {key} scheduler={scheduler} destinations={}>", destinations.len()))
    }
}

#[pymethods]
impl PyServiceEntry {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Py<PyAny>> {
        ("service", "destinations").into_py_any(py)
    }

    #[new]
    #[pyo3(signature = (service, destinations = None, *, stats = None, stats64 = None))]
    fn construct(
        service: &Bound<'_, PyAny>,
        destinations: Option<&Bound<'_, PyAny>>,
        stats: Option<&Bound<'_, PyAny>>,
        stats64: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let mut entry = ServiceEntry::new(service_of(service)?);
        entry.stats = stats.map(stats_of).transpose()?;
        entry.stats64 = stats64.map(stats_of).transpose()?;
        let mut list = Vec::new();
        if let Some(destinations) = destinations {
            for destination in destinations.try_iter()? {
                list.push(destination_entry_of(&destination?)?);
            }
        }
        Ok(Self::new(lone_service(ServiceSnapshot { entry, destinations: list }), 0))
    }

    /// What identifies the service.
    #[getter]
    fn key(&self) -> PyServiceKey {
        PyServiceKey(self.service().key())
    }

    /// The service as it is configured.
    #[getter(service)]
    fn get_service(&self) -> PyService {
        PyService(self.service())
    }

    /// The name of its scheduler.
    #[getter]
    fn scheduler(&self) -> String {
        self.service().scheduler.as_str().to_owned()
    }

    /// Its destinations by their keys; the one added last comes first.
    #[getter]
    fn destinations(&self) -> PyDestinations {
        PyDestinations { shared: self.shared.clone(), service: self.index }
    }

    /// The 32-bit statistics, None where the director reports none.
    #[getter]
    fn stats(&self) -> Option<PyStats> {
        self.entry().entry.stats.map(PyStats)
    }

    /// The 64-bit statistics, None where the director reports none.
    #[getter]
    fn stats64(&self) -> Option<PyStats> {
        self.entry().entry.stats64.map(PyStats)
    }

    /// The widest statistics reported, all zero if there are none.
    #[getter]
    fn statistics(&self) -> PyStats {
        PyStats(self.entry().entry.statistics())
    }

    /// Connections in an active state, over all destinations.
    #[getter]
    fn active(&self) -> u64 {
        self.entry().destinations.iter().map(|entry| u64::from(entry.active)).sum()
    }

    /// All other connections, over all destinations.
    #[getter]
    fn inactive(&self) -> u64 {
        self.entry().destinations.iter().map(|entry| u64::from(entry.inactive)).sum()
    }

    fn _repr_html_(slf: &Bound<'_, Self>) -> PyResult<String> {
        html(slf.py(), "service", slf.as_any())
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.entry() == other.entry()
    }

    fn __hash__(&self) -> u64 {
        hash(self.entry())
    }
}

value_methods!(PyServiceEntry);

/// Calls the table writer of the package.
pub(crate) fn html(py: Python<'_>, function: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    py.import("lvs._html")?.call_method1(function, (value,))?.extract()
}

pub(crate) fn service_of(value: &Bound<'_, PyAny>) -> PyResult<Service> {
    if let Ok(entry) = value.cast::<PyServiceEntry>() {
        return Ok(entry.get().service());
    }
    if let Ok(service) = value.cast::<PyService>() {
        return Ok(service.get().0);
    }
    if let Ok(fields) = value.cast::<PyDict>() {
        let service = value.py().get_type::<PyService>().call((), Some(fields))?;
        return Ok(service.cast::<PyService>()?.get().0);
    }
    value.extract::<KeyArg>().map(|key| Service::new(key.0))
}

fn destination_entry_of(value: &Bound<'_, PyAny>) -> PyResult<DestinationEntry> {
    if let Ok(entry) = value.cast::<PyDestinationEntry>() {
        return Ok(*entry.get().entry());
    }
    if let Ok(fields) = value.cast::<PyDict>()
        && fields.contains("destination")?
    {
        let entry = value.py().get_type::<PyDestinationEntry>().call((), Some(fields))?;
        return Ok(*entry.cast::<PyDestinationEntry>()?.get().entry());
    }
    crate::table::destination_of(value).map(DestinationEntry::new)
}

/// A mapping over a list that is shared: its keys, values and items are made on the way.
macro_rules! shared_mapping {
    ($class:ident, $iterator:ident, $python:literal, $python_iterator:literal, $arg:ty) => {
        #[pymethods]
        impl $class {
            fn __len__(&self) -> usize {
                self.len()
            }

            fn __contains__(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
                match key.extract::<$arg>() {
                    Ok(key) => Ok(self.position(&key.0).is_some()),
                    Err(error) if error.is_instance_of::<PyTypeError>(key.py()) => Ok(false),
                    Err(error) => Err(error),
                }
            }

            fn __getitem__<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
                match self.position(&key.extract::<$arg>()?.0) {
                    Some(index) => self.value(key.py(), index),
                    None => Err(PyKeyError::new_err(key.str()?.to_cow()?.into_owned())),
                }
            }

            /// The entry of a key, or another value if there is none.
            #[pyo3(signature = (key, default = None))]
            fn get<'py>(
                &self,
                key: &Bound<'py, PyAny>,
                default: Option<Bound<'py, PyAny>>,
            ) -> PyResult<Option<Bound<'py, PyAny>>> {
                match self.position(&key.extract::<$arg>()?.0) {
                    Some(index) => self.value(key.py(), index).map(Some),
                    None => Ok(default),
                }
            }

            fn __iter__(&self) -> $iterator {
                self.iterate(Part::Keys)
            }

            /// Goes over keys (0), entries (1) or both (2): what the views below stand on.
            fn _iterate(&self, part: u8) -> $iterator {
                self.iterate(match part {
                    0 => Part::Keys,
                    1 => Part::Values,
                    _ => Part::Items,
                })
            }

            /// The keys.
            fn keys<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
                view(slf.as_any(), "Keys")
            }

            /// The entries.
            fn values<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
                view(slf.as_any(), "Values")
            }

            /// Keys with their entries.
            fn items<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
                view(slf.as_any(), "Items")
            }

            fn __eq__(&self, other: &Self) -> bool {
                self.list() == other.list()
            }

            fn __hash__(&self) -> u64 {
                hash(&self.list())
            }

            fn __repr__(&self) -> String {
                format!("<{} of {}>", $python, self.len())
            }
        }

        impl $class {
            fn iterate(&self, part: Part) -> $iterator {
                $iterator { of: self.clone(), part, next: 0.into() }
            }
        }

        #[doc = concat!("Goes over ", $python, ".")]
        #[pyclass(name = $python_iterator, module = "lvs._lvs", frozen)]
        pub(crate) struct $iterator {
            of: $class,
            part: Part,
            next: std::sync::atomic::AtomicUsize,
        }

        #[pymethods]
        impl $iterator {
            const fn __iter__(slf: Py<Self>) -> Py<Self> {
                slf
            }

            fn __length_hint__(&self) -> usize {
                self.of.len().saturating_sub(self.next.load(std::sync::atomic::Ordering::Relaxed))
            }

            fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
                let index = self.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                if index >= self.of.len() {
                    return Ok(None);
                }
                match self.part {
                    Part::Keys => self.of.key(py, index),
                    Part::Values => self.of.value(py, index),
                    Part::Items => (self.of.key(py, index)?, self.of.value(py, index)?).into_bound_py_any(py),
                }
                .map(Some)
            }
        }
    };
}

/// A view of a mapping, as `dict` has them.
fn view<'py>(mapping: &Bound<'py, PyAny>, class: &str) -> PyResult<Bound<'py, PyAny>> {
    static MODULE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = mapping.py();
    let module = MODULE.get_or_try_init(py, || py.import("lvs._views").map(|module| module.into_any().unbind()))?;
    module.bind(py).getattr(class)?.call1((mapping,))
}

#[derive(Clone, Copy)]
enum Part {
    Keys,
    Values,
    Items,
}

/// The services of a snapshot by their keys: a mapping, in the director's order.
#[pyclass(name = "Services", module = "lvs", frozen)]
#[derive(Clone)]
pub(crate) struct PyServices {
    shared: Arc<Shared>,
}

impl PyServices {
    fn list(&self) -> &[ServiceSnapshot] {
        &self.shared.snapshot.services
    }

    fn len(&self) -> usize {
        self.list().len()
    }

    fn position(&self, key: &ServiceKey) -> Option<usize> {
        self.shared.find(key)
    }

    fn key<'py>(&self, py: Python<'py>, index: usize) -> PyResult<Bound<'py, PyAny>> {
        PyServiceKey(self.list()[index].entry.service.key()).into_bound_py_any(py)
    }

    fn value<'py>(&self, py: Python<'py>, index: usize) -> PyResult<Bound<'py, PyAny>> {
        PyServiceEntry::new(self.shared.clone(), index).into_bound_py_any(py)
    }
}

shared_mapping!(PyServices, PyServicesIterator, "services", "ServicesIterator", KeyArg);

/// The destinations of a service by their keys: a mapping; the one added last comes first.
#[pyclass(name = "Destinations", module = "lvs", frozen)]
#[derive(Clone)]
pub(crate) struct PyDestinations {
    shared: Arc<Shared>,
    service: usize,
}

impl PyDestinations {
    pub(crate) const fn new(shared: Arc<Shared>) -> Self {
        Self { shared, service: 0 }
    }

    fn list(&self) -> &[DestinationEntry] {
        &self.shared.snapshot.services[self.service].destinations
    }

    fn len(&self) -> usize {
        self.list().len()
    }

    fn position(&self, key: &DestinationKey) -> Option<usize> {
        self.list().iter().position(|entry| entry.destination.key == *key)
    }

    fn key<'py>(&self, py: Python<'py>, index: usize) -> PyResult<Bound<'py, PyAny>> {
        PyDestinationKey(self.list()[index].destination.key).into_bound_py_any(py)
    }

    fn value<'py>(&self, py: Python<'py>, index: usize) -> PyResult<Bound<'py, PyAny>> {
        PyDestinationEntry::new(self.shared.clone(), self.service, index).into_bound_py_any(py)
    }

    fn entries(&self) -> Vec<PyDestinationEntry> {
        (0..self.len()).map(|index| PyDestinationEntry::new(self.shared.clone(), self.service, index)).collect()
    }
}

shared_mapping!(PyDestinations, PyDestinationsIterator, "destinations", "DestinationsIterator", DestinationKeyArg);

/// All that a director holds, read in one call.
#[pyclass(name = "Snapshot", module = "lvs", frozen)]
pub(crate) struct PySnapshot(pub(crate) Arc<Shared>);

impl PySnapshot {
    pub(crate) fn wrap(snapshot: Snapshot) -> Self {
        Self(Shared::new(snapshot))
    }

    pub(crate) fn core(&self) -> &Snapshot {
        &self.0.snapshot
    }
}

impl Value for PySnapshot {
    const NAME: &'static str = "Snapshot";

    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Fields<'py>> {
        let Snapshot { info, timeouts, ref daemons, .. } = *self.core();
        let services = (0..self.core().services.len()).map(|index| PyServiceEntry::new(self.0.clone(), index));
        let services = PyTuple::new(py, services.collect::<Vec<_>>())?;
        let daemons = PyTuple::new(py, daemons.iter().copied().map(PyDaemon))?;
        Fields::new(py)
            .positional("services", services)?
            .named("timeouts", PyTimeouts(timeouts))?
            .unless("daemons", &daemons, daemons.is_empty())?
            .unless("info", PyInfo(info), info == Info::default())
    }

    fn repr(&self, _py: Python<'_>) -> PyResult<String> {
        let services = &self.core().services;
        let destinations: usize = services.iter().map(|service| service.destinations.len()).sum();
        Ok(format!("<Snapshot of {} services, {destinations} destinations>", services.len()))
    }
}

#[pymethods]
impl PySnapshot {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Py<PyAny>> {
        ("services", "timeouts", "daemons").into_py_any(py)
    }

    #[new]
    #[pyo3(signature = (services = None, *, timeouts = None, daemons = None, info = None))]
    fn construct(
        services: Option<&Bound<'_, PyAny>>,
        timeouts: Option<&Bound<'_, PyAny>>,
        daemons: Option<&Bound<'_, PyAny>>,
        info: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let mut snapshot = Snapshot::new(info.map(info_of).transpose()?.unwrap_or_default(), Coverage::FULL);
        snapshot.timeouts = timeouts.map(timeouts_of).transpose()?.unwrap_or_default();
        snapshot.daemons = daemons_of(daemons)?;
        if let Some(services) = services {
            for service in services.try_iter()? {
                let service = service?;
                let entry = match service.cast::<PyDict>() {
                    Ok(fields) => service.py().get_type::<PyServiceEntry>().call((), Some(fields))?,
                    Err(_) => service,
                };
                snapshot.services.push(entry.cast::<PyServiceEntry>()?.get().entry().clone());
            }
        }
        Ok(Self::wrap(snapshot))
    }

    /// The services by their keys, in the director's order.
    #[getter]
    fn services(&self) -> PyServices {
        PyServices { shared: self.0.clone() }
    }

    /// The timeouts.
    #[getter]
    fn timeouts(&self) -> PyTimeouts {
        PyTimeouts(self.core().timeouts)
    }

    /// The running sync daemons.
    #[getter]
    fn daemons<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.core().daemons.iter().copied().map(PyDaemon))
    }

    /// What the director says of itself.
    #[getter]
    fn info(&self) -> PyInfo {
        PyInfo(self.core().info)
    }

    /// The configuration alone. Destinations come oldest first, so that adding them one by one gives this list again.
    fn to_table(&self) -> PyTable {
        PyTable(Arc::new(self.core().to_table()))
    }

    /// The same with services and destinations sorted by their keys, numerically.
    fn sorted(&self) -> Self {
        let mut snapshot = self.core().clone();
        snapshot.sort();
        Self::wrap(snapshot)
    }

    /// One row a service, as columns.
    fn service_columns(&self) -> PyColumns {
        crate::columns::services(self.core())
    }

    /// One row a destination, as columns.
    fn destination_columns(&self) -> PyColumns {
        crate::columns::destinations(self.core())
    }

    fn _repr_html_(slf: &Bound<'_, Self>) -> PyResult<String> {
        html(slf.py(), "snapshot", slf.as_any())
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.core() == other.core()
    }

    fn __hash__(&self) -> u64 {
        hash(self.core())
    }
}

value_methods!(PySnapshot);

pub(crate) fn daemons_of(daemons: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<Daemon>> {
    let Some(daemons) = daemons else { return Ok(Vec::new()) };
    daemons.try_iter()?.map(|daemon| daemon_of(&daemon?)).collect()
}

/// The key of an entry as text, for columns.
pub(crate) fn key_text(key: &ServiceKey) -> String {
    convert::key_string(key)
}
