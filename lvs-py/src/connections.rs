//! The connection table: filtered, gone over, summed, as columns.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use lvs_core::connections::{ConnectionFilter, ConnectionKind, ConnectionSums, StateCounts};
use lvs_core::model::{AddressFamily, Connection, ConnectionTarget, Netmask};
use lvs_core::procfs::{ConnectionReader, Connections};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::args::{AsText as _, OfArgument, Whole};
use crate::columns::{Builder, PyColumns};
use crate::connection::{Owned, PyConnection, origin, state};
use crate::convert;
use crate::destination::{DestinationKeyArg, PyDestinationKey};
use crate::failures::OrRaise;
use crate::schema::schema_methods;
use crate::sequence::shared_sequence;
use crate::service::KeyArg;

/// Which connections are meant.
#[pyclass(name = "ConnectionFilter", module = "lvs_py._lvs", frozen)]
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
        min_expires: Option<Whole<u32>>,
        max_expires: Option<Whole<u32>>,
    ) -> PyResult<Self> {
        let mut filter = ConnectionFilter::new();
        if let Some(protocol) = protocol {
            filter = filter.with_protocol(convert::protocol(protocol).of_argument(py, "protocol")?);
        }
        if let Some(service) = service {
            filter = filter.with_service(&service.0);
        }
        if let Some(destination) = destination {
            filter = filter.with_destination(&destination.0);
        }
        if let Some(address) = real_server {
            filter.destination_addr = Some(convert::address(address).of_argument(py, "real_server")?);
        }
        if let Some(state) = state {
            filter = filter.with_state(self::state(state).of_argument(py, "state")?);
        }
        if let Some(templates) = templates {
            filter = filter.with_kind(if templates { ConnectionKind::Template } else { ConnectionKind::Connection });
        }
        if let Some(origin) = origin {
            filter = filter.with_origin(self::origin(origin).of_argument(py, "origin")?);
        }
        filter.min_expires = min_expires.map(|seconds| seconds.0);
        filter.max_expires = max_expires.map(|seconds| seconds.0);
        if let Some(client) = client {
            let text = client.str()?;
            let text = text.text()?;
            let (addr, length) = match text.split_once('/') {
                Some((addr, length)) => (addr, Some(length)),
                None => (text.as_ref(), None),
            };
            let addr = convert::address_text(py, addr).of_argument(py, "client")?;
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

/// Collects connections.
pub(crate) fn collector(found: &mut Vec<Owned>) -> impl FnMut(&Connection<'_>) -> ControlFlow<()> {
    |connection| {
        found.push(connection.into());
        ControlFlow::Continue(())
    }
}

/// Counts connections.
pub(crate) fn counter(sums: &mut ConnectionSums) -> impl FnMut(&Connection<'_>) -> ControlFlow<()> {
    |connection| {
        sums.add(connection);
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
    filter: &Bound<'_, PyConnectionFilter>,
    visitor: &mut (dyn FnMut(&Connection<'_>) -> ControlFlow<()> + Send),
) -> PyResult<()> {
    let (py, filter) = (source.py(), filter.get().0);
    let mut visit_matching = |connection: &Connection<'_>| {
        if filter.matches(connection) { visitor(connection) } else { ControlFlow::Continue(()) }
    };
    let from = match source.cast::<PyBytes>() {
        Ok(bytes) => Source::Text(bytes.as_bytes()),
        Err(_) => Source::Path(source.extract()?),
    };
    let read = || -> lvs_core::Result<()> {
        match from {
            Source::Text(text) => {
                for connection in Connections::new(text) {
                    if visit_matching(&connection?).is_break() {
                        break;
                    }
                }
                Ok(())
            }
            Source::Path(path) => {
                let file = std::fs::File::open(&path)
                    .map_err(|error| lvs_core::Error::io(format!("open {}", path.display()), error))?;
                ConnectionReader::new(file).visit(visit_matching)
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
    visit(source, filter, &mut collector(&mut found))?;
    Ok(PyConnections::new(found))
}

/// Sums connections of a file such as `/proc/net/ip_vs_conn`, or of its contents.
#[pyfunction]
pub(crate) fn sum_connections(
    source: &Bound<'_, PyAny>,
    filter: &Bound<'_, PyConnectionFilter>,
) -> PyResult<PyConnectionSums> {
    let mut sums = ConnectionSums::new();
    visit(source, filter, &mut counter(&mut sums))?;
    Ok(PyConnectionSums(sums))
}

/// Connections as they were at one look: a sequence whose items are made when someone looks at
/// them.
#[pyclass(name = "Connections", module = "lvs_py", frozen)]
pub(crate) struct PyConnections(Arc<Vec<Owned>>);

shared_sequence!(
    PyConnections of PyConnection(Owned), PyConnectionIterator = "ConnectionIterator", "connection", "connections",
    |owned| owned.view()
);

impl PyConnections {
    pub(crate) fn shared(&self) -> Arc<Vec<Owned>> {
        self.0.clone()
    }
}

#[pymethods]
impl PyConnections {
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

    fn _repr_html_(slf: &Bound<'_, Self>) -> PyResult<String> {
        crate::value::html(slf.py(), "connections", slf.as_any())
    }
}

fn columns(all: &[Owned]) -> PyColumns {
    let rows = || all.iter().map(Owned::view);
    let endpoint = |c: Connection<'_>| match c.target {
        ConnectionTarget::Endpoint { addr, port } => Some((addr, port)),
        ConnectionTarget::Fwmark(_) => None,
    };
    let mark = |c: Connection<'_>| match c.target {
        ConnectionTarget::Endpoint { .. } => None,
        ConnectionTarget::Fwmark(mark) => Some(mark.get()),
    };
    Builder::default()
        .word("protocol", rows().map(|c| Some(c.protocol)), false)
        .text("client", rows().map(|c| c.client_addr))
        .u16("client_port", rows().map(|c| c.client_port))
        .some_text("target", rows().map(|c| endpoint(c).map(|(addr, _)| addr)))
        .some_u16("target_port", rows().map(|c| endpoint(c).map(|(_, port)| port)))
        .some_u32("mark", rows().map(mark))
        .text("destination", rows().map(|c| c.destination_addr))
        .u16("destination_port", rows().map(|c| c.destination_port))
        .word("state", rows().map(|c| Some(c.state_name())), false)
        .u32("expires", rows().map(|c| c.expires))
        .flag("template", rows().map(|c| c.is_template()))
        .word("origin", rows().map(|c| c.origin), true)
        .word("engine", all.iter().map(Owned::engine), true)
        .build()
}

/// How many connections are in each state.
#[pyclass(name = "StateCounts", module = "lvs_py", frozen, eq, hash)]
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

schema_methods!(PyStateCounts, "StateCounts" as StateCounts, |value| &value.0, |read| Ok(Self(read)));

/// Counts of connections by target, destination and state.
#[pyclass(name = "ConnectionSums", module = "lvs_py", frozen)]
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

    /// The counts of each target, sorted: by "tcp://192.0.2.1:80" or "fwmark:7" as text, since an
    /// entry does not name its service.
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

schema_methods!(PyConnectionSums, "ConnectionSums" as ConnectionSums, |value| &value.0, |read| Ok(Self(read)));
