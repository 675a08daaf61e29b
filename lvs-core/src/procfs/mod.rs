//! The kernel's text files: `/proc/net/ip_vs*`, and the tunables in `/proc/sys/net/ipv4/vs`.
//!
//! Each file has a reader that takes any source, reads it as it goes and allocates nothing per
//! line, and a writer that gives the same bytes again; the embedded director's connections can be
//! printed the same way. [`Procfs`] opens the files of a network namespace, [`Sysctls`] reads and
//! writes the tunables.
//!
//! | file | reader | writer |
//! |---|---|---|
//! | `ip_vs` | [`TableReader`] | [`write_table`], [`write_table_row`] |
//! | `ip_vs_conn`, `ip_vs_conn_sync` | [`ConnectionReader`], [`Connections`] | [`write_connection`], [`write_synced_connection`] |
//! | `ip_vs_stats` | [`read_stats`] | [`write_stats`] |
//! | `ip_vs_stats_percpu` | [`PerCpuReader`] | [`write_per_cpu_stats`] |
//! | `ip_vs_app` | [`HelperReader`] | [`write_helpers`] |
//! | `ip_vs_status` | [`read_status`] | [`write_status`] |
//!
//! What a file leaves out is absent from its rows, not guessed: `ip_vs` says neither the family of
//! a firewall-mark service nor thresholds or tunnels; ask a [`Director`](crate::Director) for
//! those.
//!
//! Engine data is raw bytes. The kernel writes it as it is, so data with a newline in it breaks its
//! row in two; the second half is reported as malformed, and reading goes on.
//!
//! ```
//! use lvs_core::connections::ConnectionSums;
//! use lvs_core::procfs::Connections;
//!
//! // A copy of /proc/net/ip_vs_conn; `Procfs::current().connections()` reads the file itself.
//! let text = b"\
//! Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData
//! TCP CB007109 9C40 C0000201 0050 C6336407 1F90 ESTABLISHED     899
//! TCP CB00710A 9C41 C0000201 0050 C6336407 1F90 TIME_WAIT        60
//! ";
//! let sums = Connections::new(text).collect::<Result<ConnectionSums, _>>()?;
//! assert_eq!((sums.total().connections(), sums.total().active()), (2, 1));
//! # Ok::<(), lvs_core::procfs::ParseError>(())
//! ```

mod connection;
mod connection_text;
mod error;
mod files;
mod helper;
mod lines;
mod protocol;
mod state;
mod stats;
mod status;
mod sysctl;
mod table;
mod text;

pub use connection::{ConnectionReader, Connections, parse_connection};
pub use connection_text::{
    write_connection, write_connections_header, write_synced_connection, write_synced_connections_header,
};
pub use error::{ParseError, ProcFile};
pub use files::Procfs;
pub use helper::{HelperReader, HelperRow, write_helpers};
pub use stats::{PerCpuReader, PerCpuRow, read_stats, write_per_cpu_stats, write_stats};
pub use status::{EstimatorStatus, Status, TableStatus, read_status, write_status};
pub use sysctl::{Sysctl, SysctlError, SysctlInfo, SysctlRange, SysctlValue, SysctlWriters, Sysctls};
pub use table::{
    TableDestinationRow, TablePersistence, TableReader, TableRow, TableServiceRow, TableTarget, write_table,
    write_table_header, write_table_row,
};
