//! The kernel director on a running kernel, each test in a fresh network namespace.
//!
//! Needs root and IPVS. `LVS_TEST_KERNEL=6.12` says which kernel is expected; another one fails
//! every test.
#![cfg(all(target_os = "linux", feature = "kernel"))]
#![allow(clippy::unwrap_used)]

#[path = "kernel_director/genetlink.rs"]
mod genetlink;
#[path = "kernel_director/losses.rs"]
mod losses;
#[path = "kernel_director/privileges.rs"]
mod privileges;
#[path = "kernel_director/refusals.rs"]
mod refusals;
#[path = "kernel_director/socket_options.rs"]
mod socket_options;

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::ops::ControlFlow;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lvs_core::director::{Cause, OnRefusal, Operation};
use lvs_core::kernel::{KernelDirector, Namespace, TransportChoice};
use lvs_core::model::*;
use lvs_core::{Director, Errno, Error, ErrorKind};

fn release() -> String {
    std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap().trim().to_owned()
}

fn run(command: &str) {
    let status = Command::new("sh").args(["-c", command]).status().unwrap();
    assert!(status.success(), "{command}");
}

/// Moves this test's thread into a network namespace of its own.
fn fresh() {
    let release = release();
    if let Ok(expected) = std::env::var("LVS_TEST_KERNEL") {
        assert!(release.starts_with(&format!("{expected}.")), "kernel {release} runs, {expected} was expected");
    }
    // SAFETY: unshare(2) takes a number; it moves the calling thread into a new network namespace.
    assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNET) }, 0, "{}", std::io::Error::last_os_error());
    run("ip link set lo up && modprobe ip_vs");
}

fn open() -> KernelDirector {
    fresh();
    KernelDirector::open().unwrap()
}

/// What the kernel tells of a namespace that has no service yet: since 7.1 its table of connections
/// is made with the first one.
fn empty_info() -> Info {
    let default = Info::default();
    let grows = std::path::Path::new("/proc/sys/net/ipv4/vs/conn_lfactor").exists();
    Info::new(default.version, if grows { 0 } else { default.connection_table_size })
}

fn v4(number: u8) -> ServiceKey {
    ServiceKey::tcp(format!("192.0.2.{number}"), 80).unwrap()
}

fn server(number: u8) -> Destination {
    Destination::new(Ipv4Addr::new(198, 51, 100, number).into(), 80)
}

fn name<T: std::str::FromStr<Err = ModelError>>(text: &str) -> T {
    text.parse().unwrap()
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: lvs_core::Result<T>, errno: Errno, cause: Cause) {
    match result {
        Err(Error::Refused(error)) => assert_eq!((error.errno, error.cause), (Some(errno), cause), "{error}"),
        other => panic!("{other:?}"),
    }
}

/// A table with everything that the kernel can hold.
fn rich_table() -> Table {
    let mut table = Table::new();
    let mut add = |service: Service, destinations: Vec<Destination>| {
        table.services.push(TableService { service, destinations });
    };
    let scheduler = |text: &str| name::<SchedulerName>(text);
    add(
        Service::new(v4(1)).with_scheduler(scheduler("wrr")).with_persistence(300),
        vec![
            server(1).with_forwarding(ForwardingMethod::Masquerade).with_weight(3).with_thresholds(100, 50),
            server(2).with_weight(0),
            server(3).with_tunnel(Tunnel::IPIP),
            server(4).with_tunnel(Tunnel::gue(6080, TunnelFlags::CHECKSUM)),
            server(5).with_tunnel(Tunnel::gre(TunnelFlags::EMPTY)),
            server(6).with_forwarding(ForwardingMethod::Local).with_weight(i32::MAX as u32),
            server(7).with_forwarding(ForwardingMethod::Other(7)),
            Destination::new("2001:db8::7".parse().unwrap(), 80).with_tunnel(Tunnel::IPIP),
        ],
    );
    let mut masked = Service::new(ServiceKey::udp("192.0.2.1", 53).unwrap())
        .with_scheduler(scheduler("rr"))
        .with_flags(ServiceFlags::from_bits(0xa5f0_0000).with(ServiceFlags::ONE_PACKET))
        .with_netmask(Netmask::V4(Ipv4Addr::new(255, 0, 255, 0)))
        .unwrap();
    masked.timeout = 77;
    add(masked, vec![]);
    add(
        Service::new(ServiceKey::sctp("2001:db8::1", 9).unwrap())
            .with_netmask(Netmask::V6(PrefixLength::new(64).unwrap()))
            .unwrap(),
        vec![Destination::new("2001:db8::8".parse().unwrap(), 9), server(9).with_tunnel(Tunnel::IPIP)],
    );
    add(
        Service::new(ServiceKey::udp("192.0.2.2", 5060).unwrap()).with_persistence(60).with_engine(name("sip")),
        vec![server(1)],
    );
    let all = ServiceFlags::SCHED_ALL;
    add(
        Service::new(ServiceKey::fwmark(7, AddressFamily::Ipv4).unwrap()).with_scheduler(scheduler("sh")),
        vec![server(1)],
    );
    add(
        Service::new(ServiceKey::fwmark(u32::MAX, AddressFamily::Ipv6).unwrap())
            .with_scheduler(scheduler("mh"))
            .with_flags(all),
        vec![Destination::new("2001:db8::9".parse().unwrap(), 0)],
    );
    add(Service::new(v4(3)).with_scheduler(SchedulerName::NONE), vec![]);
    add(Service::new(ServiceKey::endpoint(Protocol::Other(300), "192.0.2.4".parse().unwrap(), 0)), vec![]);
    table
}

fn operations(table: &Table) -> Vec<Operation> {
    let mut operations = Vec::new();
    for TableService { service, destinations } in &table.services {
        operations.push(Operation::AddService(*service));
        operations.extend(destinations.iter().map(|one| Operation::AddDestination(service.key(), *one)));
    }
    operations
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn a_fresh_namespace_is_empty_and_has_the_defaults() {
    let mut director = open();
    assert_eq!(director.info().unwrap(), empty_info());
    assert_eq!(director.timeouts().unwrap(), Timeouts::default());
    assert!(director.services().unwrap().is_empty());
    assert!(director.daemons().unwrap().is_empty());
    let snapshot = director.snapshot().unwrap();
    assert!(snapshot.services.is_empty() && snapshot.daemons.is_empty());
    assert_eq!(snapshot.coverage, Coverage::FULL);
    director.flush().unwrap();
    director.zero(None).unwrap();
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn everything_that_the_kernel_can_hold_comes_back_as_it_was_set() {
    let mut director = open();
    let table = rich_table();
    let operations = operations(&table);
    for policy in [OnRefusal::Continue, OnRefusal::Stop] {
        let report = director.apply(&operations, policy);
        assert!(report.is_complete(), "{report:?}");
        let snapshot = director.snapshot().unwrap();
        let (mut read, mut wanted) = (snapshot.to_table(), table.clone());
        wanted.timeouts = Some(Timeouts::default());
        // The list of destinations is as set even before sorting.
        let first = snapshot.service(&v4(1)).unwrap();
        let order: Vec<_> = first.destinations.iter().rev().map(|entry| entry.destination).collect();
        assert_eq!(order, table.services[0].destinations);
        read.sort();
        wanted.sort();
        assert_eq!(read, wanted);
        for service in &snapshot.services {
            assert_eq!(service.entry.stats, Some(Stats::default()));
            assert_eq!(service.entry.stats64, Some(Stats::default()));
            let key = service.entry.service.key();
            assert_eq!(director.service(&key).unwrap(), service.entry);
            assert_eq!(director.destinations(&key).unwrap(), service.destinations);
        }
        director.flush().unwrap();
    }
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn timeouts_are_set_kept_and_refused() {
    let mut director = open();
    director.set_timeouts(Timeouts { tcp: 901, tcp_fin: 0, udp: 301 }).unwrap();
    assert_eq!(director.timeouts().unwrap(), Timeouts { tcp: 901, tcp_fin: 120, udp: 301 });
    // 2^31-1 ticks at 250 Hz.
    director.set_timeouts(Timeouts { tcp: 8_589_934, tcp_fin: 0, udp: 0 }).unwrap();
    let over = Timeouts { tcp: 0, tcp_fin: 8_589_935, udp: 0 };
    refused(director.set_timeouts(over), Errno::EINVAL, Cause::Invalid);
    assert_eq!(director.timeouts().unwrap(), Timeouts { tcp: 8_589_934, tcp_fin: 120, udp: 301 });
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn sync_daemons_start_with_all_their_attributes_and_are_refused_with_the_kernel_s_errno() {
    let mut director = open();
    run("ip link add sync0 type dummy && ip addr add 203.0.113.1/24 dev sync0 && ip link set sync0 up multicast on");
    let mut master = Daemon::new(DaemonRole::Master, name("sync0"), 7);
    refused(
        director.start_daemon(&Daemon::new(DaemonRole::Master, name("nosuch0"), 7)),
        Errno::ENODEV,
        Cause::InterfaceNotFound,
    );
    master.group = Some("192.0.2.1".parse().unwrap());
    refused(director.start_daemon(&master), Errno::EINVAL, Cause::Invalid);
    refused(director.stop_daemon(DaemonRole::Master), Errno::ESRCH, Cause::DaemonNotRunning);
    master.group = Some("224.0.0.82".parse().unwrap());
    (master.max_len, master.port, master.ttl) = (Some(1400), Some(8849), Some(3));
    director.start_daemon(&master).unwrap();
    refused(director.start_daemon(&master), Errno::EEXIST, Cause::DaemonRunning);
    director.start_daemon(&Daemon::new(DaemonRole::Backup, name("sync0"), 0)).unwrap();
    let mut backup = Daemon::new(DaemonRole::Backup, name("sync0"), 0);
    backup.group = Some("224.0.0.81".parse().unwrap());
    (backup.max_len, backup.port, backup.ttl) = (Some(1472), Some(8848), Some(1));
    assert_eq!(director.daemons().unwrap(), [master, backup]);
    assert_eq!(director.snapshot().unwrap().daemons, [master, backup]);

    // No mixed family while a daemon runs, and no daemon while there is one.
    director.add_service(&Service::new(v4(1))).unwrap();
    let six = Destination::new("2001:db8::7".parse().unwrap(), 80).with_tunnel(Tunnel::IPIP);
    refused(director.add_destination(&v4(1), &six), Errno::EINVAL, Cause::Invalid);
    director.stop_daemon(DaemonRole::Master).unwrap();
    director.stop_daemon(DaemonRole::Backup).unwrap();
    director.add_destination(&v4(1), &six).unwrap();
    refused(director.start_daemon(&master), Errno::EINVAL, Cause::Invalid);

    // The old socket options know role, interface and id.
    director.remove_service(&v4(1)).unwrap();
    director.start_daemon(&master).unwrap();
    let mut options = KernelDirector::options().transport(TransportChoice::SocketOptions).open().unwrap();
    assert_eq!(options.daemons().unwrap(), [Daemon::new(DaemonRole::Master, name("sync0"), 7)]);
    assert_eq!(options.start_daemon(&master).unwrap_err().kind(), ErrorKind::Unsupported);
    options.stop_daemon(DaemonRole::Master).unwrap();
    options.start_daemon(&Daemon::new(DaemonRole::Backup, name("sync0"), 3)).unwrap();
    assert_eq!(director.daemons().unwrap()[0].sync_id, 3);
    options.stop_daemon(DaemonRole::Backup).unwrap();
    // One that is stopped before its thread ran, as far as this machine has it so: the kernel then
    // acknowledges nothing.
    let stop = Operation::StopDaemon(DaemonRole::Master);
    for _ in 0..20 {
        let batch = [Operation::StartDaemon(master), stop];
        assert!(director.apply(&batch, OnRefusal::Continue).is_complete());
        assert!(director.daemons().unwrap().is_empty());
        refused(director.execute(stop), Errno::ESRCH, Cause::DaemonNotRunning);
    }
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn a_batch_with_refusals_in_the_middle_reports_each_operation() {
    let mut director = open();
    // Every seventh operation repeats the one before it; every eleventh goes to a service that is
    // not there.
    let mut operations = vec![Operation::AddService(Service::new(v4(1)))];
    let mut expected = Vec::new();
    let mut number = 0u32;
    while operations.len() < 700 {
        let index = operations.len();
        if index % 7 == 0 && matches!(operations[index - 1], Operation::AddDestination(key, _) if key == v4(1)) {
            operations.push(operations[index - 1]);
            expected.push((index, Cause::DestinationExists));
        } else if index % 11 == 0 {
            operations.push(Operation::AddDestination(v4(2), server(1)));
            expected.push((index, Cause::ServiceNotFound));
        } else if index % 13 == 0 {
            operations.push(Operation::AddService(Service::new(v4(9)).with_scheduler(name("nosuch"))));
            expected.push((index, Cause::SchedulerNotFound(name("nosuch"))));
        } else {
            number += 1;
            let [_, _, a, b] = number.to_be_bytes();
            let addr: IpAddr = Ipv4Addr::new(198, 18, a, b).into();
            operations.push(Operation::AddDestination(v4(1), Destination::new(addr, 80)));
        }
    }
    let report = director.apply(&operations, OnRefusal::Continue);
    assert_eq!((report.answered, report.sent), (700, 700));
    assert!(report.interrupted.is_none());
    let found: Vec<_> = report.refused.iter().map(|failure| (failure.index, failure.error.cause)).collect();
    assert_eq!(found, expected);
    assert_eq!(report.applied(), 700 - expected.len());
    assert_eq!(director.destinations(&v4(1)).unwrap().len(), number as usize);

    // The same again, stopping: nothing after the first refusal happens.
    director.flush().unwrap();
    let report = director.apply(&operations, OnRefusal::Stop);
    let first = expected[0];
    assert_eq!((report.answered, report.sent), (first.0 + 1, first.0 + 1));
    assert_eq!((report.refused[0].index, report.refused[0].error.cause), first);
    assert_eq!(director.destinations(&v4(1)).unwrap().len(), first.0 - 1);

    // All of two thousand refused: every answer is heard.
    let all: Vec<_> = (0..2000).map(|_| Operation::AddDestination(v4(2), server(1))).collect();
    let report = director.apply(&all, OnRefusal::Continue);
    assert_eq!((report.answered, report.refused.len()), (2000, 2000));
    assert!(report.interrupted.is_none(), "{:?}", report.interrupted);
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn a_table_that_grows_while_it_is_read_shows_no_entry_twice() {
    let mut director = open();
    let adds: Vec<_> = (0..400u32).map(|number| Operation::AddService(Service::new(numbered(number)))).collect();
    assert!(director.apply(&adds, OnRefusal::Continue).is_complete());
    let place = Namespace::Path(format!("/proc/self/task/{}/ns/net", gettid()).into());
    let (stop, grown) = (AtomicBool::new(false), AtomicU32::new(400));
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut director = KernelDirector::options().namespace(place).open().unwrap();
            while !stop.load(Ordering::Relaxed) && grown.load(Ordering::Relaxed) < 4000 {
                let number = grown.load(Ordering::Relaxed);
                let adds = [
                    Operation::AddService(Service::new(numbered(number))),
                    Operation::AddDestination(numbered(0), Destination::new(addr_of(number), 80)),
                ];
                assert!(director.apply(&adds, OnRefusal::Continue).is_complete());
                grown.store(number + 1, Ordering::Relaxed);
                thread::sleep(Duration::from_micros(500));
            }
        });
        let start = Instant::now();
        let mut reads = 0;
        // For a second at least, and until the table has grown while it was read, however slow the
        // machine is.
        while reads < 5 || start.elapsed() < Duration::from_secs(1) || grown.load(Ordering::Relaxed) <= 420 {
            assert!(start.elapsed() < Duration::from_secs(300), "the table does not grow, or is never read whole");
            let services = match director.services() {
                // It grows faster than it can be read: an error, never a list with holes. It ends
                // at 4000.
                Err(Error::Refused(error)) if error.cause == Cause::Changing => continue,
                services => services.unwrap(),
            };
            let keys: HashSet<_> = services.iter().map(|entry| entry.service.key()).collect();
            assert_eq!(keys.len(), services.len());
            assert!((0..400).all(|number| keys.contains(&numbered(number))));
            let list = match director.destinations(&numbered(0)) {
                Err(Error::Refused(error)) if error.cause == Cause::Changing => continue,
                list => list.unwrap(),
            };
            let keys: HashSet<_> = list.iter().map(|entry| entry.destination.key).collect();
            assert_eq!(keys.len(), list.len());
            reads += 1;
        }
        stop.store(true, Ordering::Relaxed);
    });
}

fn addr_of(number: u32) -> IpAddr {
    let [_, a, b, c] = number.to_be_bytes();
    Ipv4Addr::new(10, a, b, c).into()
}

fn numbered(number: u32) -> ServiceKey {
    let [_, a, b, c] = number.to_be_bytes();
    ServiceKey::endpoint(Protocol::Tcp, Ipv4Addr::new(10, a, b, c).into(), 80)
}

fn gettid() -> i32 {
    // SAFETY: gettid(2) takes nothing.
    unsafe { libc::gettid() }
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn traffic_is_counted_zeroed_and_shown_in_the_connection_table() {
    let mut director = open();
    run(
        "ip link add vip0 type dummy && ip addr add 192.0.2.1/24 dev vip0 && ip link set vip0 up && ip route add default dev vip0",
    );
    let key = ServiceKey::udp("192.0.2.1", 53).unwrap();
    director.add_service(&Service::new(key).with_scheduler(SchedulerName::RR)).unwrap();
    let real = server(53).with_forwarding(ForwardingMethod::Masquerade);
    director.add_destination(&key, &real).unwrap();
    let socket = UdpSocket::bind("192.0.2.1:0").unwrap();
    for _ in 0..5 {
        socket.send_to(b"hello", "192.0.2.1:53").unwrap();
    }
    let mut seen = Vec::new();
    director
        .visit_connections(&mut |connection| {
            seen.push((connection.protocol, connection.client_port, connection.target, connection.destination_addr));
            ControlFlow::Continue(())
        })
        .unwrap();
    let target = ConnectionTarget::Endpoint { addr: "192.0.2.1".parse().unwrap(), port: 53 };
    let port = socket.local_addr().unwrap().port();
    assert_eq!(seen, [(Protocol::Udp, port, target, real.key.addr)]);
    assert_eq!(director.destinations(&key).unwrap()[0].inactive, 1);
    // The estimator's next pass brings the sums.
    let start = Instant::now();
    while director.service(&key).unwrap().statistics().counters.packets_in < 5 {
        assert!(start.elapsed() < Duration::from_secs(300), "the counters stay at zero");
        thread::sleep(Duration::from_millis(200));
    }
    let counters = Counters { connections: 1, packets_in: 5, bytes_in: 5 * 33, ..Counters::default() };
    let snapshot = director.snapshot().unwrap();
    assert_eq!(snapshot.services[0].entry.stats64.unwrap().counters, counters);
    assert_eq!(snapshot.services[0].destinations[0].stats64.unwrap().counters, counters);
    assert_eq!(snapshot.services[0].destinations[0].stats.unwrap().counters, counters);
    let mut options = KernelDirector::options().transport(TransportChoice::SocketOptions).open().unwrap();
    assert_eq!(options.snapshot().unwrap().services[0].entry.stats.unwrap().counters, counters);
    director.zero(Some(&key)).unwrap();
    assert_eq!(director.service(&key).unwrap().statistics().counters, Counters::default());
    assert_eq!(director.destinations(&key).unwrap()[0].statistics().counters, Counters::default());
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn long_and_short_lists_are_read_whole_in_any_order() {
    let mut director = open();
    let mut operations = Vec::new();
    let sizes = [1u32, 500, 0, 3, 11, 12, 21, 22, 23, 0, 200, 1, 2, 3, 600, 600, 1];
    for (index, size) in sizes.into_iter().enumerate() {
        let key = numbered(index as u32);
        operations.push(Operation::AddService(Service::new(key)));
        for number in 1..=size {
            operations.push(Operation::AddDestination(key, Destination::new(addr_of(number), number as u16)));
        }
    }
    assert!(director.apply(&operations, OnRefusal::Continue).is_complete());
    for _ in 0..2 {
        let snapshot = director.snapshot().unwrap();
        for (index, size) in sizes.into_iter().enumerate() {
            let key = numbered(index as u32);
            let list = &snapshot.service(&key).unwrap().destinations;
            let ports: Vec<u32> = list.iter().rev().map(|entry| entry.destination.key.port.into()).collect();
            assert_eq!(ports, (1..=size).collect::<Vec<_>>());
            assert_eq!(director.destinations(&key).unwrap(), *list);
        }
    }
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn a_missing_module_is_named_not_loaded_unasked_and_found_again() {
    let mut director = open();
    director.add_service(&Service::new(v4(1))).unwrap();
    director.flush().unwrap();
    let unload = "lsmod | awk '/^ip_vs_/ {print $1}' | xargs -r -n1 rmmod 2>/dev/null; rmmod ip_vs 2>/dev/null";
    let start = Instant::now();
    while std::path::Path::new("/proc/net/ip_vs").exists() {
        let _ = Command::new("sh").args(["-c", unload]).status();
        assert!(start.elapsed() < Duration::from_secs(300), "the module ip_vs cannot be unloaded here");
        thread::sleep(Duration::from_millis(200));
    }
    let missing = Cause::ModuleMissing;
    refused(director.remove_destination(&v4(1), &server(1).key), Errno::ENOENT, missing);
    refused(director.add_service(&Service::new(v4(1))), Errno::ENOENT, missing);
    refused(director.services(), Errno::ENOENT, missing);
    refused(KernelDirector::open(), Errno::ENOENT, missing);
    let options = KernelDirector::options().transport(TransportChoice::SocketOptions);
    refused(options.clone().open(), Errno::ENOPROTOOPT, missing);
    assert!(!std::path::Path::new("/proc/net/ip_vs").exists(), "nobody asked for the module");

    let mut loaded = KernelDirector::options().load_module(true).open().unwrap();
    assert_eq!(loaded.info().unwrap(), empty_info());
    options.open().unwrap();
    // The family has a new number; the old session finds it.
    assert!(director.services().unwrap().is_empty());
    director.add_service(&Service::new(v4(1))).unwrap();
    assert_eq!(loaded.services().unwrap().len(), 1);
}
