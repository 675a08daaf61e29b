//! Taking servers out without cutting a connection: quiesce, wait, remove.
//!
//! [`Drain`] is a state machine without clock or director: show it a
//! [`Snapshot`](crate::model::Snapshot) and the time, and it says which operations are due and how
//! much is left. [`run`] drives it against a director, [`DrainRun`] does so step by step.
//!
//! What it waits for is a [`DrainPolicy`]. A weight of 0 stops new connections from being
//! scheduled, but a persistent service still sends known clients to a quiesced server until its
//! templates run out (unless `expire_quiescent_template` is set), so a drain of such a service can
//! wait for templates, too.
//!
//! What is removed may still have entries in the director's table: closed connections, and UDP
//! flows, which by default are not waited for. The kernel drops what comes on them: a client that
//! uses a port again, or goes on with its flow, gets no answer until they time out. With
//! masquerading the kernel knows that a TCP connection has ended and schedules its port again; with
//! direct routing and tunnels it sees no replies and does not know for two minutes. Set
//! `net.ipv4.vs.expire_nodest_conn` to 1, or let the drain wait for [`WaitFor::Inactive`];
//! [`Drained::left_behind`] says what was affected.
//!
//! A drain keeps nothing that the table does not say, but for the weights to go back to on [`Drain::cancel`]: after a
//! restart a new `Drain` of the same target finds the quiesced servers and goes on waiting.
//!
//! ```
//! use std::time::Duration;
//! use lvs_core::drain::{Drain, DrainPolicy, DrainTarget};
//! use lvs_core::model::*;
//!
//! let key = ServiceKey::tcp("192.0.2.1", 80)?;
//! let mut server = DestinationEntry::new(Destination::new("198.51.100.7".parse()?, 80));
//! server.active = 1;
//! let mut table = Snapshot::new(Info::default(), Coverage::FULL);
//! table.services.push(ServiceSnapshot { entry: ServiceEntry::new(Service::new(key)), destinations: vec![server] });
//!
//! let mut drain = Drain::new(DrainTarget::Destination(key, server.destination.key), DrainPolicy::default());
//! let progress = drain.step(&table, Duration::ZERO);
//! assert_eq!(progress.operations[0].to_string(), "update destination 198.51.100.7:80 of tcp://192.0.2.1:80");
//!
//! table.services[0].destinations[0].destination.weight = 0;
//! assert!(drain.step(&table, Duration::from_secs(1)).operations.is_empty(), "one connection is still active");
//!
//! table.services[0].destinations[0].active = 0;
//! let progress = drain.step(&table, Duration::from_secs(2));
//! assert_eq!(progress.operations[0].to_string(), "remove destination 198.51.100.7:80 from tcp://192.0.2.1:80");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod driver;
mod machine;
mod policy;

pub use driver::{DrainRun, Drained, run};
pub use machine::{Drain, DrainProgress, Remaining};
pub use policy::{DrainError, DrainPolicy, DrainTarget, WaitFor};

#[cfg(test)]
mod tests;
