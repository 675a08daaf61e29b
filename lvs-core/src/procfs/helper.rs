//! `ip_vs_app`: the ports on which application helpers (FTP) look into the traffic.

use std::io::{self, Read, Write};

use super::error::ProcFile;
use super::lines::Lines;
use super::protocol::{connection_protocol, write_protocol};
use super::text::{Bad, Cursor, decimal, signed};
use crate::error::Result;
use crate::model::Protocol;

/// A port of an application helper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct HelperRow<'a> {
    /// The protocol.
    pub protocol: Protocol,
    /// The port.
    pub port: u16,
    /// Connections that use it.
    pub use_count: i32,
    /// Its name, such as `ftp`.
    pub name: &'a str,
}

/// The rows of `ip_vs_app`, read as it goes.
#[derive(Debug)]
pub struct HelperReader<R> {
    lines: Lines<R>,
}

impl<R: Read> HelperReader<R> {
    /// Rows of that text, with the header or without.
    pub fn new(source: R) -> Self {
        Self { lines: Lines::new(source, ProcFile::Helpers) }
    }

    /// The next row, or `None` at the end.
    ///
    /// # Errors
    /// [`Error::Procfs`](crate::Error::Procfs) for a malformed row, [`Error::Io`](crate::Error::Io)
    /// when the source fails.
    pub fn next_row(&mut self) -> Option<Result<HelperRow<'_>>> {
        if self.lines.number() == 0
            && let Err(error) = self.lines.skip_header(|line| line.starts_with(b"prot port"))
        {
            return Some(Err(error));
        }
        let (number, line) = match self.lines.next_row()? {
            Ok(row) => row,
            Err(error) => return Some(Err(error)),
        };
        Some(row(line).map_err(|bad| bad.in_line(ProcFile::Helpers, number).into()))
    }
}

fn row(line: &[u8]) -> Result<HelperRow<'_>, Bad> {
    let mut cursor = Cursor::new(line);
    let protocol = cursor.parsed("a protocol", connection_protocol)?;
    let port = cursor.parsed("a port", |word| decimal(word)?.try_into().ok())?;
    let use_count = cursor.parsed("a count of connections", signed)?;
    let name = cursor.parsed("the name of a helper", |word| std::str::from_utf8(word).ok())?;
    cursor.end()?;
    Ok(HelperRow { protocol, port, use_count, name })
}

/// Writes all of `ip_vs_app`.
///
/// # Errors
/// Those of `out`.
pub fn write_helpers<'a>(out: &mut impl Write, rows: impl IntoIterator<Item = HelperRow<'a>>) -> io::Result<()> {
    out.write_all(b"prot port    usecnt name\n")?;
    for row in rows {
        // ip_vs_app.c: ip_vs_app_seq_show(): "%-3s  %-7u %-6d %-17s".
        let length = write_protocol(out, row.protocol)?;
        writeln!(
            out,
            "{:1$}  {2:<7} {3:<6} {4:<17}",
            "",
            3usize.saturating_sub(length),
            row.port,
            row.use_count,
            row.name
        )?;
    }
    Ok(())
}
