//! Persistence: clients that come back to their destination (`ip_vs_core.c`: `ip_vs_sched_persist()`).

use super::EmbeddedDirector;
use super::connections::{Address, Client, Flags, NONE, Target};
use super::pipeline::{FTP, Opening};
use super::verdict::{Refusal, Why};
use crate::model::{ServiceFlags, ServiceKey};

/// The port of a template that is no longer valid.
const INVALID_PORT: u16 = 0xffff;

impl EmbeddedDirector {
    pub(super) fn open_persistent(&mut self, opening: &Opening<'_>) -> Result<(u32, Why), Refusal> {
        let service = self.rules.service(opening.service);
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

        let valid = self.connections.find_template(&client, &target).filter(|at| self.is_valid_template(*at));
        let (template, why) = match valid {
            Some(at) => (at, Why::Template),
            None => {
                let destination = self.rules.pick(opening.service, &opening.request())?;
                let port = if own_port && service_port != FTP {
                    self.rules.destination(destination).config.key.port
                } else {
                    0
                };
                let at = self.connect(&client, &target, destination, port, Flags::TEMPLATE);
                self.connections.get_mut(at).timeout = timeout;
                (at, Why::Scheduled)
            }
        };

        let destination = self.connections.get(template).destination;
        let port = match self.rules.destination(destination).config.key.port {
            port if own_port && port != 0 => port,
            _ => opening.target.port,
        };
        let flags = if one_packet { Flags::ONE_PACKET } else { Flags::default() };
        let at = self.connect(&opening.client, &opening.target, destination, port, flags);
        self.connections.get_mut(at).control = template;
        self.connections.get_mut(template).controlled += 1;
        self.connections.arm(template, opening.now.tick);
        self.count_connection(at, opening.service, opening.now);
        Ok((at, why))
    }

    /// Whether a template still binds. If not it is put aside, to run out under a port of its own
    /// (`ip_vs_check_template()`).
    fn is_valid_template(&mut self, at: u32) -> bool {
        let destination = self.connections.get(at).destination;
        let quiesced = self.options.settings.expire_quiescent_template && self.rules.weight(destination) == 0;
        if destination != NONE && self.rules.is_available(destination) && !quiesced {
            return true;
        }
        let template = self.connections.get_mut(at);
        template.target_port = INVALID_PORT;
        template.destination_port = INVALID_PORT;
        false
    }
}
