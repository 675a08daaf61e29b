//! Choosing and counting connections, whatever their source: a [`Director`](crate::Director), the
//! kernel's files ([`procfs`](crate::procfs)), a text.
//!
//! ```
//! use lvs_core::connections::{ConnectionFilter, ConnectionSums};
//! use lvs_core::model::ConnectionState;
//! use lvs_core::procfs::Connections;
//!
//! let text = b"\
//! TCP CB007105 EC70 C0000201 0050 C6336407 1F90 ESTABLISHED     899
//! TCP CB007109 A001 C0000201 0050 C6336408 1F90 FIN_WAIT        101
//! UDP CB007105 EC71 C0000201 0035 C6336407 0035 UDP             299
//! ";
//! let filter = ConnectionFilter::new().with_service(&"tcp://192.0.2.1:80".parse()?);
//! let mut sums = ConnectionSums::new();
//! for connection in Connections::new(text) {
//!     let connection = connection?;
//!     if filter.matches(&connection) {
//!         sums.add(&connection);
//!     }
//! }
//! assert_eq!(sums.total().connections(), 2);
//! assert_eq!(sums.total().of(ConnectionState::Established), 1);
//! assert_eq!(sums.destinations().len(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod clients;
mod filter;
mod sums;
mod visit;

pub use clients::ClientSums;
pub use filter::{ConnectionFilter, ConnectionKind};
pub use sums::{ConnectionGroup, ConnectionSums, StateCounts};
pub use visit::{collect, try_visit};
