use std::collections::HashMap;
use std::net::IpAddr;

use super::StateCounts;
use crate::model::{AddressFamily, Connection, Netmask};

/// Counts of connections by client, or by network of clients. Memory grows with the clients.
///
/// ```
/// use lvs_core::connections::ClientSums;
/// use lvs_core::procfs::Connections;
///
/// let text = b"\
/// TCP CB007105 EC70 C0000201 0050 C6336407 1F90 ESTABLISHED     899
/// TCP CB007105 EC71 C0000201 0050 C6336408 1F90 ESTABLISHED     899
/// TCP CB007109 A001 C0000201 0050 C6336408 1F90 FIN_WAIT        101
/// ";
/// let mut clients = ClientSums::new();
/// for connection in Connections::new(text) {
///     clients.add(&connection?);
/// }
/// let (busiest, counts) = clients.top(1)[0];
/// assert_eq!((busiest.to_string().as_str(), counts.connections()), ("203.0.113.5", 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSums {
    masks: [Netmask; 2],
    clients: HashMap<IpAddr, StateCounts>,
}

impl Default for ClientSums {
    fn default() -> Self {
        Self {
            masks: [Netmask::full(AddressFamily::Ipv4), Netmask::full(AddressFamily::Ipv6)],
            clients: HashMap::new(),
        }
    }
}

impl ClientSums {
    /// No connections; each address counts by itself.
    pub fn new() -> Self {
        Self::default()
    }

    /// Clients of one network count as one, for the family of the mask. What has been counted
    /// before stays as it is.
    #[must_use]
    pub const fn by_network(mut self, mask: Netmask) -> Self {
        match mask {
            Netmask::V4(_) => self.masks[0] = mask,
            Netmask::V6(_) => self.masks[1] = mask,
        }
        self
    }

    /// Counts one more.
    pub fn add(&mut self, connection: &Connection<'_>) {
        let mask = match connection.family() {
            AddressFamily::Ipv4 => self.masks[0],
            AddressFamily::Ipv6 => self.masks[1],
        };
        self.clients.entry(mask.apply(connection.client_addr)).or_default().add(connection);
    }

    /// The counts of a client, or of the network with this address.
    pub fn of(&self, client: IpAddr) -> StateCounts {
        self.clients.get(&client).copied().unwrap_or_default()
    }

    /// How many clients there are.
    pub fn len(&self) -> usize {
        self.clients.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    /// The clients with most connections, at most `count`: the busiest first, equally busy ones by
    /// address.
    pub fn top(&self, count: usize) -> Vec<(IpAddr, StateCounts)> {
        let mut all: Vec<_> = self.clients.iter().map(|(client, counts)| (*client, *counts)).collect();
        all.sort_unstable_by_key(|(client, counts)| (u64::MAX - counts.connections(), *client));
        all.truncate(count);
        all
    }
}

impl<'a> Extend<Connection<'a>> for ClientSums {
    fn extend<I: IntoIterator<Item = Connection<'a>>>(&mut self, connections: I) {
        for connection in connections {
            self.add(&connection);
        }
    }
}

impl<'a> FromIterator<Connection<'a>> for ClientSums {
    fn from_iter<I: IntoIterator<Item = Connection<'a>>>(connections: I) -> Self {
        let mut sums = Self::new();
        sums.extend(connections);
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::procfs::Connections;

    #[test]
    fn clients_of_one_network_count_as_one() {
        let text = b"\
TCP CB007105 EC70 C0000201 0050 C6336407 1F90 ESTABLISHED     899
TCP CB007109 EC70 C0000201 0050 C6336407 1F90 ESTABLISHED     899
TCP C6336401 EC70 C0000201 0050 C6336407 1F90 ESTABLISHED     899
";
        let mut clients = ClientSums::new().by_network(Netmask::parse("24", AddressFamily::Ipv4).unwrap());
        clients.extend(Connections::new(text).map(Result::unwrap));
        let top: Vec<_> = clients.top(9).iter().map(|(client, counts)| (client.to_string(), counts.active())).collect();
        assert_eq!(top, [("203.0.113.0".to_owned(), 2), ("198.51.100.0".to_owned(), 1)]);
        assert_eq!(clients.top(1).len(), 1);
    }
}
