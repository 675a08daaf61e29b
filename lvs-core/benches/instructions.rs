//! Paths whose cost is counted in instructions: `instructions NAME TIMES` prepares what the path
//! needs and walks it so many times; `instructions` alone prints the names, each with what one walk
//! handles.
//!
//! `cargo xtask test instructions` runs each under callgrind twice, with two numbers of times, so
//! that what the preparation costs falls out of the difference, and holds the result against
//! `instructions.txt`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod canned;

use std::fmt::Write as _;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use canned::Canned;
use lvs_core::Director;
use lvs_core::connections::ConnectionSums;
use lvs_core::director::{OnRefusal, Operation};
use lvs_core::embedded::{EmbeddedDirector, EmbeddedTransport, Packet, TcpFlags};
use lvs_core::kernel::KernelDirector;
use lvs_core::listing::{ListingMode, ListingOptions, write_table};
use lvs_core::model::{
    Connection, ConnectionState, ConnectionTarget, Destination, Protocol, Service, ServiceKey, Snapshot,
};
use lvs_core::plan::{Plan, Scope};
use lvs_core::procfs::{Connections, write_connection, write_connections_header};
use lvs_core::rules::{Dialect, Emitter, Parser};
use lvs_core::watch::Watcher;

/// A path: its name, what one walk handles and how many of it, and what prepares it and gives the
/// walk.
type Path = (&'static str, &'static str, u32, fn() -> Box<dyn FnMut()>);

const PATHS: [Path; 13] = [
    ("parse", "rules", 10_000, parse),
    ("save", "rules", 11_000, save),
    ("list", "lines", 11_000, list),
    ("list-stats", "lines", 11_000, list_stats),
    ("decode", "destinations", 10_000, decode),
    ("decode-long", "destinations", 5_000, decode_long),
    ("plan", "services", 5_000, plan),
    ("watch", "services", 5_000, watch),
    ("connections", "rows", 10_000, connections),
    ("restore", "operations", 11_000, restore),
    ("packets", "packets", 10_000, packets),
    ("new-connections", "connections", 10_000, new_connections),
    ("embedded-dump", "services", 4_000, embedded_dump),
];

fn key(index: u32) -> ServiceKey {
    let [_, a, b, c] = index.to_be_bytes();
    ServiceKey::endpoint(Protocol::Tcp, IpAddr::V4(Ipv4Addr::new(10, a, b, c)), 80)
}

/// An embedded director with so many services of so many destinations each.
fn director(services: u32, destinations: u8) -> EmbeddedDirector {
    let mut director = EmbeddedDirector::new();
    for index in 0..services {
        director.add_service(&Service::new(key(index)).with_scheduler("wrr".parse().unwrap())).unwrap();
        for host in 1..=destinations {
            let destination = Destination::new([172, 16, 0, host].into(), 80).with_weight(u32::from(host % 5 + 1));
            director.add_destination(&key(index), &destination).unwrap();
        }
    }
    director
}

fn snapshot(services: u32, destinations: u8) -> Snapshot {
    director(services, destinations).snapshot().unwrap()
}

fn parse() -> Box<dyn FnMut()> {
    let mut text = String::from("-A -t 192.0.2.1:80 -s wlc\n");
    for rule in 1..10_000 {
        let (a, b, c) = (rule >> 16 & 255, rule >> 8 & 255, rule & 255);
        let _ = writeln!(text, "-a -t 192.0.2.1:80 -r 10.{a}.{b}.{c}:80 -m -w 3");
    }
    Box::new(move || assert_eq!(Parser::new(Dialect::Ipvsadm).parse(&text).unwrap().rules.len(), 10_000))
}

fn save() -> Box<dyn FnMut()> {
    let table = snapshot(1_000, 10).to_table();
    Box::new(move || assert!(Emitter::new(Dialect::Ipvsadm).table(black_box(&table)).text.len() > 11_000))
}

fn listing(options: ListingOptions<'static>) -> Box<dyn FnMut()> {
    let snapshot = snapshot(1_000, 10);
    let mut out = Vec::with_capacity(1 << 20);
    Box::new(move || {
        out.clear();
        write_table(&mut out, black_box(&snapshot), &options).unwrap();
    })
}

fn list() -> Box<dyn FnMut()> {
    listing(ListingOptions::new())
}

fn list_stats() -> Box<dyn FnMut()> {
    listing(ListingOptions::new().with_mode(ListingMode::Stats))
}

fn decoded(services: u32, destinations: u32) -> Box<dyn FnMut()> {
    let mut director = KernelDirector::with_transport(Canned::new(services, destinations)).unwrap();
    Box::new(move || assert_eq!(director.snapshot().unwrap().services.len(), services as usize))
}

fn decode() -> Box<dyn FnMut()> {
    decoded(1_000, 10)
}

fn decode_long() -> Box<dyn FnMut()> {
    decoded(1, 5_000)
}

fn plan() -> Box<dyn FnMut()> {
    let current = snapshot(5_000, 2).to_table();
    let mut wanted = current.clone();
    wanted.services.sort_by_key(|entry| entry.service.key());
    wanted.services[2_500].destinations[0].weight = 77;
    Box::new(move || assert_eq!(Plan::between(&current, &wanted, &Scope::all()).unwrap().len(), 1))
}

fn watch() -> Box<dyn FnMut()> {
    let snapshot = snapshot(5_000, 2);
    let mut watcher = Watcher::new();
    let mut time = Duration::ZERO;
    let _ = watcher.observe(snapshot.clone(), time);
    Box::new(move || {
        time += Duration::from_secs(2);
        assert!(watcher.observe(snapshot.clone(), time).is_empty());
    })
}

fn connections() -> Box<dyn FnMut()> {
    let mut text = Vec::new();
    write_connections_header(&mut text).unwrap();
    for index in 0..10_000_u16 {
        let [a, b] = (index % 5000).to_be_bytes();
        let target = ConnectionTarget::Endpoint { addr: [192, 0, 2, 1].into(), port: 443 };
        let (client, server) = (([203, 0, a, b].into(), 1024 + index), ([198, 51, 100, b].into(), 8443));
        let row = Connection::new(
            Protocol::Tcp,
            client,
            target,
            server,
            ConnectionState::Established,
            u32::from(index % 900),
        );
        write_connection(&mut text, &row).unwrap();
    }
    Box::new(move || {
        let mut sums = ConnectionSums::new();
        for connection in Connections::new(&text[..]) {
            sums.add(&connection.unwrap());
        }
        assert_eq!(sums.total().connections(), 10_000);
    })
}

/// Operations into requests of the kernel's protocol, these into a table, and acknowledgements into
/// a report.
fn restore() -> Box<dyn FnMut()> {
    let mut operations = vec![Operation::Flush];
    for entry in snapshot(1_000, 10).to_table().services {
        operations.push(Operation::AddService(entry.service));
        let key = entry.service.key();
        operations.extend(entry.destinations.iter().map(|destination| Operation::AddDestination(key, *destination)));
    }
    let mut director = over_netlink(EmbeddedDirector::new());
    Box::new(move || {
        let report = director.apply(&operations, OnRefusal::Stop);
        assert!(report.is_complete(), "{:?}", report.refused.first());
    })
}

/// An embedded director behind the kernel's protocol.
fn over_netlink(director: EmbeddedDirector) -> KernelDirector {
    KernelDirector::with_transport(EmbeddedTransport::new(Arc::new(Mutex::new(director)))).unwrap()
}

fn client(number: u32) -> SocketAddr {
    let [_, a, b, c] = (number / 60_000).to_be_bytes();
    SocketAddr::new([11, a, b, c].into(), 1024 + (number % 60_000) as u16)
}

fn packets() -> Box<dyn FnMut()> {
    let mut director = director(1, 16);
    let vip = SocketAddr::new([10, 0, 0, 0].into(), 80);
    let syns: Vec<_> = (0..10_000).map(|number| Packet::tcp(client(number), vip, TcpFlags::SYN)).collect();
    let data: Vec<_> = (0..10_000).map(|number| Packet::tcp(client(number), vip, TcpFlags::ACK)).collect();
    syns.iter().for_each(|packet| assert!(director.receive(packet).is_forwarded()));
    Box::new(move || data.iter().for_each(|packet| assert!(black_box(director.receive(packet)).is_forwarded())))
}

/// New connections, each of which takes the place of an expired one.
fn new_connections() -> Box<dyn FnMut()> {
    let mut director = director(1, 16);
    let vip = SocketAddr::new([10, 0, 0, 0].into(), 80);
    let mut next = 0;
    Box::new(move || {
        for _ in 0..10 {
            for number in next..next + 1_000 {
                assert!(black_box(director.receive(&Packet::tcp(client(number), vip, TcpFlags::SYN))).is_forwarded());
            }
            next += 1_000;
            // A SYN lasts 60 s: there are 10,000 connections all the time.
            director.advance(Duration::from_secs(6));
        }
    })
}

fn embedded_dump() -> Box<dyn FnMut()> {
    let mut reader = over_netlink(director(4_000, 0));
    Box::new(move || assert_eq!(reader.services().unwrap().len(), 4_000))
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [name, times] = &arguments[..] else {
        PATHS.iter().for_each(|(name, what, number, _)| println!("{name}\t{number}\t{what}"));
        return;
    };
    let path = PATHS.iter().find(|path| path.0 == name).expect("a name that is listed");
    let mut walk = path.3();
    (0..times.parse::<u32>().expect("how many times")).for_each(|_| walk());
}
