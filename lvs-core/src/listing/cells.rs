use std::fmt::{self, Write as _};
use std::net::IpAddr;

use super::options::{ListingOptions, Style};
use crate::model::{Protocol, SchedulerName, ServiceFlags};
use crate::rules::push_ipv6;
use crate::schedulers::has_flags;

/// `ADDRESS:PORT`, by name where the resolver knows one; in compat style at most 59 bytes, as `ipvsadm` has room for.
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
            IpAddr::V4(addr) => push(text, format_args!("{addr}")),
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
        None => push(text, format_args!("{port}")),
    }
    if options.style == Style::Compat {
        cut(text, start, 59);
    }
}

/// Cuts what was written after `start` to so many bytes, as `%.Ns` of C does, but never inside a character.
pub(super) fn cut(text: &mut String, start: usize, width: usize) {
    let mut end = start + width;
    if end < text.len() {
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
}

/// Blanks up to a column counted from `start`.
pub(super) fn pad(text: &mut String, start: usize, width: usize) {
    for _ in text.len()..start + width {
        text.push(' ');
    }
}

pub(super) fn push(text: &mut String, arguments: fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("a String takes all");
}

/// A number in nine columns, or ten with its unit; in full if `exact`, and then as many as it takes.
pub(super) struct Number {
    pub(super) value: u64,
    pub(super) exact: bool,
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.value;
        if self.exact {
            // Nine columns for eight digits; beyond that one blank and the digits.
            return if value < 100_000_000 { write!(f, "{value:9}") } else { write!(f, " {value}") };
        }
        match value {
            0..100_000_000 => write!(f, "{value:9}"),
            100_000_000..1_000_000_000 => write!(f, "{:8}K", value / 1_000),
            1_000_000_000..100_000_000_000 => write!(f, "{:8}M", value / 1_000_000),
            100_000_000_000..100_000_000_000_000 => write!(f, "{:8}G", value / 1_000_000_000),
            _ => write!(f, "{:8}T", value / 1_000_000_000_000),
        }
    }
}

/// The scheduler's flags in its own words: ` (sh-fallback,sh-port)`; nothing if none is set.
pub(super) fn push_flags(text: &mut String, style: Style, scheduler: &SchedulerName, flags: ServiceFlags) {
    let unknown = if style == Style::Fixed { flags.unknown() } else { ServiceFlags::EMPTY };
    let set = flags & ServiceFlags::SCHED_ALL;
    if set.is_empty() && unknown.is_empty() {
        return;
    }
    // sh and mh have no third flag, and ipvsadm leaves it out.
    let nameless = style == Style::Compat && has_flags(scheduler.as_str());
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
        Style::Compat => push(text, format_args!("{}", mark as i32)),
        Style::Fixed => push(text, format_args!("{mark}")),
    }
}
