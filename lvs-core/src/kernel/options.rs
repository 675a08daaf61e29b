use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::client::{Client, Resolve};
use super::director::{Backend, KernelDirector};
use super::locked::LockedLists;
use super::namespace::{Namespace, inside};
use super::netlink::NetlinkSocket;
use super::sockopt::SocketOptions;
use crate::error::{Error, ErrorKind, Result};

/// Which of the kernel's two interfaces to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum TransportChoice {
    /// Generic netlink: everything, for those with `CAP_NET_ADMIN` in the initial user namespace.
    #[default]
    Netlink,
    /// The old socket options: IPv4 alone, no tunnels, no engines, no 64-bit counts
    /// ([`Coverage::SOCKET_OPTIONS`](crate::model::Coverage::SOCKET_OPTIONS)). They work for the
    /// root of a user namespace, too, and read a table at a fraction of netlink's cost.
    SocketOptions,
    /// Netlink, or the socket options where netlink is not permitted.
    Auto,
}

/// How to open a [`KernelDirector`].
#[derive(Debug, Clone)]
#[must_use]
pub struct KernelOptions {
    namespace: Namespace,
    load_module: bool,
    transport: TransportChoice,
    receive_timeout: Option<Duration>,
}

impl Default for KernelOptions {
    fn default() -> Self {
        Self {
            namespace: Namespace::Current,
            load_module: false,
            transport: TransportChoice::Netlink,
            receive_timeout: Some(Self::DEFAULT_RECEIVE_TIMEOUT),
        }
    }
}

impl KernelOptions {
    /// How long an answer may take where nothing else is said. The kernel answers at once, but for
    /// modules that it has to load and for others that hold its lock.
    pub const DEFAULT_RECEIVE_TIMEOUT: Duration = Duration::from_secs(60);

    /// Works in another network namespace. To enter it takes `CAP_SYS_ADMIN`.
    pub fn namespace(mut self, namespace: Namespace) -> Self {
        self.namespace = namespace;
        self
    }

    /// Has the kernel load the module `ip_vs` if it is missing: asked for the family by name, it
    /// runs its own `modprobe`, and this process starts nothing. Off unless asked for.
    ///
    /// Modules of schedulers are another matter: the kernel loads them when a service names one,
    /// and cannot be told not to.
    pub fn load_module(mut self, load: bool) -> Self {
        self.load_module = load;
        self
    }

    /// Uses that interface.
    pub fn transport(mut self, choice: TransportChoice) -> Self {
        self.transport = choice;
        self
    }

    /// Waits so long for an answer, [`Self::DEFAULT_RECEIVE_TIMEOUT`] unless set. An answer that
    /// does not come in time is an [`Error::Io`] of kind [`io::ErrorKind::TimedOut`]; whether a
    /// change took effect is then not known.
    pub fn receive_timeout(mut self, timeout: Duration) -> Self {
        self.receive_timeout = Some(timeout);
        self
    }

    /// Waits for ever.
    pub fn without_receive_timeout(mut self) -> Self {
        self.receive_timeout = None;
        self
    }

    /// Opens the director.
    ///
    /// # Errors
    /// * [`Cause::ModuleMissing`](crate::director::Cause::ModuleMissing) when the kernel has no
    ///   IPVS, or it is not loaded.
    /// * [`Error::Io`] when the namespace or a socket cannot be had.
    /// * With [`TransportChoice::SocketOptions`] a missing privilege; over netlink that shows at
    ///   the first operation.
    pub fn open(self) -> Result<KernelDirector> {
        let namespace =
            self.namespace.open().map_err(|error| Error::io(format!("open {}", self.namespace), error))?.map(Arc::new);
        let backend = match self.transport {
            TransportChoice::Netlink => Backend::Netlink(Box::new(self.netlink(namespace.clone())?)),
            TransportChoice::SocketOptions => Backend::SocketOptions(self.socket_options(namespace.clone())?),
            TransportChoice::Auto => {
                let mut client = self.netlink(namespace.clone())?;
                match client.info() {
                    Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                        Backend::SocketOptions(self.socket_options(namespace.clone())?)
                    }
                    Err(error) => return Err(error),
                    Ok(_) => Backend::Netlink(Box::new(client)),
                }
            }
        };
        Ok(KernelDirector::new(backend, Some(NamespaceHandle { namespace })))
    }

    fn netlink(&self, namespace: Option<Arc<File>>) -> Result<Client> {
        let socket = NetlinkSocket::open(namespace.clone(), self.receive_timeout)
            .map_err(|error| Error::io(format!("open a netlink socket in {}", self.namespace), error))?;
        let resolve = if self.load_module { Resolve::ByName } else { Resolve::InList };
        let mut client = Client::open(Box::new(socket), resolve)?;
        client.witness = Some(Box::new(LockedLists::new(namespace)));
        Ok(client)
    }

    fn socket_options(&self, namespace: Option<Arc<File>>) -> Result<SocketOptions> {
        if self.load_module {
            // Only netlink can ask for the module; whether it comes, the option below says.
            let _ = self.netlink(namespace.clone());
        }
        SocketOptions::open(namespace)
    }
}

/// The network namespace that a director works in.
#[derive(Debug)]
pub(super) struct NamespaceHandle {
    namespace: Option<Arc<File>>,
}

impl NamespaceHandle {
    /// Runs something in the director's namespace.
    pub(super) fn inside<T: Send>(&self, work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
        inside(self.namespace.as_deref(), work)
    }
}
