//! The Linux Virtual Server (IPVS) as a typed library.
//!
//! One typed [`model`] of an IPVS table, and one trait, [`director::Director`], for those who hold such a table.
#![deny(unsafe_code)]

pub mod connections;
pub mod director;
pub mod drain;
pub mod embedded;
mod errno;
mod error;
pub mod health;
#[cfg(all(feature = "kernel", target_os = "linux"))]
pub mod kernel;
pub mod listing;
pub mod model;
pub mod plan;
pub mod procfs;
pub mod rules;
pub mod schedulers;
#[cfg(feature = "simulation")]
pub mod simulation;
pub mod watch;
pub mod wire;

pub use director::Director;
pub use errno::Errno;
pub use error::{Error, ErrorKind, Result};
