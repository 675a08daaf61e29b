//! `host`, `host:port`, `[v6]:port`.

use std::net::IpAddr;
use std::ops::Range;

use super::kind::Reason;
use super::lexer::Word;
use super::{Dialect, Resolver, number};
use crate::model::Protocol;

/// Why a word is not an endpoint, and which part of it is invalid.
pub(crate) struct Fault {
    pub(crate) reason: Reason,
    pub(crate) span: Range<usize>,
}

/// An address and, if the word has one, a port.
///
/// With `protocol`, the port may be a service name of it; otherwise it has to be a number.
#[inline]
pub(crate) fn endpoint(
    word: Word<'_>,
    protocol: Option<Protocol>,
    dialect: Dialect,
    resolver: &dyn Resolver,
) -> Result<(IpAddr, Option<u16>), Fault> {
    // The common case first: a.b.c.d:port.
    if let Some((addr, [b':', rest @ ..])) = number::dotted_quad_prefix(word.bytes) {
        return Ok((addr.into(), Some(port(word.from(word.bytes.len() - rest.len()), protocol, resolver)?)));
    }
    uncommon(word, protocol, dialect, resolver)
}

fn uncommon(
    word: Word<'_>,
    protocol: Option<Protocol>,
    dialect: Dialect,
    resolver: &dyn Resolver,
) -> Result<(IpAddr, Option<u16>), Fault> {
    let bytes = word.bytes;
    let whole = |reason| Fault { reason, span: word.span() };
    if bytes.first() == Some(&b'[') {
        let Some(close) = bytes.iter().position(|byte| *byte == b']') else {
            return Err(whole(Reason::Brackets));
        };
        let inner = Word { bytes: &bytes[1..close], start: word.start + 1 };
        let rest = word.from(close + 1);
        return match (number::ipv6(inner.bytes), rest.bytes) {
            (Some(addr), [b':', ..]) => Ok((addr.into(), Some(port(rest.from(1), protocol, resolver)?))),
            (Some(addr), []) if dialect == Dialect::Lossless => Ok((addr.into(), None)),
            // What ipvsadm does: brackets around IPv4 or a name lose the port.
            (None, [b':', ..]) if dialect == Dialect::Ipvsadm && !inner.bytes.is_empty() => {
                Ok((host(inner, dialect, resolver)?, None))
            }
            (Some(_), _) => Err(Fault { reason: Reason::NoPort, span: rest.span() }),
            (None, _) => Err(whole(Reason::Brackets)),
        };
    }
    if let Some(addr) = number::ipv6(bytes) {
        if dialect == Dialect::Lossless && may_end_in_a_port(bytes) {
            return Err(whole(Reason::PerhapsPort(word.text())));
        }
        return Ok((addr.into(), None));
    }
    if bytes.is_empty() || bytes.iter().all(u8::is_ascii_digit) {
        return Err(whole(Reason::Form));
    }
    match bytes.iter().position(|byte| *byte == b':') {
        Some(colon) => {
            let addr = host(Word { bytes: &bytes[..colon], ..word }, dialect, resolver)?;
            Ok((addr, Some(port(word.from(colon + 1), protocol, resolver)?)))
        }
        None => Ok((host(word, dialect, resolver)?, None)),
    }
}

/// Whether an IPv6 address reads as a shorter one with a port, too: `2001:db8::a:8443`.
fn may_end_in_a_port(addr: &[u8]) -> bool {
    let colon = addr.iter().rposition(|byte| *byte == b':');
    let parts = colon.map(|colon| (&addr[..colon], &addr[colon + 1..]));
    parts.is_some_and(|(addr, port)| number::ipv6(addr).is_some() && number::ranged(port, 0, 65535).is_some())
}

/// A numeric IPv4 address or the name of a host.
pub(crate) fn host(word: Word<'_>, dialect: Dialect, resolver: &dyn Resolver) -> Result<IpAddr, Fault> {
    if let Some(addr) = number::ipv4(word.bytes, dialect) {
        return Ok(addr.into());
    }
    let fault = |reason| Fault { reason, span: word.span() };
    if word.bytes.is_empty() {
        return Err(fault(Reason::Form));
    }
    // The system's resolver would read these as ipvsadm does: 010.0.0.1 as 8.0.0.1.
    if dialect == Dialect::Lossless && number::inet_aton(word.bytes).is_some() {
        return Err(fault(Reason::OddIpv4(word.text())));
    }
    let unknown = || fault(Reason::Host(word.text()));
    let name = std::str::from_utf8(word.bytes).map_err(|_| unknown())?;
    let found = resolver.addresses(name);
    // ipvsadm resolves IPv4 hosts only.
    let first = found.iter().find(|addr| addr.is_ipv4());
    let first = first.or_else(|| if dialect == Dialect::Lossless { found.first() } else { None });
    first.copied().ok_or_else(unknown)
}

#[inline]
fn port(word: Word<'_>, protocol: Option<Protocol>, resolver: &dyn Resolver) -> Result<u16, Fault> {
    if let Some(number) = number::ranged(word.bytes, 0, 65535) {
        return Ok(number as u16);
    }
    if word.bytes.is_empty() {
        return Err(Fault { reason: Reason::NoPort, span: word.span() });
    }
    let name = std::str::from_utf8(word.bytes).ok();
    name.zip(protocol)
        .and_then(|(name, protocol)| resolver.port(name, protocol))
        .ok_or_else(|| Fault { reason: Reason::Port(word.text()), span: word.span() })
}
