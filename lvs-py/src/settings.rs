//! `Timeouts`, `Daemon` and `Info`: what belongs to a director rather than to a service.

use lvs_core::model::{Daemon, Info, Timeouts, Version};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::args::{OfArgument, Seconds, Text, Whole};
use crate::convert;
use crate::errors::OrInvalid;
use crate::schema::{from_python, schema_methods};
use crate::value::{Fields, Value, value_methods};

/// The three connection timeouts that can be set, in seconds.
#[pyclass(name = "Timeouts", module = "lvs_py", frozen, eq, hash, ord)]
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PyTimeouts(pub(crate) Timeouts);

impl Value for PyTimeouts {
    const NAME: &'static str = "Timeouts";

    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Fields<'py>> {
        let Timeouts { tcp, tcp_fin, udp } = self.0;
        Fields::new(py).named("tcp", tcp)?.named("tcp_fin", tcp_fin)?.named("udp", udp)
    }
}

#[pymethods]
impl PyTimeouts {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Py<PyAny>> {
        ("tcp", "tcp_fin", "udp").into_py_any(py)
    }

    #[new]
    #[pyo3(signature = (*, tcp = None, tcp_fin = None, udp = None))]
    pub(crate) fn new(tcp: Option<Seconds>, tcp_fin: Option<Seconds>, udp: Option<Seconds>) -> Self {
        let default = Timeouts::default();
        let seconds = |value: Option<Seconds>, default| value.map_or(default, |seconds| seconds.0);
        Self(Timeouts {
            tcp: seconds(tcp, default.tcp),
            tcp_fin: seconds(tcp_fin, default.tcp_fin),
            udp: seconds(udp, default.udp),
        })
    }

    /// Of established TCP connections.
    #[getter]
    fn tcp(&self) -> u32 {
        self.0.tcp
    }

    /// Of TCP connections after a FIN.
    #[getter]
    fn tcp_fin(&self) -> u32 {
        self.0.tcp_fin
    }

    /// Of UDP connections.
    #[getter]
    fn udp(&self) -> u32 {
        self.0.udp
    }
}

value_methods!(PyTimeouts);

schema_methods!(PyTimeouts, "Timeouts" as Timeouts, |value| &value.0, |read| Ok(Self(read)));

/// A connection synchronisation daemon. What is None is the kernel's default when started, and
/// filled in when read.
#[pyclass(name = "Daemon", module = "lvs_py", frozen, eq, hash, ord)]
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PyDaemon(pub(crate) Daemon);

impl Value for PyDaemon {
    const NAME: &'static str = "Daemon";

    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Fields<'py>> {
        let Daemon { role, interface, sync_id, max_len, group, port, ttl, .. } = self.0;
        Fields::new(py)
            .positional("role", role.to_string())?
            .positional("interface", interface.as_str())?
            .named("sync_id", sync_id)?
            .unless("max_len", max_len, max_len.is_none())?
            .unless("group", group.map(|group| group.to_string()), group.is_none())?
            .unless("port", port, port.is_none())?
            .unless("ttl", ttl, ttl.is_none())
    }
}

#[pymethods]
impl PyDaemon {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Py<PyAny>> {
        ("role", "interface").into_py_any(py)
    }

    #[new]
    #[pyo3(signature = (role, interface, *, sync_id = Whole(0), max_len = None, group = None, port = None, ttl = None), text_signature = "(role, interface, *, sync_id=0, max_len=None, group=None, port=None, ttl=None)")]
    fn new(
        role: &Bound<'_, PyAny>,
        interface: Text,
        sync_id: Whole<u32>,
        max_len: Option<Whole<u16>>,
        group: Option<&Bound<'_, PyAny>>,
        port: Option<Whole<u16>>,
        ttl: Option<Whole<u8>>,
    ) -> PyResult<Self> {
        let py = role.py();
        let mut daemon = Daemon::new(
            convert::role(role).of_argument(py, "role")?,
            interface.parse().or_invalid(py).of_argument(py, "interface")?,
            sync_id.0,
        );
        daemon.max_len = max_len.map(|len| len.0);
        daemon.group = group.map(convert::address).transpose().of_argument(py, "group")?;
        daemon.port = port.map(|port| port.0);
        daemon.ttl = ttl.map(|ttl| ttl.0);
        Ok(Self(daemon))
    }

    /// The part it plays.
    #[getter]
    fn role<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        convert::member(convert::role_class(py)?, self.0.role.number())
    }

    /// The interface that carries the multicast.
    #[getter]
    fn interface(&self) -> String {
        self.0.interface.as_str().to_owned()
    }

    /// Which daemons belong together: 0..=255; a backup with 0 takes all.
    #[getter]
    fn sync_id(&self) -> u32 {
        self.0.sync_id
    }

    /// The longest payload of a message, in bytes.
    #[getter]
    fn max_len(&self) -> Option<u16> {
        self.0.max_len
    }

    /// The multicast group, 224.0.0.81 by default.
    #[getter]
    fn group<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.group.map(|group| convert::ip(py, group)).transpose()
    }

    /// The UDP port, 8848 by default.
    #[getter]
    fn port(&self) -> Option<u16> {
        self.0.port
    }

    /// The multicast time to live, 1 by default.
    #[getter]
    fn ttl(&self) -> Option<u8> {
        self.0.ttl
    }
}

value_methods!(PyDaemon);

schema_methods!(PyDaemon, "Daemon" as Daemon, |value| &value.0, |read| Ok(Self(read)));

/// What a director says of itself.
#[pyclass(name = "Info", module = "lvs_py", frozen, eq, hash, ord)]
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PyInfo(pub(crate) Info);

impl Value for PyInfo {
    const NAME: &'static str = "Info";

    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Fields<'py>> {
        Fields::new(py)
            .named("version", self.0.version.to_string())?
            .named("connection_table_size", self.0.connection_table_size)
    }
}

#[pymethods]
impl PyInfo {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Py<PyAny>> {
        ("version", "connection_table_size").into_py_any(py)
    }

    #[new]
    #[pyo3(signature = (*, version = Text::from("1.2.1"), connection_table_size = Whole(4096)), text_signature = "(*, version=\"1.2.1\", connection_table_size=4096)")]
    fn new(py: Python<'_>, version: Text, connection_table_size: Whole<u32>) -> PyResult<Self> {
        let mut parts = version.split('.');
        let parsed = (|| {
            let version = Version {
                major: parts.next()?.parse().ok()?,
                minor: parts.next()?.parse().ok()?,
                patch: parts.next()?.parse().ok()?,
            };
            parts.next().is_none().then_some(version)
        })();
        let version = parsed.ok_or_else(|| {
            crate::errors::invalid(
                py,
                format!("{version:?} is not a version: three numbers with dots, such as \"1.2.1\""),
            )
        })?;
        Ok(Self(Info::new(version, connection_table_size.0)))
    }

    /// The version of IPVS, such as "1.2.1".
    #[getter]
    fn version(&self) -> String {
        self.0.version.to_string()
    }

    /// Buckets of the connection table.
    #[getter]
    fn connection_table_size(&self) -> u32 {
        self.0.connection_table_size
    }
}

value_methods!(PyInfo);

schema_methods!(PyInfo, "Info" as Info, |value| &value.0, |read| Ok(Self(read)));

/// A value, or what its `to_dict` has written.
macro_rules! value_or_dict {
    ($name:ident, $class:ty, $core:ty) => {
        pub(crate) fn $name(value: &Bound<'_, PyAny>) -> PyResult<$core> {
            if let Ok(value) = value.cast::<$class>() {
                return Ok(value.get().0);
            }
            let expected = <$class as Value>::NAME;
            if value.cast::<PyDict>().is_ok() {
                return from_python(value, expected);
            }
            Err(PyTypeError::new_err(format!("not {expected}: {}", value.repr()?)))
        }
    };
}

value_or_dict!(timeouts_of, PyTimeouts, Timeouts);
value_or_dict!(daemon_of, PyDaemon, Daemon);
value_or_dict!(info_of, PyInfo, Info);

/// Daemons, one by one.
pub(crate) fn daemons_of(daemons: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<Daemon>> {
    let Some(daemons) = daemons else { return Ok(Vec::new()) };
    daemons.try_iter()?.map(|daemon| daemon_of(&daemon?)).collect()
}
