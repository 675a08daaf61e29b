//! Addresses of services: one, or several ports and ranges of ports at once.

use lvs_core::model::ServiceKey;

use crate::marks::Mark;

/// More services than this from one address are an accident.
const MOST: usize = 4096;

/// The services that an address names: `tcp://192.0.2.1:80`, `tcp://192.0.2.1:80,443,8000-8010`,
/// `fwmark:7`.
pub(super) fn keys(text: &str) -> Result<Vec<ServiceKey>, String> {
    let several = text.rsplit_once(':').filter(|(_, ports)| {
        ports.contains([',', '-']) && ports.chars().all(|c| c.is_ascii_digit() || c == ',' || c == '-')
    });
    let Some((host, ports)) = several else { return Ok(vec![key(text)?]) };
    let mut keys = Vec::new();
    for part in ports.split(',') {
        let (first, last) = range(part)?;
        for port in first..=last {
            keys.push(key(&format!("{host}:{port}"))?);
        }
        if keys.len() > MOST {
            return Err(format!("{text:?} names more than {MOST} ports: mark their packets and name fwmark:N instead"));
        }
    }
    Ok(keys)
}

/// The packets that an address names, of which there may be any number of ports; they have no mark
/// yet.
pub(super) fn packets(text: &str) -> Result<Mark, String> {
    let several = text.rsplit_once(':').filter(|(_, ports)| {
        ports.contains([',', '-']) && ports.chars().all(|c| c.is_ascii_digit() || c == ',' || c == '-')
    });
    let (one, ports) = match several {
        None => (key(text)?, Vec::new()),
        Some((host, ports)) => (key(host)?, ports.split(',').map(range).collect::<Result<_, _>>()?),
    };
    let ServiceKey::Endpoint { protocol, addr, port } = one else {
        return Err(format!("{text:?} is a mark: with mark = ..., the addresses say which packets get it"));
    };
    let ports = if port == 0 { ports } else { vec![(port, port)] };
    Ok(Mark { mark: 0, addr, protocol, ports })
}

fn range(part: &str) -> Result<(u16, u16), String> {
    let (first, last) = part.split_once('-').unwrap_or((part, part));
    let port = |text: &str| text.parse::<u16>().map_err(|_| format!("{text:?} is not a port"));
    let (first, last) = (port(first)?, port(last)?);
    if first > last || first == 0 { Err(format!("{part:?} is not a range of ports")) } else { Ok((first, last)) }
}

fn key(text: &str) -> Result<ServiceKey, String> {
    text.parse().map_err(|error| {
        format!(
            "{text:?} does not name a service ({error}): tcp://192.0.2.1:80, udp://[2001:db8::1]:53, sctp://..., \
             fwmark:7 or fwmark:7/ipv6; names of hosts are not looked up"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_and_ranges_are_services_each() {
        let ports = |text: &str| keys(text).unwrap().iter().map(ServiceKey::port).collect::<Vec<_>>();
        assert_eq!(ports("tcp 192.0.2.1:80"), [80]);
        assert_eq!(ports("tcp 192.0.2.1:80,443,8000-8002"), [80, 443, 8000, 8001, 8002]);
        assert_eq!(ports("udp [2001:db8::1]:53-54"), [53, 54]);
        for wrong in ["tcp 192.0.2.1:9-8", "tcp 192.0.2.1:0-9", "tcp 192.0.2.1:1-70000", "tcp lb.example.org:80"] {
            assert!(keys(wrong).is_err(), "{wrong}");
        }
        assert!(keys("tcp 192.0.2.1:1-65535").unwrap_err().contains("fwmark"));
    }
}
