//! Packets into the embedded director, against a plain model of what a client may rely on.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::ControlFlow;
use std::time::Duration;

use lvs_core::Director;
use lvs_core::embedded::{EmbeddedDirector, Packet, Payload, SctpChunk, TcpFlags};
use lvs_core::model::{Destination, DestinationKey, Protocol, Service, ServiceKey};
use lvs_core::schedulers::{Profile, SCHEDULERS};

use crate::input::Input;

const PORT: u16 = 80;

fn key(site: u8) -> ServiceKey {
    let protocol = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp][usize::from(site % 3)];
    ServiceKey::endpoint(protocol, [192, 0, 2, site].into(), PORT)
}

fn server(site: u8, host: u8) -> Destination {
    Destination::new([198, 51, site, host].into(), PORT)
}

/// Everything happens at once: rules change, time passes, packets come. What always holds is
/// checked at the end, and with each packet that its connection stays where it is.
pub fn run(bytes: &[u8]) {
    let mut input = Input(bytes);
    let profile = input.pick(&[Profile::Old, Profile::New, Profile::Linux7]);
    let mut director = EmbeddedDirector::options().profile(profile).seed(input.byte().into()).build();
    // Where the packets of a connection went last, as long as nothing has happened that may end it.
    let mut flows: HashMap<(u8, SocketAddr), DestinationKey> = HashMap::new();
    for _ in 0..256 {
        if input.is_over() {
            break;
        }
        let choice = input.below(32);
        let site = input.below(3) as u8;
        let host = 1 + input.below(4) as u8;
        match choice {
            0..=3 => {
                let name = SCHEDULERS[input.below(SCHEDULERS.len())].name;
                let mut service = Service::new(key(site)).with_scheduler(name.parse().expect("a name"));
                if input.below(3) == 0 {
                    service = service.with_persistence(u32::from(input.byte()));
                }
                let _ = director.add_service(&service);
            }
            4..=8 => {
                let upper = input.pick(&[0, 0, 4]);
                let server = server(site, host).with_weight(input.below(4) as u32).with_thresholds(upper, upper / 2);
                let _ = director.add_destination(&key(site), &server);
                let _ = director.update_destination(&key(site), &server);
            }
            9 => {
                let _ = director.remove_destination(&key(site), &server(site, host).key);
                flows.clear();
            }
            10 => {
                let _ = director.remove_service(&key(site));
                flows.clear();
            }
            11 => {
                director.advance(Duration::from_millis(u64::from(input.byte()) * 1000));
                flows.clear();
            }
            12 => director.advance(Duration::from_millis(input.byte().into())),
            _ => packet(&mut director, &mut input, site, &mut flows),
        }
    }
    assert_counted(&mut director);
    // Whatever was there runs out.
    director.advance(Duration::from_secs(7 * 24 * 3600));
    director
        .visit_connections(&mut |connection| panic!("still there after a week: {connection:?}"))
        .expect("connections");
}

fn packet(
    director: &mut EmbeddedDirector,
    input: &mut Input<'_>,
    site: u8,
    flows: &mut HashMap<(u8, SocketAddr), DestinationKey>,
) {
    let client = SocketAddr::from(([203, 0, 113, input.below(8) as u8], 1024 + input.below(8) as u16));
    let flags = input.pick(&[TcpFlags::SYN, TcpFlags::ACK, TcpFlags::FIN | TcpFlags::ACK, TcpFlags::RST, TcpFlags(0)]);
    let payload = match site % 3 {
        0 => Payload::Tcp(flags),
        1 => Payload::Udp,
        _ => Payload::Sctp(input.pick(&SctpChunk::ALL)),
    };
    let service = SocketAddr::from(([192, 0, 2, site], PORT));
    let verdict = director.receive(&Packet::new(client, service, payload));
    let place = (site, client);
    // A packet in the middle of a connection goes where the last one went. Those that open or end
    // one may not.
    let is_inner = matches!(payload, Payload::Udp) || matches!(payload, Payload::Tcp(TcpFlags::ACK));
    match (verdict.destination(), flows.get(&place)) {
        (Some(now), Some(before)) if is_inner => assert_eq!(now, *before, "{client} to {service}: {verdict}"),
        (None, Some(before)) if is_inner => panic!("{client} to {service} went to {before}, then: {verdict}"),
        (Some(now), _) => {
            assert!((1..=4).any(|host| server(site, host).key == now), "{client} to {service}: {verdict}")
        }
        (None, _) => {}
    }
    match verdict.destination() {
        Some(destination) if is_inner || matches!(payload, Payload::Tcp(TcpFlags::SYN)) => {
            flows.insert(place, destination);
        }
        _ => drop(flows.remove(&place)),
    }
}

/// Every connection and template in the table is counted at its destination, and nothing else is.
fn assert_counted(director: &mut EmbeddedDirector) {
    let mut found: HashMap<IpAddr, (u32, u32)> = HashMap::new();
    director
        .visit_connections(&mut |connection| {
            let (connections, templates) = found.entry(connection.destination_addr).or_default();
            *(if connection.client_port == 0 { templates } else { connections }) += 1;
            ControlFlow::Continue(())
        })
        .expect("connections");
    for entry in director.services().expect("services") {
        for destination in director.destinations(&entry.service.key()).expect("destinations") {
            let addr = destination.destination.key.addr;
            let (connections, templates) = found.get(&addr).copied().unwrap_or_default();
            assert_eq!(destination.active + destination.inactive, connections, "{addr}");
            assert_eq!(destination.persistent, templates, "{addr}");
        }
    }
}

/// Services with servers, and packets to them.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut one = vec![1, 7];
    for site in 0..3 {
        one.extend([0, site, 0, 0, 1, 4, site, 0, 0, 1, 4, site, 1, 0, 2]);
    }
    let mut many = one.clone();
    for at in 0..60u8 {
        many.extend([20, at % 3, 0, at % 8, at / 8, 0, at % 10]);
    }
    vec![one, many, (0..=255).rev().collect()]
}
