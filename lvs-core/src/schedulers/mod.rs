//! The kernel's schedulers: which destination gets the next connection.
//!
//! Every scheduler that Linux ships for IPVS, one module each, making the very choices that the
//! kernel makes: same destinations, same history, same choice. They need no director, no clock and
//! no privileges: a [`Pool`] holds the destinations of one virtual service with their weights and
//! connection counters, a [`Scheduler`] chooses among them, and a [`Balancer`] keeps the two in
//! step.
//!
//! ```
//! use lvs_core::schedulers::{Balancer, Family, NewDestination, SchedulerOptions, Pool, Profile, Request, by_name};
//!
//! let scheduler = by_name("wlc", &SchedulerOptions::default()).expect("wlc exists");
//! let mut balancer = Balancer::new(Pool::new(Profile::New, Family::V4), scheduler, 0)?;
//! for (host, weight) in [(1, 3), (2, 2), (3, 1)] {
//!     balancer.add(NewDestination::new([198, 51, 100, host].into(), 80, weight))?;
//! }
//! let request = Request::tcp("203.0.113.9:40000".parse()?, "192.0.2.1:80".parse()?);
//! let mut hosts = String::new();
//! for _ in 0..6 {
//!     let chosen = balancer.connect(&request).expect("all weights are above 0");
//!     hosts += &format!("{} ", balancer.pool().addr(chosen));
//! }
//! assert_eq!(hosts, "198.51.100.3 198.51.100.2 198.51.100.1 198.51.100.1 198.51.100.2 198.51.100.1 ");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Which one
//!
//! [`by_name`] makes one. When to take each, and when it surprises, is documented at its
//! type, which is public with the feature `unstable-schedulers` alone.
//!
//! | name | type | decides by | heeds weights | like the kernel's |
//! |---|---|---|---|---|
//! | `rr` | `Rr` | turn | no | exactly |
//! | `wrr` | `Wrr` | turn | yes | exactly |
//! | `lc` | `Lc` | connections | no | exactly |
//! | `wlc` | `Wlc` | connections | yes | exactly |
//! | `sed` | `Sed` | active connections, the new one included | yes | exactly |
//! | `nq` | `Nq` | idle first, else as `sed` | except among idle ones | exactly |
//! | `fo` | `Fo` | weight alone | yes | exactly |
//! | `ovf` | `Ovf` | weight, while active connections are no more than that | as a number of connections | exactly |
//! | `dh` | `Dh` | destination address | no | exactly |
//! | `sh` | `Sh` | client address (and port) | yes | exactly, for tables of any configured size |
//! | `mh` | `Mh` | client address (and port), keeping most clients where they are | yes | exactly, of 64-bit little-endian kernels; others hash differently |
//! | `lblc` | `Lblc` | destination address, then connections | yes | exactly |
//! | `lblcr` | `Lblcr` | destination address, then connections, in sets | yes | exactly |
//! | `twos` | `Twos` | connections of two drawn by weight | yes | in distribution: the kernel draws from a generator nobody can read |
//!
//! "Exactly" means compared with Linux 6.1.176 ([`Profile::Old`]), 6.1.192 and 6.12.117
//! ([`Profile::New`]), and 7.3.4 ([`Profile::Linux7`]): the recorded choices in
//! `tests/data/schedulers` on all three, and random histories of connections and commands, IPv4 and
//! IPv6, in `tests/kernel_schedulers.rs`, whichever kernel that runs on. Not compared that way: the
//! aging of lblc's and lblcr's caches, numbers that overflow 32 bits, and tables of other sizes
//! than the default ones.
//!
//! # Words and rules
//!
//! * The list of destinations is **newest first**; "first" in this module's descriptions means
//!   nearest to the head.
//! * A destination is *quiesced* when its weight is 0, and *overloaded* from when its connections
//!   reach the upper threshold until they fall below the lower one ([`Balancer::edit`]).
//! * A choice of `None` means that the client is refused.
//! * A scheduler is asked only for new connections: those that exist stay, and with persistence a
//!   client's template decides.
//!
//! No scheduler chooses a quiesced, overloaded or removed destination, except:
//!
//! * lblc keeps to a remembered destination though it is overloaded.
//! * mh keeps its former table when there are more destinations than slots, and may choose one from
//!   it that was removed since.
//! * wlc, lblc and lblcr may choose a quiesced one whose [overhead](Pool::overhead) has overflowed
//!   and is negative.
//!
//! The examples of the schedulers use destinations named A, B, C in the order they were added;
//! `picks` opens connections that stay active and tells who got each, `-` for nobody.

#![cfg_attr(not(feature = "unstable-schedulers"), allow(dead_code, unreachable_pub))]

mod balancer;
mod cache;
mod destination;
mod flags;
#[cfg(not(feature = "unstable-schedulers"))]
mod hash;
#[cfg(feature = "unstable-schedulers")]
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
mod locality;
mod mh;
mod nq;
mod ovf;
mod rr;
mod sed;
mod sh;
#[cfg(test)]
mod tests;
mod twos;
mod weights;
mod wlc;
mod wrr;

pub use balancer::Balancer;
pub use destination::{DestinationExists, DestinationId, Family, NewDestination};
pub use flags::flag_by_name;
pub use options::{Profile, SchedulerOptions};
pub use pool::{Iter, Pool};
pub use request::Request;
pub use scheduler::{BindError, SCHEDULERS, Scheduler, SchedulerInfo, by_name, info};

pub(crate) use flags::{all_flag_names, flag_names, has_flags};

// What the schedulers are made of, for tests and benches.
#[cfg(feature = "unstable-schedulers")]
pub use {
    dh::Dh, fo::Fo, lblc::Lblc, lblcr::Lblcr, lc::Lc, mh::Mh, nq::Nq, ovf::Ovf, rr::Rr, sed::Sed, sh::Sh, wlc::Wlc,
    wrr::Wrr,
};
#[cfg(feature = "unstable-schedulers")]
pub use {
    options::{Random, SplitMix64},
    twos::Twos,
};
#[cfg(not(feature = "unstable-schedulers"))]
pub(crate) use {
    options::{Random, SplitMix64},
    twos::Twos,
};
