//! `ServiceEntry`, and the mappings `Services` and `Destinations`: views of a snapshot, made when
//! someone looks at them.

use std::sync::Arc;

use lvs_core::model::{
    DestinationEntry, DestinationKey, Service, ServiceEntry, ServiceKey, ServiceSnapshot, TableService,
};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;

use crate::destination::{DestinationKeyArg, PyDestinationEntry, PyDestinationKey, destination_entry_of};
use crate::mapping::shared_mapping;
use crate::schema::schema_methods;
use crate::service::{KeyArg, PyService, PyServiceKey, service_of};
use crate::shared::{Shared, lone_service};
use crate::stats::{PyStats, stats_of};
use crate::table::PyTableService;
use crate::turns;
use crate::value::{Fields, Value, hash, html, value_methods};

/// A service as a director reports it, with its destinations and statistics.
#[pyclass(name = "ServiceEntry", module = "lvs_py", frozen)]
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

    /// The configuration alone; the destination added last comes last.
    pub(crate) fn configured(&self) -> TableService {
        let ServiceSnapshot { entry, destinations } = self.entry();
        let destinations = destinations.iter().rev().map(|entry| entry.destination).collect();
        TableService { service: entry.service, destinations }
    }

    pub(crate) fn service(&self) -> Service {
        self.entry().entry.service
    }
}

impl Value for PyServiceEntry {
    const NAME: &'static str = "ServiceEntry";

    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Fields<'py>> {
        let ServiceEntry { service, stats, stats64, .. } = self.entry().entry;
        let destinations = turns::tuple(py, self.destinations().entries())?;
        Fields::new(py)
            .positional("service", PyService(service))?
            .positional("destinations", destinations)?
            .unless("stats", stats.map(PyStats), stats.is_none())?
            .unless("stats64", stats64.map(PyStats), stats64.is_none())
    }

    fn repr(&self, _py: Python<'_>) -> PyResult<String> {
        let ServiceSnapshot { entry, destinations } = self.entry();
        let (key, scheduler) = (entry.service.key(), entry.service.scheduler);
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
        let destinations = destinations.map(|all| turns::read(all, destination_entry_of)).transpose()?;
        let destinations = destinations.unwrap_or_default();
        Ok(Self::new(lone_service(ServiceSnapshot { entry, destinations }), 0))
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

    /// The configuration alone. Destinations come oldest first, so that adding them one by one
    /// gives this list again.
    fn to_table_service(&self) -> PyTableService {
        PyTableService(self.configured())
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

schema_methods!(PyServiceEntry, "ServiceEntry" as ServiceSnapshot, |value| value.entry(), |read| Ok(Self::new(
    lone_service(read),
    0
)));

/// The services of a snapshot by their keys: a mapping, in the director's order.
#[pyclass(name = "Services", module = "lvs_py", frozen)]
#[derive(Clone)]
pub(crate) struct PyServices {
    shared: Arc<Shared>,
}

impl PyServices {
    pub(crate) const fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

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

shared_mapping!(PyServices, PyServicesIterator, "services", "service", "ServicesIterator", KeyArg);

/// The destinations of a service by their keys: a mapping; the one added last comes first.
#[pyclass(name = "Destinations", module = "lvs_py", frozen)]
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

shared_mapping!(
    PyDestinations,
    PyDestinationsIterator,
    "destinations",
    "destination",
    "DestinationsIterator",
    DestinationKeyArg
);
