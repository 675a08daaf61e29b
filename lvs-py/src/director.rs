//! The handle behind `lvs_py.Director`: one director of the core, whichever, that threads may
//! share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lvs_core::connections::ConnectionSums;
use lvs_core::director::OnRefusal;
use lvs_core::embedded::{EmbeddedDirector, Interface};
#[cfg(target_os = "linux")]
use lvs_core::kernel::{KernelDirector, Namespace, TransportChoice};
use lvs_core::model::{EngineName, SchedulerName, ServiceSnapshot};
#[cfg(target_os = "linux")]
use lvs_core::procfs::{ProcFile, Procfs};
use lvs_core::{AnyDirector, Director};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use pyo3::{IntoPyObjectExt, intern};

use crate::args::{AsText as _, OfArgument, Span, Text, Whole, choice};
use crate::batch::{PyBatchReport, operations_of};
use crate::connections::{PyConnectionFilter, PyConnectionSums, PyConnections, collector, counter};
use crate::convert;
use crate::destination::DestinationKeyArg;
use crate::entries::{PyDestinations, PyServiceEntry};
use crate::errors;
use crate::failures::OrRaise;
use crate::operation::PyOperation;
use crate::packet::{PacketArgs, PyVerdict, flow};
use crate::service::KeyArg;
use crate::settings::{PyDaemon, PyInfo, PyTimeouts};
use crate::shared::lone_service;
use crate::snapshot::PySnapshot;
use crate::stats::PyStats;

/// One director of the core. The lock is only ever taken while detached from the interpreter, so
/// that a thread that waits for it keeps nobody else from running.
#[pyclass(name = "Handle", module = "lvs_py._lvs", frozen)]
pub(crate) struct PyHandle {
    inner: Mutex<Option<AnyDirector>>,
    /// Apart from the lock: who asks does not wait for a call that is under way.
    closed: AtomicBool,
    /// The process that opened it: a child shares the socket, but must not use it.
    process: u32,
}

impl PyHandle {
    fn new(director: impl Into<AnyDirector>) -> Self {
        Self { inner: Mutex::new(Some(director.into())), closed: AtomicBool::new(false), process: std::process::id() }
    }

    fn lock(&self) -> MutexGuard<'_, Option<AnyDirector>> {
        // `AnyDirector` itself refuses calls after a panic.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the director, detached from the interpreter.
    pub(crate) fn with<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut AnyDirector) -> lvs_core::Result<T> + Send,
    ) -> PyResult<T> {
        if self.is_foreign() {
            return Err(errors::closed(py, "this director was opened before a fork: open one in the child"));
        }
        let done = py.detach(|| self.lock().as_mut().map(work));
        done.ok_or_else(|| errors::closed(py, "the director is closed"))?.or_raise(py)
    }

    fn with_embedded<T: Send>(
        &self,
        py: Python<'_>,
        attempted: &str,
        work: impl FnOnce(&mut EmbeddedDirector) -> T + Send,
    ) -> PyResult<T> {
        self.with(py, |director| director.with_embedded(attempted, work))
    }

    /// Whether another process opened it. Its socket is shared with that process, which would read
    /// our answers.
    fn is_foreign(&self) -> bool {
        self.process != std::process::id()
    }
}

/// The handle of a `Director`.
pub(crate) struct DirectorArg<'py>(pub(crate) Bound<'py, PyHandle>);

impl<'py> FromPyObject<'_, 'py> for DirectorArg<'py> {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let handle = value.getattr_opt(intern!(value.py(), "_handle"))?;
        match handle.map(|handle| handle.cast_into()) {
            Some(Ok(handle)) => Ok(Self(handle)),
            _ => Err(PyTypeError::new_err(format!("a {} is no Director", value.get_type().name()?))),
        }
    }
}

#[pymethods]
impl PyHandle {
    #[staticmethod]
    #[pyo3(signature = (*, profile = Text::from("new"), seed = Whole(0), connection_table_size = None, schedulers = None,
        engines = None, interfaces = None, local_addresses = None, ipv6 = true, ftp_helper = false), text_signature = "(*, profile=\"new\", seed=0, connection_table_size=None, schedulers=None, engines=None, interfaces=None, local_addresses=None, ipv6=True, ftp_helper=False)")]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn embedded(
        py: Python<'_>,
        profile: Text,
        seed: Whole<u64>,
        connection_table_size: Option<Whole<u32>>,
        schedulers: Option<Vec<Text>>,
        engines: Option<Vec<Text>>,
        interfaces: Option<HashMap<String, Whole<u32>>>,
        local_addresses: Option<Vec<Bound<'_, PyAny>>>,
        ipv6: bool,
        ftp_helper: bool,
    ) -> PyResult<Self> {
        let mut options = EmbeddedDirector::options()
            .profile(crate::scheduler::profile(py, &profile)?)
            .seed(seed.0)
            .ipv6(ipv6)
            .ftp_helper(ftp_helper);
        if let Some(Whole(buckets)) = connection_table_size {
            // The parameter conn_tab_bits of ip_vs takes 8 to 27 (ip_vs_conn.c: ip_vs_conn_init(),
            // v6.12).
            if !buckets.is_power_of_two() || !(1 << 8..=1 << 27).contains(&buckets) {
                let message = format!("connection_table_size {buckets} is no power of two from 256 to 134217728");
                return Err(errors::invalid(py, message));
            }
            options = options.connection_table_size(buckets);
        }
        if let Some(names) = schedulers {
            let names: Result<Vec<SchedulerName>, _> = names.iter().map(|name| name.parse()).collect();
            options = options.schedulers(names.or_raise(py).of_argument(py, "schedulers")?);
        }
        if let Some(names) = engines {
            let names: Result<Vec<EngineName>, _> = names.iter().map(|name| name.parse()).collect();
            options = options.engines(names.or_raise(py).of_argument(py, "engines")?);
        }
        if let Some(interfaces) = interfaces {
            let mut known = Vec::new();
            for (name, mtu) in interfaces {
                known.push(Interface { name: name.parse().or_raise(py).of_argument(py, "interfaces")?, mtu: mtu.0 });
            }
            options = options.interfaces(known);
        }
        for address in local_addresses.unwrap_or_default() {
            let text = address.str()?;
            let text = text.text()?;
            let (addr, length) = text.split_once('/').map_or((&*text, None), |(addr, length)| (addr, Some(length)));
            let addr = convert::address_text(py, addr).of_argument(py, "local_addresses")?;
            let full = if addr.is_ipv4() { 32 } else { 128 };
            let length = length.map_or(Ok(full), str::parse);
            let length =
                length.map_err(|_| errors::invalid(py, format!("{text:?} is not an address with its network")))?;
            options = options.local_address(addr, length);
        }
        Ok(Self::new(options.build()))
    }

    #[cfg(target_os = "linux")]
    #[staticmethod]
    #[pyo3(signature = (*, namespace = None, path = None, pid = None, transport = Text::from("netlink"),
        load_module = false, timeout = None))]
    fn kernel(
        py: Python<'_>,
        namespace: Option<Text>,
        path: Option<std::path::PathBuf>,
        pid: Option<Whole<u32>>,
        transport: Text,
        load_module: bool,
        timeout: Option<Span>,
    ) -> PyResult<Self> {
        let namespace = match (namespace, path, pid) {
            (None, None, None) => Namespace::Current,
            (Some(name), None, None) => Namespace::Name(name.0),
            (None, Some(path), None) => Namespace::Path(path),
            (None, None, Some(pid)) => Namespace::Pid(pid.0),
            _ => return Err(errors::invalid(py, "a network namespace is named in one way")),
        };
        let transports = [
            ("netlink", TransportChoice::Netlink),
            ("sockopt", TransportChoice::SocketOptions),
            ("auto", TransportChoice::Auto),
        ];
        let transport = choice(py, &transport, "is no transport", &transports)?;
        let mut options = KernelDirector::options().namespace(namespace).transport(transport).load_module(load_module);
        if let Some(timeout) = timeout {
            options = options.receive_timeout(timeout.0);
        }
        py.detach(|| options.open()).or_raise(py).map(Self::new)
    }

    fn close(&self, py: Python<'_>) {
        if !self.is_foreign() {
            py.detach(|| {
                let director = self.lock().take();
                self.closed.store(true, Ordering::Relaxed);
                drop(director);
            });
        }
    }

    fn closed(&self) -> bool {
        self.is_foreign() || self.closed.load(Ordering::Relaxed)
    }

    fn info(&self, py: Python<'_>) -> PyResult<PyInfo> {
        self.with(py, |director| director.info()).map(PyInfo)
    }

    fn timeouts(&self, py: Python<'_>) -> PyResult<PyTimeouts> {
        self.with(py, |director| director.timeouts()).map(PyTimeouts)
    }

    fn daemons<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.with(py, |director| director.daemons())?.into_iter().map(PyDaemon))
    }

    fn snapshot(&self, py: Python<'_>) -> PyResult<PySnapshot> {
        self.with(py, |director| director.snapshot()).map(PySnapshot::wrap)
    }

    fn service(&self, py: Python<'_>, key: KeyArg) -> PyResult<PyServiceEntry> {
        let service = self.with(py, |director| {
            let entry = director.service(&key.0)?;
            Ok(ServiceSnapshot { entry, destinations: director.destinations(&key.0)? })
        })?;
        Ok(PyServiceEntry::new(lone_service(service), 0))
    }

    fn has_service(&self, py: Python<'_>, key: KeyArg) -> PyResult<bool> {
        self.with(py, |director| match director.service(&key.0) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == lvs_core::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        })
    }

    fn service_count(&self, py: Python<'_>) -> PyResult<usize> {
        self.with(py, |director| director.services()).map(|services| services.len())
    }

    fn destinations(&self, py: Python<'_>, key: KeyArg) -> PyResult<PyDestinations> {
        let destinations = self.with(py, |director| director.destinations(&key.0))?;
        let service = lvs_core::model::Service::new(key.0);
        let entry = lvs_core::model::ServiceEntry::new(service);
        Ok(PyDestinations::new(lone_service(ServiceSnapshot { entry, destinations })))
    }

    fn connections(&self, py: Python<'_>, filter: &Bound<'_, PyConnectionFilter>) -> PyResult<PyConnections> {
        let filter = filter.get().0;
        let mut found = Vec::new();
        self.with(py, |director| director.visit_matching_connections(&filter, &mut collector(&mut found)))?;
        Ok(PyConnections::new(found))
    }

    fn connection_sums(&self, py: Python<'_>, filter: &Bound<'_, PyConnectionFilter>) -> PyResult<PyConnectionSums> {
        let filter = filter.get().0;
        let mut sums = ConnectionSums::new();
        self.with(py, |director| director.visit_matching_connections(&filter, &mut counter(&mut sums)))?;
        Ok(PyConnectionSums(sums))
    }

    fn execute(&self, py: Python<'_>, operation: &Bound<'_, PyOperation>) -> PyResult<()> {
        let operation = operation.get().0;
        self.with(py, |director| director.execute(operation))
    }

    fn apply(&self, py: Python<'_>, operations: &Bound<'_, PyAny>, stop: bool) -> PyResult<PyBatchReport> {
        let operations = operations_of(operations)?;
        let on_refusal = if stop { OnRefusal::Stop } else { OnRefusal::Continue };
        let report = self.with(py, |director| Ok(director.apply(&operations, on_refusal)))?;
        PyBatchReport::new(py, report, &operations)
    }

    fn totals(&self, py: Python<'_>) -> PyResult<PyStats> {
        self.with(py, |director| director.totals()).map(PyStats)
    }

    /// How full the tables are: the connection table, the service table, the estimator.
    fn status<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let status = self.with(py, |director| director.status())?;
        crate::procfs::status_tuple(&status).into_bound_py_any(py)
    }

    /// The name of the behaviour that the director has.
    fn profile(&self, py: Python<'_>) -> PyResult<&'static str> {
        self.with(py, |director| director.profile()).map(lvs_core::schedulers::Profile::name)
    }

    /// A file of the kernel's in the director's namespace.
    #[cfg(target_os = "linux")]
    fn read_file<'py>(&self, py: Python<'py>, name: Text) -> PyResult<Bound<'py, PyBytes>> {
        let known = [ProcFile::PerCpuStats, ProcFile::Helpers].into_iter().find(|file| file.name() == &*name);
        let file = known.ok_or_else(|| errors::invalid(py, format!("{name:?} is no file of IPVS")))?;
        let text = self.with(py, |director| {
            director.with_kernel("read a file of the kernel", |kernel| {
                kernel.inside(|| {
                    let path = Procfs::current().path(file);
                    std::fs::read(&path).map_err(|error| lvs_core::Error::io(format!("read {}", path.display()), error))
                })
            })?
        })?;
        Ok(PyBytes::new(py, &text))
    }

    // What only the embedded director has.

    fn now(&self, py: Python<'_>) -> PyResult<Duration> {
        self.with_embedded(py, "read the clock", |director| director.now())
    }

    fn advance(&self, py: Python<'_>, by: Span) -> PyResult<()> {
        // In steps that take about 10 ms each, so that Ctrl-C is heeded; no lock is held while a
        // signal handler runs.
        let (mut left, mut step) = (by.0, Duration::from_secs(3600));
        loop {
            let (this, start) = (left.min(step), Instant::now());
            self.with_embedded(py, "move the clock", |director| director.advance(this))?;
            left -= this;
            if left.is_zero() {
                return Ok(());
            }
            py.check_signals()?;
            let is_quick = start.elapsed() < Duration::from_millis(10);
            step = if is_quick { step.saturating_mul(2) } else { (step / 2).max(Duration::from_secs(1)) };
        }
    }

    fn set_available_pages(&self, py: Python<'_>, pages: Whole<u64>) -> PyResult<()> {
        self.with_embedded(py, "set the available memory", |director| director.set_available_pages(pages.0))
    }

    #[pyo3(signature = (source, destination, protocol, flags, from_server, mark, length, icmp_error, tracked))]
    #[allow(clippy::too_many_arguments, reason = "what a packet is made of")]
    fn receive(
        &self,
        source: DestinationKeyArg,
        destination: DestinationKeyArg,
        protocol: &Bound<'_, PyAny>,
        flags: Option<Text>,
        from_server: bool,
        mark: Whole<u32>,
        length: Option<Whole<u32>>,
        icmp_error: bool,
        tracked: Option<bool>,
    ) -> PyResult<PyVerdict> {
        let flags = flags.as_deref();
        let arguments = PacketArgs {
            source,
            destination,
            protocol,
            flags,
            from_server,
            mark: mark.0,
            length: length.map(|length| length.0),
            icmp_error,
            tracked,
        };
        let packet = arguments.packet()?;
        self.with_embedded(protocol.py(), "take packets", |director| director.receive(&packet)).map(PyVerdict)
    }

    fn open_flow(
        &self,
        client: DestinationKeyArg,
        target: DestinationKeyArg,
        protocol: &Bound<'_, PyAny>,
        mark: Whole<u32>,
    ) -> PyResult<PyVerdict> {
        let flow = flow(&client, &target, protocol, mark.0)?;
        self.with_embedded(protocol.py(), "open conversations", |director| director.open(&flow)).map(PyVerdict)
    }

    fn send_flow(
        &self,
        client: DestinationKeyArg,
        target: DestinationKeyArg,
        protocol: &Bound<'_, PyAny>,
        mark: Whole<u32>,
        length: Whole<u32>,
    ) -> PyResult<PyVerdict> {
        let flow = flow(&client, &target, protocol, mark.0)?;
        self.with_embedded(protocol.py(), "send packets", |director| director.send(&flow, length.0)).map(PyVerdict)
    }

    fn close_flow(
        &self,
        client: DestinationKeyArg,
        target: DestinationKeyArg,
        protocol: &Bound<'_, PyAny>,
        mark: Whole<u32>,
    ) -> PyResult<()> {
        let flow = flow(&client, &target, protocol, mark.0)?;
        self.with_embedded(protocol.py(), "close conversations", |director| director.close(&flow))
    }
}
