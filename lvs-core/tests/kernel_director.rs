//! The kernel director on a running kernel, each test in a fresh network namespace.
//!
//! Needs root and IPVS. `LVS_TEST_KERNEL=6.12` says which kernel is expected; another one fails every test.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use std::collections::HashSet;
use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::ops::ControlFlow;
use std::os::fd::AsRawFd;
use std::process::{Command, Stdio};
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

fn v4(number: u8) -> ServiceKey {
    ServiceKey::tcp(&format!("192.0.2.{number}"), 80).unwrap()
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
            server(5).with_tunnel(Tunnel::gre(TunnelFlags::NO_CHECKSUM)),
            server(6).with_forwarding(ForwardingMethod::LocalNode).with_weight(i32::MAX as u32),
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
        Service::new(ServiceKey::fwmark(7, AddressFamily::Inet).unwrap()).with_scheduler(scheduler("sh")),
        vec![server(1)],
    );
    add(
        Service::new(ServiceKey::fwmark(u32::MAX, AddressFamily::Inet6).unwrap())
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
    assert_eq!(director.info().unwrap(), Info::default());
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
        assert!(report.is_complete(operations.len()), "{report:?}");
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
fn services_are_refused_with_the_errno_of_the_kernel_s_table() {
    let mut director = open();
    let service = Service::new(v4(1)).with_scheduler(SchedulerName::RR);
    director.add_service(&service).unwrap();
    refused(director.add_service(&service), Errno::EEXIST, Cause::ServiceExists);
    // Existence is checked before the scheduler.
    let odd = service.with_scheduler(name("nosuch"));
    refused(director.add_service(&odd), Errno::EEXIST, Cause::ServiceExists);
    refused(director.update_service(&odd), Errno::ENOENT, Cause::SchedulerNotFound(name("nosuch")));
    assert_eq!(director.service(&v4(1)).unwrap().service, service);

    let absent = Service::new(v4(2)).with_scheduler(SchedulerName::RR);
    let gone = Cause::ServiceNotFound;
    refused(director.update_service(&absent), Errno::ESRCH, gone);
    refused(director.remove_service(&v4(2)), Errno::ESRCH, gone);
    refused(director.service(&v4(2)), Errno::ESRCH, gone);
    refused(director.destinations(&v4(2)), Errno::ESRCH, gone);
    refused(director.zero(Some(&v4(2))), Errno::ESRCH, gone);
    refused(director.add_destination(&v4(2), &server(1)), Errno::ESRCH, gone);
    refused(director.update_destination(&v4(2), &server(1)), Errno::ESRCH, gone);
    refused(director.remove_destination(&v4(2), &server(1).key), Errno::ESRCH, gone);
    assert!(director.destinations(&v4(1)).unwrap().is_empty());
    let mark = ServiceKey::fwmark(7, AddressFamily::Inet).unwrap();
    director.add_service(&Service::new(mark)).unwrap();
    refused(director.service(&ServiceKey::fwmark(7, AddressFamily::Inet6).unwrap()), Errno::ESRCH, gone);

    for scheduler in ["nosuch", ""] {
        let odd = absent.with_scheduler(name(scheduler));
        refused(director.add_service(&odd), Errno::ENOENT, Cause::SchedulerNotFound(name(scheduler)));
    }
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn a_missing_engine_is_told_from_a_missing_scheduler() {
    let mut director = open();
    let there = Service::new(ServiceKey::udp("192.0.2.1", 5060).unwrap()).with_persistence(60);
    director.add_service(&there).unwrap();
    let absent = Service::new(ServiceKey::udp("2001:db8::1", 5060).unwrap()).with_persistence(60);
    let before = director.snapshot().unwrap();
    for (scheduler, engine, cause) in [
        ("rr", "nosuch", Cause::EngineNotFound(name("nosuch"))),
        ("none", "nosuch", Cause::EngineNotFound(name("nosuch"))),
        ("nosuch", "sip", Cause::SchedulerNotFound(name("nosuch"))),
        ("nosuch", "neither", Cause::SchedulerNotFound(name("nosuch"))),
    ] {
        let with = |service: Service| service.with_scheduler(name(scheduler)).with_engine(name(engine));
        refused(director.add_service(&with(absent)), Errno::ENOENT, cause);
        refused(director.update_service(&with(there)), Errno::ENOENT, cause);
    }
    assert_eq!(director.snapshot().unwrap(), before);
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn destinations_are_refused_with_the_errno_of_the_kernel_s_table() {
    let mut director = open();
    director.add_service(&Service::new(v4(1))).unwrap();
    director.add_destination(&v4(1), &server(1)).unwrap();
    refused(director.add_destination(&v4(1), &server(1)), Errno::EEXIST, Cause::DestinationExists);
    refused(director.update_destination(&v4(1), &server(2)), Errno::ENOENT, Cause::DestinationNotFound);
    refused(director.remove_destination(&v4(1), &server(2).key), Errno::ENOENT, Cause::DestinationNotFound);
    // Another port is another destination.
    let mut other_port = server(1);
    other_port.key.port = 81;
    refused(director.update_destination(&v4(1), &other_port), Errno::ENOENT, Cause::DestinationNotFound);

    for bad in [server(2).with_weight(1 << 31), server(2).with_thresholds(1, 2), server(2).with_thresholds(0, 1)] {
        refused(director.add_destination(&v4(1), &bad), Errno::ERANGE, Cause::OutOfRange);
        let mut edit = bad;
        edit.key = server(1).key;
        refused(director.update_destination(&v4(1), &edit), Errno::ERANGE, Cause::OutOfRange);
    }
    let no_port = server(2).with_tunnel(Tunnel::gue(0, TunnelFlags::NO_CHECKSUM));
    refused(director.add_destination(&v4(1), &no_port), Errno::EINVAL, Cause::Invalid);
    for addr in ["0.0.0.0", "224.0.0.1", "255.255.255.255"] {
        let odd = Destination::new(addr.parse().unwrap(), 80);
        refused(director.add_destination(&v4(1), &odd), Errno::EINVAL, Cause::Invalid);
    }
    for addr in ["127.0.0.1", "240.0.0.1"] {
        director.add_destination(&v4(1), &Destination::new(addr.parse().unwrap(), 80)).unwrap();
    }
    director.add_destination(&v4(1), &server(3).with_thresholds(2, 2)).unwrap();
    // Of another family only through a tunnel.
    let six = Destination::new("2001:db8::7".parse().unwrap(), 80);
    for method in [ForwardingMethod::Masquerade, ForwardingMethod::DirectRoute] {
        refused(director.add_destination(&v4(1), &six.with_forwarding(method)), Errno::EINVAL, Cause::Invalid);
    }
    director.add_destination(&v4(1), &six.with_tunnel(Tunnel::IPIP)).unwrap();

    // 6.1.183 and 6.12.104 refuse what does not fit an int; those before take it.
    let huge = server(4).with_thresholds(1 << 31, 0);
    let numbers: Vec<u32> = release().split(['.', '-', '+']).take(3).map_while(|part| part.parse().ok()).collect();
    // Debian's 6.1 packages do not say the third number; the kernel's own version does.
    let version = std::fs::read_to_string("/proc/version").unwrap();
    match director.add_destination(&v4(1), &huge) {
        Ok(()) => assert!(numbers.starts_with(&[6, 1]) && version.contains("6.1.176"), "{version}"),
        result => refused(result, Errno::EINVAL, Cause::Invalid),
    }
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn a_scheduler_that_cannot_start_refuses_the_service() {
    let mut director = open();
    director.add_service(&Service::new(v4(1)).with_scheduler(SchedulerName::RR)).unwrap();
    // The table of mh has 4093 places.
    let adds: Vec<_> =
        (1..=4094).map(|number| Operation::AddDestination(v4(1), Destination::new(addr_of(number), 80))).collect();
    let report = director.apply(&adds, OnRefusal::Continue);
    assert!(report.is_complete(adds.len()), "{:?}", report.failures);
    let mh = Service::new(v4(1)).with_scheduler(name("mh"));
    refused(director.update_service(&mh), Errno::EINVAL, Cause::Invalid);
    assert_eq!(director.service(&v4(1)).unwrap().service.scheduler, SchedulerName::RR);
    let list = director.destinations(&v4(1)).unwrap();
    assert_eq!(list.len(), 4094);
    assert_eq!(list.iter().map(|entry| entry.destination.key).collect::<HashSet<_>>().len(), 4094);
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
    // One that is stopped before its thread ran, as far as this machine has it so: the kernel then acknowledges nothing.
    let stop = Operation::StopDaemon(DaemonRole::Master);
    for _ in 0..20 {
        let batch = [Operation::StartDaemon(master), stop];
        assert!(director.apply(&batch, OnRefusal::Continue).is_complete(2));
        assert!(director.daemons().unwrap().is_empty());
        refused(director.execute(stop), Errno::ESRCH, Cause::DaemonNotRunning);
    }
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn a_batch_with_errors_in_the_middle_says_of_each_operation_what_came_of_it() {
    let mut director = open();
    // Every seventh operation repeats the one before it; every eleventh goes to a service that is not there.
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
    let found: Vec<_> = report.failures.iter().map(|failure| (failure.index, failure.error.cause)).collect();
    assert_eq!(found, expected);
    assert_eq!(report.applied(), 700 - expected.len());
    assert_eq!(director.destinations(&v4(1)).unwrap().len(), number as usize);

    // The same again, stopping: nothing after the first refusal happens.
    director.flush().unwrap();
    let report = director.apply(&operations, OnRefusal::Stop);
    let first = expected[0];
    assert_eq!((report.answered, report.sent), (first.0 + 1, first.0 + 1));
    assert_eq!((report.failures[0].index, report.failures[0].error.cause), first);
    assert_eq!(director.destinations(&v4(1)).unwrap().len(), first.0 - 1);

    // All of two thousand refused: every answer is heard.
    let all: Vec<_> = (0..2000).map(|_| Operation::AddDestination(v4(2), server(1))).collect();
    let report = director.apply(&all, OnRefusal::Continue);
    assert_eq!((report.answered, report.failures.len()), (2000, 2000));
    assert!(report.interrupted.is_none(), "{:?}", report.interrupted);
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn a_table_that_grows_while_it_is_read_shows_no_entry_twice() {
    let mut director = open();
    let adds: Vec<_> = (0..400u32).map(|number| Operation::AddService(Service::new(numbered(number)))).collect();
    assert!(director.apply(&adds, OnRefusal::Continue).is_complete(400));
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
                assert!(director.apply(&adds, OnRefusal::Continue).is_complete(2));
                grown.store(number + 1, Ordering::Relaxed);
                thread::sleep(Duration::from_micros(500));
            }
        });
        let start = Instant::now();
        let mut reads = 0;
        // For a second at least, and until the table has grown while it was read, however slow the machine is.
        while reads < 5 || start.elapsed() < Duration::from_secs(1) || grown.load(Ordering::Relaxed) <= 420 {
            let services = director.services().unwrap();
            let keys: HashSet<_> = services.iter().map(|entry| entry.service.key()).collect();
            assert_eq!(keys.len(), services.len());
            assert!((0..400).all(|number| keys.contains(&numbered(number))));
            let list = director.destinations(&numbered(0)).unwrap();
            let keys: HashSet<_> = list.iter().map(|entry| entry.destination.key).collect();
            assert_eq!(keys.len(), list.len());
            reads += 1;
            assert!(start.elapsed() < Duration::from_secs(300), "the table does not grow");
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
fn a_namespace_is_entered_by_path_pid_and_name_and_only_for_the_director() {
    let mut here = open();
    here.add_service(&Service::new(v4(1))).unwrap();
    let mut child = Command::new("unshare").args(["-n", "sleep", "60"]).stdout(Stdio::null()).spawn().unwrap();
    let other = format!("/proc/{}/ns/net", child.id());
    let own = std::fs::read_link("/proc/thread-self/ns/net").unwrap();
    while std::fs::read_link(&other).unwrap() == own {
        thread::sleep(Duration::from_millis(10));
    }
    run("mkdir -p /run/netns && ip netns add lvs-test");
    let mut by_path = KernelDirector::options().namespace(Namespace::Path(other.into())).open().unwrap();
    let mut by_pid = KernelDirector::options().namespace(Namespace::Pid(child.id())).open().unwrap();
    let mut by_name = KernelDirector::options().namespace(Namespace::Name("lvs-test".into())).open().unwrap();
    let mut by_option = KernelDirector::options()
        .namespace(Namespace::Pid(child.id()))
        .transport(TransportChoice::SocketOptions)
        .open()
        .unwrap();
    by_path.add_service(&Service::new(v4(2))).unwrap();
    by_name.add_service(&Service::new(v4(3))).unwrap();
    let keys = |director: &mut KernelDirector| -> Vec<ServiceKey> {
        director.services().unwrap().iter().map(|entry| entry.service.key()).collect()
    };
    assert_eq!(keys(&mut here), [v4(1)]);
    assert_eq!(keys(&mut by_path), [v4(2)]);
    assert_eq!(keys(&mut by_pid), [v4(2)]);
    assert_eq!(keys(&mut by_option), [v4(2)]);
    assert_eq!(keys(&mut by_name), [v4(3)]);
    assert_eq!(std::fs::read_link("/proc/thread-self/ns/net").unwrap(), own);
    // Where the thread went does not move a director that is open.
    let file = File::open("/run/netns/lvs-test").unwrap();
    // SAFETY: setns(2) takes two numbers; it moves the calling thread.
    assert_eq!(unsafe { libc::setns(file.as_raw_fd(), libc::CLONE_NEWNET) }, 0);
    assert_eq!(keys(&mut here), [v4(1)]);
    assert_eq!(keys(&mut KernelDirector::open().unwrap()), [v4(3)]);
    let _ = by_name.visit_connections(&mut |_| ControlFlow::Continue(()));
    for (bad, kind) in [
        (Namespace::Name("lvs-absent".into()), ErrorKind::NotFound),
        (Namespace::Name("../escape".into()), ErrorKind::InvalidInput),
        (Namespace::Path("/dev/null".into()), ErrorKind::Io),
    ] {
        let error = KernelDirector::options().namespace(bad).open().unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
    run("ip netns del lvs-test");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn without_the_privilege_each_operation_says_so() {
    let mut director = open();
    drop_net_admin();
    let denied = Cause::PermissionDenied;
    refused(director.info(), Errno::EPERM, denied);
    refused(director.services(), Errno::EPERM, denied);
    refused(director.snapshot(), Errno::EPERM, denied);
    refused(director.add_service(&Service::new(v4(1))), Errno::EPERM, denied);
    refused(director.destinations(&v4(1)), Errno::EPERM, denied);
    let report = director.apply(&operations(&rich_table()), OnRefusal::Continue);
    assert_eq!(report.failures.len(), report.answered);
    // Opening needs none; it is the first operation that fails.
    refused(KernelDirector::open().unwrap().info(), Errno::EPERM, denied);
    let options = KernelDirector::options().transport(TransportChoice::SocketOptions).open();
    refused(options, Errno::EPERM, denied);
}

/// Takes `CAP_NET_ADMIN` from this thread.
fn drop_net_admin() {
    #[repr(C)]
    struct CapHeader(u32, i32);
    let header = CapHeader(0x2008_0522, 0); // _LINUX_CAPABILITY_VERSION_3, this thread
    let mut data = [0u32; 6];
    // SAFETY: capget(2) and capset(2) take a header and two times three numbers, both of which outlive the calls.
    unsafe {
        assert_eq!(libc::syscall(libc::SYS_capget, &header, data.as_mut_ptr()), 0);
        data[0] &= !(1 << 12);
        assert_eq!(libc::syscall(libc::SYS_capset, &header, data.as_ptr()), 0);
    }
}

/// Runs one of the tests below as the root of a user namespace.
fn in_user_namespace(test: &str) {
    let status = Command::new("unshare")
        .args(["-Urn"])
        .arg(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", test])
        .env("LVS_TEST_INSIDE", "1")
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn the_root_of_a_user_namespace_is_served_by_the_old_socket_options() {
    const NAME: &str = "the_root_of_a_user_namespace_is_served_by_the_old_socket_options";
    if std::env::var_os("LVS_TEST_INSIDE").is_none() {
        fresh();
        return in_user_namespace(NAME);
    }
    run("ip link set lo up");
    refused(KernelDirector::open().unwrap().info(), Errno::EPERM, Cause::PermissionDenied);
    let mut director = KernelDirector::options().transport(TransportChoice::Auto).open().unwrap();
    assert_eq!(director.coverage(), Coverage::SOCKET_OPTIONS);
    director.add_service(&Service::new(v4(1)).with_scheduler(SchedulerName::RR)).unwrap();
    director.add_destination(&v4(1), &server(1).with_weight(5)).unwrap();
    let snapshot = director.snapshot().unwrap();
    assert_eq!(snapshot.coverage, Coverage::SOCKET_OPTIONS);
    assert_eq!(snapshot.services.len(), 1);
    assert_eq!(snapshot.services[0].destinations[0].destination, server(1).with_weight(5));
    let six = Service::new(ServiceKey::tcp("2001:db8::1", 80).unwrap());
    let error = director.add_service(&six).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("the old socket options cannot carry IPv6"), "{error}");
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn the_old_socket_options_see_what_netlink_sees_as_far_as_they_see() {
    let mut director = open();
    assert!(director.apply(&operations(&rich_table()), OnRefusal::Continue).failures.is_empty());
    let mut options = KernelDirector::options().transport(TransportChoice::SocketOptions).open().unwrap();
    let (full, seen) = (director.snapshot().unwrap(), options.snapshot().unwrap());
    assert_eq!(seen.info, full.info);
    assert_eq!(seen.timeouts, full.timeouts);
    let expected: Vec<ServiceSnapshot> = full
        .services
        .iter()
        .filter(|service| service.entry.service.key().family() == AddressFamily::Inet)
        .map(|service| {
            let mut seen = service.clone();
            seen.entry.service.engine = None;
            seen.entry.stats64 = None;
            seen.destinations.retain(|entry| entry.destination.key.family() == AddressFamily::Inet);
            for entry in &mut seen.destinations {
                entry.destination.tunnel = Tunnel::IPIP;
                entry.stats64 = None;
            }
            seen
        })
        .collect();
    assert_eq!(seen.services, expected);
    for service in &expected {
        let key = service.entry.service.key();
        if key.protocol() != Some(Protocol::Other(300)) {
            assert_eq!(options.service(&key).unwrap(), service.entry);
            assert_eq!(options.destinations(&key).unwrap(), service.destinations);
        }
    }
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn the_old_socket_options_write_what_netlink_reads_and_refuse_alike() {
    let mut director = open();
    let mut options = KernelDirector::options().transport(TransportChoice::SocketOptions).open().unwrap();
    let mark = ServiceKey::fwmark(u32::MAX, AddressFamily::Inet).unwrap();
    let flags = ServiceFlags::from_bits(0xa5f0_0000) | ServiceFlags::PERSISTENT;
    let mut first = Service::new(v4(1)).with_flags(flags).with_netmask(Netmask::V4([255, 0, 0, 0].into())).unwrap();
    first.timeout = 77;
    let list =
        [server(1).with_weight(9).with_thresholds(7, 3), server(2).with_forwarding(ForwardingMethod::Masquerade)];
    let operations = [
        Operation::AddService(first),
        Operation::AddService(Service::new(mark).with_scheduler(SchedulerName::NONE)),
        Operation::AddDestination(v4(1), list[0]),
        Operation::AddDestination(v4(1), list[1]),
        Operation::AddDestination(mark, list[0]),
        Operation::UpdateDestination(mark, list[0].with_weight(1)),
        Operation::UpdateService(Service::new(mark).with_scheduler(SchedulerName::RR)),
        Operation::SetTimeouts(Timeouts { tcp: 901, tcp_fin: 0, udp: 0 }),
        Operation::Zero(Some(v4(1))),
        Operation::Zero(None),
    ];
    let report = options.apply(&operations, OnRefusal::Stop);
    assert!(report.is_complete(operations.len()), "{report:?}");
    assert_eq!(director.service(&v4(1)).unwrap().service, first);
    assert_eq!(director.service(&mark).unwrap().service.scheduler, SchedulerName::RR);
    let read: Vec<_> = director.destinations(&v4(1)).unwrap().iter().rev().map(|entry| entry.destination).collect();
    assert_eq!(read, list);
    assert_eq!(director.destinations(&mark).unwrap()[0].destination.weight, 1);
    assert_eq!(director.timeouts().unwrap().tcp, 901);

    refused(options.add_service(&first), Errno::EEXIST, Cause::ServiceExists);
    refused(options.remove_service(&v4(2)), Errno::ESRCH, Cause::ServiceNotFound);
    refused(options.service(&v4(2)), Errno::ESRCH, Cause::ServiceNotFound);
    refused(options.destinations(&v4(2)), Errno::ESRCH, Cause::ServiceNotFound);
    refused(options.add_destination(&v4(1), &list[0]), Errno::EEXIST, Cause::DestinationExists);
    refused(options.remove_destination(&v4(1), &server(9).key), Errno::ENOENT, Cause::DestinationNotFound);
    let odd = Service::new(v4(3)).with_scheduler(name("nosuch"));
    refused(options.add_service(&odd), Errno::ENOENT, Cause::SchedulerNotFound(name("nosuch")));
    for (error, what) in [
        (options.add_service(&Service::new(v4(3)).with_engine(name("sip"))), "a persistence engine"),
        (options.add_destination(&v4(1), &server(3).with_tunnel(Tunnel::gue(6080, TunnelFlags(0)))), "a tunnel"),
        (options.add_destination(&v4(1), &Destination::new("2001:db8::1".parse().unwrap(), 80)), "IPv6"),
    ] {
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains(what), "{error}");
    }
    options.remove_destination(&v4(1), &list[0].key).unwrap();
    options.remove_service(&mark).unwrap();
    options.flush().unwrap();
    assert!(director.services().unwrap().is_empty());
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
        assert!(start.elapsed() < Duration::from_secs(20), "the counters stay at zero");
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
    assert!(director.apply(&operations, OnRefusal::Continue).is_complete(operations.len()));
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
        assert!(start.elapsed() < Duration::from_secs(30), "the module ip_vs cannot be unloaded here");
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
    assert_eq!(loaded.info().unwrap(), Info::default());
    options.open().unwrap();
    // The family has a new number; the old session finds it.
    assert!(director.services().unwrap().is_empty());
    director.add_service(&Service::new(v4(1))).unwrap();
    assert_eq!(loaded.services().unwrap().len(), 1);
}
