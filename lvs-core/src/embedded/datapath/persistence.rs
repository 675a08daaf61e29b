//! Persistence: clients that come back to their destination (`ip_vs_core.c`:
//! `ip_vs_sched_persist()`).

use super::super::EmbeddedDirector;
use super::super::connections::{Address, Client, Flags, Target};
use super::super::ids::{DestinationId, EntryId};
use super::super::protocol::FTP;
use super::super::verdict::ForwardReason;
use super::pipeline::{Failed, Opening};
use crate::model::{ServiceFlags, ServiceKey};

/// The port of a template that is no longer valid.
const INVALID_PORT: u16 = 0xffff;

impl EmbeddedDirector {
    pub(super) fn open_persistent(&mut self, opening: &Opening<'_>) -> Result<(EntryId, ForwardReason), Failed> {
        let service = self.table.service(opening.service);
        let service_port = service.key.port();
        let network = service.netmask.apply(opening.packet.source.ip());
        let one_packet = service.flags.contains(ServiceFlags::ONE_PACKET) && opening.is_udp();
        let timeout = service.timeout;
        let own_port = opening.target.port == service_port;

        let mut client = Client { addr: Address::of(network), port: 0, ..opening.client };
        let mut target = Target { addr: opening.target.addr, port: 0 };
        if own_port {
            if service_port != FTP {
                target.port = service_port;
            }
        } else if let ServiceKey::Fwmark { mark, .. } = service.key {
            client.protocol = 0;
            target.addr = Address::of_mark(mark.get());
        }

        let resizable = self.options.profile.has_resizable_tables();
        // Since Linux 7.1 an invalid template keeps its key and is told by its port, which a valid
        // one may have, too.
        let except = resizable.then_some(INVALID_PORT);
        let found = self.connections.find_template(&client, &target, except);
        let valid = found.and_then(|at| Some((at, self.bound(at)?)));
        let (template, destination, reason) = match valid {
            Some((at, destination)) => (at, destination, ForwardReason::Template),
            None => {
                let destination = self.table.pick(opening.service, &opening.request())?;
                let port = if own_port && service_port != FTP {
                    self.table.destination(destination).config.key.port
                } else {
                    0
                };
                let at = self.connect(&client, &target, destination, port, Flags::TEMPLATE)?;
                self.connections.get_mut(at).timeout = timeout;
                (at, destination, ForwardReason::Scheduled)
            }
        };

        let port = match self.table.destination(destination).config.key.port {
            port if own_port && port != 0 => port,
            _ => opening.target.port,
        };
        let flags = if one_packet { Flags::ONE_PACKET } else { Flags::default() };
        let connected = self.connect(&opening.client, &opening.target, destination, port, flags);
        // The template stays even if there is no room for the connection that it was made for.
        self.connections.arm(template, opening.now.tick);
        let at = connected?;
        self.connections.get_mut(at).control = Some(template);
        self.connections.get_mut(template).controlled += 1;
        self.count_connection(at, opening.service, opening.now);
        Ok((at, reason))
    }

    /// The destination that a template still binds to. If it no longer does, no client finds it any
    /// more, and it runs out (`ip_vs_check_template()`).
    fn bound(&mut self, at: EntryId) -> Option<DestinationId> {
        let is_quiesced =
            |destination| self.options.settings.expire_quiescent_template && self.table.weight(destination) == 0;
        let bound = self.connections.get(at).destination;
        let bound = bound.filter(|at| self.table.is_available(*at) && !is_quiesced(*at));
        if bound.is_some() {
            return bound;
        }
        let resizable = self.options.profile.has_resizable_tables();
        let template = self.connections.get_mut(at);
        if !resizable {
            template.target_port = INVALID_PORT;
        }
        template.destination_port = INVALID_PORT;
        None
    }
}
