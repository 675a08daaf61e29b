//! The kernel's client against the embedded director: through the wire and back, the answers stay
//! the same.
#![cfg(all(feature = "kernel", target_os = "linux"))]
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::{Arc, Mutex};

use common::Random;
use lvs_core::Director;
use lvs_core::director::{OnRefusal, Operation};
use lvs_core::embedded::{EmbeddedDirector, EmbeddedTransport, Flow};
use lvs_core::kernel::KernelDirector;
use lvs_core::model::{
    AddressFamily, Daemon, DaemonRole, Destination, DestinationKey, ForwardingMethod, InterfaceName, SchedulerName,
    Service, ServiceFlags, ServiceKey, Timeouts, Tunnel, TunnelFlags,
};

fn key(random: &mut Random) -> ServiceKey {
    match random.below(6) {
        0 => ServiceKey::fwmark(1 + random.below(2) as u32, AddressFamily::Ipv6).unwrap(),
        1 => ServiceKey::udp("2001:db8::1", 53).unwrap(),
        2 => ServiceKey::fwmark(1, AddressFamily::Ipv4).unwrap(),
        _ => ServiceKey::tcp("192.0.2.1", random.pick(&[80, 443])).unwrap(),
    }
}

fn service(random: &mut Random) -> Service {
    let key = key(random);
    let name = random.pick(&["rr", "wlc", "sh", "mh", "none", "nonesuch"]);
    Service::new(key)
        .with_scheduler(SchedulerName::new(name).unwrap())
        .with_flags(ServiceFlags::from_bits(random.pick(&[0, 1, 4, 0x18, 0x8000_0000])))
}

fn destination(random: &mut Random) -> Destination {
    let addr = random.pick(&["198.51.100.1", "198.51.100.2", "2001:db8::7", "224.0.0.1"]).parse().unwrap();
    let mut destination = Destination::with_key(DestinationKey::new(addr, random.pick(&[80, 0])));
    destination.forwarding = ForwardingMethod::from_number(random.below(8) as u32);
    destination.weight = random.pick(&[0, 1, 7, 1 << 31]);
    destination.upper_threshold = random.pick(&[0, 5, 1 << 31]);
    destination.lower_threshold = random.pick(&[0, 0, 3]);
    destination.tunnel = random.pick(&[
        Tunnel::IPIP,
        Tunnel::gue(6080, TunnelFlags::CHECKSUM),
        Tunnel::gue(0, TunnelFlags::from_bits(7)),
    ]);
    destination
}

fn operation(random: &mut Random) -> Operation {
    match random.below(20) {
        0..=4 => Operation::AddService(service(random)),
        5..=6 => Operation::UpdateService(service(random)),
        7 => Operation::RemoveService(key(random)),
        8..=12 => Operation::AddDestination(key(random), destination(random)),
        13..=14 => Operation::UpdateDestination(key(random), destination(random)),
        15 => Operation::RemoveDestination(key(random), destination(random).key),
        16 => Operation::SetTimeouts(Timeouts { tcp: random.pick(&[0, 60, 9_000_000]), tcp_fin: 0, udp: 30 }),
        17 => {
            let role = random.pick(&[DaemonRole::Master, DaemonRole::Backup]);
            if random.one_in(2) {
                let interface = InterfaceName::new(random.pick(&["eth0", "eth9"])).unwrap();
                Operation::StartDaemon(Daemon::new(role, interface, random.below(256) as u32))
            } else {
                Operation::StopDaemon(role)
            }
        }
        18 => Operation::Zero(if random.one_in(2) { None } else { Some(key(random)) }),
        _ if random.one_in(10) => Operation::Flush,
        _ => Operation::AddService(service(random)),
    }
}

#[test]
fn a_batch_gets_the_same_report_and_leaves_the_same_table_either_way() {
    let mut random = Random(11);
    let mut direct = EmbeddedDirector::new();
    let shared = Arc::new(Mutex::new(EmbeddedDirector::new()));
    let mut client = KernelDirector::with_transport(EmbeddedTransport::new(Arc::clone(&shared))).unwrap();
    let mut refused = 0;
    for round in 0..400 {
        let operations: Vec<_> = (0..1 + random.below(30)).map(|_| operation(&mut random)).collect();
        let on_refusal = random.pick(&[OnRefusal::Continue, OnRefusal::Stop]);
        let expected = direct.apply(&operations, on_refusal);
        let got = client.apply(&operations, on_refusal);
        assert_eq!((got.answered, got.interrupted.is_none()), (expected.answered, true), "round {round}");
        let answers = |report: &lvs_core::director::BatchReport| -> Vec<_> {
            report.refused.iter().map(|failure| (failure.index, failure.error.errno)).collect()
        };
        assert_eq!(answers(&got), answers(&expected), "round {round}: {operations:#?}");
        refused += got.refused.len();
        assert_eq!(client.snapshot().unwrap(), direct.snapshot().unwrap(), "round {round}");
    }
    assert!(refused > 1000, "{refused} refusals are a test of refusals");
}

#[test]
fn traffic_shows_through_the_wire() {
    let shared = Arc::new(Mutex::new(EmbeddedDirector::new()));
    let mut client = KernelDirector::with_transport(EmbeddedTransport::new(Arc::clone(&shared))).unwrap();
    let web = ServiceKey::tcp("192.0.2.1", 80).unwrap();
    client.add_service(&Service::new(web).with_persistence(300)).unwrap();
    client.add_destination(&web, &Destination::new("198.51.100.7".parse().unwrap(), 80)).unwrap();
    {
        let mut embedded = shared.lock().unwrap();
        for port in 1000..1010 {
            let flow = Flow::tcp(([203, 0, 113, 9], port).into(), ([192, 0, 2, 1], 80).into());
            assert!(embedded.open(&flow).is_forwarded());
        }
        embedded.advance(std::time::Duration::from_secs(2));
    }
    let entry = client.destinations(&web).unwrap()[0];
    assert_eq!((entry.active, entry.inactive, entry.persistent), (10, 0, 1));
    assert_eq!(entry.statistics().counters.packets_in, 20);
}
