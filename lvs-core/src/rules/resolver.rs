//! Names of hosts and ports, both ways.

use std::net::{IpAddr, ToSocketAddrs};
use std::sync::OnceLock;

use crate::model::Protocol;

/// Turns names into numbers and back. Every method may return nothing for what is unknown.
///
/// [`NumericOnly`], the default everywhere, resolves nothing and reads no file.
pub trait Resolver {
    /// The addresses of a host, the preferred one first.
    fn addresses(&self, host: &str) -> Vec<IpAddr> {
        let _ = host;
        Vec::new()
    }

    /// The port of a service name, such as `http` of TCP.
    fn port(&self, name: &str, protocol: Protocol) -> Option<u16> {
        let _ = (name, protocol);
        None
    }

    /// The name of an address.
    fn host_name(&self, addr: IpAddr) -> Option<String> {
        let _ = addr;
        None
    }

    /// The service name of a port.
    fn port_name(&self, port: u16, protocol: Protocol) -> Option<String> {
        let _ = (port, protocol);
        None
    }
}

/// Resolves nothing: numbers only, offline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NumericOnly;

impl Resolver for NumericOnly {}

/// Asks the system: its resolver for hosts (which may use the network), and the services file for
/// ports.
///
/// It resolves names to numbers only: `std` has no reverse look-up, so [`Resolver::host_name`]
/// returns nothing.
#[derive(Debug, Default)]
pub struct SystemResolver {
    services: OnceLock<ServicesFile>,
}

impl SystemResolver {
    /// A resolver that has read nothing yet.
    pub const fn new() -> Self {
        Self { services: OnceLock::new() }
    }

    fn services(&self) -> &ServicesFile {
        self.services.get_or_init(|| ServicesFile::parse(&std::fs::read("/etc/services").unwrap_or_default()))
    }
}

impl Resolver for SystemResolver {
    fn addresses(&self, host: &str) -> Vec<IpAddr> {
        (host, 0).to_socket_addrs().map(|found| found.map(|addr| addr.ip()).collect()).unwrap_or_default()
    }

    fn port(&self, name: &str, protocol: Protocol) -> Option<u16> {
        self.services().port(name, protocol)
    }

    fn port_name(&self, port: u16, protocol: Protocol) -> Option<String> {
        self.services().name(port, protocol).map(str::to_owned)
    }
}

/// The contents of `/etc/services` (`services(5)`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServicesFile {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// The official name first, then aliases.
    names: Vec<String>,
    port: u16,
    protocol: String,
}

impl ServicesFile {
    /// Reads a file's contents; malformed lines are skipped, as the C library does.
    pub fn parse(text: &[u8]) -> Self {
        let text = String::from_utf8_lossy(text);
        let entries = text.lines().filter_map(|line| {
            let mut words = line.split('#').next()?.split_ascii_whitespace();
            let name = words.next()?;
            let (port, protocol) = words.next()?.split_once('/')?;
            let names = std::iter::once(name).chain(words).map(str::to_owned).collect();
            Some(Entry { names, port: port.parse().ok()?, protocol: protocol.to_owned() })
        });
        Self { entries: entries.collect() }
    }

    /// The port of a name or alias; case counts.
    pub fn port(&self, name: &str, protocol: Protocol) -> Option<u16> {
        let protocol = protocol.to_string();
        self.entries
            .iter()
            .find(|entry| entry.protocol == protocol && entry.names.iter().any(|known| known == name))
            .map(|entry| entry.port)
    }

    /// The official name of a port.
    pub fn name(&self, port: u16, protocol: Protocol) -> Option<&str> {
        let protocol = protocol.to_string();
        self.entries
            .iter()
            .find(|entry| entry.port == port && entry.protocol == protocol)
            .and_then(|entry| entry.names.first())
            .map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_services_file_answers_both_ways() {
        let file = ServicesFile::parse(b"# comment\nhttp\t80/tcp\twww # web\ndomain 53/udp\nbroken\nodd x/tcp\n");
        assert_eq!(file.port("http", Protocol::Tcp), Some(80));
        assert_eq!(file.port("www", Protocol::Tcp), Some(80));
        assert_eq!(file.port("HTTP", Protocol::Tcp), None);
        assert_eq!(file.port("http", Protocol::Udp), None);
        assert_eq!(file.name(53, Protocol::Udp), Some("domain"));
        assert_eq!(file.name(53, Protocol::Sctp), None);
    }

    #[test]
    fn the_default_knows_no_name() {
        assert!(NumericOnly.addresses("localhost").is_empty());
        assert_eq!(NumericOnly.port("http", Protocol::Tcp), None);
    }
}
