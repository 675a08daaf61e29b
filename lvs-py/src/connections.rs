//! The connection table: filtered, gone over, summed, as columns.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lvs_core::connections::{ConnectionFilter, ConnectionKind, ConnectionSums, StateCounts};
use lvs_core::model::{AddressFamily, Connection, ConnectionTarget, Netmask};
use lvs_core::procfs::{ConnectionReader, Connections};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PySlice};

use crate::columns::{Column, PyColumns};
use crate::connection::{Owned, PyConnection, origin, state};
use crate::convert;
use crate::destination::{DestinationKeyArg, PyDestinationKey};
use crate::failures::OrRaise;
use crate::service::KeyArg;

/// Which connections are meant.
#[pyclass(name = "ConnectionFilter", module = "lvs._lvs", frozen)]
pub(crate) struct PyConnectionFilter(pub(crate) ConnectionFilter);

#[pymethods]
impl PyConnectionFilter {
    #[new]
    #[pyo3(signature = (*, service = None, destination = None, real_server = None, client = None, protocol = None,
        state = None, templates = None, origin = None, min_expires = None, max_expires = None))]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn new(
        py: Python<'_>,
        service: Option<KeyArg>,
        destination: Option<DestinationKeyArg>,
        real_server: Option<&Bound<'_, PyAny>>,
        client: Option<&Bound<'_, PyAny>>,
        protocol: Option<&Bound<'_, PyAny>>,
        state: Option<&Bound<'_, PyAny>>,
        templates: Option<bool>,
        origin: Option<&Bound<'_, PyAny>>,
        min_expires: Option<u32>,
        max_expires: Option<u32>,
    ) -> PyResult<Self> {
        let mut filter = ConnectionFilter::new();
        if let Some(protocol) = protocol {
            filter = filter.with_protocol(convert::protocol(protocol)?);
        }
        if let Some(service) = service {
            filter = filter.with_service(&service.0);
        }
        if let Some(destination) = destination {
            filter = filter.with_destination(&destination.0);
        }
        if let Some(address) = real_server {
            filter.destination_addr = Some(convert::address(address)?);
        }
        if let Some(state) = state {
            filter = filter.with_state(self::state(state)?);
        }
        if let Some(templates) = templates {
            filter = filter.with_kind(if templates { ConnectionKind::Template } else { ConnectionKind::Connection });
        }
        if let Some(origin) = origin {
            filter = filter.with_origin(self::origin(origin)?);
        }
        filter.min_expires = min_expires;
        filter.max_expires = max_expires;
        if let Some(client) = client {
            let text = client.str()?;
            let text = text.to_cow()?;
            let (addr, length) = match text.split_once('/') {
                Some((addr, length)) => (addr, Some(length)),
                None => (text.as_ref(), None),
            };
            let addr = convert::address_text(py, addr)?;
            let family = AddressFamily::of(addr);
            let netmask = match length {
                Some(length) => convert::netmask(length.into_pyobject(py)?.as_any(), family)?,
                None => Netmask::full(family),
            };
            filter = filter.with_client_network(addr, netmask);
        }
        Ok(Self(filter))
    }

    /// Whether a connection is meant.
    fn matches(&self, connection: &Bound<'_, PyConnection>) -> bool {
        self.0.matches(&connection.get().0.view())
    }
}

/// Collects what passes a filter.
pub(crate) fn collector(
    filter: ConnectionFilter,
    found: &mut Vec<Owned>,
) -> impl FnMut(&Connection<'_>) -> ControlFlow<()> {
    move |connection| {
        if filter.matches(connection) {
            found.push(connection.into());
        }
        ControlFlow::Continue(())
    }
}

/// Counts what passes a filter.
pub(crate) fn counter(
    filter: ConnectionFilter,
    sums: &mut ConnectionSums,
) -> impl FnMut(&Connection<'_>) -> ControlFlow<()> {
    move |connection| {
        if filter.matches(connection) {
            sums.add(connection);
        }
        ControlFlow::Continue(())
    }
}

/// Where connections are read from without a director: a file, or its contents.
enum Source<'a> {
    Path(PathBuf),
    Text(&'a [u8]),
}

fn visit(
    source: &Bound<'_, PyAny>,
    visitor: &mut (dyn FnMut(&Connection<'_>) -> ControlFlow<()> + Send),
) -> PyResult<()> {
    let py = source.py();
    let from = match source.cast::<PyBytes>() {
        Ok(bytes) => Source::Text(bytes.as_bytes()),
        Err(_) => Source::Path(source.extract()?),
    };
    let read = || -> lvs_core::Result<()> {
        match from {
            Source::Text(text) => {
                for connection in Connections::new(text) {
                    if visitor(&connection?).is_break() {
                        break;
                    }
                }
                Ok(())
            }
            Source::Path(path) => {
                let file = std::fs::File::open(&path)
                    .map_err(|error| lvs_core::Error::io(format!("open {}", path.display()), error))?;
                ConnectionReader::new(file).visit(visitor)
            }
        }
    };
    py.detach(read).or_raise(py)
}

/// Reads connections from a file such as `/proc/net/ip_vs_conn`, or from its contents.
#[pyfunction]
pub(crate) fn read_connections(
    source: &Bound<'_, PyAny>,
    filter: &Bound<'_, PyConnectionFilter>,
) -> PyResult<PyConnections> {
    let mut found = Vec::new();
    visit(source, &mut collector(filter.get().0, &mut found))?;
    Ok(PyConnections::new(found))
}

/// Sums connections of a file such as `/proc/net/ip_vs_conn`, or of its contents.
#[pyfunction]
pub(crate) fn sum_connections(
    source: &Bound<'_, PyAny>,
    filter: &Bound<'_, PyConnectionFilter>,
) -> PyResult<PyConnectionSums> {
    let mut sums = ConnectionSums::new();
    visit(source, &mut counter(filter.get().0, &mut sums))?;
    Ok(PyConnectionSums(sums))
}

/// Connections as they were at one look: a sequence whose items are made when someone looks at them.
#[pyclass(name = "Connections", module = "lvs", frozen)]
pub(crate) struct PyConnections(Arc<Vec<Owned>>);

impl PyConnections {
    pub(crate) fn new(found: Vec<Owned>) -> Self {
        Self(Arc::new(found))
    }

    pub(crate) fn shared(&self) -> Arc<Vec<Owned>> {
        self.0.clone()
    }
}

#[pymethods]
impl PyConnections {
    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __getitem__<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = key.py();
        if let Ok(slice) = key.cast::<PySlice>() {
            let range = slice.indices(self.0.len() as isize)?;
            let places = (0..range.slicelength).map(|i| (range.start + i as isize * range.step) as usize);
            return Self::new(places.map(|at| self.0[at].clone()).collect()).into_bound_py_any(py);
        }
        let index: isize = key.extract()?;
        let at = if index < 0 { index + self.0.len() as isize } else { index };
        let found = usize::try_from(at).ok().and_then(|at| self.0.get(at));
        let found = found.ok_or_else(|| PyIndexError::new_err("no such connection"))?;
        PyConnection(found.clone()).into_bound_py_any(py)
    }

    fn __iter__(&self) -> PyConnectionIterator {
        PyConnectionIterator { connections: self.0.clone(), next: AtomicUsize::new(0) }
    }

    /// Those that pass a filter, too; takes what `Director.connections` takes.
    #[pyo3(signature = (**conditions))]
    fn filter(&self, py: Python<'_>, conditions: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let filter = py.get_type::<PyConnectionFilter>().call((), conditions)?;
        let filter = filter.cast::<PyConnectionFilter>()?.get().0;
        let found = py.detach(|| self.0.iter().filter(|owned| filter.matches(&owned.view())).cloned().collect());
        Ok(Self::new(found))
    }

    /// Counts by target, destination and state.
    fn sums(&self, py: Python<'_>) -> PyConnectionSums {
        PyConnectionSums(py.detach(|| {
            let mut sums = ConnectionSums::new();
            self.0.iter().for_each(|owned| sums.add(&owned.view()));
            sums
        }))
    }

    /// One row a connection, as columns.
    fn columns(&self, py: Python<'_>) -> PyColumns {
        py.detach(|| columns(&self.0))
    }

    fn __repr__(&self) -> String {
        format!("<{} connections>", self.0.len())
    }

    fn _repr_html_(slf: &Bound<'_, Self>) -> PyResult<String> {
        crate::value::html(slf.py(), "connections", slf.as_any())
    }
}

/// Goes over connections.
#[pyclass(name = "ConnectionIterator", module = "lvs._lvs", frozen)]
pub(crate) struct PyConnectionIterator {
    connections: Arc<Vec<Owned>>,
    next: AtomicUsize,
}

#[pymethods]
impl PyConnectionIterator {
    const fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __length_hint__(&self) -> usize {
        self.connections.len().saturating_sub(self.next.load(Ordering::Relaxed))
    }

    fn __next__(&self) -> Option<PyConnection> {
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        self.connections.get(index).cloned().map(PyConnection)
    }
}

fn columns(all: &[Owned]) -> PyColumns {
    let text = |push: &dyn Fn(&mut Column, &Connection<'_>)| {
        let mut column = Column::text();
        all.iter().for_each(|owned| push(&mut column, &owned.view()));
        column
    };
    let port =
        |number: &dyn Fn(&Connection<'_>) -> u16| Column::U16(all.iter().map(|owned| number(&owned.view())).collect());
    let number =
        |number: &dyn Fn(&Connection<'_>) -> u32| Column::U32(all.iter().map(|owned| number(&owned.view())).collect());
    PyColumns(Arc::new(vec![
        ("protocol", text(&|column, c| column.push_text(format_args!("{}", c.protocol)))),
        ("client", text(&|column, c| column.push_text(format_args!("{}", c.client_addr)))),
        ("client_port", port(&|c| c.client_port)),
        (
            "target",
            text(&|column, c| match c.target {
                ConnectionTarget::Endpoint { addr, .. } => column.push_text(format_args!("{addr}")),
                ConnectionTarget::Fwmark(_) => column.push_text(format_args!("")),
            }),
        ),
        (
            "target_port",
            port(&|c| match c.target {
                ConnectionTarget::Endpoint { port, .. } => port,
                ConnectionTarget::Fwmark(_) => 0,
            }),
        ),
        (
            "mark",
            number(&|c| match c.target {
                ConnectionTarget::Endpoint { .. } => 0,
                ConnectionTarget::Fwmark(mark) => mark.get(),
            }),
        ),
        ("destination", text(&|column, c| column.push_text(format_args!("{}", c.destination_addr)))),
        ("destination_port", port(&|c| c.destination_port)),
        ("state", text(&|column, c| column.push_text(format_args!("{}", c.state_name())))),
        ("expires", number(&|c| c.expires)),
    ]))
}

/// How many connections are in each state.
#[pyclass(name = "StateCounts", module = "lvs", frozen, eq, hash)]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct PyStateCounts(StateCounts);

#[pymethods]
impl PyStateCounts {
    /// All connections, templates left out.
    #[getter]
    fn connections(&self) -> u64 {
        self.0.connections()
    }

    /// Connections that a destination counts as active.
    #[getter]
    fn active(&self) -> u64 {
        self.0.active()
    }

    /// All others, as a destination counts them.
    #[getter]
    fn inactive(&self) -> u64 {
        self.0.inactive()
    }

    /// Persistence templates.
    #[getter]
    fn templates(&self) -> u64 {
        self.0.templates()
    }

    /// The states that connections are in, with how many.
    #[getter]
    fn states<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (state, count) in self.0.states() {
            dict.set_item(convert::member(convert::state_class(py)?, state.name())?, count)?;
        }
        Ok(dict)
    }

    /// How many are in a state, templates left out.
    fn of(&self, state: &Bound<'_, PyAny>) -> PyResult<u64> {
        Ok(self.0.of(self::state(state)?))
    }

    fn __repr__(&self) -> String {
        let states: Vec<_> = self.0.states().map(|(state, count)| format!("{state}: {count}")).collect();
        format!("<StateCounts {} templates: {}>", states.join(" "), self.0.templates())
    }
}

/// Counts of connections by target, destination and state.
#[pyclass(name = "ConnectionSums", module = "lvs", frozen)]
pub(crate) struct PyConnectionSums(pub(crate) ConnectionSums);

#[pymethods]
impl PyConnectionSums {
    /// The counts of all.
    #[getter]
    fn total(&self) -> PyStateCounts {
        PyStateCounts(self.0.total())
    }

    /// The counts of each destination over all targets, sorted by address and port.
    #[getter]
    fn destinations<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (key, counts) in self.0.destinations() {
            dict.set_item(PyDestinationKey(key), PyStateCounts(counts))?;
        }
        Ok(dict)
    }

    /// The counts of each target, sorted: by "tcp://192.0.2.1:80" or "fwmark:7" as text, since an entry does not name
    /// its service.
    #[getter]
    fn targets<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for ((protocol, target), counts) in self.0.targets() {
            let name = match target {
                ConnectionTarget::Endpoint { addr, port } => {
                    format!("{protocol}://{}", lvs_core::model::DestinationKey::new(addr, port))
                }
                ConnectionTarget::Fwmark(mark) => format!("fwmark:{mark}"),
            };
            dict.set_item(name, PyStateCounts(counts))?;
        }
        Ok(dict)
    }

    fn __repr__(&self) -> String {
        let total = self.0.total();
        format!("<ConnectionSums of {} connections, {} templates>", total.connections(), total.templates())
    }
}
