//! `Snapshot`: all that a director holds, read in one call.

use std::sync::Arc;

use lvs_core::model::{AddressFamily, Coverage, Info, Snapshot};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::columns::{self, PyColumns};
use crate::convert;
use crate::entries::{PyServiceEntry, PyServices};
use crate::schema::{from_python, schema_methods};
use crate::settings::{PyDaemon, PyInfo, PyTimeouts, daemons_of, info_of, timeouts_of};
use crate::shared::Shared;
use crate::table::PyTable;
use crate::turns;
use crate::value::{Fields, Value, hash, html, value_methods};

/// All that a director holds, read in one call.
#[pyclass(name = "Snapshot", module = "lvs_py", frozen)]
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
        let services = turns::tuple(py, services)?;
        let daemons = PyTuple::new(py, daemons.iter().copied().map(PyDaemon))?;
        let incomplete = self.incomplete(py)?;
        Fields::new(py)
            .positional("services", services)?
            .named("timeouts", PyTimeouts(timeouts))?
            .unless("daemons", &daemons, daemons.is_empty())?
            .unless("info", PyInfo(info), info == Info::default())?
            .unless("incomplete", &incomplete, incomplete.is_empty())
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
    #[pyo3(signature = (services = None, *, timeouts = None, daemons = None, info = None, incomplete = None))]
    fn construct(
        services: Option<&Bound<'_, PyAny>>,
        timeouts: Option<&Bound<'_, PyAny>>,
        daemons: Option<&Bound<'_, PyAny>>,
        info: Option<&Bound<'_, PyAny>>,
        incomplete: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let mut snapshot = Snapshot::new(info.map(info_of).transpose()?.unwrap_or_default(), Coverage::FULL);
        snapshot.timeouts = timeouts.map(timeouts_of).transpose()?.unwrap_or_default();
        snapshot.daemons = daemons_of(daemons)?;
        if let Some(incomplete) = incomplete {
            for family in incomplete.try_iter()? {
                snapshot.complete.lack(convert::family(&family?)?);
            }
        }
        if let Some(services) = services {
            snapshot.services = turns::read(services, |service| match service.cast::<PyServiceEntry>() {
                Ok(entry) => Ok(entry.get().entry().clone()),
                Err(_) if service.cast::<PyDict>().is_ok() => from_python(service, "ServiceEntry"),
                Err(error) => Err(error.into()),
            })?;
        }
        Ok(Self::wrap(snapshot))
    }

    /// The services by their keys, in the director's order.
    #[getter]
    fn services(&self) -> PyServices {
        PyServices::new(self.0.clone())
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

    /// Whether everything that was there is in it. Where it is not, nothing may be concluded from
    /// what is missing.
    #[getter]
    fn complete(&self) -> bool {
        self.core().complete.is_whole()
    }

    /// The families of which something may be missing: the kernel's list changed each time it was
    /// read.
    #[getter]
    fn incomplete<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let families = [AddressFamily::Ipv4, AddressFamily::Ipv6];
        let lacking = families.into_iter().filter(|family| !self.core().complete.of(*family));
        let members = lacking.map(|family| convert::member(convert::family_class(py)?, family.number()));
        PyTuple::new(py, members.collect::<PyResult<Vec<_>>>()?)
    }

    /// What the director says of itself.
    #[getter]
    fn info(&self) -> PyInfo {
        PyInfo(self.core().info)
    }

    /// The configuration alone. Destinations come oldest first, so that adding them one by one
    /// gives this list again.
    fn to_table(&self, py: Python<'_>) -> PyTable {
        PyTable(Arc::new(py.detach(|| self.core().to_table())))
    }

    /// The same with services and destinations sorted by their keys, numerically.
    fn sorted(&self, py: Python<'_>) -> Self {
        py.detach(|| {
            let mut snapshot = self.core().clone();
            snapshot.sort();
            Self::wrap(snapshot)
        })
    }

    /// One row a service, as columns.
    fn service_columns(&self, py: Python<'_>) -> PyColumns {
        py.detach(|| columns::services(self.core()))
    }

    /// One row a destination, as columns.
    fn destination_columns(&self, py: Python<'_>) -> PyColumns {
        py.detach(|| columns::destinations(self.core()))
    }

    fn _repr_html_(slf: &Bound<'_, Self>) -> PyResult<String> {
        html(slf.py(), "snapshot", slf.as_any())
    }

    fn __eq__(&self, py: Python<'_>, other: &Self) -> bool {
        py.detach(|| self.core() == other.core())
    }

    fn __hash__(&self, py: Python<'_>) -> u64 {
        py.detach(|| hash(self.core()))
    }
}

value_methods!(PySnapshot);

schema_methods!(PySnapshot, "Snapshot" as Snapshot, |value| value.core(), |read| Ok(Self::wrap(read)));
