//! Looking again and again at a running kernel's table by what is cheapest, against whole snapshots
//! of it, under random changes and traffic.
//!
//! `LVS_LAB_LOOKS` sets how many looks are taken, `LVS_TEST_SEED` where chance begins.
#![cfg(all(target_os = "linux", feature = "kernel"))]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail loudly and says what it has seen")]

mod common;

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use common::{Random, assert_expected_kernel, environment, in_new_namespace};
use lvs_core::Director;
use lvs_core::director::{BatchReport, Follower, OnRefusal, Operation};
use lvs_core::kernel::{KernelDirector, TransportChoice};
use lvs_core::model::*;
use lvs_core::plan::{OnFailure, Planner, Scope};
use lvs_core::watch::{Event, Watcher};

const SERVICES: u64 = 24;
const SERVERS: u64 = 14; // More than a small part of a list holds.

/// Where a service or server of that family is.
fn place(family: AddressFamily, net: u8, number: u64) -> IpAddr {
    let number = 1 + number as u8;
    match family {
        AddressFamily::Ipv4 if net == 0 => [192, 0, 2, number].into(),
        AddressFamily::Ipv4 => [198, 51, 100, number].into(),
        AddressFamily::Ipv6 => [0x2001, 0xdb8, net.into(), 0, 0, 0, 0, number.into()].into(),
    }
}

struct Chance {
    random: Random,
    /// The families that are used so far.
    families: &'static [AddressFamily],
}

impl Chance {
    fn key(&mut self) -> ServiceKey {
        let family = self.random.pick(self.families);
        let number = self.random.below(SERVICES);
        match number {
            0 => ServiceKey::fwmark(1 + number as u32, family).unwrap(),
            _ => ServiceKey::endpoint(Protocol::Udp, place(family, 0, number), 53),
        }
    }

    /// A service with a timeout that it surely has not now: an engine never changes alone.
    fn service(&mut self) -> Service {
        let timeout = 1 + self.random.below(1 << 30) as u32;
        let service = Service::new(self.key()).with_persistence(timeout);
        let service = service.with_scheduler(self.random.pick(&["rr", "wrr", "wlc"]).parse().unwrap());
        if self.random.one_in(4) { service.with_engine("sip".parse().unwrap()) } else { service }
    }

    /// A server with a weight that it surely has not now: a tunnel never changes alone.
    fn server(&mut self, key: &ServiceKey) -> Destination {
        let family = if self.random.one_in(8) { self.random.pick(self.families) } else { key.family() };
        let port = if key.port() == 0 { 0 } else { 53 };
        let weight = 1 + self.random.below(1 << 30) as u32;
        let addr = place(family, 1, self.random.below(SERVERS));
        let server = Destination::new(addr, port).with_weight(weight);
        // The families of a service and its server may differ in tunnels alone.
        match self.random.below(6) {
            0 => server.with_tunnel(Tunnel::gre(Default::default())),
            1 => server.with_tunnel(Tunnel::IPIP),
            _ if family != key.family() => server.with_tunnel(Tunnel::IPIP),
            2 => server.with_thresholds(1000, 10),
            _ => server.with_forwarding(ForwardingMethod::Masquerade),
        }
    }

    fn operation(&mut self) -> Operation {
        let key = self.key();
        match self.random.below(16) {
            0 => Operation::RemoveService(key),
            1 => Operation::UpdateService(self.service()),
            2..=4 => Operation::AddService(self.service()),
            5 => Operation::Zero(Some(key)),
            6 => Operation::RemoveDestination(key, self.server(&key).key),
            7..=8 => Operation::UpdateDestination(key, self.server(&key)),
            _ => Operation::AddDestination(key, self.server(&key)),
        }
    }

    fn send(&mut self) {
        let Some(addr) = self.key().socket_addr() else { return };
        let from: SocketAddr = match addr {
            SocketAddr::V4(_) => ([192, 0, 2, 254], 0).into(),
            SocketAddr::V6(_) => ([0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 1], 0).into(),
        };
        let socket = UdpSocket::bind(from).unwrap();
        for _ in 0..=self.random.below(3) {
            // Refused where there is no server.
            let _ = socket.send_to(b"a query", addr);
        }
    }
}

/// A director that keeps what was read by `snapshot_after`.
struct Noting<'d> {
    director: &'d mut KernelDirector,
    taken: Option<Snapshot>,
}

impl Director for Noting<'_> {
    lvs_core::delegate_director!(self => *self.director; info, services, service, destinations, timeouts, daemons,
        visit_connections, visit_connection_origins, totals, status, profile, has_scheduler, sysctl_names, sysctl,
        set_sysctl);

    fn snapshot(&mut self) -> lvs_core::Result<Snapshot> {
        self.director.snapshot()
    }

    fn snapshot_after(&mut self, last: &Snapshot) -> lvs_core::Result<Snapshot> {
        let snapshot = self.director.snapshot_after(last)?;
        self.taken = Some(snapshot.clone());
        Ok(snapshot)
    }

    fn apply(&mut self, operations: &[Operation], on_refusal: OnRefusal) -> BatchReport {
        self.director.apply(operations, on_refusal)
    }
}

fn sorted(mut snapshot: Snapshot) -> Snapshot {
    snapshot.sort();
    snapshot
}

fn as_text(events: &[Event]) -> Vec<String> {
    let mut lines: Vec<_> = events.iter().map(|event| format!("{event:?}")).collect();
    lines.sort();
    lines
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn cheap_looks_see_what_whole_snapshots_show() {
    assert_expected_kernel();
    in_new_namespace(|| {
        let looks = environment("LVS_LAB_LOOKS", 40);
        let seed = environment("LVS_TEST_SEED", 1);
        let mut chance = Chance { random: Random(seed), families: &[AddressFamily::Ipv4] };
        let (mut director, mut other) = (KernelDirector::open().unwrap(), KernelDirector::open().unwrap());
        let (mut cheap, mut dear) = (Watcher::new(), Watcher::new());
        let (mut read_again, mut events_seen, mut counted, mut moved) = (0, 0, 0, 0);
        for look in 0..looks {
            // IPv6 comes in later, right before a whole look: until then it is the one thing that
            // cheap ones may not show.
            if look == looks / 20 * 10 {
                chance.families = &[AddressFamily::Ipv4, AddressFamily::Ipv6];
                for number in 1..4 {
                    let key = ServiceKey::endpoint(Protocol::Udp, place(AddressFamily::Ipv6, 0, number), 53);
                    other.add_service(&Service::new(key)).unwrap();
                }
            }
            let operations: Vec<_> = (0..chance.random.below(12)).map(|_| chance.operation()).collect();
            // Drawn at random: some are refused.
            let _ = other.apply(&operations, OnRefusal::Continue);
            if chance.random.one_in(30) {
                other.zero(None).unwrap();
            }
            for _ in 0..chance.random.below(20) {
                chance.send();
            }
            if look % 8 == 7 {
                // Counters move every two seconds.
                std::thread::sleep(Duration::from_millis(2100));
            }
            // Between the two whole ones nothing moves, or all three are taken once more, from the
            // same look before.
            let now = Duration::from_secs(2) * look as u32;
            let (seen, events, whole) = loop {
                let before = sorted(other.snapshot().unwrap());
                let mut watcher = cheap.clone();
                let mut noting = Noting { director: &mut director, taken: None };
                let events = watcher.look(&mut noting, now).unwrap();
                let taken = noting.taken;
                let after = other.snapshot().unwrap();
                if sorted(after.clone()) == before {
                    cheap = watcher;
                    break (taken, events, after);
                }
                moved += 1;
            };
            assert!(whole.complete.is_whole(), "look {look}: nothing else changes the table");
            if let Some(mut seen) = seen {
                read_again += 1;
                assert!(seen.complete.ipv4);
                assert!(seen.complete.ipv6 || chance.families.len() == 1, "look {look}");
                seen.complete.ipv6 = true;
                assert_eq!(sorted(seen), sorted(whole.clone()), "look {look}, seed {seed}");
            }
            let wanted = dear.observe(whole, now);
            assert_eq!(as_text(&events), as_text(&wanted), "look {look}, seed {seed}");
            events_seen += events.len();
            counted += events.iter().filter(|event| matches!(event, Event::Counted(_))).count();
        }
        println!("{looks} looks, {read_again} cheap, {moved} repeated; {events_seen} events, {counted} of counters");
        assert!(read_again * 5 > looks * 4 && counted > 0);
    });
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn a_table_of_the_old_socket_options_is_read_again_by_them() {
    in_new_namespace(|| {
        let mut old = KernelDirector::options().transport(TransportChoice::SocketOptions).open().unwrap();
        let first = old.snapshot().unwrap();
        old.add_service(&Service::new(ServiceKey::tcp("192.0.2.1", 80).unwrap())).unwrap();
        let second = old.snapshot_after(&first).unwrap();
        assert_eq!((second.services.len(), second.coverage), (1, Coverage::SOCKET_OPTIONS));
    });
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn a_reconciler_that_remembers_the_table_puts_right_what_others_do() {
    in_new_namespace(|| {
        let rounds = environment("LVS_LAB_LOOKS", 40);
        let mut chance = Chance { random: Random(environment("LVS_TEST_SEED", 2)), families: &[AddressFamily::Ipv4] };
        let (mut director, mut other) = (KernelDirector::open().unwrap(), KernelDirector::open().unwrap());
        let (mut follower, planner) = (Follower::new(), Planner::new(&Scope::all()).unchecked().removing_all());
        let table = |director: &mut KernelDirector| {
            let mut table = sorted(director.snapshot().unwrap()).to_table();
            table.timeouts = None;
            table
        };
        let (mut steps, mut whole) = (0, 0);
        for round in 0..rounds {
            // What is wanted is what others have made of the table, some rounds ago.
            let wanted = table(&mut other);
            let operations: Vec<_> = (0..chance.random.below(12)).map(|_| chance.operation()).collect();
            // Drawn at random: some are refused.
            let _ = other.apply(&operations, OnRefusal::Continue);
            let done = planner.reconcile_following(&mut director, &mut follower, &wanted, OnFailure::Keep).unwrap();
            steps += done.plan.len();
            whole += usize::from(follower.last().unwrap().complete.is_whole());
            assert_eq!(table(&mut other), wanted, "round {round}");
            // The next round begins from another table.
            let _ = other.apply(&operations, OnRefusal::Continue);
            if chance.random.one_in(2) {
                let wanted = table(&mut other);
                planner.reconcile_following(&mut director, &mut follower, &wanted, OnFailure::Keep).unwrap();
            }
        }
        println!("{rounds} rounds, {steps} steps, {whole} whole readings");
        assert!(steps > 0 && whole < rounds as usize);

        // What only a whole reading shows: our own change is not made twice, another's is undone
        // some rounds later.
        let key = ServiceKey::udp("192.0.2.200", 53).unwrap();
        let server = Destination::new(place(AddressFamily::Ipv4, 1, 1), 53).with_tunnel(Tunnel::IPIP);
        let mut wanted = Table::new();
        wanted.services.push(TableService { service: Service::new(key), destinations: vec![server] });
        let mut force = |wanted: &Table| {
            planner.reconcile_following(&mut director, &mut follower, wanted, OnFailure::Keep).unwrap().plan.len()
        };
        force(&wanted);
        wanted.services[0].destinations[0] = server.with_tunnel(Tunnel::gre(Default::default()));
        assert_eq!([force(&wanted), force(&wanted), force(&wanted)], [1, 0, 0]);
        other.update_destination(&key, &server).unwrap();
        let repaired = (0..Follower::WHOLE_EVERY).position(|_| force(&wanted) > 0);
        assert!(repaired.is_some(), "at the latest at the next whole reading");
    });
}
