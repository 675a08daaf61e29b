use std::io::{self, Write};

use super::cells::{endpoint, push_endpoint, push_flags, push_mark, statistic};
use super::options::{ListingMode, ListingOptions, Style};
use super::order;
use crate::digits::{Cells, Text};
use crate::model::{
    AddressFamily, Destination, DestinationEntry, DestinationKey, ForwardingMethod, Protocol, Service, ServiceKey,
    ServiceSnapshot, Snapshot, Stats, Tunnel, TunnelKind,
};

/// Writes the table of all services, as `ipvsadm -L` does.
/// [`procfs::write_table`](crate::procfs::write_table) writes the same table as the kernel does.
///
/// # Errors
/// Those of `out`.
pub fn write_table(out: &mut impl Write, snapshot: &Snapshot, options: &ListingOptions<'_>) -> io::Result<()> {
    let info = &snapshot.info;
    writeln!(out, "IP Virtual Server version {} (size={})", info.version, info.connection_table_size)?;
    let mut services: Vec<_> = snapshot.services.iter().collect();
    if options.sort {
        order::sort_services(options.style, &mut services, |service| service.entry.service.key());
    }
    let mut lines = Lines::new(out, options);
    lines.header()?;
    for service in services {
        lines.service(service)?;
    }
    Ok(())
}

/// Writes the table of one service, as `ipvsadm -L -t SERVICE` does: without the first line.
///
/// # Errors
/// Those of `out`.
pub fn write_service(out: &mut impl Write, service: &ServiceSnapshot, options: &ListingOptions<'_>) -> io::Result<()> {
    let mut lines = Lines::new(out, options);
    lines.header()?;
    lines.service(service)
}

/// A listing on its way. Lines of nothing but numbers are put together in cells, others begin in
/// `line`.
struct Lines<'a, 'b, W> {
    out: &'a mut W,
    options: &'a ListingOptions<'b>,
    line: Text,
}

impl<'a, 'b, W: Write> Lines<'a, 'b, W> {
    fn new(out: &'a mut W, options: &'a ListingOptions<'b>) -> Self {
        Self { out, options, line: Text::new() }
    }

    fn header(&mut self) -> io::Result<()> {
        const FIRST: &str = "Prot LocalAddress:Port";
        const SECOND: &str = "  -> RemoteAddress:Port";
        let five = |out: &mut W, [a, b, c, d, e]: [&str; 5]| {
            writeln!(out, "{FIRST:<33} {a:>8} {b:>8} {c:>8} {d:>8} {e:>8}\n{SECOND}")
        };
        let out = &mut *self.out;
        match self.options.mode {
            ListingMode::Default => {
                writeln!(out, "{FIRST} Scheduler Flags\n{SECOND}           Forward Weight ActiveConn InActConn")
            }
            ListingMode::TunnelInfo => writeln!(
                out,
                "{FIRST} Scheduler Flags\n{SECOND}           Forward TunnelInfo    Weight ActiveConn InActConn"
            ),
            ListingMode::Stats => five(out, ["Conns", "InPkts", "OutPkts", "InBytes", "OutBytes"]),
            ListingMode::Rate => five(out, ["CPS", "InPPS", "OutPPS", "InBPS", "OutBPS"]),
            ListingMode::Thresholds => writeln!(
                out,
                "{FIRST:<33} {:<10} {:<10} {:<10} {:<10}\n{SECOND}",
                "Uthreshold", "Lthreshold", "ActiveConn", "InActConn"
            ),
            ListingMode::PersistentConnections => writeln!(
                out,
                "{FIRST:<33} {:<9} {:<11} {:<10} {:<10}\n{SECOND}",
                "Weight", "PersistConn", "ActiveConn", "InActConn"
            ),
        }
    }

    fn service(&mut self, snapshot: &ServiceSnapshot) -> io::Result<()> {
        let service = &snapshot.entry.service;
        self.line.clear();
        let mut cells = Cells::new();
        self.push_service_name(service);
        match self.options.mode {
            ListingMode::Stats | ListingMode::Rate => {
                self.line.pad(5 + NAME_WIDTH);
                self.statistics(&mut cells, five(self.options.mode, &snapshot.entry.statistics()));
            }
            _ => self.push_service_tail(service),
        }
        self.end_line(cells)?;
        let mut destinations: Vec<_> = snapshot.destinations.iter().collect();
        if self.options.sort {
            order::sort_destinations(self.options.style, &mut destinations, |entry| entry.destination.key);
        }
        let protocol = match service.key() {
            ServiceKey::Endpoint { protocol, .. } => protocol,
            ServiceKey::Fwmark { .. } => Protocol::Other(0),
        };
        for destination in destinations {
            self.destination(destination, protocol)?;
        }
        Ok(())
    }

    fn push_service_name(&mut self, service: &Service) {
        match service.key() {
            ServiceKey::Endpoint { protocol, addr, port } => {
                match protocol {
                    Protocol::Tcp => self.line.push_str("TCP"),
                    Protocol::Udp => self.line.push_str("UDP"),
                    Protocol::Sctp => self.line.push_str("SCTP"),
                    Protocol::Other(_) if self.options.style == Style::Ipvsadm => self.line.push_str("?"),
                    Protocol::Other(number) => self.line.push(format_args!("{number}")),
                }
                self.line.pad(4);
                self.line.push_str(" ");
                push_endpoint(&mut self.line, self.options, (addr, port), protocol, NAME_WIDTH);
            }
            ServiceKey::Fwmark { mark, family } => {
                self.line.push_str("FWM  ");
                push_mark(&mut self.line, self.options, mark.get());
                if family == AddressFamily::Ipv6 {
                    self.line.push_str(" IPv6");
                }
            }
        }
    }

    fn push_service_tail(&mut self, service: &Service) {
        let fixed = self.options.style == Style::Fixed;
        self.line.push(format_args!(" {}", service.scheduler));
        push_flags(&mut self.line, self.options.style, &service.scheduler, service.flags);
        if let Some(timeout) = service.persistence() {
            self.line.push(format_args!(" persistent {timeout}"));
            if !service.netmask().is_full() {
                self.line.push(format_args!(" mask {}", service.netmask()));
            }
        }
        if let Some(engine) = service.engine
            && (service.is_persistent() || fixed)
        {
            self.line.push(format_args!(" pe {engine}"));
        }
        if service.is_one_packet() {
            self.line.push_str(" ops");
        }
    }

    fn destination(&mut self, entry: &DestinationEntry, protocol: Protocol) -> io::Result<()> {
        let as_ipvsadm = self.options.style == Style::Ipvsadm;
        let destination = &entry.destination;
        self.line.clear();
        let line = &mut self.line;
        let mut cells = Cells::new();
        cells.word("  -> ");
        let DestinationKey { addr, port } = destination.key;
        endpoint((line, &mut cells), self.options, (addr, port), protocol, NAME_WIDTH);
        if line.is_empty() {
            cells.pad(5 + NAME_WIDTH);
        } else {
            line.pad(5 + NAME_WIDTH);
        }
        let (weight, active, inactive) = (destination.weight as i32, entry.active, entry.inactive);
        let forward = match destination.forwarding {
            // What ipvsadm's C library makes of a name that is not there.
            ForwardingMethod::Bypass | ForwardingMethod::Other(_) if as_ipvsadm => "(null)",
            method => method.listing_name(),
        };
        match self.options.mode {
            ListingMode::Default => {
                word(&mut cells, forward, 7);
                numbers(&mut cells, [(i64::from(weight), 6), (active.into(), 10), (inactive.into(), 10)]);
            }
            ListingMode::TunnelInfo => {
                word(&mut cells, forward, 7);
                cells.byte(b' ');
                cells.move_to(line);
                let start = line.len();
                push_tunnel(line, destination, self.options.style);
                line.pad(start + TUNNEL_WIDTH);
                numbers(&mut cells, [(i64::from(weight), 6), (active.into(), 10), (inactive.into(), 10)]);
            }
            ListingMode::Thresholds => {
                let (upper, lower) = (destination.upper_threshold, destination.lower_threshold);
                numbers(&mut cells, [upper, lower, active, inactive].map(|number| (number.into(), 10)));
            }
            ListingMode::PersistentConnections => {
                let (weight, persistent) = (destination.weight.into(), entry.persistent.into());
                numbers(&mut cells, [(weight, 9), (persistent, 11), (active.into(), 10), (inactive.into(), 10)]);
            }
            ListingMode::Stats | ListingMode::Rate => {
                let stats = entry.statistics();
                let stats = if as_ipvsadm { stats.truncated() } else { stats };
                let five = five(self.options.mode, &stats);
                if as_ipvsadm && self.options.mode == ListingMode::Rate {
                    let [connections, packets_in, packets_out, bytes @ ..] = five;
                    for number in [connections, packets_in, packets_out] {
                        cells.byte(b' ');
                        cells.right(number, 8);
                    }
                    for number in bytes {
                        statistic(&mut cells, number, self.options.exact);
                    }
                } else {
                    self.statistics(&mut cells, five);
                }
            }
        }
        self.end_line(cells)
    }

    fn statistics(&self, cells: &mut LineCells, numbers: [u64; 5]) {
        for value in numbers {
            statistic(cells, value, self.options.exact);
        }
    }

    fn end_line(&mut self, mut cells: LineCells) -> io::Result<()> {
        cells.byte(b'\n');
        if self.line.is_empty() {
            return self.out.write_all(cells.as_bytes());
        }
        cells.move_to(&mut self.line);
        self.out.write_all(self.line.as_bytes())
    }
}

/// An endpoint in its column, five numbers of at most 21 bytes each, and the blanks that a short
/// number is written with.
type LineCells = Cells<144>;

/// A word in a column, a blank before it.
fn word(cells: &mut LineCells, word: &str, width: usize) {
    cells.byte(b' ');
    let end = cells.len() + width;
    cells.word(word);
    cells.pad(end);
}

/// Numbers in columns of these widths, a blank before each.
fn numbers<const N: usize>(cells: &mut LineCells, columns: [(i64, usize); N]) {
    for (number, width) in columns {
        cells.byte(b' ');
        cells.left(number, width);
    }
}

const fn five(mode: ListingMode, stats: &Stats) -> [u64; 5] {
    let (c, r) = (&stats.counters, &stats.rates);
    match mode {
        ListingMode::Rate => [r.connections, r.packets_in, r.packets_out, r.bytes_in, r.bytes_out],
        _ => [c.connections, c.packets_in, c.packets_out, c.bytes_in, c.bytes_out],
    }
}

/// `ipip`, `gue:PORT:FLAGS`, `gre:FLAGS`; `n/a` of what is no tunnel.
fn push_tunnel(line: &mut Text, destination: &Destination, style: Style) {
    let Tunnel { kind, port, flags } = destination.tunnel;
    let start = line.len();
    match kind {
        _ if destination.forwarding != ForwardingMethod::Tunnel => return line.push_str("n/a"),
        TunnelKind::Ipip => return line.push_str("ipip"),
        TunnelKind::Gue => line.push(format_args!("gue:{port}:")),
        TunnelKind::Gre => line.push_str("gre:"),
        TunnelKind::Other(_) => return line.push_str("n/a"),
    }
    match flags.bits() {
        0 => line.push_str("-c"),
        1 => line.push_str("+c"),
        2 => line.push_str("r+c"),
        3 if style == Style::Ipvsadm => line.push_str("(null)"),
        // DIFFERENCE: from 4 on ipvsadm reads beyond its table of names and prints what is there,
        // or dies.
        other => line.push(format_args!("{other:#x}")),
    }
    if style == Style::Ipvsadm {
        line.cut(start, 15);
    }
}

/// Columns of an address with its port.
const NAME_WIDTH: usize = 28;
/// Columns of a tunnel.
const TUNNEL_WIDTH: usize = 13;
