//! `ip_vs`: the rule table as text. It is the oldest interface and says the least.
//!
//! ```text
//! IP Virtual Server version 1.2.1 (size=4096)
//! Prot LocalAddress:Port Scheduler Flags
//!   -> RemoteAddress:Port Forward Weight ActiveConn InActConn
//! TCP  C0000201:0050 wlc  persistent 75000 FFFFFF00
//!   -> C6336407:1F90      Masq    1      2          0
//! ```

use std::io::{self, Read, Write};
use std::net::IpAddr;

use super::error::ProcFile;
use super::lines::Lines;
use super::protocol::{connection_protocol, write_protocol};
use super::text::{Bad, Cursor, address, decimal, hex, hex8, port, signed};
use crate::error::Result;
use crate::model::{
    AddressFamily, DestinationEntry, DestinationKey, ForwardingMethod, Info, Netmask, PrefixLength, Protocol, Service,
    ServiceFlags, ServiceKey, Snapshot, Version,
};

/// What a service row stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
// Exhaustive: the two forms of a row (ip_vs_ctl.c: ip_vs_info_seq_show()).
pub enum TableTarget {
    /// Packets of a protocol to an address and port.
    Endpoint {
        /// The protocol.
        protocol: Protocol,
        /// The virtual address.
        addr: IpAddr,
        /// The virtual port.
        port: u16,
    },
    /// Packets with a mark; the file does not say of which family.
    Fwmark(u32),
}

/// The persistence of a service row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
// Exhaustive: two columns.
pub struct TablePersistence {
    /// The timeout in ticks of the kernel: seconds times `CONFIG_HZ`, wrapped at 32 bits.
    pub ticks: i32,
    /// The last column: an IPv4 mask, or the prefix length with its bytes swapped on little-endian
    /// machines. See [`TablePersistence::netmask`].
    pub mask: u32,
}

impl TablePersistence {
    /// Whole seconds, where the kernel ticks `hz` times a second.
    pub const fn seconds(&self, hz: u32) -> u32 {
        match (self.ticks as u32).checked_div(hz) {
            Some(seconds) => seconds,
            None => 0,
        }
    }

    /// The netmask of a service of that family, if the column holds one. Written by a kernel of
    /// this machine's byte order.
    pub fn netmask(&self, family: AddressFamily) -> Option<Netmask> {
        match family {
            AddressFamily::Ipv4 => Some(Netmask::V4(self.mask.into())),
            // ip_vs_ctl.c passes the length through ntohl() as if it were a mask.
            AddressFamily::Ipv6 => PrefixLength::new(u32::from_be(self.mask)).ok().map(Netmask::V6),
        }
    }
}

/// A service as `ip_vs` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TableServiceRow<'a> {
    /// What it stands for.
    pub target: TableTarget,
    /// The scheduler, `none` for none.
    pub scheduler: &'a str,
    /// One-packet scheduling; never shown of IPv6 endpoints.
    pub one_packet: bool,
    /// Persistence, if any.
    pub persistence: Option<TablePersistence>,
}

impl<'a> TableServiceRow<'a> {
    /// The row of a service, where the kernel ticks `hz` times a second.
    pub fn new(service: &'a Service, hz: u32) -> Self {
        let (target, v6_endpoint) = match service.key() {
            ServiceKey::Endpoint { protocol, addr, port } => {
                (TableTarget::Endpoint { protocol, addr, port }, addr.is_ipv6())
            }
            ServiceKey::Fwmark { mark, .. } => (TableTarget::Fwmark(mark.get()), false),
        };
        let mask = match service.netmask() {
            Netmask::V4(mask) => mask.to_bits(),
            Netmask::V6(length) => u32::from(length).to_be(),
        };
        let ticks = service.timeout.wrapping_mul(hz) as i32;
        Self {
            target,
            scheduler: service.scheduler.as_str(),
            one_packet: service.flags.contains(ServiceFlags::ONE_PACKET) && !v6_endpoint,
            persistence: service.is_persistent().then_some(TablePersistence { ticks, mask }),
        }
    }
}

/// A destination as `ip_vs` shows it: without thresholds, tunnel and persistent connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TableDestinationRow {
    /// Its address and port.
    pub key: DestinationKey,
    /// How packets reach it; methods without a name show as masquerading.
    pub forwarding: ForwardingMethod,
    /// Its weight.
    pub weight: u32,
    /// Connections in an active state.
    pub active: u32,
    /// All other connections.
    pub inactive: u32,
}

impl From<&DestinationEntry> for TableDestinationRow {
    fn from(entry: &DestinationEntry) -> Self {
        let forwarding = match entry.destination.forwarding {
            known @ (ForwardingMethod::Local | ForwardingMethod::Tunnel | ForwardingMethod::Direct) => known,
            _ => ForwardingMethod::Masquerade,
        };
        Self {
            key: entry.destination.key,
            forwarding,
            weight: entry.destination.weight,
            active: entry.active,
            inactive: entry.inactive,
        }
    }
}

/// A row of `ip_vs`: a service, followed by its destinations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
// Exhaustive: the two kinds of rows.
pub enum TableRow<'a> {
    /// A service.
    Service(TableServiceRow<'a>),
    /// A destination of the service above.
    Destination(TableDestinationRow),
}

/// The rows of `ip_vs`, read as it goes.
#[derive(Debug)]
pub struct TableReader<R> {
    lines: Lines<R>,
}

impl<R: Read> TableReader<R> {
    /// Rows of that text, which begins with the three header lines.
    pub fn new(source: R) -> Self {
        Self { lines: Lines::new(source, ProcFile::Table) }
    }

    /// What the header says. To be called first; otherwise the header is passed over.
    ///
    /// # Errors
    /// [`Error::Procfs`](crate::Error::Procfs) when it is not there,
    /// [`Error::Io`](crate::Error::Io) when the source fails.
    pub fn header(&mut self) -> Result<Info> {
        let line = self.lines.next().transpose()?.unwrap_or_default();
        let info = header(line).map_err(|bad| bad.in_line(ProcFile::Table, 1))?;
        self.skip_titles()?;
        Ok(info)
    }

    fn skip_titles(&mut self) -> Result<()> {
        self.lines.skip_header(|line| line.starts_with(b"Prot LocalAddress"))?;
        self.lines.skip_header(|line| line.starts_with(b"-> RemoteAddress"))
    }

    /// The next row, or `None` at the end. After a malformed row reading can go on.
    ///
    /// # Errors
    /// [`Error::Procfs`](crate::Error::Procfs) for a malformed row, [`Error::Io`](crate::Error::Io)
    /// when the source fails.
    pub fn next_row(&mut self) -> Option<Result<TableRow<'_>>> {
        if self.lines.number() == 0 {
            let skipped = self.lines.skip_header(|line| line.starts_with(VERSION)).and_then(|()| self.skip_titles());
            if let Err(error) = skipped {
                return Some(Err(error));
            }
        }
        let (number, line) = match self.lines.next_row()? {
            Ok(row) => row,
            Err(error) => return Some(Err(error)),
        };
        Some(row(line).map_err(|bad| bad.in_line(ProcFile::Table, number).into()))
    }
}

const VERSION: &[u8] = b"IP Virtual Server version ";

fn header(line: &[u8]) -> Result<Info, Bad> {
    const EXPECTED: &str = "\"IP Virtual Server version 1.2.1 (size=4096)\"";
    let mut cursor = Cursor::new(line);
    cursor.skip_blanks();
    cursor.literal(VERSION, EXPECTED)?;
    let version = cursor.parsed(EXPECTED, |word| {
        let mut parts = word.split(|&byte| byte == b'.').map(decimal);
        let version = Version {
            major: parts.next()??.try_into().ok()?,
            minor: parts.next()??.try_into().ok()?,
            patch: parts.next()??.try_into().ok()?,
        };
        parts.next().is_none().then_some(version)
    })?;
    let size =
        cursor.parsed(EXPECTED, |word| decimal(word.strip_prefix(b"(size=")?.strip_suffix(b")")?)?.try_into().ok())?;
    cursor.end()?;
    Ok(Info::new(version, size))
}

fn row(line: &[u8]) -> Result<TableRow<'_>, Bad> {
    let mut cursor = Cursor::new(line);
    let before = cursor;
    if cursor.word("").is_ok_and(|word| word == b"->") {
        destination(cursor).map(TableRow::Destination)
    } else {
        service(before).map(TableRow::Service)
    }
}

fn service<'a>(mut cursor: Cursor<'a>) -> Result<TableServiceRow<'a>, Bad> {
    let before = cursor;
    let target = if cursor.word("").is_ok_and(|word| word == b"FWM") {
        let mark = cursor.parsed("a firewall mark of eight hexadecimal digits", |word| {
            hex8(u64::from_be_bytes(word.try_into().ok()?))
        })?;
        TableTarget::Fwmark(mark)
    } else {
        cursor = before;
        let protocol = cursor.parsed("a protocol, FWM or ->", connection_protocol)?;
        let (addr, port) = cursor.parsed(ENDPOINT, endpoint)?;
        TableTarget::Endpoint { protocol, addr, port }
    };
    let scheduler = cursor.parsed("a scheduler", |word| std::str::from_utf8(word).ok())?;
    let mut row = TableServiceRow { target, scheduler, one_packet: false, persistence: None };
    let before = cursor;
    let mut flag = cursor.word("").unwrap_or_default();
    if flag == b"ops" {
        row.one_packet = true;
        flag = cursor.word("").unwrap_or_default();
    }
    match flag {
        b"persistent" => {
            let ticks = cursor.parsed("a timeout in ticks", signed)?;
            let mask = cursor.parsed("a netmask in hexadecimal", |word| hex(word)?.try_into().ok())?;
            row.persistence = Some(TablePersistence { ticks, mask });
        }
        b"" => {}
        _ if row.one_packet => return cursor.reject(flag, "\"persistent\""),
        _ => {
            cursor = before;
            cursor.skip_blanks();
            return cursor.bad("\"ops\" or \"persistent\"");
        }
    }
    cursor.end()?;
    Ok(row)
}

const ENDPOINT: &str = "an address and port in hexadecimal (what `ipvsadm -L` prints is not this file)";

fn endpoint(word: &[u8]) -> Option<(IpAddr, u16)> {
    let colon = word.iter().rposition(|&byte| byte == b':')?;
    Some((address(&word[..colon])?, port(&word[colon + 1..])?))
}

/// What follows the arrow.
fn destination(mut cursor: Cursor<'_>) -> Result<TableDestinationRow, Bad> {
    // Printed with %d: what looks negative is a large number.
    let count = |word: &[u8]| signed(word).map(|value| value as u32);
    let (addr, port) = cursor.parsed(ENDPOINT, endpoint)?;
    let forwarding = cursor.parsed("a forwarding method", |word| match word {
        b"Masq" => Some(ForwardingMethod::Masquerade),
        b"Local" => Some(ForwardingMethod::Local),
        b"Tunnel" => Some(ForwardingMethod::Tunnel),
        b"Route" => Some(ForwardingMethod::Direct),
        _ => None,
    })?;
    let weight = cursor.parsed("a weight", count)?;
    let active = cursor.parsed("a count of active connections", count)?;
    let inactive = cursor.parsed("a count of inactive connections", count)?;
    cursor.end()?;
    Ok(TableDestinationRow { key: DestinationKey::new(addr, port), forwarding, weight, active, inactive })
}

/// Writes the three header lines of `ip_vs`.
///
/// # Errors
/// Those of `out`.
pub fn write_table_header(out: &mut impl Write, info: &Info) -> io::Result<()> {
    writeln!(out, "IP Virtual Server version {} (size={})", info.version, info.connection_table_size as i32)?;
    out.write_all(b"Prot LocalAddress:Port Scheduler Flags\n")?;
    out.write_all(b"  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n")
}

/// Writes a row of `ip_vs`, newline included.
///
/// # Errors
/// Those of `out`.
pub fn write_table_row(out: &mut impl Write, row: &TableRow<'_>) -> io::Result<()> {
    match row {
        TableRow::Service(row) => {
            match row.target {
                TableTarget::Endpoint { protocol, addr, port } => {
                    write_protocol(out, protocol)?;
                    out.write_all(b"  ")?;
                    write_endpoint(out, addr, port)?;
                }
                TableTarget::Fwmark(mark) => write!(out, "FWM  {mark:08X}")?,
            }
            let ops = if row.one_packet { "ops " } else { "" };
            let gap = match row.target {
                TableTarget::Endpoint { addr: IpAddr::V4(_), .. } => " ",
                _ => "",
            };
            write!(out, " {} {ops}{gap}", row.scheduler)?;
            if let Some(persistence) = &row.persistence {
                write!(out, "persistent {} {:08X}", persistence.ticks, persistence.mask)?;
            }
            out.write_all(b"\n")
        }
        TableRow::Destination(row) => {
            out.write_all(b"  -> ")?;
            write_endpoint(out, row.key.addr, row.key.port)?;
            writeln!(
                out,
                "      {:<7} {:<6} {:<10} {:<10}",
                row.forwarding.listing_name(),
                row.weight as i32,
                row.active as i32,
                row.inactive as i32
            )
        }
    }
}

/// Writes the whole of `ip_vs` for a snapshot, as a kernel that ticks `hz` times a second would
/// show it. [`listing::write_table`](crate::listing::write_table) writes the same table as
/// `ipvsadm` does.
///
/// # Errors
/// Those of `out`.
pub fn write_table(out: &mut impl Write, snapshot: &Snapshot, hz: u32) -> io::Result<()> {
    write_table_header(out, &snapshot.info)?;
    for service in &snapshot.services {
        write_table_row(out, &TableRow::Service(TableServiceRow::new(&service.entry.service, hz)))?;
        for destination in &service.destinations {
            write_table_row(out, &TableRow::Destination(destination.into()))?;
        }
    }
    Ok(())
}

fn write_endpoint(out: &mut impl Write, addr: IpAddr, port: u16) -> io::Result<()> {
    match addr {
        IpAddr::V4(addr) => write!(out, "{:08X}:{port:04X}", addr.to_bits()),
        IpAddr::V6(addr) => {
            let [a, b, c, d, e, f, g, h] = addr.segments();
            write!(out, "[{a:04x}:{b:04x}:{c:04x}:{d:04x}:{e:04x}:{f:04x}:{g:04x}:{h:04x}]:{port:04X}")
        }
    }
}
