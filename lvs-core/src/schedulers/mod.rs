//! The kernel's schedulers: which destination gets the next connection.
//!
//! Every scheduler that Linux ships for IPVS, one module each, making the very choices that the kernel makes: same destinations,
//! same history, same choice. They need no director, no clock and no privileges: a [`Pool`] holds the destinations
//! of one virtual service with their weights and connection counters, a [`Scheduler`] chooses among them, and a [`Balancer`]
//! keeps the two in step.
//!
//! ```
//! use lvs_core::schedulers::{Balancer, Family, NewDestination, Options, Pool, Profile, Request, by_name};
//!
//! let scheduler = by_name("wlc", &Options::default()).expect("wlc exists");
//! let mut balancer = Balancer::new(Pool::new(Profile::New, Family::V4), scheduler, 0)?;
//! for (host, weight) in [(1, 3), (2, 2), (3, 1)] {
//!     balancer.add(NewDestination::new([198, 51, 100, host].into(), 80, weight))?;
//! }
//! let request = Request::tcp("203.0.113.9:40000".parse()?, "192.0.2.1:80".parse()?);
//! let mut hosts = String::new();
//! for _ in 0..6 {
//!     let chosen = balancer.pick(&request).expect("all weights are above 0");
//!     balancer.connection_added(chosen);
//!     balancer.connection_activated(chosen);
//!     hosts += &format!("{} ", balancer.pool().addr(chosen));
//! }
//! assert_eq!(hosts, "198.51.100.3 198.51.100.2 198.51.100.1 198.51.100.1 198.51.100.2 198.51.100.1 ");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod balancer;
mod cache;
pub mod hash;
mod options;
mod pool;
mod request;
mod scheduler;

mod dh;
mod fo;
mod index;
mod lblc;
mod lblcr;
mod lc;
mod least;
mod line;
mod mh;
mod nq;
mod ovf;
mod rr;
mod sed;
mod sh;
mod twos;
mod weights;
mod wlc;
mod wrr;

pub use balancer::Balancer;
pub use dh::Dh;
pub use fo::Fo;
pub use lblc::Lblc;
pub use lblcr::Lblcr;
pub use lc::Lc;
pub use mh::Mh;
pub use nq::Nq;
pub use options::{Options, Profile, Random, SplitMix64};
pub use ovf::Ovf;
pub use pool::{Destination, DestinationExists, DestinationId, Family, Iter, NewDestination, Pool};
pub use request::Request;
pub use rr::Rr;
pub use scheduler::{BindError, SCHEDULERS, Scheduler, SchedulerInfo, by_name, info};
pub use sed::Sed;
pub use sh::Sh;
pub use twos::Twos;
pub use wlc::Wlc;
pub use wrr::Wrr;
