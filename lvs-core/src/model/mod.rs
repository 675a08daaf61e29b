//! What an IPVS table holds, as plain data.
//!
//! Three kinds of types, kept apart:
//!
//! * **Configuration**, what you set: [`Service`], [`Destination`], [`Timeouts`], [`Daemon`], and a
//!   whole [`Table`].
//! * **Change** of the one into another: [`Operation`].
//! * **Observation**, what a director reports: [`ServiceEntry`], [`DestinationEntry`] with
//!   [`Stats`], [`Info`], [`Connection`], and a whole [`Snapshot`].
//!
//! Values are small and `Copy` where they can be; they compare, hash and order. The model refuses
//! only what cannot be said to the kernel at all; whether a request makes sense is the director's
//! answer. What the kernel may report and this crate does not know yet (a scheduler's name, a flag
//! bit, a forwarding method) is kept.
//!
//! ```
//! use lvs_core::model::{Destination, ForwardingMethod, Service, ServiceKey};
//!
//! let key = ServiceKey::tcp("192.0.2.1", 80)?;
//! let service = Service::new(key).with_scheduler("wrr".parse()?).with_persistence(300);
//! let destination = Destination::new("198.51.100.7".parse()?, 8080)
//!     .with_forwarding(ForwardingMethod::Masquerade)
//!     .with_weight(3);
//! assert_eq!(service.key().to_string(), "tcp://192.0.2.1:80");
//! assert_eq!(destination.key.to_string(), "198.51.100.7:8080");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod connection;
mod convert;
mod daemon;
mod destination;
mod error;
mod family;
mod flags;
mod info;
mod name;
mod named;
mod netmask;
mod operation;
mod owned;
mod protocol;
#[cfg(feature = "serde")]
mod record;
mod service;
mod snapshot;
mod stats;
mod table;
mod text;
mod timeouts;

pub use connection::{Connection, ConnectionOrigin, ConnectionState, ConnectionTarget, EngineData};
pub use convert::{IntoAddr, IntoSeconds};
pub use daemon::{Daemon, DaemonRole};
pub use destination::{Destination, DestinationEntry, DestinationKey, ForwardingMethod, Tunnel, TunnelKind};
pub use error::ModelError;
pub use family::AddressFamily;
pub use flags::{ServiceFlags, TunnelFlags};
pub use info::{Info, Version};
pub use name::{EngineName, InterfaceName, SchedulerName};
pub use named::Named;
pub(crate) use named::one_of;
pub use netmask::{Netmask, PrefixLength};
pub use operation::{Operation, OperationKind};
pub use owned::OwnedConnection;
pub use protocol::Protocol;
pub use service::{Service, ServiceEntry, ServiceKey};
pub use snapshot::{Completeness, Coverage, ServiceSnapshot, Snapshot};
pub use stats::{Counters, Rates, Stats};
pub use table::{Table, TableService};
pub use timeouts::Timeouts;
