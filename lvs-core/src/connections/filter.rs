use std::net::IpAddr;

use crate::model::{
    AddressFamily, Connection, ConnectionOrigin, ConnectionState, ConnectionTarget, DestinationKey, Netmask, Protocol,
    ServiceKey,
};

/// Connections proper, or persistence templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
// Exhaustive: an entry is one or the other.
pub enum ConnectionKind {
    /// Connections of clients.
    Connection,
    /// Persistence templates.
    Template,
}

/// Which connections are meant. Every condition that is set must hold; a new filter lets all pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
#[non_exhaustive]
pub struct ConnectionFilter {
    /// Of this protocol. Templates of firewall-mark services have protocol 0.
    pub protocol: Option<Protocol>,
    /// To this virtual address.
    pub virtual_addr: Option<IpAddr>,
    /// To this virtual port.
    pub virtual_port: Option<u16>,
    /// Templates of this firewall mark, of this family; see [`ConnectionFilter::with_service`].
    pub mark: Option<(u32, AddressFamily)>,
    /// At this real server's address.
    pub destination_addr: Option<IpAddr>,
    /// At this real server's port.
    pub destination_port: Option<u16>,
    /// In this state.
    pub state: Option<ConnectionState>,
    /// From this network.
    pub client_network: Option<(IpAddr, Netmask)>,
    /// Of this kind.
    pub kind: Option<ConnectionKind>,
    /// Of this origin; entries whose source does not tell are not meant.
    pub origin: Option<ConnectionOrigin>,
    /// Those that expire in at least this many seconds.
    pub min_expires: Option<u32>,
    /// Those that expire in at most this many seconds.
    pub max_expires: Option<u32>,
}

impl ConnectionFilter {
    /// All connections.
    pub const fn new() -> Self {
        Self {
            protocol: None,
            virtual_addr: None,
            virtual_port: None,
            mark: None,
            destination_addr: None,
            destination_port: None,
            state: None,
            client_network: None,
            kind: None,
            origin: None,
            min_expires: None,
            max_expires: None,
        }
    }

    /// Those of a virtual service, as far as an entry tells.
    ///
    /// An entry names the address and port that the client asked for, not the service. So a service
    /// with port 0 means every port of its address, and a firewall-mark service means its
    /// templates: its connections cannot be told from others by the entry.
    #[must_use]
    pub const fn with_service(mut self, key: &ServiceKey) -> Self {
        match *key {
            ServiceKey::Endpoint { protocol, addr, port } => {
                self.protocol = Some(protocol);
                self.virtual_addr = Some(addr);
                self.virtual_port = if port == 0 { None } else { Some(port) };
            }
            ServiceKey::Fwmark { mark, family } => self.mark = Some((mark.get(), family)),
        }
        self
    }

    /// Those of a protocol.
    #[must_use]
    pub const fn with_protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = Some(protocol);
        self
    }

    /// Those at a destination. Port 0 means every port: such a destination keeps the one that the
    /// client asked for.
    #[must_use]
    pub const fn with_destination(mut self, key: &DestinationKey) -> Self {
        self.destination_addr = Some(key.addr);
        self.destination_port = if key.port == 0 { None } else { Some(key.port) };
        self
    }

    /// Those in a state.
    #[must_use]
    pub const fn with_state(mut self, state: ConnectionState) -> Self {
        self.state = Some(state);
        self
    }

    /// Those from a network. The other family's clients are never in it.
    #[must_use]
    pub fn with_client_network(mut self, addr: IpAddr, netmask: Netmask) -> Self {
        self.client_network = Some((netmask.apply(addr), netmask));
        self
    }

    /// Connections or templates alone.
    #[must_use]
    pub const fn with_kind(mut self, kind: ConnectionKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Those made here, or received from a sync daemon.
    #[must_use]
    pub const fn with_origin(mut self, origin: ConnectionOrigin) -> Self {
        self.origin = Some(origin);
        self
    }

    /// Those that expire within this range of seconds.
    #[must_use]
    pub const fn with_expiry(mut self, min: u32, max: u32) -> Self {
        self.min_expires = Some(min);
        self.max_expires = Some(max);
        self
    }

    /// Whether a connection is meant.
    pub fn matches(&self, connection: &Connection<'_>) -> bool {
        fn is<T: PartialEq>(wanted: Option<T>, value: T) -> bool {
            wanted.is_none_or(|wanted| wanted == value)
        }
        is(self.protocol, connection.protocol)
            && self.matches_target(connection)
            && is(self.destination_addr, connection.destination_addr)
            && is(self.destination_port, connection.destination_port)
            && is(self.state, connection.state)
            && self.kind.is_none_or(|kind| connection.is_template() == (kind == ConnectionKind::Template))
            && self.min_expires.is_none_or(|min| connection.expires >= min)
            && self.max_expires.is_none_or(|max| connection.expires <= max)
            && self.origin.is_none_or(|origin| connection.origin == Some(origin))
            && self.client_network.is_none_or(|(network, netmask)| {
                connection.family() == netmask.family() && netmask.apply(connection.client_addr) == network
            })
    }

    fn matches_target(&self, connection: &Connection<'_>) -> bool {
        match connection.target {
            ConnectionTarget::Endpoint { addr, port } => {
                self.mark.is_none()
                    && self.virtual_addr.is_none_or(|wanted| wanted == addr)
                    && self.virtual_port.is_none_or(|wanted| wanted == port)
            }
            ConnectionTarget::Fwmark(mark) => {
                self.virtual_addr.is_none()
                    && self.virtual_port.is_none()
                    && self.mark.is_none_or(|wanted| wanted == (mark.get(), connection.family()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PrefixLength;
    use crate::procfs::parse_connection;

    const TCP: &str = "TCP CB007105 EC70 C0000201 0050 C6336407 1F90 ESTABLISHED     899";
    const MARK: &str = "IP  CB007100 0000 0000004D 0000 C6336407 0000 NONE             59";
    const V6: &str = "TCP 2001:0db8:0000:0000:0000:0000:0000:0005 EC70 2001:0db8:0000:0000:0000:0000:0000:0001 0050 \
                      2001:0db8:0000:0000:0000:0000:0000:0009 0050 FIN_WAIT    SYNC        60";

    /// Which of the three rows pass.
    fn passing(filter: ConnectionFilter) -> Vec<&'static str> {
        let rows = [("tcp", TCP), ("mark", MARK), ("v6", V6)];
        let pass = |row: &str| filter.matches(&parse_connection(row.as_bytes()).unwrap());
        rows.into_iter().filter(|(_, row)| pass(row)).map(|(name, _)| name).collect()
    }

    #[test]
    fn a_filter_without_conditions_lets_all_pass() {
        assert_eq!(passing(ConnectionFilter::new()), ["tcp", "mark", "v6"]);
        assert_eq!(ConnectionFilter::new(), ConnectionFilter::default());
    }

    #[test]
    fn each_condition_picks_its_own() {
        let all = ConnectionFilter::new();
        let service = |addr, port| all.with_service(&ServiceKey::tcp(addr, port).unwrap());
        assert_eq!(passing(service("192.0.2.1", 80)), ["tcp"]);
        assert_eq!(passing(service("192.0.2.1", 0)), ["tcp"]);
        assert_eq!(passing(service("192.0.2.1", 81)), [""; 0]);
        assert_eq!(passing(service("2001:db8::1", 80)), ["v6"]);
        assert_eq!(passing(all.with_service(&ServiceKey::fwmark(77, AddressFamily::Ipv4).unwrap())), ["mark"]);
        assert_eq!(passing(all.with_service(&ServiceKey::fwmark(77, AddressFamily::Ipv6).unwrap())), [""; 0]);
        assert_eq!(passing(all.with_protocol(Protocol::Tcp)), ["tcp", "v6"]);
        let destination = |port| all.with_destination(&DestinationKey::new("198.51.100.7".parse().unwrap(), port));
        assert_eq!(passing(destination(8080)), ["tcp"]);
        assert_eq!(passing(destination(0)), ["tcp", "mark"]);
        assert_eq!(passing(all.with_state(ConnectionState::FinWait)), ["v6"]);
        assert_eq!(passing(all.with_kind(ConnectionKind::Template)), ["mark"]);
        assert_eq!(passing(all.with_kind(ConnectionKind::Connection)), ["tcp", "v6"]);
        assert_eq!(passing(all.with_origin(ConnectionOrigin::Sync)), ["v6"]);
        assert_eq!(passing(all.with_origin(ConnectionOrigin::Local)), [""; 0]);
        assert_eq!(passing(all.with_expiry(60, 899)), ["tcp", "v6"]);
        assert_eq!(passing(all.with_expiry(61, 898)), [""; 0]);
        let network = |addr: &str, netmask| all.with_client_network(addr.parse().unwrap(), netmask);
        assert_eq!(passing(network("203.0.113.77", Netmask::V4("255.255.255.0".parse().unwrap()))), ["tcp", "mark"]);
        assert_eq!(passing(network("203.0.113.0", Netmask::full(AddressFamily::Ipv4))), ["mark"]);
        assert_eq!(passing(network("2001:db8::", Netmask::V6(PrefixLength::new(32).unwrap()))), ["v6"]);
    }
}
