//! Workloads on the embedded director: what would happen if.
//!
//! A [`Workload`] says who comes, how often, for how long, and what happens to the servers
//! meanwhile; each of these is given by you or drawn from a distribution with a seed.
//! [`Workload::run`] plays it on an [`EmbeddedDirector`](lvs_core::embedded::EmbeddedDirector),
//! connection by connection, and the [`Report`] holds each server's share, peak and imbalance over
//! time, the clients that every change of the set moved, and the connections that it broke: as a
//! table to read and as data to plot.
//!
//! The scheduler's choices, the persistence and the counters are those of the kernel. The network
//! and the servers are not modelled: a session lasts as long as drawn, however loaded its server
//! is.
//!
//! ```
//! use std::time::Duration;
//!
//! use lvs_core::model::{Destination, Service, ServiceKey};
//! use lvs_sim::{Arrivals, Clients, Event, Lengths, Workload};
//!
//! let service = Service::new(ServiceKey::tcp("192.0.2.1", 80)?).with_scheduler("mh".parse()?);
//! let mut workload = Workload::new(service, Duration::from_secs(120));
//! for host in 1..=4 {
//!     workload.servers.push(Destination::new([198, 51, 100, host].into(), 80));
//! }
//! workload.arrivals = Arrivals::Poisson { per_second: 50.0 };
//! workload.lengths = Lengths::LogNormal { median: Duration::from_secs(3), spread: 1.0 };
//! workload.clients = Clients::Zipf { count: 500, exponent: 0.8 };
//! workload.events.push((Duration::from_secs(60), Event::Fail(workload.servers[0].key)));
//! let report = workload.run()?;
//! // mh moves the clients of the server that failed, and few others.
//! let change = &report.changes[0];
//! assert!(change.moved_without_need * 10 < change.returning);
//! println!("{report}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod draw;
mod report;
mod run;
mod workload;

pub use report::{Change, Report, Sample, ServerReport};
pub use workload::{Arrivals, Clients, Event, Lengths, Workload};

#[cfg(test)]
mod tests;
