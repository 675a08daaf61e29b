use std::fmt;
use std::fs::File;
use std::io;
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
    Connection, Coverage, Daemon, DestinationEntry, Info, ServiceEntry, ServiceKey, Snapshot, Timeouts,
};
use crate::procfs::{ConnectionReader, ProcFile, Procfs};

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

    /// As [`Director::visit_connections`], from `/proc/net/ip_vs_conn_sync`: each connection has
    /// its [`origin`](Connection::origin), and none its engine data.
    ///
    /// # Errors
    /// As there.
    pub fn visit_synced_connections(
        &mut self,
        visitor: &mut dyn FnMut(&Connection<'_>) -> ControlFlow<()>,
    ) -> Result<()> {
        self.visit(ProcFile::SyncedConnections, visitor)
    }

    fn visit(&self, file: ProcFile, visitor: &mut dyn FnMut(&Connection<'_>) -> ControlFlow<()>) -> Result<()> {
        let refused = |cause| Error::from(OperationError::new(Attempt::ReadConnections, cause, None));
        let namespace = self.namespace.as_ref().ok_or_else(|| refused(Cause::Unsupported))?;
        let open = namespace.inside(|| File::open(Procfs::current().path(file)));
        let source = match open {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(refused(Cause::ModuleMissing)),
            source => source.map_err(|error| Error::io(format!("open /proc/net/{}", file.name()), error))?,
        };
        let mut reader = ConnectionReader::named(source, file);
        let mut result = Ok(());
        while let Some(connection) = reader.next_connection() {
            match connection {
                Ok(connection) if visitor(&connection).is_break() => break,
                Ok(_) => {}
                Err(error @ Error::Procfs(_)) => result = result.and(Err(error)),
                Err(error) => return Err(error),
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
        match &mut self.backend {
            Backend::Netlink(client) => client.snapshot(),
            Backend::SocketOptions(options) => options.snapshot(),
        }
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
        match &mut self.backend {
            Backend::Netlink(client) => client.apply(operations, on_refusal),
            Backend::SocketOptions(options) => options.apply(operations, on_refusal),
        }
    }

    /// Reads `/proc/net/ip_vs_conn`, which needs no privilege. Where a connection came from is in
    /// `ip_vs_conn_sync` alone: see [`KernelDirector::visit_synced_connections`]. A row that makes
    /// no sense does not hide those after it: it is the error at the end.
    fn visit_connections(&mut self, visitor: &mut dyn FnMut(&Connection<'_>) -> ControlFlow<()>) -> Result<()> {
        self.visit(ProcFile::Connections, visitor)
    }
}
