//! The Linux Virtual Server (IPVS) as a typed library.
//!
//! One typed [`model`] of an IPVS table, and one trait, [`director::Director`], for those who hold such a table.
#![deny(unsafe_code)]

pub mod director;
mod errno;
mod error;
pub mod model;
pub mod schedulers;

pub use director::Director;
pub use errno::Errno;
pub use error::{Error, ErrorKind, Result};
