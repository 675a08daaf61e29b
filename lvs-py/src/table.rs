//! `Table` and `TableService`: a whole configuration.

use std::sync::Arc;

use lvs_core::model::{Destination, Table, TableService};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};

use crate::destination::{PyDestination, destination_of};
use crate::entries::PyServiceEntry;
use crate::errors::not_found;
use crate::schema::{from_python, schema_methods};
use crate::service::{KeyArg, PyService, PyServiceKey, service_of};
use crate::settings::{PyDaemon, PyTimeouts, daemons_of, timeouts_of};
use crate::turns;
use crate::value::{Fields, Value, hash, html, value_methods};

/// A virtual service with its destinations, as you configure them.
#[pyclass(name = "TableService", module = "lvs_py", frozen, eq, hash)]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct PyTableService(pub(crate) TableService);

impl Value for PyTableService {
    const NAME: &'static str = "TableService";

    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Fields<'py>> {
        Fields::new(py)
            .positional("service", PyService(self.0.service))?
            .positional("destinations", self.destinations(py)?)
    }
}

#[pymethods]
impl PyTableService {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Py<PyAny>> {
        ("service", "destinations").into_py_any(py)
    }

    #[new]
    #[pyo3(signature = (service, destinations = None))]
    fn new(service: &Bound<'_, PyAny>, destinations: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        Ok(Self(TableService { service: service_of(service)?, destinations: destinations_of(destinations)? }))
    }

    /// What identifies the service.
    #[getter]
    fn key(&self) -> PyServiceKey {
        PyServiceKey(self.0.service.key())
    }

    /// The service.
    #[getter]
    const fn service(&self) -> PyService {
        PyService(self.0.service)
    }

    /// Its destinations.
    #[getter]
    fn destinations<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        turns::tuple(py, self.0.destinations.iter().copied().map(PyDestination))
    }
}

value_methods!(PyTableService);

schema_methods!(PyTableService, "TableService" as TableService, |value| &value.0, |read| Ok(Self(read)));

fn destinations_of(destinations: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<Destination>> {
    let Some(destinations) = destinations else { return Ok(Vec::new()) };
    turns::read(destinations, destination_of)
}

/// A whole configuration: what a rules file says, what a director is to hold.
#[pyclass(name = "Table", module = "lvs_py", frozen)]
pub(crate) struct PyTable(pub(crate) Arc<Table>);

impl Value for PyTable {
    const NAME: &'static str = "Table";

    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Fields<'py>> {
        let Table { timeouts, ref daemons, .. } = *self.0;
        let daemons = PyTuple::new(py, daemons.iter().copied().map(PyDaemon))?;
        Fields::new(py)
            .positional("services", self.services(py)?)?
            .unless("timeouts", timeouts.map(PyTimeouts), timeouts.is_none())?
            .unless("daemons", &daemons, daemons.is_empty())
    }
}

#[pymethods]
impl PyTable {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Py<PyAny>> {
        ("services", "timeouts", "daemons").into_py_any(py)
    }

    #[new]
    #[pyo3(signature = (services = None, *, timeouts = None, daemons = None))]
    fn new(
        services: Option<&Bound<'_, PyAny>>,
        timeouts: Option<&Bound<'_, PyAny>>,
        daemons: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let mut table = Table::new();
        table.timeouts = timeouts.map(timeouts_of).transpose()?;
        table.daemons = daemons_of(daemons)?;
        if let Some(services) = services {
            if services.is_instance_of::<PyString>() || services.is_instance_of::<PyBytes>() {
                return Err(PyTypeError::new_err(
                    "services are a mapping or an iterable, not text: see lvs_py.rules.parse",
                ));
            }
            let mapping = services.cast::<PyDict>().is_ok();
            let items = if mapping { services.call_method0("items")? } else { services.clone() };
            table.services = turns::read(&items, table_service_of)?;
        }
        Ok(Self(Arc::new(table)))
    }

    /// The services, each with its destinations, in the order of the source.
    #[getter]
    fn services<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        turns::tuple(py, self.0.services.iter().cloned().map(PyTableService))
    }

    /// The timeouts, if the source says something of them.
    #[getter]
    fn timeouts(&self) -> Option<PyTimeouts> {
        self.0.timeouts.map(PyTimeouts)
    }

    /// The sync daemons.
    #[getter]
    fn daemons<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.daemons.iter().copied().map(PyDaemon))
    }

    /// The same with services and destinations sorted by their keys, so that equal tables compare
    /// equal.
    fn sorted(&self, py: Python<'_>) -> Self {
        py.detach(|| {
            let mut table = Table::clone(&self.0);
            table.sort();
            Self(Arc::new(table))
        })
    }

    fn __len__(&self) -> usize {
        self.0.services.len()
    }

    fn __bool__(&self) -> bool {
        !self.0.services.is_empty()
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, pyo3::types::PyIterator>> {
        self.services(py)?.try_iter()
    }

    fn __getitem__(&self, py: Python<'_>, key: KeyArg) -> PyResult<PyTableService> {
        match self.0.service(&key.0) {
            Some(service) => Ok(PyTableService(service.clone())),
            None => Err(not_found(py, format!("no service {}", key.0))),
        }
    }

    // What is no key is not in it, as with a dictionary.
    fn __contains__(&self, key: &Bound<'_, PyAny>) -> bool {
        key.extract::<KeyArg>().is_ok_and(|key| self.0.service(&key.0).is_some())
    }

    fn _repr_html_(slf: &Bound<'_, Self>) -> PyResult<String> {
        html(slf.py(), "table", slf.as_any())
    }

    fn __eq__(&self, py: Python<'_>, other: &Self) -> bool {
        py.detach(|| self.0 == other.0)
    }

    fn __hash__(&self, py: Python<'_>) -> u64 {
        py.detach(|| hash(&*self.0))
    }
}

value_methods!(PyTable);

schema_methods!(PyTable, "Table" as Table, |value| &*value.0, |read| Ok(Self(Arc::new(read))));

/// A service of a table: a value, what `to_dict` has written, a pair, or a service alone.
fn table_service_of(value: &Bound<'_, PyAny>) -> PyResult<TableService> {
    if let Ok(service) = value.cast::<PyTableService>() {
        return Ok(service.get().0.clone());
    }
    if value.cast::<PyDict>().is_ok() {
        return from_python(value, "TableService");
    }
    if let Ok(entry) = value.cast::<PyServiceEntry>() {
        return Ok(entry.get().configured());
    }
    if let Ok(pair) = value.cast::<PyTuple>()
        && pair.len() == 2
    {
        let destinations = destinations_of(Some(&pair.get_item(1)?))?;
        return Ok(TableService { service: service_of(&pair.get_item(0)?)?, destinations });
    }
    service_of(value).map(TableService::new).map_err(|error| {
        if error.is_instance_of::<PyTypeError>(value.py()) {
            PyTypeError::new_err("a table is made of TableService, (service, destinations) or {service: destinations}")
        } else {
            error
        }
    })
}

/// A table from whatever has one.
pub(crate) fn table_of(value: &Bound<'_, PyAny>) -> PyResult<Arc<Table>> {
    if let Ok(table) = value.cast::<PyTable>() {
        return Ok(table.get().0.clone());
    }
    // A snapshot, which knows this module, has a table.
    if value.hasattr("to_table")? {
        let table = value.call_method0("to_table")?;
        return Ok(table.cast::<PyTable>()?.get().0.clone());
    }
    // An empty document is read as None: that must not become "nothing is wanted".
    if value.is_none() {
        return Err(PyTypeError::new_err("a table is needed, not None: Table() is the one without services"));
    }
    let table = value.py().get_type::<PyTable>().call1((value,))?;
    Ok(table.cast::<PyTable>()?.get().0.clone())
}
