//! `ip_vs_conn` and `ip_vs_conn_sync`: one row for each entry of the connection table.
//!
//! Columns (`ip_vs_conn.c`: `ip_vs_conn_seq_show()`, `ip_vs_conn_sync_seq_show()`):
//!
//! ```text
//! Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData
//! Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Origin Expires
//! ```

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::ops::ControlFlow;

use super::error::{ParseError, ProcFile};
use super::lines::Lines;
use super::protocol;
use super::state::state_of_column;
use super::text::{
    Bad, Cursor, V6_LEN, address, decimal, find, hex_v6, hex4, hex8, padded_decimal, port, unindented, word4, word8,
};
use crate::error::Result;
use crate::model::{Connection, ConnectionOrigin, ConnectionState, ConnectionTarget, EngineData, Protocol};

/// The port of an invalidated template's destination; before Linux 7.1 also that of its virtual
/// side (`ip_vs_conn.c`: `ip_vs_check_template()`).
const INVALIDATED_PORT: u16 = 0xffff;
/// The longest word that is taken for a state.
pub(super) const LONGEST_STATE: usize = 32;

/// Reads one row of `ip_vs_conn` or `ip_vs_conn_sync`, without its newline. Which of the two it is
/// shows in the row.
///
/// # Errors
/// [`ParseError`] with line 1 and the column.
pub fn parse_connection(row: &[u8]) -> Result<Connection<'_>, ParseError> {
    slow_row(row).map_err(|bad| bad.in_line(ProcFile::Connections, 1))
}

/// The rows of a text that is all there, header or not.
///
/// After an error the iterator goes on with the next line.
///
/// ```
/// use lvs_core::procfs::Connections;
///
/// let text = b"\
/// Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData
/// TCP CB007105 EC70 C0000201 0050 C6336407 1F90 ESTABLISHED     899
/// ";
/// let connection = Connections::new(text).next().unwrap()?;
/// assert_eq!(connection.client_addr.to_string(), "203.0.113.5");
/// assert_eq!(connection.destination_port, 8080);
/// assert_eq!(connection.expires, 899);
/// # Ok::<(), lvs_core::procfs::ParseError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Connections<'a> {
    rest: &'a [u8],
    line: u64,
}

impl<'a> Connections<'a> {
    /// The rows of `text`.
    pub fn new(text: &'a [u8]) -> Self {
        let mut rows = Self { rest: text, line: 0 };
        if is_header(unindented(text)) {
            rows.take_line();
        }
        rows
    }

    /// The number of the line given last, from 1.
    pub const fn line(&self) -> u64 {
        self.line
    }

    fn take_line(&mut self) -> &'a [u8] {
        self.line += 1;
        let (line, rest) = match find(b'\n', self.rest) {
            Some(length) => (&self.rest[..length], &self.rest[length + 1..]),
            None => (self.rest, &[][..]),
        };
        self.rest = rest;
        line
    }
}

impl<'a> Iterator for Connections<'a> {
    type Item = Result<Connection<'a>, ParseError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if let Some((connection, length)) = fast_row(self.rest) {
            self.rest = &self.rest[length..];
            self.line += 1;
            return Some(Ok(connection));
        }
        let line = loop {
            if self.rest.is_empty() {
                return None;
            }
            let line = self.take_line();
            if !unindented(line).is_empty() {
                break line;
            }
        };
        Some(slow_row(line).map_err(|bad| bad.in_line(ProcFile::Connections, self.line)))
    }
}

/// The rows of a source that is read as it goes, such as the kernel's file: one buffer, nothing
/// allocated per row.
#[derive(Debug)]
pub struct ConnectionReader<R> {
    lines: Lines<R>,
}

impl<R: Read> ConnectionReader<R> {
    /// Rows of `ip_vs_conn` or `ip_vs_conn_sync`, with the header or without.
    pub fn new(source: R) -> Self {
        Self::named(source, ProcFile::Connections)
    }

    pub(crate) fn named(source: R, file: ProcFile) -> Self {
        Self { lines: Lines::new(source, file) }
    }

    /// The next row, or `None` at the end. After a malformed row reading can go on.
    ///
    /// # Errors
    /// [`Error::Procfs`](crate::Error::Procfs) for a malformed row, [`Error::Io`](crate::Error::Io)
    /// when the source fails.
    #[inline]
    pub fn next_connection(&mut self) -> Option<Result<Connection<'_>>> {
        if let Some((connection, length)) = fast_row(self.lines.pending()) {
            self.lines.take(length);
            return Some(Ok(connection));
        }
        self.next_slow()
    }

    fn next_slow(&mut self) -> Option<Result<Connection<'_>>> {
        if self.lines.number() == 0
            && let Err(error) = self.lines.skip_header(is_header)
        {
            return Some(Err(error));
        }
        let file = self.lines.file();
        let (number, line) = match self.lines.next_row()? {
            Ok(row) => row,
            Err(error) => return Some(Err(error)),
        };
        Some(slow_row(line).map_err(|bad| bad.in_line(file, number).into()))
    }

    /// Shows every row until the visitor breaks off.
    ///
    /// # Errors
    /// The first error of [`ConnectionReader::next_connection`].
    pub fn visit(&mut self, mut visitor: impl FnMut(&Connection<'_>) -> ControlFlow<()>) -> Result<()> {
        while let Some(connection) = self.next_connection() {
            if visitor(&connection?).is_break() {
                break;
            }
        }
        Ok(())
    }
}

fn is_header(line: &[u8]) -> bool {
    line.starts_with(b"Pro FromIP")
}

const fn v4(bits: u32) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from_bits(bits))
}

/// An address at its column and the column behind the blank that follows it.
#[inline]
fn fast_address(text: &[u8], at: usize) -> Option<(IpAddr, usize)> {
    if *text.get(at + 8)? == b' ' {
        return Some((v4(hex8(word8(text, at)?)?), at + 9));
    }
    let digits = text.get(at..at + V6_LEN)?.try_into().ok()?;
    if *text.get(at + V6_LEN)? != b' ' {
        return None;
    }
    Some((IpAddr::V6(Ipv6Addr::from_bits(hex_v6(digits)?)), at + V6_LEN + 1))
}

#[inline]
fn fast_port(text: &[u8], at: usize) -> Option<u16> {
    if text.get(at + 4) != Some(&b' ') {
        return None;
    }
    hex4(word4(text, at)?)
}

/// The protocol and the column behind the blank that follows it, of the three that connections
/// have.
#[inline]
fn fast_protocol(text: &[u8]) -> Option<(Protocol, usize)> {
    Some(match text.get(..4)? {
        b"TCP " => (Protocol::Tcp, 4),
        b"UDP " => (Protocol::Udp, 4),
        b"SCTP" if text.get(4) == Some(&b' ') => (Protocol::Sctp, 5),
        _ => return None,
    })
}

/// A row without engine data whose columns are all where the kernel puts them, and its length with
/// the newline.
///
/// Whatever is out of the ordinary gets `None` and goes the slow way, which also says what is
/// wrong.
#[inline]
fn fast_row(text: &[u8]) -> Option<(Connection<'static>, usize)> {
    let (protocol, at) = fast_protocol(text)?;
    let (client, target, destination, at) = match text.get(at..at + V4_COLUMNS)?.try_into().ok().and_then(v4_columns) {
        Some((client, target, destination)) => (client, target, destination, at + V4_COLUMNS),
        None => any_columns(text, at)?,
    };
    // State, seconds and newline of `ip_vs_conn`; `ip_vs_conn_sync` has the origin in between.
    let tail: &[u8; TAIL_COLUMNS] = text.get(at..at + TAIL_COLUMNS)?.try_into().ok()?;
    let state = state_of_column(word8(tail, 0)?, word4(tail, 8)?)?;
    let (origin, at) = match tail[12] {
        b'L' | b'S' => {
            let origin = match &tail[12..19] {
                b"LOCAL  " => ConnectionOrigin::Local,
                b"SYNC   " => ConnectionOrigin::Sync,
                _ => return None,
            };
            (Some(origin), at + 19)
        }
        _ => (None, at + 12),
    };
    let (expires, newline) = match origin {
        None => (word8(tail, 11)?, tail[19]),
        Some(_) => (word8(text, at - 1)?, *text.get(at + 7)?),
    };
    let expires = padded_decimal(expires)?;
    if newline != b'\n' {
        return None;
    }
    let target = ConnectionTarget::Endpoint { addr: target.0, port: target.1 };
    let mut connection = Connection::new(protocol, client, target, destination, state, expires);
    connection.origin = origin;
    Some((connection, at + 8))
}

/// Three IPv4 addresses with their ports, each with the blank that follows it.
const V4_COLUMNS: usize = 3 * (9 + 5);
/// The state, seven columns of seconds and the newline.
const TAIL_COLUMNS: usize = 12 + 7 + 1;

type Endpoint = (IpAddr, u16);

#[inline]
fn v4_columns(text: &[u8; V4_COLUMNS]) -> Option<(Endpoint, Endpoint, Endpoint)> {
    let blanks =
        text[8] ^ b' ' | text[13] ^ b' ' | text[22] ^ b' ' | text[27] ^ b' ' | text[36] ^ b' ' | text[41] ^ b' ';
    if blanks != 0 {
        return None;
    }
    let endpoint = |at| Some((v4(hex8(word8(text, at)?)?), hex4(word4(text, at + 9)?)?));
    Some((endpoint(0)?, endpoint(14)?, endpoint(28)?))
}

/// The same of any family, and the column behind it.
#[inline]
fn any_columns(text: &[u8], at: usize) -> Option<(Endpoint, Endpoint, Endpoint, usize)> {
    let (client_addr, at) = fast_address(text, at)?;
    let client_port = fast_port(text, at)?;
    let (addr, at) = fast_address(text, at + 5)?;
    let virtual_port = fast_port(text, at)?;
    let (destination_addr, at) = fast_address(text, at + 5)?;
    let destination_port = fast_port(text, at)?;
    Some(((client_addr, client_port), (addr, virtual_port), (destination_addr, destination_port), at + 5))
}

/// Any row, word by word.
fn slow_row(row: &[u8]) -> Result<Connection<'_>, Bad> {
    const ADDRESS: &str = "an address in hexadecimal";
    const PORT: &str = "a port of four hexadecimal digits";
    const EXPIRES: &str = "seconds until it expires";
    let mut cursor = Cursor::new(row);
    let protocol =
        cursor.parsed("a protocol (what `ipvsadm -Lc` prints is not this file)", protocol::connection_protocol)?;
    let client_addr = cursor.parsed(ADDRESS, address)?;
    let client_port = cursor.parsed(PORT, port)?;
    let addr = cursor.parsed(ADDRESS, address)?;
    let virtual_port = cursor.parsed(PORT, port)?;
    let destination_addr = cursor.parsed(ADDRESS, address)?;
    let destination_port = cursor.parsed(PORT, port)?;
    let (state, unknown) = cursor.parsed("a state", |word| {
        let name = std::str::from_utf8(word).ok().filter(|name| name.len() <= LONGEST_STATE)?;
        Some(name.parse().map_or((ConnectionState::Unknown, Some(name)), |state| (state, None)))
    })?;
    let before = cursor;
    let origin = match cursor.word(EXPIRES)? {
        b"LOCAL" => Some(ConnectionOrigin::Local),
        b"SYNC" => Some(ConnectionOrigin::Sync),
        _ => {
            cursor = before;
            None
        }
    };
    let expires = cursor.parsed(EXPIRES, |word| decimal(word)?.try_into().ok())?;
    let engine = if unindented(cursor.rest()).is_empty() { None } else { Some(engine_data(&mut cursor)?) };
    let target = match mark(protocol, addr, virtual_port, destination_port) {
        Some(mark) => ConnectionTarget::Fwmark(mark),
        None => ConnectionTarget::Endpoint { addr, port: virtual_port },
    };
    let mut connection = Connection::new(
        protocol,
        (client_addr, client_port),
        target,
        (destination_addr, destination_port),
        state,
        expires,
    );
    if matches!(connection.target, ConnectionTarget::Fwmark(_)) {
        connection.mark_port = virtual_port;
    }
    connection.unknown_state = unknown;
    connection.origin = origin;
    connection.engine = engine;
    Ok(connection)
}

/// ` sip DATA`: one blank, the name, one blank, and whatever follows, blanks included
/// (`ip_vs_pe_sip.c`: `ip_vs_sip_show_pe_data()`).
fn engine_data<'a>(cursor: &mut Cursor<'a>) -> Result<EngineData<'a>, Bad> {
    let engine = cursor.parsed("the name of a persistence engine", |word| std::str::from_utf8(word).ok())?;
    let data = cursor.rest();
    let data = data.strip_prefix(b" ").unwrap_or(data);
    Ok(EngineData { engine, data })
}

/// The mark of a firewall-mark service's template: it has protocol 0, and the mark stands in the
/// first 32 bits of the virtual address (`ip_vs_core.c`: `ip_vs_sched_persist()`).
fn mark(protocol: Protocol, addr: IpAddr, virtual_port: u16, destination_port: u16) -> Option<NonZeroU32> {
    let ports_fit = virtual_port == 0 || virtual_port == INVALIDATED_PORT && destination_port == INVALIDATED_PORT;
    if protocol != Protocol::Other(0) || !ports_fit {
        return None;
    }
    match addr {
        IpAddr::V4(addr) => NonZeroU32::new(addr.to_bits()),
        IpAddr::V6(addr) if addr.to_bits() as u32 == 0 && (addr.to_bits() << 32) == 0 => {
            NonZeroU32::new((addr.to_bits() >> 96) as u32)
        }
        IpAddr::V6(_) => None,
    }
}
