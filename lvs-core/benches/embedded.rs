//! The embedded director under load: new connections a second with expiry, and bytes a connection.
//!
//! Run with `cargo bench --bench embedded`; `-- 10000000` sets the connections of the memory part,
//! and `-- 'rr TCP IPv4 10000000'` runs what is named so. Prints the best of several passes, in
//! processor time, so that neighbours on the machine count less.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::hint::black_box;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use lvs_core::Director;
use lvs_core::embedded::{EmbeddedDirector, Packet, TcpFlags};
use lvs_core::model::{Destination, Service, ServiceKey, Timeouts};

const PASSES: usize = 3;

fn client(number: u64, v6: bool) -> SocketAddr {
    let port = 1024 + (number % 60_000) as u16;
    let host = number / 60_000;
    let addr = if v6 {
        IpAddr::V6((0x2001_0db8_u128 << 96 | u128::from(host)).into())
    } else {
        IpAddr::V4((0x0b00_0000 + host as u32).into())
    };
    SocketAddr::new(addr, port)
}

fn director(key: &ServiceKey, scheduler: &str, destinations: u8) -> EmbeddedDirector {
    let mut director = EmbeddedDirector::new();
    director.add_service(&Service::new(*key).with_scheduler(scheduler.parse().unwrap())).unwrap();
    for host in 1..=destinations {
        director.add_destination(key, &Destination::new([198, 51, 100, host].into(), 80)).unwrap();
    }
    director
}

/// Nanoseconds for a new connection that replaces an expired one, with `live` of them in the table
/// all the time; packets one by one or 64 `together`.
fn steady(scheduler: &str, live: u64, tcp: bool, v6: bool, together: bool) -> f64 {
    let vip: SocketAddr = if v6 { "[2001:db8:1::1]:80" } else { "192.0.2.1:80" }.parse().unwrap();
    let key = match (tcp, v6) {
        (true, false) => ServiceKey::tcp("192.0.2.1", 80),
        (true, true) => ServiceKey::tcp("2001:db8:1::1", 80),
        (false, false) => ServiceKey::udp("192.0.2.1", 80),
        (false, true) => ServiceKey::udp("2001:db8:1::1", 80),
    }
    .unwrap();
    let mut director = if v6 {
        let mut director = EmbeddedDirector::new();
        director.add_service(&Service::new(key).with_scheduler(scheduler.parse().unwrap())).unwrap();
        for host in 1..=16 {
            let addr = (0x2001_0db8_0002_u128 << 80 | host).into();
            director.add_destination(&key, &Destination::new(IpAddr::V6(addr), 80)).unwrap();
        }
        director
    } else {
        director(&key, scheduler, 16)
    };
    // A SYN lasts 60 s, a datagram as long as set.
    director.set_timeouts(Timeouts { tcp: 0, tcp_fin: 0, udp: 60 }).unwrap();
    let gap = Duration::from_secs(60) / 1000;
    let batch = live / 1000;
    let mut next = 0;
    let mut packets = Vec::new();
    let mut round = |director: &mut EmbeddedDirector| {
        let mut left = batch;
        while left > 0 {
            packets.clear();
            packets.extend((next..next + left.min(64)).map(|number| {
                let from = client(number, v6);
                if tcp { Packet::tcp(from, vip, TcpFlags::SYN) } else { Packet::udp(from, vip) }
            }));
            let taken = packets.len() as u64;
            next += taken;
            left -= taken;
            if together {
                director.receive_all(&packets, |_, verdict| assert!(black_box(verdict).is_forwarded()));
            } else {
                for packet in &packets {
                    assert!(black_box(director.receive(packet)).is_forwarded());
                }
            }
        }
        director.advance(gap);
    };
    for _ in 0..1100 {
        round(&mut director);
    }
    let rounds = (2_000_000 / batch).clamp(50, 1000);
    let mut best = f64::MAX;
    for _ in 0..PASSES {
        let began = busy();
        for _ in 0..rounds {
            round(&mut director);
        }
        best = best.min((busy() - began) as f64 / (rounds * batch) as f64);
    }
    let count = director.connection_count() as u64;
    assert!(count.abs_diff(live) <= batch * 2, "{count} connections");
    best
}

/// Bytes a connection of the process and of the table, with so many of them.
fn memory(connections: u64, v6: bool) {
    let vip: SocketAddr = if v6 { "[2001:db8:1::1]:80" } else { "192.0.2.1:80" }.parse().unwrap();
    let key = ServiceKey::tcp(if v6 { "2001:db8:1::1" } else { "192.0.2.1" }, 80).unwrap();
    let mut director = director(&key, "rr", 0);
    let addr: IpAddr = if v6 { "2001:db8:2::1" } else { "198.51.100.1" }.parse().unwrap();
    director.add_destination(&key, &Destination::new(addr, 80)).unwrap();
    let before = resident();
    let began = busy();
    for number in 0..connections {
        let verdict = director.receive(&Packet::tcp(client(number, v6), vip, TcpFlags::SYN));
        assert!(verdict.is_forwarded());
    }
    let elapsed = (busy() - began) as f64 / 1e9;
    let n = connections as f64;
    println!(
        "memory {connections} {}: {:.1} bytes a connection in the table, {:.1} of the process; filled at {:.2} M/s",
        if v6 { "IPv6" } else { "IPv4" },
        director.connection_memory() as f64 / n,
        (resident() - before) as f64 / n,
        n / elapsed / 1e6,
    );
    let began = busy();
    director.advance(Duration::from_secs(61));
    assert_eq!(director.connection_count(), 0);
    println!("       all expired at {:.2} M/s", n * 1e3 / (busy() - began) as f64);
}

/// Nanoseconds that this process has had a processor.
fn busy() -> u64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").expect("Linux, with schedstat");
    text.split_whitespace().next().and_then(|nanos| nanos.parse().ok()).expect("a number")
}

/// Resident bytes of this process.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let connections = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(10_000_000);
    let wanted = arguments.iter().find(|argument| argument.parse::<u64>().is_err());
    let is_wanted = |name: &str| wanted.is_none_or(|wanted| name == wanted);
    println!("new connection with expiry of an old one, best of {PASSES} passes");
    for (scheduler, live, tcp, v6) in [
        ("rr", 100_000, true, false),
        ("rr", 1_000_000, true, false),
        ("rr", 1_000_000, false, false),
        ("rr", 1_000_000, true, true),
        ("wlc", 1_000_000, true, false),
        ("sh", 1_000_000, true, false),
        ("rr", 10_000_000, true, false),
    ] {
        let name =
            format!("{scheduler} {} {} {live}", if tcp { "TCP" } else { "UDP" }, if v6 { "IPv6" } else { "IPv4" });
        if is_wanted(&name) {
            let [single, together] = [false, true].map(|together| steady(scheduler, live, tcp, v6, together));
            println!(
                "{name:20} live: {single:4.0} ns, {:5.2} M/s; 64 packets at a time {together:4.0} ns, {:5.2} M/s",
                1e3 / single,
                1e3 / together
            );
        }
    }
    for v6 in [false, true] {
        if is_wanted(if v6 { "memory IPv6" } else { "memory IPv4" }) {
            memory(connections, v6);
        }
    }
}
