//! `Connection`: one entry of the connection table.

use lvs_core::model::{
    Connection, ConnectionOrigin, ConnectionState, ConnectionTarget, DestinationKey, EngineData, Named, Protocol,
};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::net::SocketAddr;
use std::num::NonZeroU32;

use crate::args::{AsText as _, OfArgument, Text, Whole, choice};
use crate::convert;
use crate::destination::{DestinationKeyArg, PyDestinationKey};
use crate::errors::{OrInvalid, invalid};
use crate::schema::schema_methods;
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

impl Owned {
    /// The persistence engine, if any.
    pub(crate) fn engine(&self) -> Option<&str> {
        self.engine.as_deref().map(|(name, _)| name.as_str())
    }
}

/// An entry as the schema has it.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    protocol: Protocol,
    client: SocketAddr,
    target: ConnectionTarget,
    destination: SocketAddr,
    state: ConnectionState,
    unknown_state: Option<Box<str>>,
    #[serde(default)]
    mark_port: u16,
    expires: u32,
    /// Follows from the others.
    #[serde(rename = "template")]
    _template: Option<bool>,
    origin: Option<ConnectionOrigin>,
    engine: Option<EngineRecord>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct EngineRecord {
    name: String,
    /// Follows from the next.
    #[serde(rename = "data")]
    _data: Option<String>,
    hex: String,
}

impl<'de> serde::Deserialize<'de> for Owned {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let record = Record::deserialize(deserializer)?;
        let endpoint = |addr: SocketAddr| (addr.ip(), addr.port());
        let (client, destination) = (endpoint(record.client), endpoint(record.destination));
        let mut connection =
            Connection::new(record.protocol, client, record.target, destination, record.state, record.expires);
        connection.mark_port = record.mark_port;
        connection.origin = record.origin;
        let engine = record.engine.map(|EngineRecord { name, hex, .. }| {
            let digits: Option<Vec<u8>> =
                hex.chars().map(|digit| digit.to_digit(16).map(|digit| digit as u8)).collect();
            let digits = digits.filter(|digits| digits.len().is_multiple_of(2));
            let data = digits.map(|digits| digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect::<Vec<u8>>());
            data.map(|data| Box::new((name, data)))
                .ok_or_else(|| D::Error::custom(format_args!("{hex:?} is not data in hexadecimal")))
        });
        Ok(Self { connection, unknown_state: record.unknown_state, engine: engine.transpose()? })
    }
}

/// One entry of the connection table: a connection, or a persistence template.
#[pyclass(name = "Connection", module = "lvs_py", frozen, eq, hash)]
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
    let member = convert::state_class(py)?.call1((value,)).map_err(|_| {
        let names: Vec<_> = ConnectionState::NAMES.iter().map(|(_, name)| *name).collect();
        invalid(py, format!("{value} is no state: expected one of {}", names.join(", ")))
    })?;
    member.getattr("value")?.extract::<String>()?.parse().or_invalid(py)
}

pub(crate) fn origin(value: &Bound<'_, PyAny>) -> PyResult<ConnectionOrigin> {
    let name = value.str()?.text()?.to_lowercase();
    choice(value.py(), &name, "is no origin", &[("local", ConnectionOrigin::Local), ("sync", ConnectionOrigin::Sync)])
}

#[pymethods]
impl PyConnection {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Py<PyAny>> {
        ("protocol", "client", "destination", "state").into_py_any(py)
    }

    #[new]
    #[pyo3(signature = (protocol, client, *, target = None, mark = None, mark_port = Whole(0), destination, state,
        unknown_state = None, expires = Whole(0), origin = None, engine = None, engine_data = None), text_signature = "(protocol, client, *, target=None, mark=None, mark_port=0, destination, state, unknown_state=None, expires=0, origin=None, engine=None, engine_data=None)")]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn new(
        protocol: &Bound<'_, PyAny>,
        client: DestinationKeyArg,
        target: Option<DestinationKeyArg>,
        mark: Option<Whole<u32>>,
        mark_port: Whole<u16>,
        destination: DestinationKeyArg,
        state: &Bound<'_, PyAny>,
        unknown_state: Option<Text>,
        expires: Whole<u32>,
        origin: Option<&Bound<'_, PyAny>>,
        engine: Option<Text>,
        engine_data: Option<Vec<u8>>,
    ) -> PyResult<Self> {
        let py = protocol.py();
        let target = match (target, mark.and_then(|mark| NonZeroU32::new(mark.0))) {
            (Some(target), None) => ConnectionTarget::Endpoint { addr: target.0.addr, port: target.0.port },
            (None, Some(mark)) => ConnectionTarget::Fwmark(mark),
            _ => return Err(invalid(py, "a connection has a target or a firewall mark")),
        };
        let mut connection = Connection::new(
            convert::protocol(protocol).of_argument(py, "protocol")?,
            (client.0.addr, client.0.port),
            target,
            (destination.0.addr, destination.0.port),
            self::state(state).of_argument(py, "state")?,
            expires.0,
        );
        connection.mark_port = mark_port.0;
        connection.origin = origin.map(self::origin).transpose()?;
        let engine = engine.map(|engine| Box::new((engine.0, engine_data.unwrap_or_default())));
        Ok(Self(Owned { connection, unknown_state: unknown_state.map(|name| name.0.into()), engine }))
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

    /// The port that the kernel shows beside a mark: 0, but 65535 of a template that a kernel
    /// before 7.1 has invalidated.
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

schema_methods!(PyConnection, "Connection" as Owned, |value| &value.0.view(), |read| Ok(Self(read)));
