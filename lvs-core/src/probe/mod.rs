//! Asking real servers whether they serve: what a prober is, and, with the feature `probes`, some
//! that run under tokio.
//!
//! Whatever implements [`Prober`] is one: a request of the program's own protocol, a look into
//! another system. Its [`ProbeOutcome`] is what [`Health::report`](crate::health::Health::report)
//! takes.
//!
#![cfg_attr(feature = "probes", doc = "```")]
#![cfg_attr(not(feature = "probes"), doc = "```ignore")]
//! use std::time::Duration;
//!
//! use lvs_core::health::{Health, HealthPolicy};
//! use lvs_core::model::{Destination, Service, ServiceKey};
//! use lvs_core::probe::{Prober, Target, TcpProber, within};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let web = ServiceKey::tcp("192.0.2.1", 80)?;
//! let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
//! let server = Destination::from(listener.local_addr()?);
//! let mut health = Health::new();
//! assert_eq!(health.watch(Service::new(web), [server], HealthPolicy::default())?, [], "a service that is new");
//!
//! let target = Target::new(web, server);
//! let outcome = within(Duration::from_secs(20), TcpProber.probe(&target)).await;
//! assert_eq!(health.report(&web, &server.key, outcome.probe(), Duration::from_secs(1))?, [], "it was taken to be up");
//! assert_eq!(health.is_up(&web, &server.key), Some(true));
//! # Ok(())
//! # }
//! ```

#[cfg(all(feature = "probes", unix))]
mod command;
#[cfg(feature = "probes")]
mod late;
#[cfg(feature = "probes")]
mod tcp;

use std::fmt;
use std::io;
use std::net::SocketAddr;

#[cfg(all(feature = "probes", unix))]
pub use command::CommandProber;
#[cfg(feature = "probes")]
pub use late::within;
#[cfg(feature = "probes")]
pub use tcp::TcpProber;

use crate::errno::Errno;
use crate::health::Probe;
use crate::model::{Destination, ServiceKey};

/// Which server is asked, and for which service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Target {
    /// The service. Its address is where packets of clients go.
    pub service: ServiceKey,
    /// The real server, with its forwarding method and tunnel.
    pub server: Destination,
    /// Where to ask.
    pub address: SocketAddr,
}

impl Target {
    /// A server at its own address and port.
    pub fn new(service: ServiceKey, server: Destination) -> Self {
        Self { service, server, address: server.key.into() }
    }

    /// To be asked elsewhere, such as at a port for checks.
    #[must_use]
    pub const fn at(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }
}

/// What asking a server once came to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
// Exhaustive: as `Probe`, with reasons.
pub enum ProbeOutcome {
    /// The server answers.
    Up,
    /// The server answers and asks for this weight.
    UpWithWeight(u32),
    /// The server does not answer as it should; the reason is for people.
    Down(String),
    /// The server could not be asked for a reason of this host: no descriptor, no memory, no
    /// process, a machine that stood still. It says nothing about the server.
    NotRun(String),
}

impl ProbeOutcome {
    /// An error of the operating system: the server's fault unless this host lacks something.
    pub fn of_error(what: impl fmt::Display, error: &io::Error) -> Self {
        let text = format!("{what}: {error}");
        if is_own_shortage(error) { Self::NotRun(text) } else { Self::Down(text) }
    }

    /// What a state machine is told, without the reason.
    pub const fn probe(&self) -> Probe {
        match self {
            Self::Up => Probe::Up,
            Self::UpWithWeight(weight) => Probe::UpWithWeight(*weight),
            Self::Down(_) => Probe::Down,
            Self::NotRun(_) => Probe::Unknown,
        }
    }
}

/// A way of asking a real server.
pub trait Prober {
    /// Asks once. There is no time limit here: `within` sets one (with the feature `probes`). The
    /// future may be dropped at any time; what it has started (processes, sockets) must end with
    /// it.
    fn probe(&self, target: &Target) -> impl Future<Output = ProbeOutcome> + Send;
}

/// Whether an error means that this host lacks something: descriptors, memory, processes, local
/// ports, or the permission to send (`connect(2)`, `socket(2)`, `fork(2)`).
fn is_own_shortage(error: &io::Error) -> bool {
    let Some(errno) = error.raw_os_error() else { return error.kind() == io::ErrorKind::OutOfMemory };
    matches!(
        Errno(errno),
        Errno::EMFILE
            | Errno::ENFILE
            | Errno::ENOMEM
            | Errno::ENOBUFS
            | Errno::ENOSPC
            | Errno::EAGAIN
            | Errno::EADDRNOTAVAIL
            | Errno::EADDRINUSE
            | Errno::EPERM
            | Errno::EACCES
            | Errno::ENETDOWN
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_connection_means_down_and_a_missing_descriptor_means_nothing() {
        let of = |errno: Errno| is_own_shortage(&io::Error::from_raw_os_error(errno.0));
        assert!(of(Errno::EMFILE) && of(Errno::EADDRNOTAVAIL) && of(Errno::EAGAIN));
        // ECONNREFUSED, EHOSTUNREACH
        assert!(!of(Errno(111)) && !of(Errno(113)) && !of(Errno::ETIMEDOUT));
        assert!(is_own_shortage(&io::ErrorKind::OutOfMemory.into()));
    }
}
