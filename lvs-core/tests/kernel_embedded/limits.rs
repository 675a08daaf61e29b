//! What a full table, a table that grows, and the last service of a family look like to a client.

use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use lvs_core::Director;
use lvs_core::embedded::{DropReason, Packet, PassReason, TcpFlags, Verdict};
use lvs_core::model::{Connection, Destination, Info, Service, ServiceKey};
use lvs_core::procfs::Procfs;
use lvs_core::schedulers::Profile;
use lvs_core::wire::attr::Attributes;
use lvs_core::wire::message::Command;
use lvs_core::wire::{destination, service};

use super::clocked::serve;
use super::common::set_sysctl;
use super::packets::Sender;
use super::socket::Both;

fn vip(port: u16) -> SocketAddr {
    SocketAddr::new([198, 18, 0, 1].into(), port)
}

fn key(port: u16) -> ServiceKey {
    ServiceKey::tcp("198.18.0.1", port).unwrap()
}

fn syn(number: u16, port: u16) -> Packet {
    let client = SocketAddr::new([203, 0, 113, (number >> 12) as u8].into(), 2000 + (number & 0xfff));
    Packet::tcp(client, vip(port), TcpFlags::SYN).with_length(60)
}

fn ask(both: &mut Both, command: Command, attributes: &[u8]) {
    let (kernel, embedded) = both.ask(command, false, attributes);
    assert_eq!(kernel, embedded, "{command:?}");
    assert_eq!(kernel.last().unwrap().error, Some(0), "{command:?}");
}

fn add_destination(both: &mut Both, key: &ServiceKey, host: u8) {
    let mut buf = Vec::new();
    service::write_key(&mut buf, key);
    destination::write(&mut buf, &Destination::new([10, 0, 0, host].into(), 80));
    ask(both, Command::NewDest, &buf);
}

fn row(list: &mut Vec<String>, connection: &Connection<'_>) -> ControlFlow<()> {
    let Connection { client_addr, client_port, destination_addr, destination_port, .. } = *connection;
    list.push(format!(
        "{client_addr}:{client_port} {:?} {destination_addr}:{destination_port} {}",
        connection.target_columns(),
        connection.state_name()
    ));
    ControlFlow::Continue(())
}

/// The entries of both tables.
fn tables(both: &mut Both) -> [Vec<String>; 2] {
    let mut tables: [Vec<String>; 2] = Default::default();
    let files = Procfs::at("/proc/thread-self/net");
    files.connections().unwrap().visit(|connection| row(&mut tables[0], connection)).unwrap();
    let _ = both.embedded.visit_connections(&mut |connection| row(&mut tables[1], connection));
    tables.iter_mut().for_each(|table| table.sort());
    tables
}

fn set_limit(both: &mut Both, limit: u32) {
    set_sysctl("conn_max", limit.into());
    let mut settings = *both.embedded.settings();
    settings.conn_max = limit;
    both.embedded.set_settings(settings);
}

/// Sends a packet to both. Whether it got through the kernel: a local client is told `EPERM` of
/// what is dropped.
fn send(both: &mut Both, sender: &Sender, packet: &Packet) -> bool {
    let verdict = both.embedded.receive(packet);
    let passed = sender.send(packet);
    assert_eq!(passed, verdict.is_forwarded(), "{verdict}");
    if !passed {
        assert_eq!(verdict, Verdict::Dropped(DropReason::ConnectionLimit));
    }
    passed
}

/// `conn_max` reached: no answer, no entry, but the scheduler has moved on, and a template may
/// remain.
pub(crate) fn compare_limit(both: &mut Both) {
    let sender = Sender::open();
    serve(both, &Service::new(key(80)).with_scheduler("rr".parse().unwrap()));
    add_destination(both, &key(80), 2);
    serve(both, &Service::new(key(81)).with_scheduler("rr".parse().unwrap()).with_persistence(100));
    add_destination(both, &key(81), 2);
    let udp = ServiceKey::udp("198.18.0.1", 82).unwrap();
    serve(both, &Service::new(udp).with_one_packet());
    let mut number = 0;
    for limit in [3, 3, 7, 0, 8, 20] {
        set_limit(both, limit);
        for _ in 0..7 {
            number += 1;
            send(both, &sender, &syn(number, 80));
        }
        let [kernel, embedded] = tables(both);
        assert_eq!(kernel, embedded, "limit {limit}");
    }
    // One place left: a template, and no room for its connection.
    let [kernel, _] = tables(both);
    let used = kernel.len() as u32;
    set_limit(both, used + 1);
    for _ in 0..3 {
        number += 1;
        assert!(!send(both, &sender, &syn(number, 81)));
        let [kernel, embedded] = tables(both);
        assert_eq!(kernel, embedded);
        assert_eq!(kernel.len() as u32, used + 1);
    }
    let datagram = Packet::udp(syn(9, 80).source, vip(82)).with_length(60);
    assert!(!send(both, &sender, &datagram));
    set_limit(both, used + 2);
    assert!((0..3).all(|_| send(both, &sender, &datagram)), "a datagram needs its place for a moment");
    // What goes on is not limited.
    set_limit(both, 0);
    assert!(send(both, &sender, &syn(1, 80)));
    let [kernel, embedded] = tables(both);
    assert_eq!(kernel, embedded);
}

/// With another service of the family a packet of a removed destination is dropped, without one it
/// passes.
pub(crate) fn compare_last_service(both: &mut Both) {
    let sender = Sender::open();
    let v6 = ServiceKey::tcp("2001:db8:1::1", 80).unwrap();
    let mut buf = Vec::new();
    service::write(&mut buf, &Service::new(v6));
    ask(both, Command::NewService, &buf);
    serve(both, &Service::new(key(80)));
    serve(both, &Service::new(key(81)));
    let packet = syn(1, 80);
    assert!(send(both, &sender, &packet));
    for (port, expected) in
        [(80, Verdict::Dropped(DropReason::DestinationRemoved)), (81, Verdict::Passed(PassReason::NoHook))]
    {
        buf.clear();
        service::write_key(&mut buf, &key(port));
        ask(both, Command::DelService, &buf);
        let packet = Packet::tcp(packet.source, packet.destination, TcpFlags::ACK).with_length(52);
        let verdict = both.embedded.receive(&packet);
        assert_eq!(verdict, expected);
        assert_eq!(sender.send(&packet), matches!(verdict, Verdict::Passed(_)), "{verdict}");
        let [kernel, embedded] = tables(both);
        assert_eq!(kernel, embedded);
        assert_eq!(kernel.len(), 1);
    }
}

fn sizes(both: &mut Both) -> [Info; 2] {
    let (kernel, embedded) = both.ask(Command::GetInfo, false, &[]);
    [kernel, embedded].map(|replies| lvs_core::wire::info::read(Attributes::new(&replies[0].payload[4..])).unwrap())
}

/// The size of the connection table, as it grows and shrinks.
pub(crate) fn compare_sizes(both: &mut Both, profile: Profile) {
    let began = Instant::now();
    let sender = Sender::open();
    let mut seen = Vec::new();
    let mut compare = |both: &mut Both, what: &str| {
        // The kernel resizes in the background.
        let deadline = Instant::now() + Duration::from_secs(300);
        loop {
            both.embedded.advance_to(began.elapsed());
            let [kernel, embedded] = sizes(both);
            if kernel == embedded {
                seen.push(kernel.connection_table_size);
                return;
            }
            assert!(Instant::now() < deadline, "{what}: {kernel:?}, {embedded:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    compare(both, "a fresh namespace");
    serve(both, &Service::new(key(80)));
    compare(both, "a service");
    let mut number = 0;
    for connections in [64, 65, 128, 129, 256, 257, 512, 513, 600] {
        while number < connections {
            number += 1;
            assert!(send(both, &sender, &syn(number, 80)));
        }
        std::thread::sleep(Duration::from_millis(20));
        compare(both, &format!("{connections} connections"));
    }
    if profile == Profile::Linux7 {
        for lfactor in [2, -4, -2] {
            set_sysctl("conn_lfactor", lfactor.into());
            let mut settings = *both.embedded.settings();
            settings.conn_lfactor = lfactor;
            both.embedded.set_settings(settings);
            compare(both, &format!("load factor {lfactor}"));
        }
        let status = Procfs::at("/proc/thread-self/net").status().unwrap();
        let ours = both.embedded.status();
        assert_eq!(status.connections.entries, ours.connections.entries);
        assert_eq!(status.services.buckets, ours.services.buckets);
    }
    let mut buf = Vec::new();
    service::write_key(&mut buf, &key(80));
    ask(both, Command::DelService, &buf);
    compare(both, "no service");
    println!("sizes {seen:?}");
}
