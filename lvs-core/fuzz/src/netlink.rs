//! The embedded director's netlink socket, asked by the kernel's client, against a plain model; and
//! asked by anybody.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use lvs_core::embedded::{EmbeddedDirector, EmbeddedTransport, NetlinkSocket};
use lvs_core::kernel::KernelDirector;
use lvs_core::model::{Destination, DestinationKey, ForwardingMethod, Service, ServiceKey};
use lvs_core::{Director, ErrorKind};

use crate::input::Input;

/// What a table must be, and nothing of how the director keeps it.
#[derive(Default)]
struct Model(BTreeMap<ServiceKey, (Service, BTreeMap<DestinationKey, Destination>)>);

fn key(input: &mut Input<'_>) -> ServiceKey {
    let port = input.pick(&[80, 443, 53]);
    match input.below(3) {
        0 => ServiceKey::udp("192.0.2.1", port),
        1 => ServiceKey::tcp("2001:db8::1", port),
        _ => ServiceKey::tcp("192.0.2.1", port),
    }
    .expect("an address")
}

fn destination(input: &mut Input<'_>, key: &ServiceKey) -> Destination {
    let host = 1 + input.below(4) as u8;
    let addr = match key.family() {
        lvs_core::model::AddressFamily::Ipv4 => [198, 51, 100, host].into(),
        lvs_core::model::AddressFamily::Ipv6 => [0x2001, 0xdb8, 0, 0, 0, 0, 7, u16::from(host)].into(),
    };
    Destination::new(addr, 80)
        .with_forwarding(input.pick(&[ForwardingMethod::Masquerade, ForwardingMethod::Direct]))
        .with_weight(input.byte().into())
}

type Expected = Result<(), ErrorKind>;

impl Model {
    fn add_service(&mut self, service: Service) -> Expected {
        match self.0.contains_key(&service.key()) {
            true => Err(ErrorKind::AlreadyExists),
            false => {
                self.0.insert(service.key(), (service, BTreeMap::new()));
                Ok(())
            }
        }
    }

    fn update_service(&mut self, service: Service) -> Expected {
        self.0.get_mut(&service.key()).map(|entry| entry.0 = service).ok_or(ErrorKind::NotFound)
    }

    fn destinations(&mut self, key: &ServiceKey) -> Result<&mut BTreeMap<DestinationKey, Destination>, ErrorKind> {
        self.0.get_mut(key).map(|(_, destinations)| destinations).ok_or(ErrorKind::NotFound)
    }

    fn assert_is(&self, director: &mut dyn Director) {
        let mut table = director.snapshot().expect("a snapshot").to_table();
        table.sort();
        let held: Vec<(Service, Vec<Destination>)> =
            table.services.into_iter().map(|entry| (entry.service, entry.destinations)).collect();
        let wanted: Vec<(Service, Vec<Destination>)> =
            self.0.values().map(|(service, list)| (*service, list.values().copied().collect())).collect();
        assert_eq!(held, wanted);
    }
}

/// Commands through the wire and back, each answered as the model does.
pub fn run(bytes: &[u8]) {
    anybody(bytes);
    let director = Arc::new(Mutex::new(EmbeddedDirector::new()));
    let transport = EmbeddedTransport::new(Arc::clone(&director));
    let mut client = KernelDirector::with_transport(transport).expect("an embedded director answers");
    let (mut model, mut input) = (Model::default(), Input(bytes));
    for _ in 0..64 {
        if input.is_over() {
            break;
        }
        let choice = input.below(16);
        let key = key(&mut input);
        let scheduler = input.pick(&["rr", "wlc", "sh", "mh", "lblc"]).parse().expect("a name");
        let service = Service::new(key).with_scheduler(scheduler);
        let server = destination(&mut input, &key);
        let (answer, expected) = match choice {
            0..=3 => (client.add_service(&service), model.add_service(service)),
            4 => (client.update_service(&service), model.update_service(service)),
            5 => (client.remove_service(&key), model.0.remove(&key).map(drop).ok_or(ErrorKind::NotFound)),
            6..=9 => {
                let expected = model.destinations(&key).and_then(|list| match list.contains_key(&server.key) {
                    true => Err(ErrorKind::AlreadyExists),
                    false => {
                        list.insert(server.key, server);
                        Ok(())
                    }
                });
                (client.add_destination(&key, &server), expected)
            }
            10..=11 => {
                let expected = model
                    .destinations(&key)
                    .and_then(|list| list.get_mut(&server.key).map(|entry| *entry = server).ok_or(ErrorKind::NotFound));
                (client.update_destination(&key, &server), expected)
            }
            12..=13 => {
                let expected = model
                    .destinations(&key)
                    .and_then(|list| list.remove(&server.key).map(drop).ok_or(ErrorKind::NotFound));
                (client.remove_destination(&key, &server.key), expected)
            }
            14 => (client.zero(None), Ok(())),
            _ => {
                model.0.clear();
                (client.flush(), Ok(()))
            }
        };
        assert_eq!(answer.map_err(|error| error.kind()), expected);
    }
    model.assert_is(&mut client);
    model.assert_is(&mut *director.lock().unwrap_or_else(PoisonError::into_inner));
}

/// A socket that is sent whatever it may be: it answers in bounded many datagrams, and the director
/// lives.
fn anybody(bytes: &[u8]) {
    let (mut director, mut socket) = (EmbeddedDirector::new(), NetlinkSocket::new());
    let key = ServiceKey::tcp("192.0.2.1", 80).expect("an address");
    director.add_service(&Service::new(key)).expect("an empty director takes it");
    let (first, second) = bytes.split_at(bytes.len() / 2);
    for datagram in [bytes, first, second] {
        socket.send(&mut director, datagram);
        let mut answers = 0;
        while socket.receive(&mut director, 4096).is_some() {
            answers += 1;
            assert!(answers <= bytes.len() + 8, "answers without end");
        }
    }
    director.snapshot().expect("a snapshot");
}

/// Command lists, and the datagrams of the wire.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = crate::wire::seeds();
    seeds.push(vec![0, 0, 2, 1, 1, 0, 3, 6, 0, 2, 1, 1, 0, 9, 10, 0, 2, 1, 1, 1, 5, 12, 0, 2, 1, 1, 0, 0, 15]);
    seeds.push((0..=255).collect());
    seeds
}
