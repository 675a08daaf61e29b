//! What one writes in Rust without looking it up: each line compiles and does what it says, warns
//! where something would be lost, or is not there for a reason.
#![deny(unfulfilled_lint_expectations)]

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::ControlFlow;
use std::time::Duration;

use lvs_core::connections::{self, ClientSums, ConnectionFilter, ConnectionSums};
use lvs_core::director::OnRefusal;
use lvs_core::drain::{Drain, DrainPolicy, DrainTarget};
use lvs_core::embedded::*;
use lvs_core::health::{Forced, Health, HealthPolicy, Override, Probe};
use lvs_core::model::*;
use lvs_core::plan::{OnFailure, Plan, Scope, reconcile};
use lvs_core::watch::Watcher;
use lvs_core::{Director, Errno, Error, ErrorKind};

type Checked = Result<(), Box<dyn std::error::Error>>;

fn address() -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 7], 80))
}

#[test]
fn keys_come_from_addresses_and_give_them_back() -> Checked {
    let ip: IpAddr = "192.0.2.1".parse()?;
    let key = ServiceKey::tcp("192.0.2.1", 80)?;
    assert_eq!(key, ServiceKey::tcp(ip, 80)?);
    assert_eq!(key, ServiceKey::tcp(Ipv4Addr::new(192, 0, 2, 1), 80)?);
    assert_eq!(key, ServiceKey::tcp(String::from("192.0.2.1"), 80)?);
    assert_eq!(key, ServiceKey::from((Protocol::Tcp, SocketAddr::new(ip, 80))));
    assert_eq!(key, "tcp://192.0.2.1:80".parse()?);
    assert_eq!((key.addr(), key.socket_addr()), (Some(ip), Some(SocketAddr::new(ip, 80))));

    let server = DestinationKey::from(address());
    assert_eq!(server, (address().ip(), 80).into());
    assert_eq!(SocketAddr::from(server), address());
    assert_eq!(Destination::from(address()), Destination::from(server));
    assert_eq!(Destination::from(address()), Destination::new(address().ip(), address().port()));
    assert_eq!(AddressFamily::from(ip), AddressFamily::Ipv4);
    Ok(())
}

#[test]
fn every_small_value_is_read_and_printed() -> Checked {
    assert_eq!("ipv6".parse::<AddressFamily>()?.to_string(), "ipv6");
    assert_eq!("255.255.255.0".parse::<Netmask>()?.to_string(), "255.255.255.0");
    assert_eq!("gue".parse::<TunnelKind>()?.to_string(), "gue");
    assert_eq!("nat".parse::<ForwardingMethod>()?.to_string(), "masquerade");
    assert_eq!("persistent".parse::<ServiceFlags>()?.to_string(), "persistent");
    assert_eq!("sync".parse::<ConnectionOrigin>()?.to_string(), "sync");
    assert_eq!("master".parse::<DaemonRole>()?.to_string(), "master");
    assert_eq!("wrr".parse::<SchedulerName>()?.to_string(), "wrr");
    assert_eq!(ErrorKind::NotFound.to_string(), "not found");
    assert_eq!(Errno::ENOENT.to_string(), Errno(2).to_string());
    Ok(())
}

#[test]
fn times_are_durations_or_seconds() -> Checked {
    let service = Service::new(ServiceKey::tcp("192.0.2.1", 80)?);
    assert_eq!(service.with_persistence(300), service.with_persistence(Duration::from_secs(300)));
    let timeouts = Timeouts::default().with_tcp(Duration::from_secs(60)).with_udp(30);
    assert_eq!((timeouts.tcp, timeouts.tcp_fin, timeouts.udp), (60, 120, 30));
    Ok(())
}

#[test]
fn tables_are_collections() -> Checked {
    let key = ServiceKey::udp("192.0.2.1", 53)?;
    let service = TableService::from(Service::from(key)).with_destination(address());
    let mut table: Table = [service].into_iter().collect();
    table.service_mut(&key).ok_or("gone")?.service.scheduler = "wrr".parse()?;
    table.insert(Service::new(ServiceKey::tcp("192.0.2.1", 53)?));
    table.extend([TableService::new(Service::new(ServiceKey::fwmark(7, AddressFamily::Ipv6)?))]);
    assert!(table.remove(&key).is_some());
    assert_eq!(table.services.len(), 2);
    let by_key: BTreeMap<ServiceKey, &TableService> = table.services.iter().map(|s| (s.service.key(), s)).collect();
    assert_eq!((&table).into_iter().count(), table.clone().into_iter().count());
    for step in &Plan::between(&Table::new(), &table, &Scope::all())? {
        assert!(matches!(step.operation, Operation::AddService(_)));
    }
    let distinct: HashSet<ServiceKey> = by_key.keys().copied().collect();
    assert_eq!(distinct.len(), 2);
    let scope = Scope::services(distinct);
    assert_eq!(table.restricted_to(&scope.clone()).services.len(), 2);
    Ok(())
}

#[test]
fn figures_add_up() {
    let one = Counters { connections: 3, packets_in: 5, ..Counters::default() };
    let mut sum: Counters = [one, one].into_iter().sum();
    assert_eq!(sum, one + one);
    sum += one;
    sum -= one;
    assert_eq!(sum - one, one);
    let rates = Rates { connections: 1, ..Rates::default() };
    assert_eq!([rates, rates].iter().sum::<Rates>(), rates + rates);
}

/// A controller over any director, borrowed, boxed or its own.
struct Controller<D>(D);

impl<D: Director> Controller<D> {
    fn services(&mut self) -> lvs_core::Result<usize> {
        Ok(self.0.snapshot()?.services.len())
    }
}

#[test]
fn directors_are_borrowed_boxed_and_forked() -> Checked {
    let mut director = EmbeddedDirector::new();
    director.add_service(&ServiceKey::tcp("192.0.2.1", 80)?.into())?;
    let mut fork = director.clone();
    fork.flush()?;
    assert_eq!(Controller(&mut fork).services()?, 0);
    assert_eq!(Controller(&mut director).services()?, 1);
    let boxed: Box<dyn Director + Send> = Box::new(director);
    let other = std::thread::spawn(move || Controller(boxed).services());
    assert_eq!(other.join().map_err(|_| "panicked")??, 1);
    Ok(())
}

#[test]
fn connections_are_kept_grouped_and_visited_with_question_marks() -> Checked {
    let mut director = EmbeddedDirector::new();
    let key = ServiceKey::tcp("192.0.2.1", 80)?;
    director.add_service(&key.into())?;
    director.add_destination(&key, &address().into())?;
    for port in [40_000, 40_001] {
        let client = SocketAddr::from(([203, 0, 113, 9], port));
        assert!(director.open(&Flow::tcp(client, key.socket_addr().ok_or("a mark")?)).to_string().contains("to 198"));
    }
    let kept: Vec<OwnedConnection> = connections::collect(&mut director, &ConnectionFilter::new())?;
    assert_eq!(kept[0].as_connection().destination(), address().into());
    let sums: ConnectionSums = kept.iter().map(OwnedConnection::as_connection).collect();
    let clients: ClientSums = kept.iter().map(OwnedConnection::as_connection).collect();
    assert_eq!((sums.total().connections(), clients.top(10)[0].1.connections()), (2, 2));
    let mut out = Vec::new();
    connections::try_visit(&mut director, |connection| -> Result<(), Error> {
        use io::Write;
        writeln!(out, "{}", connection.client())?;
        Ok(())
    })?;
    assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 2);
    Ok(())
}

#[test]
fn errors_pass_through_question_marks_both_ways() {
    fn ours() -> lvs_core::Result<()> {
        let _: ServiceKey = "tcp://192.0.2.1:80".parse()?;
        let _ = std::fs::read("/nonexistent/file")?;
        Ok(())
    }
    fn theirs() -> io::Result<()> {
        Ok(EmbeddedDirector::new().remove_service(&ServiceKey::tcp("192.0.2.1", 80)?)?)
    }
    fn errno() -> io::Result<()> {
        Err(Errno::EPERM)?
    }
    assert_eq!(ours().unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(theirs().unwrap_err().kind(), io::ErrorKind::NotFound);
    assert_eq!(errno().unwrap_err().kind(), io::ErrorKind::PermissionDenied);
}

#[test]
fn no_name_hides_one_of_the_prelude() {
    struct Guard<'a>(&'a mut u32);
    impl Drop for Guard<'_> {
        fn drop(&mut self) {
            *self.0 += 1;
        }
    }
    let mut dropped = 0;
    drop(Guard(&mut dropped));
    let plain: Result<Option<Box<str>>, String> = Ok(Some("text".into()));
    assert_eq!((dropped, plain.is_ok()), (1, true));
}

/// Each statement would lose what was refused or is to be done, and the compiler says so: where it
/// does not, the expectation is not met, and this file does not compile.
#[test]
fn what_is_lost_warns() -> Checked {
    let mut director = EmbeddedDirector::new();
    let key = ServiceKey::tcp("192.0.2.1", 80)?;
    let (empty, wanted): (Table, Table) = (Table::new(), [Service::from(key).into()].into_iter().collect());
    #[expect(unused_must_use, reason = "a report")]
    director.apply(&[Operation::RemoveService(key)], OnRefusal::Continue);
    let plan = Plan::between(&empty, &wanted, &Scope::all())?;
    #[expect(unused_must_use, reason = "an outcome")]
    plan.apply(&mut director, OnFailure::Undo);
    #[expect(unused_must_use, reason = "a plan that is not applied")]
    Plan::between(&wanted, &empty, &Scope::none())?;
    #[expect(unused_must_use, reason = "a refused plan is an error")]
    reconcile(&mut director, &wanted, &Scope::all(), OnFailure::Undo);
    let mut drain = Drain::new(DrainTarget::Service(key), DrainPolicy::default());
    let now = Duration::ZERO;
    #[expect(unused_must_use, reason = "operations to apply")]
    drain.step(&director.snapshot()?, now);
    #[expect(unused_must_use, reason = "operations to apply")]
    drain.cancel(&director.snapshot()?);
    #[expect(unused_must_use, reason = "what was left behind")]
    lvs_core::drain::run(&mut director, drain, now, |_, _| ControlFlow::Break(()))?;
    #[expect(unused_must_use, reason = "events")]
    Watcher::new().observe(director.snapshot()?, now);
    let mut health = Health::new();
    #[expect(unused_must_use, reason = "what another configuration changes")]
    health.watch(key.into(), [address().into()], HealthPolicy::default())?;
    #[expect(unused_must_use, reason = "changes")]
    health.report(&key, &address().into(), Probe::Down, now)?;
    #[expect(unused_must_use, reason = "changes")]
    health.set_weight(&key, &address().into(), 2)?;
    #[expect(unused_must_use, reason = "changes")]
    health.set_servers(&key, [address().into()])?;
    #[expect(unused_must_use, reason = "changes")]
    health.set_override(&key, &address().into(), Override::new(Forced::Up, "a test"))?;
    #[expect(unused_must_use, reason = "changes")]
    health.clear_override(&key, &address().into())?;
    #[expect(unused_must_use, reason = "changes")]
    health.report_host(address().ip(), Probe::Up, now);
    #[expect(unused_must_use, reason = "changes")]
    health.tick(now);
    #[expect(unused_must_use, reason = "whether the packet got through")]
    director.open(&Flow::tcp(address(), address()));
    Ok(())
}

/// Compiles only if a type does not implement a trait: else it is unclear which `is_there` is
/// meant.
macro_rules! lacks {
    ($type:ty: $($bound:tt)+) => {{
        trait Either<Which> {
            fn is_there() {}
        }
        impl<T: ?Sized> Either<()> for T {}
        struct Implemented;
        impl<T: ?Sized + $($bound)+> Either<Implemented> for T {}
        <$type as Either<_>>::is_there();
    }};
}

/// Guesses that do not compile, each with the reason.
#[test]
fn what_is_missing_is_missing_for_a_reason() {
    // An address alone has no protocol: `ServiceKey::tcp(ip, port)`, or a pair with the protocol.
    lacks!(ServiceKey: From<SocketAddr>);
    lacks!(Service: From<SocketAddr>);
    // A service without an address is none, so it has no default.
    lacks!(ServiceKey: Default);
    lacks!(Destination: Default);
    // A mark has no address: `ServiceKey::socket_addr` is an `Option`.
    lacks!(SocketAddr: From<ServiceKey>);
    // They have more fields than one text would show; the rules language and JSON are their texts.
    lacks!(Service: std::str::FromStr);
    lacks!(Destination: std::str::FromStr);
    lacks!(Table: std::str::FromStr);
    lacks!(Table: std::fmt::Display);
    // Seconds or a prefix length? `PrefixLength` checks its range.
    lacks!(Netmask: From<u32>);
    // A number is bits of which some have no name: `ServiceFlags::from_bits` says that it takes
    // them.
    lacks!(ServiceFlags: From<u32>);
    // A service that is not there would panic: `Table::service`, which gives an `Option`.
    lacks!(Table: std::ops::Index<ServiceKey>);
    // What was counted is an observation, a configuration is not: compare `entry.service`.
    lacks!(ServiceEntry: PartialEq<Service>);
    // Errors hold those of the system, which cannot be copied or compared: compare `kind()`.
    lacks!(Error: Clone);
    lacks!(Error: PartialEq);
    // A kernel's table cannot be forked; an `EmbeddedDirector` can.
    #[cfg(all(feature = "kernel", target_os = "linux"))]
    lacks!(lvs_core::kernel::KernelDirector: Clone);
    // Scopes may hold a function.
    lacks!(Scope: PartialEq);
}
