use std::fmt;
use std::fs::File;
use std::io::{self, Seek as _};
use std::ops::ControlFlow;

use super::client::Client;
#[cfg(feature = "unstable-wire")]
use super::client::Resolve;
use super::options::{KernelOptions, NamespaceHandle};
use super::sockopt::SocketOptions;
#[cfg(feature = "unstable-wire")]
use super::transport::Transport;
use crate::director::{Attempt, BatchReport, Cause, Director, OnRefusal, Operation, OperationError};
use crate::error::{Error, Result};
use crate::model::{
    Connection, Coverage, Daemon, DestinationEntry, Info, SchedulerName, ServiceEntry, ServiceKey, Snapshot, Stats,
    Timeouts,
};
use crate::procfs::{ConnectionReader, ProcFile, Procfs, Status, Sysctls, TableReader};
use crate::schedulers::Profile;
use crate::trace;

pub(super) enum Backend {
    Netlink(Box<Client>),
    SocketOptions(SocketOptions),
}

/// The running kernel's IPVS, as a [`Director`].
///
/// It can be sent to another thread; one conversation at a time, hence `&mut self`. Closed when
/// dropped.
pub struct KernelDirector {
    backend: Backend,
    namespace: Option<NamespaceHandle>,
}

impl KernelDirector {
    /// Opens the director of the calling thread's network namespace over netlink, loading nothing.
    ///
    /// # Errors
    /// As [`KernelOptions::open`].
    pub fn open() -> Result<Self> {
        Self::options().open()
    }

    /// How to open a director otherwise.
    pub fn options() -> KernelOptions {
        KernelOptions::default()
    }

    /// A director over a transport of your own, on which the kernel's netlink is spoken. The
    /// family's number is resolved by name. It has no connection table to read.
    ///
    /// **Unstable**: with the feature `unstable-wire` alone.
    ///
    /// # Errors
    /// What the transport says, or [`Cause::ModuleMissing`] when the other side has no family
    /// `IPVS`.
    #[cfg(feature = "unstable-wire")]
    pub fn with_transport(transport: impl Transport + Send + 'static) -> Result<Self> {
        let client = Client::open(Box::new(transport), Resolve::ByName)?;
        Ok(Self::new(Backend::Netlink(Box::new(client)), None))
    }

    /// Runs something in this director's network namespace: there
    /// [`Procfs::current`](crate::procfs::Procfs::current) finds its files, and
    /// [`Sysctls::new`](crate::procfs::Sysctls::new) its tunables. In another namespace than the
    /// caller's it runs on a thread that lives for the length of the call.
    ///
    /// ```no_run
    /// use lvs_core::kernel::{KernelDirector, Namespace};
    /// use lvs_core::procfs::Procfs;
    ///
    /// let director = KernelDirector::options().namespace(Namespace::Name("blue".into())).open()?;
    /// let totals = director.inside(|| Procfs::current().stats())?;
    /// println!("{} connections so far", totals.counters.connections);
    /// # Ok::<(), lvs_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of `work`; [`Error::Io`] when the namespace cannot be entered, or the director has a
    /// transport of your own.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        let entered = match &self.namespace {
            Some(namespace) => namespace.inside(|| Ok(work())),
            None => Err(io::ErrorKind::Unsupported.into()),
        };
        entered.map_err(|error| Error::io("enter the director's network namespace", error))?
    }

    fn visit(&self, file: ProcFile, visitor: &mut dyn FnMut(&Connection<'_>) -> ControlFlow<()>) -> Result<()> {
        let refused = |cause| Error::from(OperationError::new(Attempt::ReadConnections, cause, None));
        let namespace = self.namespace.as_ref().ok_or_else(|| refused(Cause::Unsupported))?;
        let open = |file| namespace.inside(|| File::open(Procfs::current().path(file)));
        let source = match open(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(refused(Cause::ModuleMissing)),
            source => source.map_err(|error| Error::io(format!("open /proc/net/{}", file.name()), error))?,
        };
        // Since Linux 7.1 the table is rebuilt when it has grown or shrunk: the file then goes on
        // in another order, or ends (`ip_vs_conn.c`: `ip_vs_conn_array()`), without any sign but
        // the size in `ip_vs`.
        let size = |table: &File| TableReader::new(table).header().map(|info| info.connection_table_size);
        let table = open(ProcFile::Table).ok();
        let size_before = table.as_ref().map(size).transpose()?;
        let mut reader = ConnectionReader::named(source, file);
        let mut result = Ok(());
        while let Some(connection) = reader.next_connection() {
            match connection {
                Ok(connection) if visitor(&connection).is_break() => return result,
                Ok(_) => {}
                Err(error @ Error::Procfs(_)) => result = result.and(Err(error)),
                Err(error) => return Err(error),
            }
        }
        if let Some(mut table) = table {
            table.rewind().map_err(|error| Error::io("read /proc/net/ip_vs", error))?;
            if Some(size(&table)?) != size_before {
                result = result.and(Err(refused(Cause::Changing)));
            }
        }
        result
    }

    pub(super) fn new(backend: Backend, namespace: Option<NamespaceHandle>) -> Self {
        Self { backend, namespace }
    }

    /// What this director can see: everything over netlink.
    pub fn coverage(&self) -> Coverage {
        match self.backend {
            Backend::Netlink(_) => Coverage::FULL,
            Backend::SocketOptions(_) => Coverage::SOCKET_OPTIONS,
        }
    }
}

impl fmt::Debug for KernelDirector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KernelDirector").field("coverage", &self.coverage()).finish_non_exhaustive()
    }
}

impl Director for KernelDirector {
    fn info(&mut self) -> Result<Info> {
        match &mut self.backend {
            Backend::Netlink(client) => client.info(),
            Backend::SocketOptions(options) => options.info(),
        }
    }

    fn services(&mut self) -> Result<Vec<ServiceEntry>> {
        match &mut self.backend {
            Backend::Netlink(client) => client.services(),
            Backend::SocketOptions(options) => options.services(),
        }
    }

    fn service(&mut self, key: &ServiceKey) -> Result<ServiceEntry> {
        match &mut self.backend {
            Backend::Netlink(client) => client.service(key),
            Backend::SocketOptions(options) => options.service(key),
        }
    }

    fn destinations(&mut self, key: &ServiceKey) -> Result<Vec<DestinationEntry>> {
        match &mut self.backend {
            Backend::Netlink(client) => client.destinations(key),
            Backend::SocketOptions(options) => options.destinations(key),
        }
    }

    fn snapshot(&mut self) -> Result<Snapshot> {
        let snapshot = match &mut self.backend {
            Backend::Netlink(client) => client.snapshot(),
            Backend::SocketOptions(options) => options.snapshot(),
        }?;
        trace::read(&snapshot);
        Ok(snapshot)
    }

    /// Over netlink it reads an IPv4 table by the old socket options, at a tenth of the cost, and
    /// over netlink what these do not show and may have changed. Not seen are then a change of
    /// nothing but a service's engine, one of nothing but a tunnel's parameters, and, where there
    /// was no IPv6 service before, IPv6 services: of that family the snapshot is not complete.
    fn snapshot_after(&mut self, last: &Snapshot) -> Result<Snapshot> {
        let snapshot = match &mut self.backend {
            Backend::Netlink(client) => client.snapshot_after(last),
            Backend::SocketOptions(options) => options.snapshot(),
        }?;
        if !snapshot.complete.ipv4 {
            trace::read(&snapshot);
        }
        Ok(snapshot)
    }

    fn timeouts(&mut self) -> Result<Timeouts> {
        match &mut self.backend {
            Backend::Netlink(client) => client.timeouts(),
            Backend::SocketOptions(options) => options.timeouts(),
        }
    }

    fn daemons(&mut self) -> Result<Vec<Daemon>> {
        match &mut self.backend {
            Backend::Netlink(client) => client.daemons(),
            Backend::SocketOptions(options) => options.daemons(),
        }
    }

    fn apply(&mut self, operations: &[Operation], on_refusal: OnRefusal) -> BatchReport {
        let report = match &mut self.backend {
            Backend::Netlink(client) => client.apply(operations, on_refusal),
            Backend::SocketOptions(options) => options.apply(operations, on_refusal),
        };
        trace::applied(operations, &report);
        report
    }

    /// Reads `/proc/net/ip_vs_conn`, which needs no privilege. A malformed row does not hide those
    /// after it: it is the error at the end.
    ///
    /// Since Linux 7.1 the kernel rebuilds the table when many connections come or go. Rows may
    /// then be missing or come twice, and the error at the end is [`Cause::Changing`]: what was
    /// shown is not to be relied on, asking again helps. In every kernel connections that end while
    /// others are being shown may hide as many that are behind them.
    fn visit_connections(&mut self, visitor: &mut dyn FnMut(&Connection<'_>) -> ControlFlow<()>) -> Result<()> {
        self.visit(ProcFile::Connections, visitor)
    }

    /// Reads `/proc/net/ip_vs_conn_sync` in the same way.
    fn visit_connection_origins(&mut self, visitor: &mut dyn FnMut(&Connection<'_>) -> ControlFlow<()>) -> Result<()> {
        self.visit(ProcFile::SyncedConnections, visitor)
    }

    fn totals(&mut self) -> Result<Stats> {
        self.inside(|| Procfs::current().stats())
    }

    fn status(&mut self) -> Result<Status> {
        self.inside(|| Procfs::current().status())
    }

    /// Probes the kernel's behaviour instead of reading its version, as vendors backport changes.
    /// One probe is an update of a destination that no service can have, so it changes nothing. It
    /// needs a service: in a namespace without one, a service of firewall mark 4294967295 without a
    /// scheduler is added for that moment.
    fn profile(&mut self) -> Result<Profile> {
        self.probe_profile()
    }

    fn has_scheduler(&mut self, name: &SchedulerName) -> Result<Option<bool>> {
        match &mut self.backend {
            Backend::Netlink(client) => client.has_scheduler(name),
            Backend::SocketOptions(_) => Ok((*name == SchedulerName::NONE).then_some(true)),
        }
    }

    fn sysctl_names(&mut self) -> Result<Vec<String>> {
        self.inside(|| Sysctls::new().names())
    }

    fn sysctl(&mut self, name: &str) -> Result<String> {
        self.inside(|| Sysctls::new().get_raw(name))
    }

    fn set_sysctl(&mut self, name: &str, value: &str) -> Result<()> {
        self.inside(|| Sysctls::new().set_text(name, value))
    }
}
