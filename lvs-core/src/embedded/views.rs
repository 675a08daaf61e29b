//! The connection table as others see it.

use std::io::{self, Write};
use std::ops::ControlFlow;

use super::EmbeddedDirector;
use super::connections::{Entry, Flags, state_name};
use super::ids::EntryId;
use crate::director::Director;
use crate::model::{AddressFamily, Connection, ConnectionOrigin, ConnectionTarget, Protocol};
use crate::procfs;

impl EmbeddedDirector {
    /// How many entries the connection table has, templates included.
    pub fn connection_count(&self) -> usize {
        self.connections.len()
    }

    /// Bytes that the connection table has allocated.
    pub fn connection_memory(&self) -> usize {
        self.connections.memory()
    }

    /// Writes what `/proc/net/ip_vs` would show.
    ///
    /// # Errors
    /// What `out` says.
    pub fn write_table(&mut self, out: &mut impl Write) -> io::Result<()> {
        let snapshot = self.snapshot().map_err(io::Error::other)?;
        procfs::write_table(out, &snapshot, self.clock.hz() as u32)
    }

    /// Writes what `/proc/net/ip_vs_conn` would show.
    ///
    /// # Errors
    /// What `out` says.
    pub fn write_connections(&mut self, out: &mut impl Write) -> io::Result<()> {
        procfs::write_connections_header(out)?;
        self.write_rows(|connection| procfs::write_connection(out, connection))
    }

    /// Writes what `/proc/net/ip_vs_conn_sync` would show.
    ///
    /// # Errors
    /// What `out` says.
    pub fn write_synced_connections(&mut self, out: &mut impl Write) -> io::Result<()> {
        procfs::write_synced_connections_header(out)?;
        self.write_rows(|connection| procfs::write_synced_connection(out, connection))
    }

    fn write_rows(&mut self, mut write: impl FnMut(&Connection<'_>) -> io::Result<()>) -> io::Result<()> {
        let mut done = Ok(());
        let visited = self.visit_connections(&mut |connection| {
            done = write(connection);
            if done.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        visited.map_err(io::Error::other).and(done)
    }

    /// Writes what `/proc/net/ip_vs_stats` would show.
    ///
    /// # Errors
    /// What `out` says.
    pub fn write_stats(&mut self, out: &mut impl Write) -> io::Result<()> {
        procfs::write_stats(out, &self.totals())
    }

    /// An entry as the kernel shows it.
    pub(super) fn show(&self, at: EntryId, entry: &Entry) -> Connection<'static> {
        let target = self.connections.target(at);
        let v6 = entry.is_v6();
        let client = entry.client();
        let protocol = Protocol::from_number(u16::from(entry.protocol));
        let template = entry.flags.contains(Flags::TEMPLATE);
        let target = match entry.marked(target) {
            Some(mark) => ConnectionTarget::Fwmark(mark),
            None => ConnectionTarget::Endpoint { addr: target.addr(v6), port: entry.target_port },
        };
        let destination = match entry.destination {
            None => AddressFamily::of(client.addr.addr(v6)).unspecified(),
            Some(at) => self.table.destination(at).config.key.addr,
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
        if matches!(connection.target, ConnectionTarget::Fwmark(_)) {
            connection.mark_port = entry.target_port;
        }
        connection.origin = Some(ConnectionOrigin::Local);
        connection
    }
}
