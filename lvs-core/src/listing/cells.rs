use std::net::IpAddr;

use super::options::{ListingOptions, Style};
use crate::digits::{Cells, Text};
use crate::model::{Protocol, SchedulerName, ServiceFlags};
use crate::rules::push_ipv6;
use crate::schedulers::has_flags;

/// [`endpoint`] at the end of a text.
pub(super) fn push_endpoint(
    text: &mut Text,
    options: &ListingOptions<'_>,
    of: (IpAddr, u16),
    protocol: Protocol,
    width: usize,
) {
    let mut cells = Cells::<32>::new();
    endpoint((text, &mut cells), options, of, protocol, width);
    cells.move_to(text);
}

/// The most bytes of `ADDRESS:PORT` that fit in `ipvsadm`'s buffer.
const ENDPOINT_WIDTH: usize = 59;

/// `ADDRESS:PORT`, by name where the resolver knows one; in [`Style::Ipvsadm`] at most as much as
/// fits in `ipvsadm`'s buffer, and of an IPv4 address at most the column's `width`.
///
/// The common case, IPv4 in numbers, needs no cutting and goes to `cells`, anything else to `text`.
pub(super) fn endpoint<const N: usize>(
    (text, cells): (&mut Text, &mut Cells<N>),
    options: &ListingOptions<'_>,
    (addr, port): (IpAddr, u16),
    protocol: Protocol,
    width: usize,
) {
    let host = options.resolver.host_name(addr);
    let service = match protocol {
        Protocol::Other(_) => None,
        known => options.resolver.port_name(port, known),
    };
    if let (IpAddr::V4(addr), None, None) = (addr, &host, &service) {
        return cells.ipv4_endpoint(addr, port);
    }
    cells.move_to(text);
    let start = text.len();
    let (open, close) = if addr.is_ipv6() { ("[", "]") } else { ("", "") };
    text.push_str(open);
    match (host, addr) {
        (Some(name), _) => text.push_str(&name),
        (None, IpAddr::V4(addr)) => text.push(format_args!("{addr}")),
        (None, IpAddr::V6(addr)) => push_ipv6(text, addr),
    }
    text.push_str(close);
    text.push_str(":");
    match service {
        Some(name) => text.push_str(&name),
        None => text.push_number(port),
    }
    if options.style == Style::Ipvsadm {
        let width = if addr.is_ipv4() { width } else { usize::MAX };
        text.cut(start, width.min(ENDPOINT_WIDTH));
    }
}

/// A number in nine columns, or ten with its unit; in full if `exact`, and then as many as it
/// takes.
pub(super) fn statistic<const N: usize>(cells: &mut Cells<N>, value: u64, exact: bool) {
    let (value, unit) = match value {
        // Nine columns for eight digits; beyond that one blank and the digits.
        100_000_000.. if exact => {
            cells.byte(b' ');
            return cells.number(value);
        }
        0..100_000_000 => return cells.right(value, 9),
        100_000_000..1_000_000_000 => (value / 1_000, b'K'),
        1_000_000_000..100_000_000_000 => (value / 1_000_000, b'M'),
        100_000_000_000..100_000_000_000_000 => (value / 1_000_000_000, b'G'),
        _ => (value / 1_000_000_000_000, b'T'),
    };
    cells.right(value, 8);
    cells.byte(unit);
}

/// The scheduler's flags in its own words: ` (sh-fallback,sh-port)`; nothing if none is set.
pub(super) fn push_flags(text: &mut Text, style: Style, scheduler: &SchedulerName, flags: ServiceFlags) {
    let unknown = if style == Style::Fixed { flags.unknown() } else { ServiceFlags::EMPTY };
    let set = flags & ServiceFlags::SCHED_ALL;
    if set.is_empty() && unknown.is_empty() {
        return;
    }
    // sh and mh have no third flag, and ipvsadm leaves it out.
    let nameless = style == Style::Ipvsadm && has_flags(scheduler.as_str());
    text.push_str(" (");
    let start = text.len();
    for name in set.names(scheduler.as_str()).filter(|name| !(nameless && *name == "flag-3")) {
        if text.len() > start {
            text.push_str(",");
        }
        text.push_str(name);
    }
    if !unknown.is_empty() {
        text.push(format_args!("{}{unknown:#x}", if text.len() > start { "," } else { "" }));
    }
    text.push_str(")");
}

/// A firewall mark, in [`Style::Ipvsadm`] through `%d`.
pub(super) fn push_mark(text: &mut Text, options: &ListingOptions<'_>, mark: u32) {
    match options.style {
        Style::Ipvsadm => text.push(format_args!("{}", mark as i32)),
        Style::Fixed => text.push(format_args!("{mark}")),
    }
}
