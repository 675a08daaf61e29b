//! A director in this process: the exact twin of IPVS in the kernel.
//!
//! [`EmbeddedDirector`] holds services and destinations and answers as the kernel does: the same validation in the same
//! order with the same errno, the same lists in the same order, the same counters. It needs no
//! privileges, no kernel module and no Linux; it starts no threads and looks at no clock. Time stands still until
//! [`advance`](EmbeddedDirector::advance) moves it, so that a day is tested in a moment.
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
//! What depends on a kernel's build, its boot or its machine is a parameter: [`Options`]. What an operator can change at
//! run time besides the rules is in [`Settings`].
//!
//! # Differences
//! * Services are listed in the order of their making, address services before firewall marks. The kernel lists them in
//!   the order of a hash that changes with every boot.
//! * Sync daemons are configuration only: they are started, listed and stopped, but exchange nothing.

mod clock;
#[allow(dead_code, reason = "`backup_only` will ask")]
mod daemons;
mod director;
#[allow(dead_code, reason = "packets will be counted")]
mod estimator;
mod hash;
mod options;
#[allow(dead_code, reason = "packets will look services up")]
mod rules;
mod settings;

pub use director::EmbeddedDirector;
pub use options::{Interface, Options};
pub use settings::Settings;

#[cfg(test)]
mod tests;
