//! `ServiceKey` and `Service`.

use lvs_core::model::{AddressFamily, Netmask, Protocol, Service, ServiceFlags, ServiceKey};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use crate::args::{AsText as _, OfArgument, Seconds, Whole};
use crate::convert;
use crate::errors::{OrInvalid, invalid};
use crate::schema::{from_python, schema_methods};
use crate::value::{Fields, Value, pickled_as_text, value_methods};

/// What identifies a virtual service: protocol, address and port, or a firewall mark.
#[pyclass(name = "ServiceKey", module = "lvs_py", frozen, eq, hash, ord)]
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PyServiceKey(pub(crate) ServiceKey);

impl Value for PyServiceKey {
    const NAME: &'static str = "ServiceKey";

    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Fields<'py>> {
        Fields::new(py).positional("key", self.0.to_string())
    }
}

#[pymethods]
impl PyServiceKey {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Py<PyAny>> {
        ("protocol", "address", "port").into_py_any(py)
    }

    #[new]
    #[pyo3(signature = (key = None, *, protocol = None, address = None, port = None, mark = None, family = None))]
    fn new(
        py: Python<'_>,
        key: Option<KeyArg>,
        protocol: Option<&Bound<'_, PyAny>>,
        address: Option<&Bound<'_, PyAny>>,
        port: Option<Whole<u16>>,
        mark: Option<Whole<u32>>,
        family: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let base = key.map(|key| key.0);
        let incomplete = || invalid(py, "a service has a protocol, an address and a port, or a firewall mark");
        let endpoint = protocol.is_some() || address.is_some() || port.is_some();
        let (old_mark, old_family) = match base {
            Some(ServiceKey::Fwmark { mark, family }) => (Some(mark.get()), Some(family)),
            _ => (None, None),
        };
        if mark.is_some() || family.is_some() || (old_mark.is_some() && !endpoint) {
            if endpoint {
                return Err(incomplete());
            }
            let mark = mark.map(|mark| mark.0).or(old_mark);
            let family = family.map(convert::family).transpose()?.or(old_family).unwrap_or(AddressFamily::Ipv4);
            return ServiceKey::fwmark(mark.ok_or_else(incomplete)?, family).or_invalid(py).map(Self);
        }
        let old = match base {
            Some(ServiceKey::Endpoint { protocol, addr, port }) => Some((protocol, addr, port)),
            _ => None,
        };
        let protocol = protocol.map(convert::protocol).transpose()?.or(old.map(|old| old.0));
        let address = address.map(convert::address).transpose()?.or(old.map(|old| old.1));
        let port = port.map(|port| port.0).or(old.map(|old| old.2));
        match (protocol, address, port) {
            (Some(protocol), Some(address), Some(port)) => Ok(Self(ServiceKey::endpoint(protocol, address, port))),
            _ => Err(incomplete()),
        }
    }

    /// The key of a TCP service.
    #[staticmethod]
    #[pyo3(signature = (address, port = None))]
    fn tcp(address: &Bound<'_, PyAny>, port: Option<Whole<u16>>) -> PyResult<Self> {
        Self::endpoint(Protocol::Tcp, address, port)
    }

    /// The key of a UDP service.
    #[staticmethod]
    #[pyo3(signature = (address, port = None))]
    fn udp(address: &Bound<'_, PyAny>, port: Option<Whole<u16>>) -> PyResult<Self> {
        Self::endpoint(Protocol::Udp, address, port)
    }

    /// The key of an SCTP service.
    #[staticmethod]
    #[pyo3(signature = (address, port = None))]
    fn sctp(address: &Bound<'_, PyAny>, port: Option<Whole<u16>>) -> PyResult<Self> {
        Self::endpoint(Protocol::Sctp, address, port)
    }

    /// The key of a service for packets that carry a firewall mark.
    #[staticmethod]
    #[pyo3(signature = (mark, *, family = None))]
    fn fwmark(py: Python<'_>, mark: Whole<u32>, family: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        mark_key(py, mark, family).map(Self)
    }

    /// The protocol, None for a firewall mark.
    #[getter]
    fn protocol<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.protocol().map(|protocol| convert::protocol_class(py)?.call1((protocol.number(),))).transpose()
    }

    /// The virtual address, None for a firewall mark.
    #[getter]
    fn address<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        match self.0 {
            ServiceKey::Endpoint { addr, .. } => convert::ip(py, addr).map(Some),
            ServiceKey::Fwmark { .. } => Ok(None),
        }
    }

    /// The port; 0 stands for all ports of a persistent service, and for a firewall mark's lack of
    /// one.
    #[getter]
    fn port(&self) -> u16 {
        self.0.port()
    }

    /// The firewall mark, None for an address.
    #[getter]
    fn mark(&self) -> Option<u32> {
        match self.0 {
            ServiceKey::Endpoint { .. } => None,
            ServiceKey::Fwmark { mark, .. } => Some(mark.get()),
        }
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

impl PyServiceKey {
    /// Address and port apart, or both in the first argument.
    fn endpoint(protocol: Protocol, address: &Bound<'_, PyAny>, port: Option<Whole<u16>>) -> PyResult<Self> {
        let key = crate::destination::key_of(address, port)?;
        Ok(Self(ServiceKey::endpoint(protocol, key.addr, key.port)))
    }
}

fn mark_key(py: Python<'_>, mark: Whole<u32>, family: Option<&Bound<'_, PyAny>>) -> PyResult<ServiceKey> {
    let family = family.map_or(Ok(AddressFamily::Ipv4), convert::family)?;
    ServiceKey::fwmark(mark.0, family).or_invalid(py).of_argument(py, "mark")
}

value_methods!(PyServiceKey);
pickled_as_text!(PyServiceKey);

/// A virtual service as you configure it.
#[pyclass(name = "Service", module = "lvs_py", frozen, eq, hash, ord)]
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PyService(pub(crate) Service);

impl Value for PyService {
    const NAME: &'static str = "Service";

    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Fields<'py>> {
        let Service { scheduler, flags, timeout, engine, .. } = self.0;
        let one_packet = self.0.is_one_packet();
        let rest = flags.without(ServiceFlags::PERSISTENT).without(ServiceFlags::ONE_PACKET);
        let persistence = self.0.persistence();
        let kept = if persistence.is_some() { 0 } else { timeout };
        let netmask = self.0.netmask();
        Fields::new(py)
            .positional("key", self.0.key().to_string())?
            .named("scheduler", scheduler.as_str())?
            .unless("persistence", persistence, persistence.is_none())?
            .unless("netmask", netmask.to_string(), netmask.is_full())?
            .unless("engine", engine.as_ref().map(|engine| engine.as_str().to_owned()), engine.is_none())?
            .unless("one_packet", one_packet, !one_packet)?
            .unless("flags", rest.bits(), rest.is_empty())?
            .unless("timeout", kept, kept == 0)
    }
}

/// What the constructors take by name.
struct Options<'a, 'py> {
    scheduler: &'a Bound<'py, PyAny>,
    persistence: Option<&'a Bound<'py, PyAny>>,
    netmask: Option<&'a Bound<'py, PyAny>>,
    engine: Option<&'a Bound<'py, PyAny>>,
    one_packet: bool,
    flags: Option<&'a Bound<'py, PyAny>>,
    timeout: Option<&'a Bound<'py, PyAny>>,
}

impl Options<'_, '_> {
    fn build(&self, key: ServiceKey) -> PyResult<PyService> {
        let py = self.scheduler.py();
        let mut service = Service::new(key);
        let scheduler = text(self.scheduler, "a scheduler").and_then(|name| name.parse().or_invalid(py));
        service.scheduler = scheduler.of_argument(py, "scheduler")?;
        if let Some(flags) = self.flags {
            service.flags = convert::service_flags(flags, service.scheduler.as_str()).of_argument(py, "flags")?;
        }
        if let Some(timeout) = self.timeout {
            service.timeout = timeout.extract::<Seconds>().of_argument(py, "timeout")?.0;
        }
        if let Some(persistence) = self.persistence {
            if service.timeout != 0 {
                return Err(invalid(py, "persistence and timeout are the same field: give one of them"));
            }
            // `True` is what ipvsadm's `-p` without a number means.
            if persistence.is(true.into_pyobject(py)?) {
                service = service.with_persistence(Service::DEFAULT_PERSISTENCE);
            } else if !persistence.is(false.into_pyobject(py)?) {
                service = service.with_persistence(persistence.extract::<Seconds>().of_argument(py, "persistence")?.0);
            }
        }
        if self.one_packet {
            service = service.with_one_packet();
        }
        if let Some(engine) = self.engine {
            let engine = text(engine, "an engine").and_then(|name| name.parse().or_invalid(py));
            service = service.with_engine(engine.of_argument(py, "engine")?);
        }
        if let Some(netmask) = self.netmask {
            let netmask: Netmask = convert::netmask(netmask, key.family()).of_argument(py, "netmask")?;
            service = service.with_netmask(netmask).or_invalid(py)?;
        }
        Ok(PyService(service))
    }
}

fn text(value: &Bound<'_, PyAny>, what: &str) -> PyResult<String> {
    match value.cast::<PyString>() {
        Ok(text) => Ok(text.text()?.into_owned()),
        Err(_) => {
            let kind = value.get_type().name()?;
            Err(PyTypeError::new_err(format!("the name of {what} is text, not {kind}")))
        }
    }
}

/// Constructors that share their options.
macro_rules! constructors {
    ($($(#[$attr:meta])* $name:ident($arg:ident $(, $port:ident ?)? $(; $family:ident)?) => $key:expr;)*) => {
        #[pymethods]
        impl PyService {
            $(
                $(#[$attr])*
                #[pyo3(signature = ($arg, $($port = None,)? *, $($family = None,)? scheduler = None, persistence = None,
                    netmask = None, engine = None, one_packet = false, flags = None, timeout = None))]
                #[allow(clippy::too_many_arguments, reason = "keyword arguments of Python")]
                fn $name(
                    py: Python<'_>,
                    $arg: &Bound<'_, PyAny>,
                    $($port: Option<Whole<u16>>,)?
                    $($family: Option<&Bound<'_, PyAny>>,)?
                    scheduler: Option<&Bound<'_, PyAny>>,
                    persistence: Option<&Bound<'_, PyAny>>,
                    netmask: Option<&Bound<'_, PyAny>>,
                    engine: Option<&Bound<'_, PyAny>>,
                    one_packet: bool,
                    flags: Option<&Bound<'_, PyAny>>,
                    timeout: Option<&Bound<'_, PyAny>>,
                ) -> PyResult<Self> {
                    let wlc;
                    let scheduler = match scheduler {
                        Some(scheduler) => scheduler,
                        None => { wlc = pyo3::intern!(py, "wlc").clone().into_any(); &wlc }
                    };
                    let options = Options { scheduler, persistence, netmask, engine, one_packet, flags, timeout };
                    options.build($key)
                }
            )*
        }
    };
}

constructors! {
    #[new]
    new(key) => key.extract::<KeyArg>().of_argument(key.py(), "key")?.0;
    /// A TCP service.
    #[staticmethod]
    tcp(address, port?) => PyServiceKey::endpoint(Protocol::Tcp, address, port)?.0;
    /// A UDP service.
    #[staticmethod]
    udp(address, port?) => PyServiceKey::endpoint(Protocol::Udp, address, port)?.0;
    /// An SCTP service.
    #[staticmethod]
    sctp(address, port?) => PyServiceKey::endpoint(Protocol::Sctp, address, port)?.0;
    /// A service for packets that carry a firewall mark.
    #[staticmethod]
    fwmark(mark; family) => mark_key(mark.py(), mark.extract().of_argument(mark.py(), "mark")?, family)?;
}

#[pymethods]
impl PyService {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Py<PyAny>> {
        ("key", "scheduler").into_py_any(py)
    }

    /// What identifies the service.
    #[getter]
    fn key(&self) -> PyServiceKey {
        PyServiceKey(self.0.key())
    }

    /// The protocol, None for a firewall mark.
    #[getter]
    fn protocol<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.key().protocol(py)
    }

    /// The virtual address, None for a firewall mark.
    #[getter]
    fn address<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.key().address(py)
    }

    /// The port; 0 stands for all ports of a persistent service.
    #[getter]
    fn port(&self) -> u16 {
        self.0.key().port()
    }

    /// The firewall mark, None for an address.
    #[getter]
    fn mark(&self) -> Option<u32> {
        self.key().mark()
    }

    /// The address family.
    #[getter]
    fn family<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.key().family(py)
    }

    /// The name of the scheduler.
    #[getter]
    fn scheduler(&self) -> String {
        self.0.scheduler.as_str().to_owned()
    }

    /// The flags, persistence among them.
    #[getter]
    fn flags<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        convert::member(convert::service_flags_class(py)?, self.0.flags.bits())
    }

    /// Seconds of persistence, None if the service is not persistent.
    #[getter]
    fn persistence(&self) -> Option<u32> {
        self.0.persistence()
    }

    /// The timeout of persistence in seconds as the kernel keeps it, persistent or not.
    #[getter]
    fn timeout(&self) -> u32 {
        self.0.timeout
    }

    /// Which clients persistence counts as one: an IPv4 mask, or an IPv6 prefix length.
    #[getter]
    fn netmask<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self.0.netmask() {
            Netmask::V4(mask) => convert::ip(py, mask.into()),
            Netmask::V6(length) => length.get().into_bound_py_any(py),
        }
    }

    /// The name of the persistence engine, if any.
    #[getter]
    fn engine(&self) -> Option<String> {
        self.0.engine.map(|engine| engine.as_str().to_owned())
    }

    /// Whether every UDP datagram is scheduled by itself.
    #[getter]
    fn one_packet(&self) -> bool {
        self.0.is_one_packet()
    }
}

value_methods!(PyService);

schema_methods!(PyService, "Service" as Service, |value| &value.0, |read| Ok(Self(read)));

/// Anything that names a service: a key, a service, text, `("tcp", "192.0.2.1", 80)`.
pub(crate) struct KeyArg(pub(crate) ServiceKey);

impl<'py> FromPyObject<'_, 'py> for KeyArg {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let value = &*value;
        if let Ok(key) = value.cast::<PyServiceKey>() {
            return Ok(Self(key.get().0));
        }
        if let Ok(service) = value.cast::<PyService>() {
            return Ok(Self(service.get().0.key()));
        }
        if let Ok(text) = value.cast::<PyString>() {
            return text.text()?.parse().or_invalid(value.py()).map(Self);
        }
        if let Ok(tuple) = value.cast::<PyTuple>()
            && tuple.len() == 3
        {
            let key = ServiceKey::endpoint(
                convert::protocol(&tuple.get_item(0)?)?,
                convert::address(&tuple.get_item(1)?)?,
                tuple.get_item(2)?.extract::<Whole<u16>>().of_argument(value.py(), "port")?.0,
            );
            return Ok(Self(key));
        }
        // Whatever has a service's key: an entry of a snapshot, a service of a table.
        if let Ok(key) = value.getattr("key")
            && let Ok(key) = key.cast::<PyServiceKey>()
        {
            return Ok(Self(key.get().0));
        }
        let kind = value.get_type().name()?;
        Err(PyTypeError::new_err(format!("a service is named by a ServiceKey, a Service or text, not {kind}")))
    }
}

/// A service: a value, what holds or names one, or what `to_dict` has written.
pub(crate) fn service_of(value: &Bound<'_, PyAny>) -> PyResult<Service> {
    if let Ok(service) = value.cast::<PyService>() {
        return Ok(service.get().0);
    }
    if value.cast::<PyDict>().is_ok() {
        return from_python(value, "Service");
    }
    // Whatever holds a service: an entry of a snapshot, a service of a table.
    if value.cast::<PyString>().is_err()
        && let Ok(service) = value.getattr("service")
        && let Ok(service) = service.cast::<PyService>()
    {
        return Ok(service.get().0);
    }
    value.extract::<KeyArg>().map(|key| Service::new(key.0))
}
