use std::io::{self, Write};
use std::net::IpAddr;

use super::cells::{STATISTICS, cut, push, push_endpoint, push_flags, push_mark, statistic};
use super::options::{ListingMode, ListingOptions, Style};
use super::order;
use crate::digits::{Ascii, pad};
use crate::model::{
    AddressFamily, Destination, DestinationEntry, ForwardingMethod, Protocol, Service, ServiceKey, ServiceSnapshot,
    Snapshot, Stats, Tunnel, TunnelKind,
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

/// A listing on its way: one scratch line for all cells.
struct Lines<'a, 'b, W> {
    out: &'a mut W,
    options: &'a ListingOptions<'b>,
    line: String,
}

impl<'a, 'b, W: Write> Lines<'a, 'b, W> {
    fn new(out: &'a mut W, options: &'a ListingOptions<'b>) -> Self {
        Self { out, options, line: String::new() }
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
        self.push_service_name(service);
        match self.options.mode {
            ListingMode::Stats | ListingMode::Rate => {
                let numbers = five(self.options.mode, &snapshot.entry.statistics());
                pad(&mut self.line, 5 + NAME_WIDTH);
                self.push_numbers(numbers);
            }
            _ => self.push_service_tail(service),
        }
        self.end_line()?;
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
                    Protocol::Other(_) if self.options.style == Style::Ipvsadm => self.line.push('?'),
                    Protocol::Other(number) => push(&mut self.line, format_args!("{number}")),
                }
                pad(&mut self.line, 4);
                self.line.push(' ');
                self.push_endpoint((addr, port), protocol);
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
        push(&mut self.line, format_args!(" {}", service.scheduler));
        push_flags(&mut self.line, self.options.style, &service.scheduler, service.flags);
        if let Some(timeout) = service.persistence() {
            push(&mut self.line, format_args!(" persistent {timeout}"));
            if !service.netmask().is_full() {
                push(&mut self.line, format_args!(" mask {}", service.netmask()));
            }
        }
        if let Some(engine) = service.engine
            && (service.is_persistent() || fixed)
        {
            push(&mut self.line, format_args!(" pe {engine}"));
        }
        if service.is_one_packet() {
            self.line.push_str(" ops");
        }
    }

    fn destination(&mut self, entry: &DestinationEntry, protocol: Protocol) -> io::Result<()> {
        let compat = self.options.style == Style::Ipvsadm;
        let destination = &entry.destination;
        self.line.clear();
        self.line.push_str("  -> ");
        let start = self.line.len();
        self.push_endpoint((destination.key.addr, destination.key.port), protocol);
        pad(&mut self.line, start + NAME_WIDTH);
        let line = &mut self.line;
        let (weight, active, inactive) = (destination.weight as i32, entry.active, entry.inactive);
        let forward = match destination.forwarding {
            // What ipvsadm's C library makes of a name that is not there.
            ForwardingMethod::Bypass | ForwardingMethod::Other(_) if compat => "(null)",
            method => method.listing_name(),
        };
        match self.options.mode {
            ListingMode::Default => {
                push_word(line, forward, 7);
                push_cells(line, [(i64::from(weight), 6), (active.into(), 10), (inactive.into(), 10)]);
            }
            ListingMode::TunnelInfo => {
                push_word(line, forward, 7);
                line.push(' ');
                let start = line.len();
                push_tunnel(line, destination, self.options.style);
                pad(line, start + TUNNEL_WIDTH);
                push_cells(line, [(i64::from(weight), 6), (active.into(), 10), (inactive.into(), 10)]);
            }
            ListingMode::Thresholds => {
                let (upper, lower) = (destination.upper_threshold, destination.lower_threshold);
                push_cells(line, [upper, lower, active, inactive].map(|number| (number.into(), 10)));
            }
            ListingMode::PersistentConnections => {
                let (weight, persistent) = (destination.weight.into(), entry.persistent.into());
                push_cells(line, [(weight, 9), (persistent, 11), (active.into(), 10), (inactive.into(), 10)]);
            }
            ListingMode::Stats | ListingMode::Rate => {
                let stats = entry.statistics();
                let stats = if compat { stats.truncated() } else { stats };
                let numbers = five(self.options.mode, &stats);
                if compat && self.options.mode == ListingMode::Rate {
                    let [connections, packets_in, packets_out, bytes @ ..] = numbers;
                    let mut cells = Ascii::<STATISTICS>::new();
                    for number in [connections, packets_in, packets_out] {
                        cells.byte(b' ');
                        cells.right(number, 8);
                    }
                    for number in bytes {
                        statistic(&mut cells, number, self.options.exact);
                    }
                    cells.push_to(line);
                } else {
                    self.push_numbers(numbers);
                }
            }
        }
        self.end_line()
    }

    fn push_endpoint(&mut self, endpoint: (IpAddr, u16), protocol: Protocol) {
        push_endpoint(&mut self.line, self.options, endpoint, protocol, NAME_WIDTH);
    }

    fn push_numbers(&mut self, numbers: [u64; 5]) {
        let mut cells = Ascii::<STATISTICS>::new();
        for value in numbers {
            statistic(&mut cells, value, self.options.exact);
        }
        cells.push_to(&mut self.line);
    }

    fn end_line(&mut self) -> io::Result<()> {
        self.line.push('\n');
        self.out.write_all(self.line.as_bytes())
    }
}

/// A word in a column, a blank before it.
fn push_word(line: &mut String, word: &str, width: usize) {
    line.push(' ');
    let end = line.len() + width;
    line.push_str(word);
    pad(line, end);
}

/// Numbers in columns of these widths, a blank before each.
fn push_cells<const N: usize>(line: &mut String, cells: [(i64, usize); N]) {
    const {
        assert!(N <= 4);
    }
    // A number has at most twenty characters, no column more.
    let mut ascii = Ascii::<96>::new();
    for (number, width) in cells {
        ascii.byte(b' ');
        ascii.left(number, width);
    }
    ascii.push_to(line);
}

const fn five(mode: ListingMode, stats: &Stats) -> [u64; 5] {
    let (c, r) = (&stats.counters, &stats.rates);
    match mode {
        ListingMode::Rate => [r.connections, r.packets_in, r.packets_out, r.bytes_in, r.bytes_out],
        _ => [c.connections, c.packets_in, c.packets_out, c.bytes_in, c.bytes_out],
    }
}

/// `ipip`, `gue:PORT:FLAGS`, `gre:FLAGS`; `n/a` of what is no tunnel.
fn push_tunnel(line: &mut String, destination: &Destination, style: Style) {
    let Tunnel { kind, port, flags } = destination.tunnel;
    let start = line.len();
    match kind {
        _ if destination.forwarding != ForwardingMethod::Tunnel => return line.push_str("n/a"),
        TunnelKind::Ipip => return line.push_str("ipip"),
        TunnelKind::Gue => push(line, format_args!("gue:{port}:")),
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
        other => push(line, format_args!("{other:#x}")),
    }
    if style == Style::Ipvsadm {
        cut(line, start, 15);
    }
}

/// Columns of an address with its port.
const NAME_WIDTH: usize = 28;
/// Columns of a tunnel.
const TUNNEL_WIDTH: usize = 13;
