//! The Linux Virtual Server (IPVS) as a typed library.
//!
//! One typed [`model`] of an IPVS table, and two directors that hold such a table behind one trait, [`Director`]: the
//! running kernel (`kernel`, on Linux) and one in this process ([`embedded`]). Around them:
//!
//! | to ... | look at |
//! |---|---|
//! | read and write `ipvsadm` rules files | [`rules`] |
//! | print tables as `ipvsadm -L` does, or as JSON | [`listing`] |
//! | walk, filter and count connections | [`Director::visit_connections`], [`connections`], [`procfs`] |
//! | ask which real server a client will get | [`schedulers`], [`embedded`] |
//! | bring a director to a table without a gap | [`plan`] |
//! | take a real server out without cutting a connection | [`drain`] |
//! | turn probe results into weights | [`health`] |
//! | be told what has changed | [`watch`] |
//! | speak to the kernel's family yourself | `wire`, with the feature `unstable-wire` |
//!
//! ```
//! use lvs_core::embedded::EmbeddedDirector;
//! use lvs_core::plan::{OnFailure, Scope, reconcile};
//! use lvs_core::{Director, rules};
//!
//! let wanted = rules::parse("-A -t 192.0.2.1:80 -s wrr\n-a -t 192.0.2.1:80 -r 198.51.100.7:80 -m -w 3")?.to_table()?;
//! let mut director = EmbeddedDirector::new();
//! let applied = reconcile(&mut director, &wanted, &Scope::all(), OnFailure::Undo)?;
//! assert_eq!(applied.plan.len(), 2);
//! assert_eq!(director.snapshot()?.to_table().services, wanted.services);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![cfg_attr(docsrs, feature(doc_cfg))]
#![deny(unsafe_code)]

pub mod connections;
mod decode;
pub mod director;
pub mod drain;
pub mod embedded;
mod errno;
mod error;
pub mod health;
#[cfg(all(feature = "kernel", target_os = "linux"))]
pub mod kernel;
pub mod lint;
pub mod listing;
pub mod model;
pub mod plan;
pub mod procfs;
pub mod rules;
pub mod schedulers;
#[cfg(feature = "serde")]
mod seconds;
pub mod watch;
#[cfg(feature = "unstable-wire")]
pub mod wire;
// Without `unstable-wire` the kernel director uses the client's half alone.
#[cfg(all(feature = "kernel", target_os = "linux", not(feature = "unstable-wire")))]
#[allow(dead_code, unreachable_pub, unused_imports)]
mod wire;

pub use decode::DecodeError;
pub use director::Director;
pub use errno::Errno;
pub use error::{Error, ErrorKind, Result};

/// The program of the crate's README, run as a documentation test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
