//! `DestinationKey`, `Tunnel`, `Destination` and, as reported, `DestinationEntry`.

use std::sync::Arc;

use lvs_core::model::{
    Destination, DestinationEntry, DestinationKey, ForwardingMethod, Tunnel, TunnelFlags, TunnelKind,
};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use crate::args::{AsText as _, OfArgument, Whole};
use crate::convert;
use crate::errors::{OrInvalid, invalid};
use crate::schema::{from_python, schema_methods};
use crate::shared::Shared;
use crate::stats::PyStats;
use crate::value::{Fields, Value, pickled_as_text, value_methods};

/// What identifies a destination inside its service: address and port.
#[pyclass(name = "DestinationKey", module = "lvs_py", frozen, eq, hash, ord)]
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PyDestinationKey(pub(crate) DestinationKey);

impl Value for PyDestinationKey {
    const NAME: &'static str = "DestinationKey";

    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Fields<'py>> {
        Fields::new(py).positional("address", self.0.addr.to_string())?.positional("port", self.0.port)
    }
}

#[pymethods]
impl PyDestinationKey {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Py<PyAny>> {
        ("address", "port").into_py_any(py)
    }

    #[new]
    #[pyo3(signature = (address, port = None))]
    fn new(address: &Bound<'_, PyAny>, port: Option<Whole<u16>>) -> PyResult<Self> {
        key_of(address, port).map(Self)
    }

    /// The real server's address.
    #[getter]
    fn address<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        convert::ip(py, self.0.addr)
    }

    /// The real server's port; 0 keeps the one that the client asked for.
    #[getter]
    fn port(&self) -> u16 {
        self.0.port
    }

    /// The address family.
    #[getter]
    fn family<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        convert::member(convert::family_class(py)?, self.0.family().number())
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }
}

/// Address and port apart, or both in the first argument.
pub(crate) fn key_of(address: &Bound<'_, PyAny>, port: Option<Whole<u16>>) -> PyResult<DestinationKey> {
    match port {
        Some(port) => {
            let address = convert::address(address).of_argument(address.py(), "address")?;
            Ok(DestinationKey::new(address, port.0))
        }
        None => address.extract::<DestinationKeyArg>().of_argument(address.py(), "address").map(|key| key.0),
    }
}

value_methods!(PyDestinationKey);
pickled_as_text!(PyDestinationKey);

/// The tunnel of a destination.
#[pyclass(name = "Tunnel", module = "lvs_py", frozen, eq, hash, ord)]
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PyTunnel(pub(crate) Tunnel);

impl Value for PyTunnel {
    const NAME: &'static str = "Tunnel";

    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Fields<'py>> {
        let Tunnel { kind, port, flags } = self.0;
        let fields = Fields::new(py);
        let fields = match kind {
            TunnelKind::Ipip => fields.positional("kind", "ipip"),
            TunnelKind::Gue => fields.positional("kind", "gue"),
            TunnelKind::Gre => fields.positional("kind", "gre"),
            other => fields.positional("kind", other.number()),
        }?;
        fields.unless("port", port, port == 0)?.unless("flags", flags.bits(), flags.bits() == 0)
    }
}

#[pymethods]
impl PyTunnel {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Py<PyAny>> {
        ("kind", "port").into_py_any(py)
    }

    #[new]
    #[pyo3(signature = (kind = None, *, port = None, flags = None))]
    fn new(
        kind: Option<&Bound<'_, PyAny>>,
        port: Option<Whole<u16>>,
        flags: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        Ok(Self(Tunnel {
            kind: kind.map_or(Ok(TunnelKind::Ipip), convert::tunnel_kind)?,
            port: port.map_or(0, |port| port.0),
            flags: flags.map_or(Ok(TunnelFlags::EMPTY), convert::tunnel_flags)?,
        }))
    }

    /// IP in IP.
    #[staticmethod]
    fn ipip() -> Self {
        Self(Tunnel::IPIP)
    }

    /// Generic UDP encapsulation to a port.
    #[staticmethod]
    #[pyo3(signature = (port, *, flags = None))]
    fn gue(port: Whole<u16>, flags: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let flags = flags.map_or(Ok(TunnelFlags::EMPTY), convert::tunnel_flags)?;
        Ok(Self(Tunnel::gue(port.0, flags)))
    }

    /// Generic routing encapsulation.
    #[staticmethod]
    #[pyo3(signature = (*, flags = None))]
    fn gre(flags: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        Ok(Self(Tunnel::gre(flags.map_or(Ok(TunnelFlags::EMPTY), convert::tunnel_flags)?)))
    }

    /// The encapsulation.
    #[getter]
    fn kind<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        convert::member(convert::tunnel_kind_class(py)?, self.0.kind.number())
    }

    /// The UDP port of GUE, 0 otherwise.
    #[getter]
    fn port(&self) -> u16 {
        self.0.port
    }

    /// The checksum flags of GUE and GRE.
    #[getter]
    fn flags<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        convert::member(convert::tunnel_flags_class(py)?, self.0.flags.bits())
    }
}

value_methods!(PyTunnel);

schema_methods!(PyTunnel, "Tunnel" as Tunnel, |value| &value.0, |read| Ok(Self(read)));

/// A destination (real server) as you configure it.
#[pyclass(name = "Destination", module = "lvs_py", frozen, eq, hash, ord)]
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PyDestination(pub(crate) Destination);

impl Value for PyDestination {
    const NAME: &'static str = "Destination";

    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Fields<'py>> {
        let Destination { key, forwarding, weight, upper_threshold, lower_threshold, tunnel, .. } = self.0;
        let default_tunnel = tunnel == Tunnel::IPIP;
        Fields::new(py)
            .positional("address", key.addr.to_string())?
            .positional("port", key.port)?
            .unless("forwarding", forwarding.to_string(), forwarding == ForwardingMethod::Direct)?
            .named("weight", weight)?
            .unless("upper_threshold", upper_threshold, upper_threshold == 0)?
            .unless("lower_threshold", lower_threshold, lower_threshold == 0)?
            .unless("tunnel", (!default_tunnel).then_some(PyTunnel(tunnel)), default_tunnel)
    }
}

#[pymethods]
impl PyDestination {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Py<PyAny>> {
        ("address", "port").into_py_any(py)
    }

    #[new]
    #[pyo3(signature = (address, port = None, *, forwarding = None, weight = None, upper_threshold = None,
        lower_threshold = None, tunnel = None))]
    fn new(
        address: &Bound<'_, PyAny>,
        port: Option<Whole<u16>>,
        forwarding: Option<&Bound<'_, PyAny>>,
        weight: Option<Whole<u32>>,
        upper_threshold: Option<Whole<u32>>,
        lower_threshold: Option<Whole<u32>>,
        tunnel: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let mut destination = Destination::with_key(key_of(address, port)?);
        if let Some(tunnel) = tunnel {
            destination = destination.with_tunnel(tunnel_of(tunnel).of_argument(address.py(), "tunnel")?);
        }
        if let Some(forwarding) = forwarding {
            destination.forwarding = convert::forwarding(forwarding).of_argument(address.py(), "forwarding")?;
        }
        destination.weight = weight.map_or(destination.weight, |weight| weight.0);
        destination.upper_threshold = upper_threshold.map_or(0, |threshold| threshold.0);
        destination.lower_threshold = lower_threshold.map_or(0, |threshold| threshold.0);
        Ok(Self(destination))
    }

    /// What identifies the destination.
    #[getter]
    fn key(&self) -> PyDestinationKey {
        PyDestinationKey(self.0.key)
    }

    /// The real server's address.
    #[getter]
    fn address<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        convert::ip(py, self.0.key.addr)
    }

    /// The real server's port; 0 keeps the one that the client asked for.
    #[getter]
    fn port(&self) -> u16 {
        self.0.key.port
    }

    /// The address family of the real server.
    #[getter]
    fn family<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.key().family(py)
    }

    /// How packets reach it.
    #[getter]
    fn forwarding<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        convert::member(convert::forwarding_class(py)?, self.0.forwarding.number())
    }

    /// Its capacity against its neighbours'; 0 quiesces it: no new connections.
    #[getter]
    fn weight(&self) -> u32 {
        self.0.weight
    }

    /// Connections at which it counts as overloaded, 0 for no limit.
    #[getter]
    fn upper_threshold(&self) -> u32 {
        self.0.upper_threshold
    }

    /// Connections below which it counts as usable again, 0 for three quarters of the upper
    /// threshold.
    #[getter]
    fn lower_threshold(&self) -> u32 {
        self.0.lower_threshold
    }

    /// The encapsulation, used when it is forwarded to by a tunnel.
    #[getter]
    fn tunnel(&self) -> PyTunnel {
        PyTunnel(self.0.tunnel)
    }
}

/// A tunnel: a value, the name of a kind, or what `to_dict` has written.
fn tunnel_of(value: &Bound<'_, PyAny>) -> PyResult<Tunnel> {
    if let Ok(tunnel) = value.cast::<PyTunnel>() {
        return Ok(tunnel.get().0);
    }
    if value.cast::<PyDict>().is_ok() {
        return from_python(value, "Tunnel");
    }
    let kind = convert::tunnel_kind(value)?;
    if kind == TunnelKind::Gue && value.cast::<PyString>().is_ok() {
        return Err(invalid(value.py(), "a GUE tunnel needs a port: Tunnel.gue(6080)"));
    }
    Ok(Tunnel { kind, ..Tunnel::IPIP })
}

value_methods!(PyDestination);

schema_methods!(PyDestination, "Destination" as Destination, |value| &value.0, |read| Ok(Self(read)));

/// A destination as a director reports it: connections and statistics, too.
#[pyclass(name = "DestinationEntry", module = "lvs_py", frozen)]
pub(crate) struct PyDestinationEntry {
    /// Shared with the whole snapshot: an entry costs nothing until someone looks at it.
    shared: Arc<Shared>,
    service: usize,
    index: usize,
}

impl PyDestinationEntry {
    pub(crate) const fn new(shared: Arc<Shared>, service: usize, index: usize) -> Self {
        Self { shared, service, index }
    }

    pub(crate) fn entry(&self) -> &DestinationEntry {
        &self.shared.snapshot.services[self.service].destinations[self.index]
    }
}

impl Value for PyDestinationEntry {
    const NAME: &'static str = "DestinationEntry";

    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Fields<'py>> {
        let DestinationEntry { destination, active, inactive, persistent, stats, stats64, .. } = *self.entry();
        Fields::new(py)
            .positional("destination", PyDestination(destination))?
            .named("active", active)?
            .named("inactive", inactive)?
            .unless("persistent", persistent, persistent == 0)?
            .unless("stats", stats.map(PyStats), stats.is_none())?
            .unless("stats64", stats64.map(PyStats), stats64.is_none())
    }

    fn repr(&self, _py: Python<'_>) -> PyResult<String> {
        let DestinationEntry { destination, active, inactive, .. } = self.entry();
        let Destination { key, weight, .. } = destination;
        Ok(format!("<DestinationEntry {key} weight={weight} active={active} inactive={inactive}>"))
    }
}

#[pymethods]
impl PyDestinationEntry {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Py<PyAny>> {
        ("destination", "active", "inactive").into_py_any(py)
    }

    #[new]
    #[pyo3(signature = (destination, *, active = Whole(0), inactive = Whole(0), persistent = Whole(0), stats = None, stats64 = None), text_signature = "(destination, *, active=0, inactive=0, persistent=0, stats=None, stats64=None)")]
    fn construct(
        destination: &Bound<'_, PyAny>,
        active: Whole<u32>,
        inactive: Whole<u32>,
        persistent: Whole<u32>,
        stats: Option<&Bound<'_, PyAny>>,
        stats64: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let mut entry = DestinationEntry::new(destination_of(destination)?);
        entry.active = active.0;
        entry.inactive = inactive.0;
        entry.persistent = persistent.0;
        entry.stats = stats.map(crate::stats::stats_of).transpose()?;
        entry.stats64 = stats64.map(crate::stats::stats_of).transpose()?;
        Ok(Self::new(crate::shared::lone_destination(entry), 0, 0))
    }

    /// The destination as it is configured.
    #[getter]
    fn destination(&self) -> PyDestination {
        PyDestination(self.entry().destination)
    }

    /// What identifies it.
    #[getter]
    fn key(&self) -> PyDestinationKey {
        PyDestinationKey(self.entry().destination.key)
    }

    /// The real server's address.
    #[getter]
    fn address<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        convert::ip(py, self.entry().destination.key.addr)
    }

    /// The real server's port.
    #[getter]
    fn port(&self) -> u16 {
        self.entry().destination.key.port
    }

    /// Its weight.
    #[getter]
    fn weight(&self) -> u32 {
        self.entry().destination.weight
    }

    /// How packets reach it.
    #[getter]
    fn forwarding<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.destination().forwarding(py)
    }

    /// Connections in an active state: established or on the way there.
    #[getter]
    fn active(&self) -> u32 {
        self.entry().active
    }

    /// All other connections; those of UDP always count here.
    #[getter]
    fn inactive(&self) -> u32 {
        self.entry().inactive
    }

    /// Persistence templates that point here.
    #[getter]
    fn persistent(&self) -> u32 {
        self.entry().persistent
    }

    /// The 32-bit statistics, None where the director reports none.
    #[getter]
    fn stats(&self) -> Option<PyStats> {
        self.entry().stats.map(PyStats)
    }

    /// The 64-bit statistics, None where the director reports none.
    #[getter]
    fn stats64(&self) -> Option<PyStats> {
        self.entry().stats64.map(PyStats)
    }

    /// The widest statistics reported, all zero if there are none.
    #[getter]
    fn statistics(&self) -> PyStats {
        PyStats(self.entry().statistics())
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.entry() == other.entry()
    }

    fn __hash__(&self) -> u64 {
        crate::value::hash(self.entry())
    }
}

value_methods!(PyDestinationEntry);

schema_methods!(PyDestinationEntry, "DestinationEntry" as DestinationEntry, |value| value.entry(), |read| Ok(
    Self::new(crate::shared::lone_destination(read), 0, 0)
));

/// Anything that names a destination: a key, a destination, text, `("192.0.2.7", 80)`.
pub(crate) struct DestinationKeyArg(pub(crate) DestinationKey);

impl<'py> FromPyObject<'_, 'py> for DestinationKeyArg {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let value = &*value;
        if let Ok(key) = value.cast::<PyDestinationKey>() {
            return Ok(Self(key.get().0));
        }
        if let Ok(destination) = value.cast::<PyDestination>() {
            return Ok(Self(destination.get().0.key));
        }
        if let Ok(entry) = value.cast::<PyDestinationEntry>() {
            return Ok(Self(entry.get().entry().destination.key));
        }
        if let Ok(text) = value.cast::<PyString>() {
            let text = text.text()?;
            return text.parse().or_invalid(value.py()).map(Self);
        }
        if let Ok(tuple) = value.cast::<PyTuple>()
            && tuple.len() == 2
        {
            return Ok(Self(DestinationKey::new(
                convert::address(&tuple.get_item(0)?)?,
                tuple.get_item(1)?.extract::<Whole<u16>>().of_argument(value.py(), "port")?.0,
            )));
        }
        let kind = value.get_type().name()?;
        Err(PyTypeError::new_err(format!(
            "a destination is named by a DestinationKey, a Destination or text, not {kind}"
        )))
    }
}

/// A destination: a value, what names one, or what `to_dict` has written.
pub(crate) fn destination_of(value: &Bound<'_, PyAny>) -> PyResult<Destination> {
    if let Ok(destination) = value.cast::<PyDestination>() {
        return Ok(destination.get().0);
    }
    if let Ok(entry) = value.cast::<PyDestinationEntry>() {
        return Ok(entry.get().entry().destination);
    }
    if value.cast::<PyDict>().is_ok() {
        return from_python(value, "Destination");
    }
    value.extract::<DestinationKeyArg>().map(|key| Destination::with_key(key.0))
}

/// An entry: a value, what `to_dict` has written, or a destination without counts.
pub(crate) fn destination_entry_of(value: &Bound<'_, PyAny>) -> PyResult<DestinationEntry> {
    if let Ok(entry) = value.cast::<PyDestinationEntry>() {
        return Ok(*entry.get().entry());
    }
    if value.cast::<PyDict>().is_ok() {
        return from_python(value, "DestinationEntry");
    }
    destination_of(value).map(DestinationEntry::new)
}
