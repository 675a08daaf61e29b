//! The kernel director: the running kernel's IPVS behind the [`Director`](crate::Director) trait.
//!
//! ```no_run
//! use lvs_core::kernel::{KernelDirector, Namespace};
//! use lvs_core::model::{Destination, ForwardingMethod, Service, ServiceKey};
//! use lvs_core::Director;
//!
//! let mut director = KernelDirector::options().namespace(Namespace::Name("blue".to_owned())).open()?;
//! let key = ServiceKey::tcp("192.0.2.1", 80)?;
//! director.add_service(&Service::new(key))?;
//! let server = Destination::new("198.51.100.7".parse()?, 8080).with_forwarding(ForwardingMethod::Masquerade);
//! director.add_destination(&key, &server)?;
//! assert_eq!(director.destinations(&key)?[0].destination, server);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Two ways to the kernel
//! *Generic netlink* carries everything; it takes `CAP_NET_ADMIN` in the initial user namespace,
//! for reading, too. The *old socket options* carry less
//! ([`Coverage::SOCKET_OPTIONS`](crate::model::Coverage::SOCKET_OPTIONS)), but the root of a user
//! namespace may use them, and they read an IPv4 table at a fraction of the cost. See
//! [`TransportChoice`].
//!
//! # How it handles the kernel's replies
//! * Many changes travel in one system call. Only the last requests an acknowledgement; a refused
//!   one causes a reply in any case, which is matched to its operation by its sequence number.
//! * `ENOENT` of a service with a persistence engine means that scheduler or engine is missing. The
//!   director finds out which, by requesting an invalid service and seeing which check refuses it;
//!   nothing changes by that.
//! * `ENOENT` also means that the module was unloaded and the family's number is stale. One more
//!   request tells which.
//! * An empty list of destinations is also the kernel's reply for an absent service. So an empty
//!   list is followed by a request for the service.
//! * A list that came in parts may lack entries that were there all the time, or hold them twice,
//!   when others were removed or added meanwhile, or (since Linux 7.1) when the kernel resized its
//!   table. IPv4 lists are checked against those of the old socket options, which the kernel makes
//!   under its lock; others are read until two readings agree that the kernel cut at different
//!   places. A snapshot says where neither helped:
//!   [`Completeness`](crate::model::Completeness); `services` and `destinations` then fail with
//!   [`Cause::Changing`](crate::director::Cause::Changing).
//! * A read that was disturbed (replies lost, a dump in flight, a closed socket) is repeated on a
//!   fresh socket. A change never is: [`BatchReport`](crate::director::BatchReport) says which
//!   changes are uncertain.
//!
//! # Rules for the process around it
//! No threads but one, and that only while a socket or file is opened in another network namespace:
//! it lives as long as the call. No signals, no global state, no program started. `EINTR` is
//! retried.
//!
//! A snapshot is read over one socket, one list after the other. Reading the lists of destinations
//! over several sockets at once would take threads, and what it finds is not from one walk through
//! the services. A program that wants it opens a director in each of its threads and asks each for
//! the destinations of its part. Of 10,000 services with two destinations each that takes, with two
//! threads on two processors, 0.53 of the time of one on Linux 7.3, and 1.01 on 6.12, where all
//! readers share a lock (`sockets` of `benches/kernel.rs`). What else a snapshot reads, 0.3 to 0.5
//! of its time, cannot be divided.
//!
//! The socket is `netlink-sys`'s; several datagrams in one system call, timeouts and
//! namespaces come from `nix`.

mod again;
mod apply;
mod client;
mod director;
mod fault;
mod locked;
mod namespace;
mod netlink;
mod options;
mod profile;
mod read;
mod sockopt;
mod sys;
#[cfg(test)]
#[cfg(feature = "unstable-wire")]
mod tests;
#[cfg_attr(not(feature = "unstable-wire"), allow(dead_code, unreachable_pub))] // Public with the feature alone.
mod transport;
mod whole;

pub use director::KernelDirector;
pub use namespace::Namespace;
pub use options::{KernelOptions, TransportChoice};
#[cfg(feature = "unstable-wire")]
pub use transport::{Inbox, Transport};
