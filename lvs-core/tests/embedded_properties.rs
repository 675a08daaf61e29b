//! What always holds in the embedded director, whatever happens to it.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::ControlFlow;
use std::time::Duration;

use common::Random;
use lvs_core::Director;
use lvs_core::embedded::{EmbeddedDirector, ForwardReason, Packet, Payload, SctpChunk, TcpFlags, Verdict};
use lvs_core::model::{AddressFamily, Connection, Destination, ForwardingMethod, Protocol, Service, ServiceKey};
use lvs_core::schedulers::{Profile, SCHEDULERS};

const SITES: u8 = 4;

fn vip(site: u8) -> SocketAddr {
    SocketAddr::new([192, 0, 2, site].into(), 80)
}

fn key(site: u8) -> ServiceKey {
    match site {
        0 => ServiceKey::fwmark(7, AddressFamily::Ipv4).unwrap(),
        1 => ServiceKey::endpoint(Protocol::Udp, vip(1).ip(), 80),
        2 => ServiceKey::endpoint(Protocol::Sctp, vip(2).ip(), 80),
        _ => ServiceKey::endpoint(Protocol::Tcp, vip(site).ip(), 80),
    }
}

/// An address for each server of each site, so that an entry of the connection table tells whose it
/// is.
fn server(site: u8, host: u8) -> Destination {
    Destination::new([198, 51, site, host].into(), 80)
}

fn service(random: &mut Random, site: u8) -> Service {
    let name = SCHEDULERS[random.below(SCHEDULERS.len() as u64) as usize].name;
    let service = Service::new(key(site)).with_scheduler(name.parse().unwrap());
    match random.below(4) {
        0 | 1 => service.with_persistence(random.below(400) as u32),
        2 if site == 1 => service.with_one_packet(),
        _ => service,
    }
}

fn packet(random: &mut Random) -> Packet {
    let site = random.below(u64::from(SITES)) as u8;
    let client = SocketAddr::new([203, 0, 113, random.below(20) as u8].into(), 1024 + random.below(40) as u16);
    let tcp = Payload::Tcp(random.pick(&[
        TcpFlags::SYN,
        TcpFlags::SYN,
        TcpFlags::ACK,
        TcpFlags::FIN | TcpFlags::ACK,
        TcpFlags::RST,
        TcpFlags(0),
    ]));
    let payload = match site {
        0 => random.pick(&[tcp, Payload::Udp]),
        1 => Payload::Udp,
        2 => Payload::Sctp(random.pick(&SctpChunk::ALL)),
        _ => tcp,
    };
    let packet = Packet::new(client, vip(site), payload).with_mark(if site == 0 { 7 } else { 0 });
    if random.one_in(4) {
        let from = SocketAddr::new(server(site, 1 + random.below(4) as u8).key.addr, 80);
        return Packet::new(from, client, payload).from_server();
    }
    packet
}

/// Every connection and template in the table is counted at its destination, and nothing else is.
fn assert_counted(director: &mut EmbeddedDirector) {
    let mut found: HashMap<IpAddr, (u32, u32)> = HashMap::new();
    director
        .visit_connections(&mut |connection: &Connection<'_>| {
            let (connections, templates) = found.entry(connection.destination_addr).or_default();
            *(if connection.client_port == 0 { templates } else { connections }) += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
    for entry in director.services().unwrap() {
        for destination in director.destinations(&entry.service.key()).unwrap() {
            let addr = destination.destination.key.addr;
            let (connections, templates) = found.get(&addr).copied().unwrap_or_default();
            assert_eq!(destination.active + destination.inactive, connections, "{addr}");
            assert_eq!(destination.persistent, templates, "{addr}");
        }
    }
}

#[test]
fn connections_are_conserved_and_no_quiesced_server_is_chosen() {
    for (seed, profile) in
        [(1, Profile::Old), (2, Profile::New), (3, Profile::New), (4, Profile::Linux7), (5, Profile::Linux7)]
    {
        let mut random = Random(seed);
        let mut director = EmbeddedDirector::options().profile(profile).seed(seed).build();
        let mut scheduled = 0;
        for step in 0..30_000 {
            match random.below(60) {
                0 => {
                    let site = random.below(u64::from(SITES)) as u8;
                    let service = service(&mut random, site);
                    let _ = director.add_service(&service);
                }
                1 => {
                    let site = random.below(u64::from(SITES)) as u8;
                    let service = service(&mut random, site);
                    let _ = director.update_service(&service);
                }
                2 if random.one_in(8) => {
                    let _ = director.remove_service(&key(random.below(u64::from(SITES)) as u8));
                }
                3..=6 => {
                    let site = random.below(u64::from(SITES)) as u8;
                    let upper = random.pick(&[0, 0, 5, 20]);
                    let destination = server(site, 1 + random.below(4) as u8)
                        .with_weight(random.below(4) as u32)
                        .with_thresholds(upper, upper / 2)
                        .with_forwarding(random.pick(&[
                            ForwardingMethod::Masquerade,
                            ForwardingMethod::Direct,
                            ForwardingMethod::Tunnel,
                        ]));
                    let _ = if random.one_in(2) {
                        director.add_destination(&key(site), &destination)
                    } else {
                        director.update_destination(&key(site), &destination)
                    };
                }
                7 => {
                    let site = random.below(u64::from(SITES)) as u8;
                    let _ = director.remove_destination(&key(site), &server(site, 1 + random.below(4) as u8).key);
                }
                8 => director.advance(Duration::from_millis(random.below(200_000))),
                9 => {
                    let mut settings = *director.settings();
                    settings.expire_nodest_conn = random.one_in(2);
                    settings.expire_quiescent_template = random.one_in(2);
                    settings.conn_reuse_mode = random.below(4) as i32;
                    settings.sloppy_tcp = random.one_in(2);
                    settings.secure_tcp = random.pick(&[0, 3]);
                    settings.conn_max = random.pick(&[1 << 30, 1 << 30, 200]);
                    settings.conn_lfactor = random.below(8) as i8 - 4;
                    director.set_settings(settings);
                }
                _ => {
                    let verdict = director.receive(&packet(&mut random));
                    if let Verdict::Forwarded(forwarding) = verdict
                        && forwarding.reason == ForwardReason::Scheduled
                    {
                        scheduled += 1;
                        let all: Vec<_> = director.services().unwrap();
                        let weight = all
                            .iter()
                            .flat_map(|entry| director.destinations(&entry.service.key()).unwrap())
                            .find(|entry| entry.destination.key == forwarding.destination)
                            .map(|entry| entry.destination.weight);
                        assert!(weight.is_some_and(|weight| weight > 0), "step {step}: {verdict}, weight {weight:?}");
                    }
                }
            }
            if step % 100 == 0 {
                assert_counted(&mut director);
            }
        }
        assert!(scheduled > 2000, "{scheduled} choices are a test of choices");
        // In the end all is gone, and nobody is counted.
        director.advance(Duration::from_secs(100_000));
        assert_eq!(director.connection_count(), 0);
        assert_counted(&mut director);
    }
}

#[test]
fn a_jump_in_time_is_many_steps() {
    let play = |steps: u32| {
        let mut random = Random(9);
        let mut director = EmbeddedDirector::new();
        director.add_service(&Service::new(key(3)).with_persistence(77)).unwrap();
        for host in 1..=4 {
            director.add_destination(&key(3), &server(3, host)).unwrap();
        }
        let mut seen = Vec::new();
        for _ in 0..300 {
            for _ in 0..10 {
                let client =
                    SocketAddr::new([203, 0, 113, random.below(50) as u8].into(), 1024 + random.below(9) as u16);
                seen.push(director.receive(&Packet::tcp(client, vip(3), TcpFlags::SYN)));
            }
            let pause = Duration::from_millis(random.below(40) * 1000);
            for _ in 0..steps {
                director.advance(pause / steps);
            }
        }
        let list = director.destinations(&key(3)).unwrap();
        (seen, list, director.connection_count())
    };
    assert_eq!(play(1), play(8));
}

#[test]
fn packets_taken_together_fare_as_one_by_one() {
    let play = |together: bool| {
        let mut random = Random(12);
        let mut director = EmbeddedDirector::options().seed(4).build();
        for site in 0..SITES {
            director.add_service(&service(&mut random, site)).unwrap();
            for host in 1..=4 {
                director.add_destination(&key(site), &server(site, host)).unwrap();
            }
        }
        let mut seen = Vec::new();
        for _ in 0..2000 {
            let packets: Vec<Packet> = (0..random.below(50)).map(|_| packet(&mut random)).collect();
            if together {
                director.receive_all(&packets, |packet, verdict| seen.push((*packet, verdict)));
            } else {
                seen.extend(packets.iter().map(|packet| (*packet, director.receive(packet))));
            }
            director.advance(Duration::from_millis(random.below(20_000)));
        }
        (seen, director.snapshot().unwrap(), director.connection_count())
    };
    let (alone, together) = (play(false), play(true));
    assert!(alone.0.iter().filter(|(_, verdict)| verdict.is_forwarded()).count() > 10_000);
    assert_eq!(alone, together);
}

#[test]
fn a_very_long_time_passes_at_once() {
    const CENTURIES: Duration = Duration::from_secs(100 * 365 * 86_400);
    for scheduler in ["rr", "lblc", "lblcr"] {
        for profile in Profile::ALL {
            let mut director = EmbeddedDirector::options().profile(profile).build();
            let service = Service::new(key(3)).with_scheduler(scheduler.parse().unwrap()).with_persistence(77);
            director.add_service(&service).unwrap();
            for host in 1..=4 {
                director.add_destination(&key(3), &server(3, host)).unwrap();
            }
            let mut settings = *director.settings();
            settings.drop_entry = 3;
            settings.drop_packet = 3;
            director.set_settings(settings);
            for port in 1024..2024 {
                let client = SocketAddr::new([203, 0, 113, 9].into(), port);
                let _ = director.receive(&Packet::tcp(client, vip(3), TcpFlags::SYN));
            }
            director.remove_destination(&key(3), &server(3, 1).key).unwrap();
            // Minute by minute, or second by second, this would not end.
            for _ in 0..5 {
                director.advance(CENTURIES);
            }
            director.advance(Duration::MAX);
            assert_eq!(director.connection_count(), 0);
        }
    }
}

#[test]
fn defences_do_the_same_in_one_step_and_in_many() {
    let play = |steps: u32| {
        let mut random = Random(9);
        let mut director = EmbeddedDirector::options().profile(Profile::Linux7).seed(3).build();
        director.add_service(&Service::new(key(3)).with_persistence(77)).unwrap();
        for host in 1..=4 {
            director.add_destination(&key(3), &server(3, host)).unwrap();
        }
        let mut settings = *director.settings();
        settings.drop_entry = 3;
        settings.drop_packet = 2;
        settings.amemthresh = 1000;
        director.set_available_pages(500);
        director.set_settings(settings);
        let mut seen = Vec::new();
        for _ in 0..300 {
            for _ in 0..10 {
                let client = SocketAddr::new([203, 0, 113, random.below(50) as u8].into(), 1024);
                seen.push(director.receive(&Packet::tcp(client, vip(3), TcpFlags::SYN)));
            }
            let pause = Duration::from_millis(random.below(40) * 1000);
            for _ in 0..steps {
                director.advance(pause / steps);
            }
        }
        (seen, director.destinations(&key(3)).unwrap(), director.connection_count(), director.info().unwrap())
    };
    assert_eq!(play(1), play(8));
}
