//! `Connection`: one entry of the connection table.

use lvs_core::model::{Connection, ConnectionOrigin, ConnectionState, ConnectionTarget, DestinationKey, EngineData};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::num::NonZeroU32;

use crate::convert;
use crate::destination::{DestinationKeyArg, PyDestinationKey};
use crate::errors::{OrInvalid, invalid};
use crate::value::{Fields, Value, value_methods};

/// An entry that owns what it says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Owned {
    /// Without what is borrowed.
    connection: Connection<'static>,
    unknown_state: Option<Box<str>>,
    engine: Option<Box<(String, Vec<u8>)>>,
}

impl From<&Connection<'_>> for Owned {
    fn from(from: &Connection<'_>) -> Self {
        let client = (from.client_addr, from.client_port);
        let destination = (from.destination_addr, from.destination_port);
        let mut connection = Connection::new(from.protocol, client, from.target, destination, from.state, from.expires);
        connection.origin = from.origin;
        let engine = from.engine.map(|data| Box::new((data.engine.to_owned(), data.data.to_vec())));
        connection.mark_port = from.mark_port;
        Self { connection, unknown_state: from.unknown_state.map(Into::into), engine }
    }
}

impl Owned {
    /// The entry as the core has it.
    pub(crate) fn view(&self) -> Connection<'_> {
        let mut view = self.connection;
        view.unknown_state = self.unknown_state.as_deref();
        view.engine = self.engine.as_ref().map(|data| EngineData { engine: &data.0, data: &data.1 });
        view
    }
}

/// One entry of the connection table: a connection, or a persistence template.
#[pyclass(name = "Connection", module = "lvs", frozen, eq, hash)]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct PyConnection(pub(crate) Owned);

fn endpoint(addr: std::net::IpAddr, port: u16) -> String {
    DestinationKey::new(addr, port).to_string()
}

impl Value for PyConnection {
    const NAME: &'static str = "Connection";

    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Fields<'py>> {
        let c = &self.0.connection;
        let (target, mark) = match c.target {
            ConnectionTarget::Endpoint { addr, port } => (Some(endpoint(addr, port)), None),
            ConnectionTarget::Fwmark(mark) => (None, Some(mark.get())),
        };
        let engine = self.0.engine.as_deref();
        let data = engine.map(|(_, data)| PyBytes::new(py, data));
        let protocol = match c.protocol {
            lvs_core::model::Protocol::Other(number) => number.into_bound_py_any(py)?,
            named => named.to_string().into_bound_py_any(py)?,
        };
        Fields::new(py)
            .positional("protocol", protocol)?
            .positional("client", endpoint(c.client_addr, c.client_port))?
            .unless("target", target, mark.is_some())?
            .unless("mark", mark, mark.is_none())?
            .unless("mark_port", c.mark_port, c.mark_port == 0)?
            .named("destination", endpoint(c.destination_addr, c.destination_port))?
            .named("state", c.state.name())?
            .unless("unknown_state", self.0.unknown_state.as_deref(), self.0.unknown_state.is_none())?
            .named("expires", c.expires)?
            .unless("origin", c.origin.map(origin_name), c.origin.is_none())?
            .unless("engine", engine.map(|(name, _)| name.as_str()), engine.is_none())?
            .unless("engine_data", data, engine.is_none())
    }
}

const fn origin_name(origin: ConnectionOrigin) -> &'static str {
    match origin {
        ConnectionOrigin::Local => "local",
        ConnectionOrigin::Sync => "sync",
    }
}

pub(crate) fn state(value: &Bound<'_, PyAny>) -> PyResult<ConnectionState> {
    let py = value.py();
    let member = convert::state_class(py)?.call1((value,)).map_err(|_| invalid(py, format!("{value} is no state")))?;
    member.getattr("value")?.extract::<String>()?.parse().or_invalid(py)
}

pub(crate) fn origin(value: &Bound<'_, PyAny>) -> PyResult<ConnectionOrigin> {
    match value.str()?.to_cow()?.as_ref() {
        "local" | "LOCAL" => Ok(ConnectionOrigin::Local),
        "sync" | "SYNC" => Ok(ConnectionOrigin::Sync),
        other => Err(invalid(value.py(), format!("{other:?} is no origin: \"local\" or \"sync\""))),
    }
}

#[pymethods]
impl PyConnection {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Py<PyAny>> {
        ("protocol", "client", "destination", "state").into_py_any(py)
    }

    #[new]
    #[pyo3(signature = (protocol, client, *, target = None, mark = None, mark_port = 0, destination, state,
        unknown_state = None, expires = 0, origin = None, engine = None, engine_data = None))]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn new(
        protocol: &Bound<'_, PyAny>,
        client: DestinationKeyArg,
        target: Option<DestinationKeyArg>,
        mark: Option<u32>,
        mark_port: u16,
        destination: DestinationKeyArg,
        state: &Bound<'_, PyAny>,
        unknown_state: Option<String>,
        expires: u32,
        origin: Option<&Bound<'_, PyAny>>,
        engine: Option<String>,
        engine_data: Option<Vec<u8>>,
    ) -> PyResult<Self> {
        let py = protocol.py();
        let target = match (target, mark.and_then(NonZeroU32::new)) {
            (Some(target), None) => ConnectionTarget::Endpoint { addr: target.0.addr, port: target.0.port },
            (None, Some(mark)) => ConnectionTarget::Fwmark(mark),
            _ => return Err(invalid(py, "a connection has a target or a firewall mark")),
        };
        let mut connection = Connection::new(
            convert::protocol(protocol)?,
            (client.0.addr, client.0.port),
            target,
            (destination.0.addr, destination.0.port),
            self::state(state)?,
            expires,
        );
        connection.mark_port = mark_port;
        connection.origin = origin.map(self::origin).transpose()?;
        let engine = engine.map(|engine| Box::new((engine, engine_data.unwrap_or_default())));
        Ok(Self(Owned { connection, unknown_state: unknown_state.map(Into::into), engine }))
    }

    /// The protocol; 0 of templates of firewall-mark services.
    #[getter]
    fn protocol<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        convert::member(convert::protocol_class(py)?, self.0.connection.protocol.number())
    }

    /// The client's address and port; the port is 0 of a template.
    #[getter]
    fn client(&self) -> PyDestinationKey {
        PyDestinationKey(DestinationKey::new(self.0.connection.client_addr, self.0.connection.client_port))
    }

    /// The address and port that the client asked for, None of a firewall mark's template.
    #[getter]
    fn target(&self) -> Option<PyDestinationKey> {
        match self.0.connection.target {
            ConnectionTarget::Endpoint { addr, port } => Some(PyDestinationKey(DestinationKey::new(addr, port))),
            ConnectionTarget::Fwmark(_) => None,
        }
    }

    /// The firewall mark of a template, None of all else.
    #[getter]
    fn mark(&self) -> Option<u32> {
        match self.0.connection.target {
            ConnectionTarget::Endpoint { .. } => None,
            ConnectionTarget::Fwmark(mark) => Some(mark.get()),
        }
    }

    /// The port that the kernel shows beside a mark: 0, but 65535 of a template that a kernel before 7.1 has invalidated.
    #[getter]
    fn mark_port(&self) -> u16 {
        self.0.connection.mark_port
    }

    /// The real server.
    #[getter]
    fn destination(&self) -> PyDestinationKey {
        let c = &self.0.connection;
        PyDestinationKey(DestinationKey::new(c.destination_addr, c.destination_port))
    }

    /// The state.
    #[getter]
    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        convert::member(convert::state_class(py)?, self.0.connection.state.name())
    }

    /// The kernel's word for a state that this library does not know, else None.
    #[getter]
    fn unknown_state(&self) -> Option<&str> {
        self.0.unknown_state.as_deref()
    }

    /// The name of the state as the kernel prints it, known or not.
    #[getter]
    fn state_name(&self) -> String {
        self.0.view().state_name().to_owned()
    }

    /// Whether it is a template that the kernel has invalidated: it only runs out.
    #[getter]
    fn is_invalid_template(&self) -> bool {
        self.0.connection.is_invalid_template()
    }

    /// Whole seconds until it expires, 0 if overdue.
    #[getter]
    fn expires(&self) -> u32 {
        self.0.connection.expires
    }

    /// Where it came from, None where the director does not say.
    #[getter]
    fn origin<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let class = convert::origin_class(py)?;
        self.0.connection.origin.map(|origin| convert::member(class, origin_name(origin))).transpose()
    }

    /// The persistence engine whose data it carries, if any.
    #[getter]
    fn engine(&self) -> Option<String> {
        self.0.engine.as_ref().map(|data| data.0.clone())
    }

    /// The raw data of the persistence engine: of `sip` the Call-ID.
    #[getter]
    fn engine_data<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.0.engine.as_ref().map(|data| PyBytes::new(py, &data.1))
    }

    /// Whether it is a persistence template rather than a connection.
    #[getter]
    fn template(&self) -> bool {
        self.0.connection.is_template()
    }
}

value_methods!(PyConnection);
