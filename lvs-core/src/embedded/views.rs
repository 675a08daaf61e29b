//! The connection table as others see it.

use super::EmbeddedDirector;
use super::connections::{Entry, Flags, NONE, state_name};
use crate::model::{AddressFamily, Connection, ConnectionOrigin, ConnectionTarget, Protocol};

impl EmbeddedDirector {
    /// How many entries the connection table has, templates included.
    pub fn connection_count(&self) -> usize {
        self.connections.len()
    }

    /// Bytes that the connection table has allocated.
    pub fn connection_memory(&self) -> usize {
        self.connections.memory()
    }

    /// An entry as the kernel shows it.
    pub(super) fn show(&self, entry: &Entry) -> Connection<'static> {
        let v6 = entry.is_v6();
        let client = entry.client();
        let protocol = Protocol::from_number(u16::from(entry.protocol));
        let template = entry.flags.contains(Flags::TEMPLATE);
        let target = match entry.marked() {
            Some(mark) => ConnectionTarget::Fwmark(mark),
            None => ConnectionTarget::Endpoint { addr: entry.target.addr(v6), port: entry.target_port },
        };
        let destination = match entry.destination {
            NONE => AddressFamily::of(client.addr.addr(v6)).unspecified(),
            at => self.rules.destination(at).config.key.addr,
        };
        let left = entry.expires.saturating_sub(self.clock.ticks()) / self.clock.hz();
        let mut connection = Connection::new(
            protocol,
            (client.addr.addr(v6), client.port),
            target,
            (destination, entry.destination_port),
            state_name(protocol, template, entry.state),
            u32::try_from(left).unwrap_or(u32::MAX),
        );
        connection.origin = Some(ConnectionOrigin::Local);
        connection
    }
}
