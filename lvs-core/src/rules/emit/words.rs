//! Names, addresses and tunnels as words of a line.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv6Addr};

use super::Emitter;
use crate::digits::{Cells, Text};
use crate::model::{AddressFamily, Destination, Protocol, ServiceKey, Tunnel, TunnelFlags, TunnelKind};
use crate::rules::Dialect;
use crate::rules::image::is_word;

impl Emitter<'_> {
    pub(super) fn key(&self, key: &ServiceKey, text: &mut Text) {
        match *key {
            ServiceKey::Endpoint { protocol, addr, port } => {
                match protocol {
                    Protocol::Tcp => text.push_str("-t "),
                    Protocol::Udp => text.push_str("-u "),
                    Protocol::Sctp => text.push_str("--sctp-service "),
                    Protocol::Other(number) => {
                        let _ = write!(text, "--ip-service {number}:");
                    }
                }
                self.push_endpoint(addr, port, protocol, text);
            }
            ServiceKey::Fwmark { mark, family } => {
                let _ = match self.dialect {
                    Dialect::Ipvsadm => write!(text, "-f {}", mark.get() as i32),
                    Dialect::Lossless => write!(text, "-f {mark}"),
                };
                if family == AddressFamily::Ipv6 {
                    text.push_str(" -6");
                }
            }
        }
    }

    pub(super) fn push_endpoint(&self, addr: IpAddr, port: u16, protocol: Protocol, text: &mut Text) {
        let mut cells = Cells::<32>::new();
        self.endpoint(addr, port, protocol, (text, &mut cells));
        cells.move_to(text);
    }

    /// The common case, IPv4 in numbers, goes to cells that are empty, anything else to the text.
    pub(super) fn endpoint<const N: usize>(
        &self,
        addr: IpAddr,
        port: u16,
        protocol: Protocol,
        (text, cells): (&mut Text, &mut Cells<N>),
    ) {
        let host = self.names.and_then(|names| names.host_name(addr)).filter(|name| is_word(name));
        let service = self.names.and_then(|names| names.port_name(port, protocol)).filter(|name| is_word(name));
        if let (IpAddr::V4(addr), None, None) = (addr, &host, &service) {
            return cells.ipv4_endpoint(addr, port);
        }
        match (host, addr) {
            (Some(name), IpAddr::V4(_)) => text.push_str(&name),
            (Some(name), IpAddr::V6(_)) => {
                let _ = write!(text, "[{name}]");
            }
            (None, IpAddr::V4(addr)) => {
                let _ = write!(text, "{addr}");
            }
            (None, IpAddr::V6(addr)) => {
                text.push_str("[");
                push_ipv6(text, addr);
                text.push_str("]");
            }
        }
        text.push_str(":");
        match service {
            Some(name) => text.push_str(&name),
            None => text.push_number(port),
        }
    }
}

pub(super) fn plain_tunnel(tunnel: &Tunnel, text: &mut Text) {
    let checksum = match tunnel.flags {
        TunnelFlags::REMOTE_CHECKSUM => "remcsum",
        TunnelFlags::CHECKSUM => "csum",
        _ => "nocsum",
    };
    let _ = match tunnel.kind {
        TunnelKind::Gue => write!(text, " --tun-type gue --tun-port {} --tun-{checksum}", tunnel.port),
        TunnelKind::Gre => write!(text, " --tun-type gre --tun-{checksum}"),
        _ => write!(text, " --tun-type ipip"),
    };
}

pub(super) fn extended_tunnel(server: &Destination, text: &mut Text) {
    let Tunnel { kind, port, flags } = server.tunnel;
    let _ = match kind {
        TunnelKind::Ipip => Ok(()),
        TunnelKind::Gue => write!(text, " --tun-type gue"),
        TunnelKind::Gre => write!(text, " --tun-type gre"),
        TunnelKind::Other(number) => write!(text, " --tun-type {number}"),
    };
    if port != 0 {
        let _ = write!(text, " --tun-port {port}");
    }
    if flags.bits() != 0 {
        let _ = write!(text, " --tun-flags {:#x}", flags.bits());
    }
}

/// A comment on a line of its own, where it must not look like an extended line.
pub(super) fn line_of(comment: &str, text: &mut Text) {
    let rest = comment.strip_prefix("lvs");
    let gap = if rest.is_some_and(|rest| !rest.starts_with(|c: char| !c.is_ascii_whitespace())) { " " } else { "" };
    let _ = writeln!(text, "#{gap}{comment}");
}

/// Whose names a real server's port has: with marks nobody's, although `-r` reads those of TCP.
pub(super) fn names_of(key: &ServiceKey) -> Protocol {
    key.protocol().unwrap_or(Protocol::Other(0))
}

/// An IPv6 address as glibc's `inet_ntop` writes it: unlike `std` also `::192.0.2.1`.
pub(crate) fn push_ipv6(text: &mut Text, addr: Ipv6Addr) {
    let segments = addr.segments();
    let _ = if segments[..6] == [0; 6] && segments[6] != 0 {
        let [.., a, b, c, d] = addr.octets();
        write!(text, "::{a}.{b}.{c}.{d}")
    } else {
        write!(text, "{addr}")
    };
}
