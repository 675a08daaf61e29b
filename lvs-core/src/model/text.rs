//! Keys as people write them.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use super::named::{self, serde_as_text};
use super::{AddressFamily, DestinationKey, ModelError, Protocol, ServiceKey};

/// `tcp://192.0.2.1:80`, `udp://[2001:db8::1]:53`, `fwmark:7`, `fwmark:7/ipv6`.
impl fmt::Display for ServiceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Endpoint { protocol, addr, port } => write!(f, "{protocol}://{}", SocketAddr::new(addr, port)),
            Self::Fwmark { mark, family: AddressFamily::Ipv4 } => write!(f, "fwmark:{mark}"),
            Self::Fwmark { mark, family: AddressFamily::Ipv6 } => write!(f, "fwmark:{mark}/ipv6"),
        }
    }
}

/// `198.51.100.7:80`, `[2001:db8::7]:80`.
impl fmt::Display for DestinationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SocketAddr::new(self.addr, self.port).fmt(f)
    }
}

serde_as_text!(ServiceKey, DestinationKey);

impl FromStr for ServiceKey {
    type Err = ModelError;

    /// Reads what [`Display`](fmt::Display) prints, and what people write: `tcp 192.0.2.1:80`,
    /// `tcp:192.0.2.1:80`, `192.0.2.1:80/tcp`, `192.0.2.1:80 tcp`, `192.0.2.1:80` (TCP),
    /// `fwmark 7`, `fwmark:0x7`, `FWM 7`, `7/fwmark`, `fwmark 7 IPv6`, and the options of
    /// `ipvsadm`: `-t 192.0.2.1:80`, `-f 7 -6`. Words may be in any case. An address without a port
    /// has port 0.
    ///
    /// An IPv6 address stands in brackets, with a port or without: `2001:db8::1:80` could be
    /// either.
    fn from_str(text: &str) -> Result<Self, ModelError> {
        read_service(text.trim()).map_err(|problem| ModelError::Key {
            what: "service",
            text: text.to_owned(),
            problem,
            example: "tcp://192.0.2.1:80, udp://[2001:db8::1]:53 or fwmark:7",
        })
    }
}

impl FromStr for DestinationKey {
    type Err = ModelError;

    /// Reads `198.51.100.7:80` and `[2001:db8::7]:80`; an address without a port has port 0.
    ///
    /// An IPv6 address stands in brackets, with a port or without: `2001:db8::7:80` could be
    /// either.
    fn from_str(text: &str) -> Result<Self, ModelError> {
        let key = endpoint(text.trim()).map(|(addr, port)| Self { addr, port });
        key.map_err(|problem| ModelError::Key {
            what: "destination",
            text: text.to_owned(),
            problem,
            example: "198.51.100.7:80 or [2001:db8::7]:80",
        })
    }
}

/// The rest of a text after a word in any case and what separates the two.
fn after_word<'a>(text: &'a str, word: &str, separators: &[char]) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(word.len())?;
    (start.eq_ignore_ascii_case(word) && (rest.is_empty() || rest.starts_with(separators))).then_some(rest)
}

fn read_service(text: &str) -> Result<ServiceKey, String> {
    let blank = [' ', '\t'];
    for option in ["-f", "--fwmark-service"] {
        if let Some(mark) = after_word(text, option, &blank) {
            return match mark.strip_suffix("-6") {
                Some(mark) => fwmark(mark, AddressFamily::Ipv6),
                None => fwmark(mark, AddressFamily::Ipv4),
            };
        }
    }
    for (option, protocol) in [
        ("-t", Protocol::Tcp),
        ("--tcp-service", Protocol::Tcp),
        ("-u", Protocol::Udp),
        ("--udp-service", Protocol::Udp),
        ("--sctp-service", Protocol::Sctp),
    ] {
        if let Some(address) = after_word(text, option, &blank) {
            let (addr, port) = endpoint(address.trim())?;
            return Ok(ServiceKey::Endpoint { protocol, addr, port });
        }
    }
    if let Some(mark) = text.strip_suffix("/fwmark") {
        return fwmark(mark, AddressFamily::Ipv4);
    }
    for word in ["fwmark", "fwm"] {
        if let Some(rest) = after_word(text, word, &[':', ' ', '=']) {
            let rest = rest.trim_start_matches("://").trim_start_matches([':', ' ', '=']);
            return match rest.split_once(['/', ' ']) {
                Some((mark, family)) => {
                    let family = family.trim().parse().map_err(|error: ModelError| error.to_string())?;
                    fwmark(mark, family)
                }
                None => fwmark(rest, AddressFamily::Ipv4),
            };
        }
    }
    let (protocol, address) = if let Some((protocol, address)) = text.split_once("://") {
        (protocol, address.strip_suffix('/').unwrap_or(address))
    } else if let Some((first, second)) = text.split_once(' ') {
        let (first, second) = (first.trim(), second.trim());
        if first.contains([':', '.']) { (second, first) } else { (first, second) }
    } else if let Some((protocol, address)) = text.split_once(':')
        && named::read::<Protocol>(protocol).is_ok()
    {
        (protocol, address)
    } else if let Some((address, protocol)) = text.rsplit_once('/') {
        (protocol, address)
    } else {
        ("tcp", text)
    };
    let protocol: Protocol = protocol.parse().map_err(|error: ModelError| error.to_string())?;
    let (addr, port) = endpoint(address.trim())?;
    Ok(ServiceKey::Endpoint { protocol, addr, port })
}

/// The key of a mark, decimal or hexadecimal.
fn fwmark(text: &str, family: AddressFamily) -> Result<ServiceKey, String> {
    let text = text.trim();
    let mark = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    };
    mark.and_then(|mark| ServiceKey::fwmark(mark, family).ok())
        .ok_or_else(|| format!("{text:?} is not a firewall mark from 1 to 4294967295"))
}

/// `192.0.2.1:80`, `[2001:db8::1]:80`, or an address alone, which has port 0.
fn endpoint(text: &str) -> Result<(IpAddr, u16), String> {
    let not_an_address = |text: &str| match text {
        "" => "the address is missing".to_owned(),
        zone if zone.contains('%') => format!("{text:?}: an address has no zone here"),
        _ => format!("{text:?} is not an IP address"),
    };
    let (addr, port) = if let Some(rest) = text.strip_prefix('[') {
        let (addr, rest) = rest.split_once(']').ok_or_else(|| format!("{text:?} lacks its closing bracket"))?;
        let port = match rest.strip_prefix(':') {
            Some(port) => Some(port),
            None if rest.is_empty() => None,
            None => return Err(format!("{rest:?} after the address is not a port")),
        };
        (addr.parse::<Ipv6Addr>().map(IpAddr::V6).map_err(|_| not_an_address(addr))?, port)
    } else if text.parse::<Ipv6Addr>().is_ok() {
        return Err(match text.rsplit_once(':') {
            Some((addr, port)) if addr.parse::<Ipv6Addr>().is_ok() && port.parse::<u16>().is_ok() => {
                format!("an IPv6 address stands in brackets: [{addr}]:{port}, or [{text}] without a port")
            }
            _ => format!("an IPv6 address stands in brackets: [{text}]"),
        });
    } else {
        let (addr, port) = match text.split_once(':') {
            Some((addr, port)) if !port.contains(':') => (addr, Some(port)),
            _ => (text, None),
        };
        (addr.parse().map_err(|_| not_an_address(addr))?, port)
    };
    let port = match port {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok(),
        Some(_) => None,
        None => Some(0),
    };
    port.map(|port| (addr, port)).ok_or_else(|| {
        let given = text.rsplit_once(':').map_or("", |(_, port)| port);
        format!("{given:?} is not a port from 0 to 65535")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_read_in_every_spelling() {
        let key = ServiceKey::tcp("192.0.2.1", 80).unwrap();
        for text in [
            "tcp://192.0.2.1:80",
            "tcp 192.0.2.1:80",
            "192.0.2.1:80/tcp",
            "192.0.2.1:80",
            " TCP 192.0.2.1:80 ",
            "-t 192.0.2.1:80",
            "--tcp-service  192.0.2.1:80",
        ] {
            assert_eq!(text.parse(), Ok(key), "{text}");
        }
        let key = ServiceKey::udp("2001:db8::1", 53).unwrap();
        for text in ["udp [2001:db8::1]:53", "UDP://[2001:DB8::1]:53", "[2001:db8::1]:53/udp", "-u [2001:db8::1]:53"] {
            assert_eq!(text.parse(), Ok(key), "{text}");
        }
        let key = ServiceKey::fwmark(7, AddressFamily::Ipv6).unwrap();
        for text in ["fwmark:7/ipv6", "fwmark 7 IPv6", "FWMARK 7/IPv6", "fwmark://7/inet6", "-f 7 -6"] {
            assert_eq!(text.parse(), Ok(key), "{text}");
        }
        let tcp = ServiceKey::tcp("2001:db8::1", 443).unwrap();
        for text in ["tcp:[2001:db8::1]:443", "[2001:db8::1]:443 tcp", "tcp://[2001:db8::1]:443/", "[2001:db8::1]:443"]
        {
            assert_eq!(text.parse(), Ok(tcp), "{text}");
        }
        for text in ["fwmark:7", "FWM  7", "fwm:7", "fwmark:0x7", "fwmark=7", "-f 7", "7/fwmark"] {
            assert_eq!(text.parse(), ServiceKey::fwmark(7, AddressFamily::Ipv4), "{text}");
        }
        assert_eq!("sctp [2001:db8::1]".parse(), Ok(ServiceKey::sctp("2001:db8::1", 0).unwrap()));
    }

    #[test]
    fn what_is_printed_is_read_again() {
        for (key, text) in [
            (ServiceKey::endpoint(Protocol::Other(99), [192, 0, 2, 1].into(), 0), "protocol-99://192.0.2.1:0"),
            (ServiceKey::udp("2001:db8::1", 53).unwrap(), "udp://[2001:db8::1]:53"),
            (ServiceKey::fwmark(u32::MAX, AddressFamily::Ipv4).unwrap(), "fwmark:4294967295"),
            (ServiceKey::fwmark(7, AddressFamily::Ipv6).unwrap(), "fwmark:7/ipv6"),
        ] {
            assert_eq!(key.to_string(), text);
            assert_eq!(text.parse(), Ok(key));
        }
    }

    #[test]
    fn an_error_names_the_part_and_what_is_allowed() {
        for (text, problem) in [
            ("", "the address is missing"),
            ("tcp", "\"tcp\" is not an IP address"),
            ("tcp:", "the address is missing"),
            ("192.0.2.1:80 http", "\"http\" is not a protocol: expected tcp, udp, sctp or protocol-N"),
            ("http 192.0.2.1:80", "\"http\" is not a protocol: expected tcp, udp, sctp or protocol-N"),
            ("http://192.0.2.1:80", "\"http\" is not a protocol: expected tcp, udp, sctp or protocol-N"),
            ("tcp 192.0.2.1:99999", "\"99999\" is not a port from 0 to 65535"),
            ("tcp 192.0.2.1:http", "\"http\" is not a port from 0 to 65535"),
            ("tcp://192.0.2.1:", "\"\" is not a port from 0 to 65535"),
            ("tcp 192.0.2.300:80", "\"192.0.2.300\" is not an IP address"),
            ("tcp host:80", "\"host\" is not an IP address"),
            ("tcp [fe80::1%2]:80", "\"fe80::1%2\": an address has no zone here"),
            ("tcp [2001:db8::1:80", "\"[2001:db8::1:80\" lacks its closing bracket"),
            ("tcp [2001:db8::1]80", "\"80\" after the address is not a port"),
            (
                "tcp 2001:db8::1:80",
                "an IPv6 address stands in brackets: [2001:db8::1]:80, or [2001:db8::1:80] without a port",
            ),
            ("2001:db8::beef", "an IPv6 address stands in brackets: [2001:db8::beef]"),
            ("fwmark", "\"\" is not a firewall mark from 1 to 4294967295"),
            ("fwmark 0", "\"0\" is not a firewall mark from 1 to 4294967295"),
            ("fwmark 0xg", "\"0xg\" is not a firewall mark from 1 to 4294967295"),
            ("fwmark:7/ipv5", "\"ipv5\" is not an address family: expected ipv4 or ipv6"),
        ] {
            let error = text.parse::<ServiceKey>().unwrap_err().to_string();
            let example = "tcp://192.0.2.1:80, udp://[2001:db8::1]:53 or fwmark:7";
            assert_eq!(error, format!("invalid service {text:?}: {problem} (write {example})"));
        }
        for (text, problem) in [
            ("198.51.100.7:", "\"\" is not a port from 0 to 65535"),
            ("198.51.100.7:+80", "\"+80\" is not a port from 0 to 65535"),
            (
                "2001:db8::7:8080",
                "an IPv6 address stands in brackets: [2001:db8::7]:8080, or [2001:db8::7:8080] without a port",
            ),
        ] {
            let error = text.parse::<DestinationKey>().unwrap_err().to_string();
            let example = "198.51.100.7:80 or [2001:db8::7]:80";
            assert_eq!(error, format!("invalid destination {text:?}: {problem} (write {example})"));
        }
    }
}
