//! Rows of `ip_vs_conn` and `ip_vs_conn_sync` as the kernel writes them.

use std::io::{self, Write};
use std::net::IpAddr;

use super::connection::LONGEST_STATE;
use super::protocol::write_protocol;
use crate::model::{Connection, ConnectionOrigin};

const HEADER: &[u8] = b"Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n";
const SYNC_HEADER: &[u8] = b"Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Origin Expires\n";

/// Writes the first line of `ip_vs_conn`.
///
/// # Errors
/// Those of `out`.
pub fn write_connections_header(out: &mut impl Write) -> io::Result<()> {
    out.write_all(HEADER)
}

/// Writes the first line of `ip_vs_conn_sync`.
///
/// # Errors
/// Those of `out`.
pub fn write_synced_connections_header(out: &mut impl Write) -> io::Result<()> {
    out.write_all(SYNC_HEADER)
}

/// Writes a row of `ip_vs_conn`, newline included.
///
/// The text cannot express everything: a mark is written where the virtual address stands, and
/// reads back as a mark if the protocol is 0.
///
/// # Errors
/// Those of `out`.
pub fn write_connection(out: &mut impl Write, connection: &Connection<'_>) -> io::Result<()> {
    let mut row = common_columns(connection)?;
    row.decimal(connection.expires, 7);
    out.write_all(row.text())?;
    if let Some(engine) = &connection.engine {
        write!(out, " {} ", engine.engine)?;
        out.write_all(engine.data)?;
    }
    out.write_all(b"\n")
}

/// Writes a row of `ip_vs_conn_sync`, newline included. Without an origin the connection is a local
/// one.
///
/// # Errors
/// Those of `out`.
pub fn write_synced_connection(out: &mut impl Write, connection: &Connection<'_>) -> io::Result<()> {
    let mut row = common_columns(connection)?;
    row.bytes(match connection.origin {
        Some(ConnectionOrigin::Sync) => b"SYNC   ",
        Some(ConnectionOrigin::Local) | None => b"LOCAL  ",
    });
    row.decimal(connection.expires, 7);
    row.bytes(b"\n");
    out.write_all(row.text())
}

/// All up to the blank behind the state.
fn common_columns(connection: &Connection<'_>) -> io::Result<Row> {
    let mut row = Row::new();
    let mut free = &mut row.bytes[..];
    let length = write_protocol(&mut free, connection.protocol)?;
    row.length = length;
    while row.length < 3 {
        row.bytes(b" ");
    }
    row.endpoint(connection.client_addr, connection.client_port);
    let (addr, port) = connection.target_columns();
    row.endpoint(addr, port);
    row.endpoint(connection.destination_addr, connection.destination_port);
    let state = connection.state_name().as_bytes();
    let state = &state[..state.len().min(LONGEST_STATE)];
    row.bytes(b" ");
    row.bytes(state);
    row.bytes(&b"            "[state.len().min(11)..]);
    Ok(row)
}

/// The columns of fixed width: at most 8 of the protocol, 45 an address with port, 34 of the state,
/// 7 of the origin, 10 of the seconds, and the newline.
struct Row {
    bytes: [u8; 208],
    length: usize,
}

impl Row {
    const fn new() -> Self {
        Self { bytes: [0; 208], length: 0 }
    }

    fn text(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    fn bytes(&mut self, text: &[u8]) {
        self.bytes[self.length..self.length + text.len()].copy_from_slice(text);
        self.length += text.len();
    }

    fn hex(&mut self, value: u32, digits: u32, alphabet: &[u8; 16]) {
        for digit in (0..digits).rev() {
            self.bytes[self.length] = alphabet[(value >> (4 * digit) & 15) as usize];
            self.length += 1;
        }
    }

    /// ` ADDRESS PORT`.
    fn endpoint(&mut self, addr: IpAddr, port: u16) {
        const UPPER: &[u8; 16] = b"0123456789ABCDEF";
        const LOWER: &[u8; 16] = b"0123456789abcdef";
        match addr {
            IpAddr::V4(addr) => {
                self.bytes(b" ");
                self.hex(addr.to_bits(), 8, UPPER);
            }
            IpAddr::V6(addr) => {
                for (i, group) in addr.segments().into_iter().enumerate() {
                    self.bytes(if i == 0 { b" " } else { b":" });
                    self.hex(group.into(), 4, LOWER);
                }
            }
        }
        self.bytes(b" ");
        self.hex(port.into(), 4, UPPER);
    }

    /// Right-aligned in `width` columns.
    fn decimal(&mut self, mut value: u32, width: usize) {
        let mut digits = [b' '; 10];
        let mut first = digits.len();
        loop {
            first -= 1;
            digits[first] = b'0' + (value % 10) as u8;
            value /= 10;
            if value == 0 {
                break;
            }
        }
        self.bytes(&digits[first.min(digits.len() - width)..]);
    }
}
