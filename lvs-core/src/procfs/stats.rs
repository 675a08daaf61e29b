//! `ip_vs_stats` and `ip_vs_stats_percpu`: the totals of a network namespace, in hexadecimal.

use std::io::{self, Read, Write};

use super::error::{ParseError, ProcFile};
use super::lines::Lines;
use super::text::{Bad, Cursor, hex, unindented};
use crate::error::Result;
use crate::model::{Counters, Rates, Stats};

/// Reads `ip_vs_stats`: the totals as of the last estimation, which takes place every two seconds.
///
/// # Errors
/// [`Error::Procfs`](crate::Error::Procfs) for text that is not such a file,
/// [`Error::Io`](crate::Error::Io) when the source fails.
pub fn read_stats(source: impl Read) -> Result<Stats> {
    let mut lines = Lines::new(source, ProcFile::Stats);
    let mut numbers = |skip: usize| -> Result<[u64; 5]> {
        for _ in 0..skip {
            lines.next().transpose()?;
        }
        let number = lines.number() + 1;
        let line = lines.next().transpose()?.unwrap_or_default();
        Ok(five(&mut Cursor::new(line)).map_err(|bad| bad.in_line(ProcFile::Stats, number))?)
    };
    Ok(Stats { counters: counters(numbers(2)?), rates: rates(numbers(2)?) })
}

/// Writes all of `ip_vs_stats`.
///
/// # Errors
/// Those of `out`.
pub fn write_stats(out: &mut impl Write, stats: &Stats) -> io::Result<()> {
    out.write_all(b"   Total Incoming Outgoing         Incoming         Outgoing\n")?;
    out.write_all(b"   Conns  Packets  Packets            Bytes            Bytes\n")?;
    write_five(out, of_counters(&stats.counters))?;
    out.write_all(b"\n Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s\n")?;
    write_five(out, of_rates(&stats.rates))
}

/// A row of `ip_vs_stats_percpu`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PerCpuRow {
    /// One processor; live, and not reduced by zeroing.
    Cpu {
        /// Its number.
        cpu: u32,
        /// Its sums.
        counters: Counters,
    },
    /// The sum of all as of the last estimation, since it was zeroed.
    Total(Counters),
    /// The rates of all.
    Rates(Rates),
}

/// The rows of `ip_vs_stats_percpu`, read as it goes: all possible processors, the total, the
/// rates.
#[derive(Debug)]
pub struct PerCpuReader<R> {
    lines: Lines<R>,
    done: bool,
}

impl<R: Read> PerCpuReader<R> {
    /// Rows of that text.
    pub fn new(source: R) -> Self {
        Self { lines: Lines::new(source, ProcFile::PerCpuStats), done: false }
    }

    /// The next row; `None` after the rates.
    ///
    /// # Errors
    /// [`Error::Procfs`](crate::Error::Procfs) for a malformed row or a text that ends early,
    /// [`Error::Io`](crate::Error::Io) when the source fails.
    pub fn next_row(&mut self) -> Option<Result<PerCpuRow>> {
        if self.done {
            return None;
        }
        let row = self.read_row();
        self.done = matches!(row, Ok(PerCpuRow::Rates(_))) || row.is_err() && self.lines.pending().is_empty();
        Some(row)
    }

    fn read_row(&mut self) -> Result<PerCpuRow> {
        while self.lines.number() < 2 && self.lines.next().transpose()?.is_some() {}
        let error = |line, bad: Bad| -> ParseError { bad.in_line(ProcFile::PerCpuStats, line) };
        let number = self.lines.number() + 1;
        let line = self.lines.next().transpose()?.unwrap_or_default();
        if !unindented(line).is_empty() {
            return Ok(cpu_row(line).map_err(|bad| error(number, bad))?);
        }
        self.lines.next().transpose()?;
        let number = self.lines.number() + 1;
        let line = self.lines.next().transpose()?.unwrap_or_default();
        Ok(PerCpuRow::Rates(rates(five(&mut Cursor::new(line)).map_err(|bad| error(number, bad))?)))
    }
}

fn cpu_row(line: &[u8]) -> Result<PerCpuRow, Bad> {
    let mut cursor = Cursor::new(line);
    const CPU: &str = "the number of a processor or ~";
    let cpu = cursor.parsed(CPU, |word| match word {
        b"~" => Some(None),
        _ => Some(Some(hex(word)?.try_into().ok()?)),
    })?;
    let counters = counters(five(&mut cursor)?);
    Ok(match cpu {
        Some(cpu) => PerCpuRow::Cpu { cpu, counters },
        None => PerCpuRow::Total(counters),
    })
}

/// Writes all of `ip_vs_stats_percpu`.
///
/// # Errors
/// Those of `out`.
pub fn write_per_cpu_stats(
    out: &mut impl Write,
    cpus: impl IntoIterator<Item = (u32, Counters)>,
    stats: &Stats,
) -> io::Result<()> {
    out.write_all(b"       Total Incoming Outgoing         Incoming         Outgoing\n")?;
    out.write_all(b"CPU    Conns  Packets  Packets            Bytes            Bytes\n")?;
    for (cpu, counters) in cpus {
        write!(out, "{cpu:3X} ")?;
        write_five(out, of_counters(&counters))?;
    }
    out.write_all(b"  ~ ")?;
    write_five(out, of_counters(&stats.counters))?;
    out.write_all(b"\n     Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s\n    ")?;
    write_five(out, of_rates(&stats.rates))
}

fn five(cursor: &mut Cursor<'_>) -> Result<[u64; 5], Bad> {
    let mut numbers = [0; 5];
    for number in &mut numbers {
        *number = cursor.parsed("a hexadecimal number", hex)?;
    }
    cursor.end()?;
    Ok(numbers)
}

// ip_vs_ctl.c: ip_vs_stats_show(): "%8LX %8LX %8LX %16LX %16LX".
fn write_five(out: &mut impl Write, [a, b, c, d, e]: [u64; 5]) -> io::Result<()> {
    writeln!(out, "{a:8X} {b:8X} {c:8X} {d:16X} {e:16X}")
}

const fn counters([connections, packets_in, packets_out, bytes_in, bytes_out]: [u64; 5]) -> Counters {
    Counters { connections, packets_in, packets_out, bytes_in, bytes_out }
}

const fn rates([connections, packets_in, packets_out, bytes_in, bytes_out]: [u64; 5]) -> Rates {
    Rates { connections, packets_in, packets_out, bytes_in, bytes_out }
}

const fn of_counters(c: &Counters) -> [u64; 5] {
    [c.connections, c.packets_in, c.packets_out, c.bytes_in, c.bytes_out]
}

const fn of_rates(r: &Rates) -> [u64; 5] {
    [r.connections, r.packets_in, r.packets_out, r.bytes_in, r.bytes_out]
}
