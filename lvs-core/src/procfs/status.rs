//! `ip_vs_status`: how full the tables of a network namespace are. Linux has it since 7.1.

use std::io::{self, Read, Write};

use super::error::ProcFile;
use super::lines::Lines;
use super::text::{Bad, Cursor, decimal, signed};
use crate::error::Result;

/// A hash table of a network namespace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct TableStatus {
    /// What is in it. Of the connection table: templates, too.
    pub entries: u64,
    /// How many buckets it has, 0 as long as there is no table.
    pub buckets: u64,
    /// Buckets are 2 to this power.
    pub bits: u32,
    /// The load factor that the table was last resized for; a changed sysctl takes a moment.
    pub lfactor: i32,
    /// How many buckets are empty, hold 1 to 6 entries, or hold 7 or more; nothing of a table
    /// without entries. A masqueraded connection is in two buckets. While the table is resized, its
    /// former buckets count as well.
    pub lengths: Option<[u64; 8]>,
}

/// What computes the rates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct EstimatorStatus {
    /// Threads there are.
    pub threads: u64,
    /// Threads there can be; 0 before the first service.
    pub max_threads: u64,
    /// Services, destinations and totals that are estimated at a time; 0 until the kernel has found
    /// out how many it can.
    pub chain_length: u64,
    /// How many a thread can take.
    pub per_thread: u64,
}

/// All of `ip_vs_status`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct Status {
    /// The connection table.
    pub connections: TableStatus,
    /// The service table, of both families and of addresses and marks.
    pub services: TableStatus,
    /// The estimator.
    pub estimator: EstimatorStatus,
}

/// Reads `ip_vs_status`. Lines that this crate does not know are passed over.
///
/// ```
/// let text = "Conns:\t3\nConn buckets:\t256 (8 bits, lfactor -4)\nConn buckets empty:\t253 (98%)\n\
///             Conn buckets len-1:\t3 (100%)\n";
/// let status = lvs_core::procfs::read_status(text.as_bytes())?;
/// assert_eq!((status.connections.entries, status.connections.buckets), (3, 256));
/// # Ok::<(), lvs_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Procfs`](crate::Error::Procfs) for text that is not such a file,
/// [`Error::Io`](crate::Error::Io) when the source fails.
pub fn read_status(source: impl Read) -> Result<Status> {
    let mut lines = Lines::new(source, ProcFile::Status);
    let mut status = Status::default();
    while let Some(row) = lines.next_row() {
        let (number, line) = row?;
        read_line(&mut status, line).map_err(|bad| bad.in_line(ProcFile::Status, number))?;
    }
    Ok(status)
}

fn read_line(status: &mut Status, line: &[u8]) -> Result<(), Bad> {
    const NUMBER: &str = "a number";
    const SIZE: &str = "a size, such as 256 (8 bits, lfactor -4)";
    let mut cursor = Cursor::new(line);
    cursor.skip_blanks();
    let Some(colon) = cursor.rest().iter().position(|&byte| byte == b':') else {
        cursor.at = line.len();
        return cursor.bad("a name and a colon");
    };
    let name = &cursor.rest()[..colon];
    cursor.at += colon + 1;
    let estimator = &mut status.estimator;
    let place = match name {
        b"Conns" => &mut status.connections.entries,
        b"Services" => &mut status.services.entries,
        b"Stats thread slots" => {
            estimator.threads = cursor.parsed(NUMBER, decimal)?;
            cursor.parsed("\"(max\"", |word| (word == b"(max").then_some(()))?;
            estimator.max_threads = cursor.parsed(NUMBER, |word| decimal(word.strip_suffix(b")")?))?;
            return cursor.end();
        }
        b"Stats chain max len" => &mut estimator.chain_length,
        b"Stats thread ests" => &mut estimator.per_thread,
        _ => {
            let (table, rest) = match (name.strip_prefix(b"Conn buckets"), name.strip_prefix(b"Service buckets")) {
                (Some(rest), _) => (&mut status.connections, rest),
                (_, Some(rest)) => (&mut status.services, rest),
                _ => return Ok(()),
            };
            if rest.is_empty() {
                table.buckets = cursor.parsed(SIZE, decimal)?;
                table.bits = cursor.parsed(SIZE, |word| decimal(word.strip_prefix(b"(")?)?.try_into().ok())?;
                cursor.parsed(SIZE, |word| (word == b"bits,").then_some(()))?;
                cursor.parsed(SIZE, |word| (word == b"lfactor").then_some(()))?;
                table.lfactor = cursor.parsed(SIZE, |word| signed(word.strip_suffix(b")")?))?;
                return cursor.end();
            }
            let length = match (rest, rest.strip_prefix(b" len-")) {
                (b" empty", _) => 0,
                (_, Some([digit @ b'1'..=b'7'])) => usize::from(digit - b'0'),
                _ => return Ok(()),
            };
            let count = cursor.parsed(NUMBER, decimal)?;
            table.lengths.get_or_insert_default()[length] = count;
            cursor.parsed("a percentage", |word| decimal(word.strip_prefix(b"(")?.strip_suffix(b"%)")?))?;
            return cursor.end();
        }
    };
    *place = cursor.parsed(NUMBER, decimal)?;
    cursor.end()
}

/// Writes all of `ip_vs_status`.
///
/// # Errors
/// Those of `out`.
// ip_vs_ctl.c: ip_vs_status_show()
pub fn write_status(out: &mut impl Write, status: &Status) -> io::Result<()> {
    for (entries, name, table) in [("Conns", "Conn", &status.connections), ("Services", "Service", &status.services)] {
        let TableStatus { buckets, bits, lfactor, .. } = table;
        writeln!(out, "{entries}:\t{}", table.entries)?;
        writeln!(out, "{name} buckets:\t{buckets} ({bits} bits, lfactor {lfactor})")?;
        let Some([empty, filled @ ..]) = table.lengths else { continue };
        let share = |count: u64, all: u64| u128::from(count) * 100 / u128::from(all.max(1));
        let all_filled = filled.iter().sum::<u64>();
        writeln!(out, "{name} buckets empty:\t{empty} ({}%)", share(empty, empty + all_filled))?;
        for (length, count) in (1..).zip(filled).filter(|(_, count)| *count > 0) {
            writeln!(out, "{name} buckets len-{length}:\t{count} ({}%)", share(count, all_filled))?;
        }
    }
    let EstimatorStatus { threads, max_threads, chain_length, per_thread } = status.estimator;
    writeln!(out, "Stats thread slots:\t{threads} (max {max_threads})")?;
    writeln!(out, "Stats chain max len:\t{chain_length}")?;
    writeln!(out, "Stats thread ests:\t{per_thread}")
}

#[cfg(test)]
mod tests {
    use super::*;

    // Linux 7.3.4.
    const BUSY: &str = "Conns:\t1499\nConn buckets:\t256 (8 bits, lfactor 3)\nConn buckets empty:\t0 (0%)\n\
        Conn buckets len-2:\t1 (0%)\nConn buckets len-6:\t8 (3%)\nConn buckets len-7:\t243 (96%)\nServices:\t1\n\
        Service buckets:\t16 (4 bits, lfactor -2)\nService buckets empty:\t15 (93%)\nService buckets len-1:\t1 (100%)\n\
        Stats thread slots:\t1 (max 4)\nStats chain max len:\t174\nStats thread ests:\t417600\n";
    const FRESH: &str = "Conns:\t0\nConn buckets:\t0 (0 bits, lfactor 0)\nServices:\t0\n\
        Service buckets:\t0 (0 bits, lfactor 0)\nStats thread slots:\t0 (max 0)\nStats chain max len:\t0\nStats thread ests:\t0\n";

    #[test]
    fn what_the_kernel_writes_is_read_and_written_again() {
        for text in [BUSY, FRESH] {
            let status = read_status(text.as_bytes()).unwrap();
            let mut out = Vec::new();
            write_status(&mut out, &status).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
        let status = read_status(BUSY.as_bytes()).unwrap();
        assert_eq!(status.connections.lengths, Some([0, 0, 1, 0, 0, 0, 8, 243]));
        assert_eq!((status.connections.lfactor, status.services.lfactor), (3, -2));
        assert_eq!((status.estimator.max_threads, status.estimator.per_thread), (4, 417_600));
    }

    #[test]
    fn lines_of_a_later_kernel_are_passed_over() {
        let text = format!("{BUSY}Something new:\twords\nConn buckets len-8:\t3\n").replace('\n', "\r\n");
        assert_eq!(read_status(text.as_bytes()).unwrap(), read_status(BUSY.as_bytes()).unwrap());
    }

    #[test]
    fn what_is_malformed_is_named() {
        for (text, expected) in [
            ("Conns", "ip_vs_status, line 1, column 6: expected a name and a colon"),
            ("Conns:\tx", "ip_vs_status, line 1, column 8: expected a number"),
            (
                "\nService buckets:\t16 (4 bits)\n",
                "ip_vs_status, line 2, column 24: expected a size, such as 256 (8 bits, lfactor -4)",
            ),
            ("Stats thread slots:\t1", "ip_vs_status, line 1, column 22: expected \"(max\""),
        ] {
            assert_eq!(read_status(text.as_bytes()).unwrap_err().to_string(), expected);
        }
    }
}
