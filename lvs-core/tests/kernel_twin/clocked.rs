//! What happens by itself: expiry to the tick, and the estimator's figures.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use lvs_core::Director;
use lvs_core::embedded::{EmbeddedDirector, Packet, TcpFlags};
use lvs_core::model::{AddressFamily, Connection, Destination, Service, ServiceKey, Stats, Timeouts};
use lvs_core::procfs::Procfs;
use lvs_core::wire::attr::Attributes;
use lvs_core::wire::message::Command;
use lvs_core::wire::{destination, service, top};

use super::packets::Sender;
use super::socket::Both;

/// The kernel's tick by now.
pub(crate) fn jiffies() -> u64 {
    let text = std::fs::read_to_string("/proc/timer_list").expect("the kernel's timers");
    let line = text.lines().find_map(|line| line.strip_prefix("jiffies: ")).expect("a line with jiffies");
    line.trim().parse().expect("a number")
}

fn ask(both: &mut Both, command: Command, buf: &[u8]) {
    let (kernel, twin) = both.ask(command, false, buf);
    assert_eq!(kernel, twin, "{command:?}");
    assert_eq!(kernel.last().unwrap().error, Some(0), "{command:?}");
}

pub(crate) fn serve(both: &mut Both, service: &Service) {
    let mut buf = Vec::new();
    service::write(&mut buf, service);
    ask(both, Command::NewService, &buf);
    buf.clear();
    service::write_key(&mut buf, &service.key());
    destination::write(&mut buf, &Destination::new([10, 0, 0, 1].into(), 80));
    ask(both, Command::NewDest, &buf);
}

/// Entries by what they are, with the seconds that they have left.
fn entries(list: &mut BTreeMap<String, u32>, connection: &Connection<'_>) -> ControlFlow<()> {
    let Connection { protocol, client_port, target, state, expires, .. } = *connection;
    list.insert(format!("{protocol} {client_port} {target:?} {state}"), expires);
    ControlFlow::Continue(())
}

/// Connections and templates of all three kinds, short and long; when each leaves the table of either.
pub(crate) fn compare_expiry(both: &mut Both, began: Instant) -> usize {
    let sender = Sender::open();
    let udp = |port| ServiceKey::udp("198.18.0.1", port).unwrap();
    let mark = ServiceKey::fwmark(7, AddressFamily::Ipv4).unwrap();
    serve(both, &Service::new(udp(53)));
    serve(both, &Service::new(udp(80)).with_persistence(5));
    serve(both, &Service::new(udp(0)).with_persistence(9));
    serve(both, &Service::new(mark).with_persistence(2));
    let mut port = 1000;
    for seconds in [1, 4, 18] {
        let mut buf = Vec::new();
        top::write_timeouts(&mut buf, &Timeouts { tcp: 0, tcp_fin: 0, udp: seconds });
        ask(both, Command::SetConfig, &buf);
        for (to, mark) in [(53, 0), (80, 0), (443, 0), (53, 7)] {
            port += 1;
            let client = SocketAddr::new([203, 0, 113, 9].into(), port);
            let packet = Packet::udp(client, SocketAddr::new([198, 18, 0, 1].into(), to)).with_mark(mark);
            both.twin.advance_to(began.elapsed());
            assert!(both.twin.receive(&packet).is_forwarded());
            assert!(sender.send(&packet));
        }
    }
    let mut gone: [BTreeMap<String, Duration>; 2] = Default::default();
    let mut before: [BTreeMap<String, u32>; 2] = Default::default();
    let files = Procfs::at("/proc/thread-self/net");
    let mut looks = 0;
    let mut apart: BTreeMap<String, u32> = BTreeMap::new();
    // Until all but the templates that live on in steps of a minute are gone.
    while began.elapsed() < Duration::from_secs(24) {
        let mut now: [BTreeMap<String, u32>; 2] = Default::default();
        both.twin.advance_to(began.elapsed());
        let _ = both.twin.visit_connections(&mut |connection| entries(&mut now[0], connection));
        files.connections().unwrap().visit(|connection| entries(&mut now[1], connection)).unwrap();
        for side in 0..2 {
            for name in before[side].keys().filter(|name| !now[side].contains_key(*name)) {
                gone[side].insert(name.clone(), began.elapsed());
            }
        }
        for (name, left) in &now[0] {
            let differs = now[1].get(name).is_some_and(|kernels| left.abs_diff(*kernels) > 1);
            // Between the two looks a template may begin a new minute.
            let times = apart.entry(name.clone()).or_insert(0_u32);
            *times = if differs { *times + 1 } else { 0 };
            assert!(*times < 8, "{name} has {left} s left in the twin, {:?} in the kernel", now[1].get(name));
        }
        before = now;
        looks += 1;
        std::thread::sleep(Duration::from_millis(10));
    }
    let [twins, kernels] = gone;
    assert_eq!(twins.keys().collect::<Vec<_>>(), kernels.keys().collect::<Vec<_>>());
    assert_eq!(before[0].keys().collect::<Vec<_>>(), before[1].keys().collect::<Vec<_>>(), "what is left");
    let pause = began.elapsed() / looks;
    for (name, at) in &twins {
        let apart = kernels[name].abs_diff(*at);
        println!("  {name}: gone after {at:.2?}, {apart:.3?} apart");
        // Two looks and two ticks.
        assert!(apart <= pause * 3 + Duration::from_millis(50), "{name}: {apart:?} apart, a look takes {pause:?}");
    }
    twins.len()
}

fn stats_of_kernel(both: &mut Both, key: &ServiceKey) -> Stats {
    let mut buf = Vec::new();
    service::write_key(&mut buf, key);
    let (kernel, _) = both.ask(Command::GetService, false, &buf);
    let nest = Attributes::new(&kernel[0].payload[4..]).next().unwrap();
    service::read_entry(nest.nested()).unwrap().statistics()
}

/// Bursts right after a pass of the estimator, and all figures until they have faded.
pub(crate) fn compare_rates(both: &mut Both) -> usize {
    let sender = Sender::open();
    let key = ServiceKey::tcp("198.18.0.1", 80).unwrap();
    serve(both, &Service::new(key).with_scheduler("rr".parse().unwrap()));
    let mut model = EmbeddedDirector::new();
    model.add_service(&Service::new(key).with_scheduler("rr".parse().unwrap())).unwrap();
    model.add_destination(&key, &Destination::new([10, 0, 0, 1].into(), 80)).unwrap();
    let mut port = 2000;
    let mut compared = 0;
    for (count, length) in [(1, 60), (50, 900), (7, 1400), (0, 0), (200, 100), (0, 0), (0, 0), (3, 40)] {
        for _ in 0..count {
            port += 1;
            let client = SocketAddr::new([203, 0, 113, 9].into(), port);
            let to = SocketAddr::new([198, 18, 0, 1].into(), 80);
            let packet = Packet::tcp(client, to, TcpFlags::SYN).with_length(length);
            assert!(model.receive(&packet).is_forwarded());
            assert!(sender.send(&packet));
        }
        let before = stats_of_kernel(both, &key);
        model.advance(Duration::from_secs(2));
        let expected = model.service(&key).unwrap().statistics();
        // The pass that sees the burst shows itself by a change; without one, half a period more than enough has gone by.
        let deadline = Instant::now() + Duration::from_secs(4);
        let mut shown = before;
        while shown == before && expected != before && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
            shown = stats_of_kernel(both, &key);
        }
        assert_eq!(shown, expected, "after {count} packets of {length} bytes");
        compared += 1;
    }
    compared
}
