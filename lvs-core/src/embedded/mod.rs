//! A director in this process that does exactly what IPVS in the kernel does.
//!
//! [`EmbeddedDirector`] holds services and destinations and answers as the kernel does: the same
//! validation in the same order with the same errno, the same lists in the same order, the same
//! counters. It needs no privileges, no kernel module and no Linux; it starts no threads and looks
//! at no clock. Time stands still until [`advance`](EmbeddedDirector::advance) moves it, so that a
//! day is tested in a moment.
//!
//! ```
//! use lvs_core::embedded::EmbeddedDirector;
//! use lvs_core::model::{Destination, Service, ServiceKey};
//! use lvs_core::{Director, ErrorKind};
//!
//! let mut director = EmbeddedDirector::new();
//! let service = Service::new(ServiceKey::tcp("192.0.2.1", 80)?);
//! director.add_service(&service)?;
//! for host in 1..=3 {
//!     director.add_destination(&service.key(), &Destination::new([198, 51, 100, host].into(), 80))?;
//! }
//! let newest = director.destinations(&service.key())?[0].destination.key;
//! assert_eq!(newest.to_string(), "198.51.100.3:80");
//! assert_eq!(director.add_service(&service).unwrap_err().kind(), ErrorKind::AlreadyExists);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Packets
//! [`receive`](EmbeddedDirector::receive) takes a [`Packet`], described by addresses, ports, flags,
//! mark and length, and answers with a [`Verdict`]: where it goes and why, or why not.
//! [`open`](EmbeddedDirector::open) and [`close`](EmbeddedDirector::close) do the same for whole
//! conversations ([`Flow`]). Connections, their states and timeouts, persistence templates,
//! thresholds, counters and rates follow as they do in the kernel.
//!
//! ```
//! use std::time::Duration;
//!
//! use lvs_core::Director;
//! use lvs_core::embedded::{EmbeddedDirector, Packet, TcpFlags};
//! use lvs_core::model::{Destination, Service, ServiceKey};
//!
//! let mut director = EmbeddedDirector::new();
//! let web = ServiceKey::tcp("192.0.2.1", 80)?;
//! director.add_service(&Service::new(web).with_persistence(300))?;
//! for host in 1..=3 {
//!     director.add_destination(&web, &Destination::new([198, 51, 100, host].into(), 80))?;
//! }
//! let syn = |port| Packet::tcp(([203, 0, 113, 9], port).into(), ([192, 0, 2, 1], 80).into(), TcpFlags::SYN);
//! let first = director.receive(&syn(40000));
//! director.advance(Duration::from_secs(200));
//! let second = director.receive(&syn(40001));
//! assert_eq!(first.destination(), second.destination());
//! assert_eq!(second.to_string(), "to 198.51.100.3:80 (direct): the client is bound to it");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What depends on a kernel's build, its boot or its machine is a parameter: [`EmbeddedOptions`].
//! What an operator can change at run time besides the table is in [`Settings`].
//!
//! # Differences
//! * Services are listed in the order of their making unless [`ServiceOrder`] says otherwise. The
//!   kernel lists them in the order of a hash that changes with every boot, and since Linux 7.1
//!   with every resize of its table.
//! * Netfilter's connection tracking is not modelled, only what it does to the director: with
//!   `conntrack` set, and for masqueraded connections to port 21 when the FTP helper is loaded, a
//!   packet that would be scheduled again is dropped while its former connection is tracked. A
//!   packet can say whether it is ([`Packet::tracked`]).
//! * The FTP helper opens no data connections: what comes to an FTP service's other ports is
//!   scheduled by the service's rules, and what a real server opens from port 20 is not the
//!   director's.
//! * A refused client may have had a connection that leaves the table with the next tick. The
//!   kernel counts its own refusal as an answer of that one, unless netfilter's limit of ICMP
//!   errors kept it from sending any; the embedded director sends none and counts none.
//! * User-mode Linux 6.1.176 was seen to drop ICMPv6 errors of real servers, and not to count those
//!   of clients; 6.1.192 and 6.12.117 forward and count both, and so does the embedded director in
//!   every profile.
//! * Fragments, clients on the director itself, and ICMP errors about the director's own tunnels
//!   are not modelled, nor are those that `schedule_icmp` would let open connections.
//! * Persistence engines are configuration only: a service with `sip` binds clients by their
//!   address.
//! * The connection table lists its entries in an order of its own.
//! * Sync daemons are configuration only: they are started, listed and stopped, but exchange
//!   nothing.

mod clock;
mod connections;
mod daemons;
mod datapath;
mod defence;
mod director;
mod estimator;
mod flow;
mod ids;
#[cfg(feature = "unstable-wire")]
mod netlink;
mod options;
mod packet;
mod protocol;
mod settings;
mod status;
mod table;
mod table_size;
mod timers;
#[cfg(all(feature = "kernel", feature = "unstable-wire", target_os = "linux"))]
mod transport;
mod verdict;
mod views;

pub use director::EmbeddedDirector;
pub use flow::{Flow, FlowProtocol};
#[cfg(feature = "unstable-wire")]
pub use netlink::NetlinkSocket;
pub use options::{EmbeddedOptions, Interface, ServiceOrder};
pub use packet::{Direction, Packet, Payload, SctpChunk, TcpFlags};
pub use settings::Settings;
#[cfg(all(feature = "kernel", feature = "unstable-wire", target_os = "linux"))]
pub use transport::EmbeddedTransport;
pub use verdict::{DropReason, ForwardReason, Forwarding, PassReason, RejectReason, Verdict};

#[cfg(test)]
mod tests;
