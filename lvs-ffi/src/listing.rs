//! Listings for people, and JSON.

use std::io;

use lvs_core::listing::{
    ConnectionListing, ListingMode, ListingOptions, Style, write_daemons, write_service, write_table, write_timeouts,
};
use lvs_core::rules::SystemResolver;

use crate::boundary::call;
use crate::connection::lvs_connections;
use crate::error::{Failure, lvs_error};
use crate::exports::init;
use crate::handle::{choice, required};
use crate::list::nth;
use crate::record::{self, record, zeroed};
use crate::snapshot::lvs_snapshot;
use crate::status::lvs_status;
use crate::text::lvs_text;

/// Which table is shown.
#[repr(u32)]
pub enum lvs_listing_mode {
    /// Forwarding method, weight, active and inactive connections.
    Default = 0,
    /// --stats: sums of connections, packets and bytes.
    Stats = 1,
    /// --rate: the same a second.
    Rate = 2,
    /// --thresholds: upper and lower threshold, active and inactive connections.
    Thresholds = 3,
    /// --persistent-conn: weight, persistent, active and inactive connections.
    PersistentConnections = 4,
    /// --tun-info: the default with the tunnel.
    TunnelInfo = 5,
}

/// Whose habits a listing follows.
#[repr(u32)]
pub enum lvs_listing_style {
    /// ipvsadm 1.31 as Debian ships it, byte for byte.
    Ipvsadm = 0,
    /// The same without its errors.
    Fixed = 1,
}

/// How a table is shown. Initialise it with LVS_LISTING_OPTIONS_INIT: what `ipvsadm -L -n` shows.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_listing_options {
    /// The size of this record as the program was compiled.
    pub struct_size: u32,
    /// Which table: enum lvs_listing_mode.
    pub mode: u32,
    /// Whose habits: enum lvs_listing_style.
    pub style: u32,
    /// Not 0: numbers in full, not in thousands or millions.
    pub exact: u32,
    /// Not 0: in the snapshot's order, not sorted.
    pub unsorted: u32,
    /// Not 0: ports have names where the system knows them.
    pub names: u32,
    /// Connections: not 0 shows data of persistence engines, as with --persistent-conn.
    pub engines: u32,
}

record! { lvs_listing_options: 28; }

init!(lvs_listing_options_init, options: lvs_listing_options, zeroed());

impl lvs_listing_options {
    const DEFAULT: Self =
        Self { struct_size: size_of::<Self>() as u32, mode: 0, style: 0, exact: 0, unsorted: 0, names: 0, engines: 0 };

    fn to_options<'a>(self, names: &'a SystemResolver) -> Result<ListingOptions<'a>, Failure> {
        let mode = choice(self.mode, "mode of a listing", &ListingMode::ALL)?;
        let style = choice(self.style, "style of a listing", &Style::ALL)?;
        let options = ListingOptions::new().with_mode(mode).with_style(style);
        let options = options.with_exact(self.exact != 0).with_sort(self.unsorted == 0);
        Ok(if self.names == 0 { options } else { options.with_resolver(names) })
    }
}

unsafe fn options(options: *const lvs_listing_options) -> Result<lvs_listing_options, Failure> {
    // SAFETY: NULL or as large as it says, by the promise of the caller.
    Ok(unsafe { record::read_optional(options)? }.unwrap_or(lvs_listing_options::DEFAULT))
}

/// Writes into a text; memory takes all that is written.
fn written(text: Option<&mut lvs_text>, write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> Result<(), Failure> {
    required(text, "text")?
        .replace_bytes(|bytes| write(bytes).map_err(|error| lvs_core::Error::io("write a listing", error).into()))
}

/// Writes the table of all services, as `ipvsadm -L` does. `options` may be NULL.
/// Ends the process if there is no memory for it.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_snapshot_list(
    snapshot: Option<&lvs_snapshot>,
    options: *const lvs_listing_options,
    text: Option<&mut lvs_text>,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let snapshot = required(snapshot, "snapshot")?;
        let names = SystemResolver::new();
        let options = self::options(options)?.to_options(&names)?;
        written(text, |out| write_table(out, &snapshot.0, &options))
    })
}

/// Writes the table of service `index`, as `ipvsadm -L -t SERVICE` does: without the first line.
/// `options` may be NULL. Ends the process if there is no memory for it.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_snapshot_list_service(
    snapshot: Option<&lvs_snapshot>,
    index: usize,
    options: *const lvs_listing_options,
    text: Option<&mut lvs_text>,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let service = nth(&required(snapshot, "snapshot")?.0.services, index)?;
        let names = SystemResolver::new();
        let options = self::options(options)?.to_options(&names)?;
        written(text, |out| write_service(out, service, &options))
    })
}

/// Writes the timeouts, as `ipvsadm -L --timeout` does.
/// Ends the process if there is no memory for it.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_snapshot_list_timeouts(
    snapshot: Option<&lvs_snapshot>,
    text: Option<&mut lvs_text>,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let snapshot = required(snapshot, "snapshot")?;
        written(text, |out| write_timeouts(out, &snapshot.0.timeouts))
    })
}

/// Writes the sync daemons, as `ipvsadm -L --daemon` does: nothing if none runs.
/// Ends the process if there is no memory for it.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_snapshot_list_daemons(
    snapshot: Option<&lvs_snapshot>,
    text: Option<&mut lvs_text>,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let snapshot = required(snapshot, "snapshot")?;
        written(text, |out| write_daemons(out, &snapshot.0.daemons))
    })
}

/// Writes the connections of a list, as `ipvsadm -L -c` does. `options` may be NULL. With data of
/// persistence engines the text may hold any bytes. Ends the process if there is no memory for it.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_connections_list(
    connections: Option<&lvs_connections>,
    options: *const lvs_listing_options,
    text: Option<&mut lvs_text>,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let connections = required(connections, "connections")?;
        let names = SystemResolver::new();
        let given = self::options(options)?;
        let options = given.to_options(&names)?;
        written(text, |out| {
            let mut listing = ConnectionListing::new(out, options, given.engines != 0)?;
            connections.each(|connection| listing.write(connection))
        })
    })
}
