use std::io::{self, Write};

use crate::model::Protocol;

/// Names of `ip_vs_proto.c`: `ip_vs_proto_name()`; all other numbers are `IP_<n>`.
const NAMES: [(u16, &str); 6] = [(0, "IP"), (6, "TCP"), (17, "UDP"), (132, "SCTP"), (1, "ICMP"), (58, "ICMPv6")];

/// The protocol of a word.
pub(super) fn connection_protocol(word: &[u8]) -> Option<Protocol> {
    let number = match NAMES.iter().find(|(_, name)| name.as_bytes() == word) {
        Some((number, _)) => *number,
        None => super::text::decimal(word.strip_prefix(b"IP_")?)?.try_into().ok()?,
    };
    Some(Protocol::from_number(number))
}

/// Writes the kernel's name of a protocol and tells its length.
pub(super) fn write_protocol(out: &mut impl Write, protocol: Protocol) -> io::Result<usize> {
    let number = protocol.number();
    match NAMES.iter().find(|(known, _)| *known == number) {
        Some((_, name)) => {
            out.write_all(name.as_bytes())?;
            Ok(name.len())
        }
        None => {
            write!(out, "IP_{number}")?;
            Ok(3 + number.checked_ilog10().map_or(1, |digits| digits as usize + 1))
        }
    }
}
