//! Keys as people write them.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use super::{AddressFamily, DestinationKey, ModelError, Protocol, ServiceKey};

/// `192.0.2.1:80`, `[2001:db8::1]:80`, or an address alone, which has port 0.
fn endpoint(text: &str) -> Option<(IpAddr, u16)> {
    if let Ok(addr) = text.parse::<SocketAddr>() {
        // A scope id cannot be said to the kernel: `fe80::1%2` would silently become another address.
        return (!text.contains('%')).then_some((addr.ip(), addr.port()));
    }
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().map(|addr| (addr, 0))
}

impl FromStr for ServiceKey {
    type Err = ModelError;

    /// Reads what [`Display`](std::fmt::Display) prints, and what people write: `tcp 192.0.2.1:80`,
    /// `tcp://192.0.2.1:80`, `tcp:192.0.2.1:80`, `192.0.2.1:80/tcp`, `192.0.2.1:80 tcp`, `192.0.2.1:80` (TCP), `fwmark 7`,
    /// `fwmark:0x7`, `FWM 7`, `fwmark 7 IPv6`, `fwmark:7/ipv6`. Words may be in any case. An address without a port has
    /// port 0.
    fn from_str(text: &str) -> Result<Self, ModelError> {
        let unknown = || ModelError::Unknown { what: "service", text: text.to_owned() };
        let trimmed = text.trim();
        let lower = trimmed.to_ascii_lowercase();
        if let Some(rest) = lower.strip_prefix("fwmark").or_else(|| lower.strip_prefix("fwm")) {
            let rest = rest.trim_start_matches("://").trim_start_matches([':', ' ', '=']);
            let mut words = rest.splitn(2, ['/', ' ']);
            let mark = words.next().and_then(mark).ok_or_else(unknown)?;
            let family = match words.next().map(str::trim) {
                None | Some("ipv4" | "inet") => AddressFamily::Inet,
                Some("ipv6" | "inet6") => AddressFamily::Inet6,
                Some(_) => return Err(unknown()),
            };
            return Self::fwmark(mark, family);
        }
        let (protocol, rest) = if let Some((protocol, rest)) = lower.split_once("://") {
            (protocol, rest.strip_suffix('/').unwrap_or(rest))
        } else if let Some((first, second)) = lower.split_once(' ') {
            let (first, second) = (first.trim(), second.trim());
            if first.parse::<Protocol>().is_ok() { (first, second) } else { (second, first) }
        } else if let Some((protocol, rest)) = lower.split_once(':')
            && matches!(protocol, "tcp" | "udp" | "sctp")
        {
            (protocol, rest)
        } else if let Some((rest, protocol)) = lower.rsplit_once('/') {
            (protocol, rest)
        } else {
            ("tcp", lower.as_str())
        };
        let protocol: Protocol = protocol.parse().map_err(|_| unknown())?;
        let (addr, port) = endpoint(rest.trim()).ok_or_else(unknown)?;
        Ok(Self::Endpoint { protocol, addr, port })
    }
}

/// A mark, decimal or hexadecimal.
fn mark(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

impl FromStr for DestinationKey {
    type Err = ModelError;

    /// Reads `198.51.100.7:80` and `[2001:db8::7]:80`; an address without a port has port 0.
    fn from_str(text: &str) -> Result<Self, ModelError> {
        endpoint(text.trim())
            .map(|(addr, port)| Self { addr, port })
            .ok_or_else(|| ModelError::Unknown { what: "destination", text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_read_in_every_spelling() {
        let key = ServiceKey::tcp("192.0.2.1", 80).unwrap();
        for text in ["tcp 192.0.2.1:80", "tcp://192.0.2.1:80", "192.0.2.1:80/tcp", "192.0.2.1:80", " TCP 192.0.2.1:80 "]
        {
            assert_eq!(text.parse(), Ok(key), "{text}");
        }
        let key = ServiceKey::udp("2001:db8::1", 53).unwrap();
        for text in ["udp [2001:db8::1]:53", "UDP://[2001:DB8::1]:53", "[2001:db8::1]:53/udp"] {
            assert_eq!(text.parse(), Ok(key), "{text}");
        }
        let key = ServiceKey::fwmark(7, AddressFamily::Inet6).unwrap();
        for text in ["fwmark 7 IPv6", "fwmark:7/ipv6", "FWMARK 7/IPv6", "fwmark://7/ipv6"] {
            assert_eq!(text.parse(), Ok(key), "{text}");
        }
        let tcp = ServiceKey::tcp("2001:db8::1", 443).unwrap();
        for text in ["tcp:[2001:db8::1]:443", "[2001:db8::1]:443 tcp", "tcp://[2001:db8::1]:443/", "[2001:db8::1]:443"]
        {
            assert_eq!(text.parse(), Ok(tcp), "{text}");
        }
        for text in ["FWM  7", "fwm:7", "fwmark:0x7", "fwmark=7"] {
            assert_eq!(text.parse(), ServiceKey::fwmark(7, AddressFamily::Inet), "{text}");
        }
        assert_eq!("sctp 2001:db8::1".parse(), Ok(ServiceKey::sctp("2001:db8::1", 0).unwrap()));
    }

    #[test]
    fn what_is_printed_is_read_again() {
        for key in [
            ServiceKey::endpoint(Protocol::Other(99), [192, 0, 2, 1].into(), 0),
            ServiceKey::fwmark(u32::MAX, AddressFamily::Inet).unwrap(),
        ] {
            assert_eq!(key.to_string().parse(), Ok(key));
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in [
            "",
            "tcp",
            "tcp:",
            "192.0.2.1:80 http",
            "fwmark 0xg",
            "tcp 192.0.2.1:99999",
            "http 192.0.2.1:80",
            "fwmark",
            "fwmark 0",
            "fwmark x",
            "tcp host:80",
        ] {
            assert!(text.parse::<ServiceKey>().is_err(), "{text}");
        }
        assert!("[fe80::1%2]:80".parse::<DestinationKey>().is_err());
        assert!("198.51.100.7:".parse::<DestinationKey>().is_err());
    }
}
