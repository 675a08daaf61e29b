use std::fmt::{self, Write as _};
use std::net::IpAddr;

use super::options::{ListingOptions, Style};
use crate::digits::{push_ipv4, push_number, push_right};
use crate::model::{Protocol, SchedulerName, ServiceFlags};
use crate::rules::push_ipv6;
use crate::schedulers::has_flags;

/// `ADDRESS:PORT`, by name where the resolver knows one; in compat style at most the 59
/// bytes of `ipvsadm`'s buffer.
pub(super) fn push_endpoint(
    text: &mut String,
    options: &ListingOptions<'_>,
    (addr, port): (IpAddr, u16),
    protocol: Protocol,
) {
    let start = text.len();
    let (open, close) = if addr.is_ipv6() { ("[", "]") } else { ("", "") };
    text.push_str(open);
    match options.resolver.host_name(addr) {
        Some(name) => text.push_str(&name),
        None => match addr {
            IpAddr::V4(addr) => push_ipv4(text, addr),
            IpAddr::V6(addr) => push_ipv6(text, addr),
        },
    }
    text.push_str(close);
    text.push(':');
    let name = match protocol {
        Protocol::Other(_) => None,
        known => options.resolver.port_name(port, known),
    };
    match name {
        Some(name) => text.push_str(&name),
        None => push_number(text, port),
    }
    if options.style == Style::Ipvsadm {
        cut(text, start, 59);
    }
}

/// Cuts what was written after `start` to `width` bytes, as `%.Ns` of C does, but never inside a
/// character.
pub(super) fn cut(text: &mut String, start: usize, width: usize) {
    let mut end = start + width;
    if end < text.len() {
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
}

pub(super) fn push(text: &mut String, arguments: fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("a String takes all");
}

/// A number in nine columns, or ten with its unit; in full if `exact`, and then as many as it
/// takes.
pub(super) fn push_statistic(text: &mut String, value: u64, exact: bool) {
    let (value, unit) = match value {
        // Nine columns for eight digits; beyond that one blank and the digits.
        100_000_000.. if exact => {
            text.push(' ');
            return push_number(text, value);
        }
        0..100_000_000 => return push_right(text, value, 9),
        100_000_000..1_000_000_000 => (value / 1_000, 'K'),
        1_000_000_000..100_000_000_000 => (value / 1_000_000, 'M'),
        100_000_000_000..100_000_000_000_000 => (value / 1_000_000_000, 'G'),
        _ => (value / 1_000_000_000_000, 'T'),
    };
    push_right(text, value, 8);
    text.push(unit);
}

/// The scheduler's flags in its own words: ` (sh-fallback,sh-port)`; nothing if none is set.
pub(super) fn push_flags(text: &mut String, style: Style, scheduler: &SchedulerName, flags: ServiceFlags) {
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
            text.push(',');
        }
        text.push_str(name);
    }
    if !unknown.is_empty() {
        push(text, format_args!("{}{unknown:#x}", if text.len() > start { "," } else { "" }));
    }
    text.push(')');
}

/// A firewall mark, in compat style through `%d`.
pub(super) fn push_mark(text: &mut String, options: &ListingOptions<'_>, mark: u32) {
    match options.style {
        Style::Ipvsadm => push(text, format_args!("{}", mark as i32)),
        Style::Fixed => push(text, format_args!("{mark}")),
    }
}
