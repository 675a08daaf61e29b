//! Tables for people: `ipvsadm -L` in all its forms.
//!
//! In [`Style::Ipvsadm`] the output is that of Debian's `ipvsadm` 1.31, byte for byte.
//! [`Style::Fixed`] has the same layout without its errors:
//!
//! | | `Ipvsadm` | `Fixed` |
//! |---|---|---|
//! | order | by differences cut to 32 bits with a sign: 192.168.0.1 before 10.0.0.1, marks from 2^31 first; the comparison is not transitive, so the result depends on the C library's merge sort, which is followed | by number |
//! | marks from 2^31 | negative | as they are |
//! | long names | services cut at 33 characters, destinations at 28, ports lost | whole |
//! | statistics of destinations | cut to 32 bits | whole |
//! | connection rates of destinations | neither scaled nor aligned | as those of services |
//! | third scheduler flag of sh and mh, unknown flags | left out, empty parentheses | `flag-3`, in hexadecimal |
//! | persistence engine | of persistent services alone | always |
//!
//! ```
//! use lvs_core::listing::{ListingMode, ListingOptions, write_table};
//! use lvs_core::model::*;
//!
//! let mut snapshot = Snapshot::new(Info::default(), Coverage::FULL);
//! let service = Service::new("tcp://192.0.2.1:80".parse()?).with_persistence(300);
//! let destination = Destination::new("198.51.100.7".parse()?, 80).with_weight(3);
//! snapshot.services.push(ServiceSnapshot {
//!     entry: ServiceEntry::new(service),
//!     destinations: vec![DestinationEntry::new(destination)],
//! });
//! let mut text = Vec::new();
//! write_table(&mut text, &snapshot, &ListingOptions::new())?;
//! assert_eq!(
//!     String::from_utf8(text)?,
//!     "IP Virtual Server version 1.2.1 (size=4096)\n\
//!      Prot LocalAddress:Port Scheduler Flags\n  \
//!        -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n\
//!      TCP  192.0.2.1:80 wlc persistent 300\n  \
//!        -> 198.51.100.7:80              Route   3      0          0         \n"
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cells;
mod connections;
mod options;
mod order;
mod system;
mod table;

pub use connections::ConnectionListing;
pub use options::{ListingMode, ListingOptions, Style};
pub use order::{sort_destinations, sort_services};
pub use system::{write_daemons, write_timeouts};
pub use table::{write_service, write_table};
