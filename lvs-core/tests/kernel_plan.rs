//! Plans on a running kernel: its table is read again after every single step.
//!
//! `LVS_LAB_PLANS` sets how many pairs of tables are walked through, `LVS_TEST_SEED` another walk.
#![cfg(all(target_os = "linux", feature = "kernel"))]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail loudly and says what it has seen")]

mod common;
mod held;

use std::collections::BTreeMap;
use std::net::IpAddr;

use common::{Random, assert_expected_kernel, environment, in_new_namespace};
use held::Held;
use lvs_core::Director;
use lvs_core::director::{OnRefusal, Operation};
use lvs_core::kernel::KernelDirector;
use lvs_core::model::*;
use lvs_core::plan::{OnFailure, Plan, Planner, Scope};

/// What a plan may touch: the rest is somebody else's.
fn ours() -> Scope {
    let v4 = Scope::network("192.0.2.0".parse().unwrap(), 24).unwrap();
    let v6 = Scope::network("2001:db8:1::".parse().unwrap(), 48).unwrap();
    v4.or(v6).or(Scope::marks(..100)).with_timeouts().with_daemons()
}

/// Random tables may be empty, and ask for ports that are never reached: the kernel takes all of
/// it.
fn freely(scope: &Scope) -> Planner {
    Planner::new(scope).removing_all().unchecked()
}

fn our_key(random: &mut Random) -> ServiceKey {
    let number = random.below(3) + 1;
    match random.below(6) {
        0 => ServiceKey::tcp(format!("192.0.2.{number}"), 80),
        // Every port: such a service must be persistent.
        1 => ServiceKey::tcp(format!("192.0.2.{number}"), 0),
        2 => ServiceKey::udp(format!("192.0.2.{number}"), 5060),
        3 => ServiceKey::sctp(format!("2001:db8:1::{number}"), 9),
        4 => ServiceKey::fwmark(number as u32, AddressFamily::Ipv4),
        _ => ServiceKey::fwmark(number as u32, AddressFamily::Ipv6),
    }
    .unwrap()
}

fn foreign_key(random: &mut Random) -> ServiceKey {
    let number = random.below(3) + 1;
    match random.below(3) {
        0 => ServiceKey::tcp(format!("203.0.113.{number}"), 80),
        1 => ServiceKey::udp(format!("2001:db8:2::{number}"), 53),
        _ => ServiceKey::fwmark(100 + number as u32, AddressFamily::Ipv4),
    }
    .unwrap()
}

fn service(key: ServiceKey, random: &mut Random) -> Service {
    const SCHEDULERS: [&str; 10] = ["rr", "wrr", "lc", "wlc", "sh", "mh", "dh", "sed", "nq", "lblc"];
    let mut service = Service::new(key).with_scheduler(random.pick(&SCHEDULERS).parse().unwrap());
    if random.one_in(3) {
        service.flags |= random.pick(&[ServiceFlags::SCHED1, ServiceFlags::SCHED2, ServiceFlags::SCHED3]);
    }
    if random.one_in(3) || key.port() == 0 && key.protocol().is_some() {
        service = service.with_persistence(random.pick(&[1, 300, 86400]));
        if random.one_in(2) {
            let mask = match key.family() {
                AddressFamily::Ipv4 => Netmask::V4([255, 255, 255, random.pick(&[0, 240])].into()),
                AddressFamily::Ipv6 => Netmask::V6(PrefixLength::new(random.pick(&[1, 64, 127])).unwrap()),
            };
            service = service.with_netmask(mask).unwrap();
        }
        if key.protocol() == Some(Protocol::Udp) && random.one_in(2) {
            service = service.with_engine("sip".parse().unwrap());
        }
    } else if key.protocol() == Some(Protocol::Udp) && random.one_in(2) {
        service = service.with_one_packet();
    }
    service
}

/// A real server; of the other family now and then, which only tunnels can reach.
fn destination(key: ServiceKey, mixed: bool, random: &mut Random) -> Destination {
    let mixed = mixed && random.one_in(6);
    let last = random.below(5) as u8 + 1;
    let v4 = (key.family() == AddressFamily::Ipv4) != mixed;
    let addr: IpAddr =
        if v4 { [198, 51, 100, last].into() } else { format!("2001:db8:3::{last}").parse::<IpAddr>().unwrap() };
    let port = random.pick(&[80, 8080]);
    let destination = Destination::new(addr, port).with_weight(random.pick(&[0, 0, 1, 1, 2, 100, 65535]));
    let destination = match random.below(3) {
        0 => destination.with_thresholds(random.pick(&[10, 20]), random.pick(&[0, 5])),
        _ => destination,
    };
    match if mixed { 2 } else { random.below(4) } {
        0 => destination.with_forwarding(ForwardingMethod::Masquerade),
        1 => destination,
        2 => destination.with_tunnel(Tunnel::IPIP),
        _ => destination.with_tunnel(random.pick(&[
            Tunnel::gue(6080, TunnelFlags::CHECKSUM),
            Tunnel::gue(6081, TunnelFlags::EMPTY),
            Tunnel::gre(TunnelFlags::EMPTY),
        ])),
    }
}

fn entry(service: Service, mixed: bool, random: &mut Random) -> TableService {
    let mut destinations = BTreeMap::new();
    for _ in 0..random.below(4) {
        let destination = destination(service.key(), mixed, random);
        destinations.insert(destination.key, destination);
    }
    TableService { service, destinations: destinations.into_values().collect() }
}

/// A table of services with these keys, most of them as they are in another table, or nearly.
fn table(key: fn(&mut Random) -> ServiceKey, scope: &Scope, like: &Table, mixed: bool, random: &mut Random) -> Table {
    let mut services = BTreeMap::new();
    let old = like.services.iter().map(|entry| entry.service.key()).filter(|key| scope.owns(key));
    let mut keys: Vec<_> = old.filter(|_| !random.one_in(6)).collect();
    keys.extend((0..random.below(5)).map(|_| key(random)));
    for key in keys {
        let fresh = entry(service(key, random), mixed, random);
        let entry = match like.service(&key).filter(|_| !random.one_in(6)) {
            None => fresh,
            Some(old) => {
                let service = if random.one_in(3) { fresh.service } else { old.service };
                let mut destinations: BTreeMap<_, _> = old.destinations.iter().map(|d| (d.key, *d)).collect();
                destinations.retain(|_, _| !random.one_in(4));
                for destination in destinations.values_mut() {
                    destination.weight = random.pick(&[destination.weight, 0, 1, 50]);
                }
                destinations.extend(fresh.destinations.into_iter().take(random.below(3) as usize).map(|d| (d.key, d)));
                TableService { service, destinations: destinations.into_values().collect() }
            }
        };
        services.insert(key, entry);
    }
    let mut table = Table::new();
    table.services = services.into_values().collect();
    if random.one_in(3) {
        let seconds = random.pick(&[0, 60, 900]);
        table.timeouts = Some(Timeouts { tcp: seconds, tcp_fin: 120, udp: random.pick(&[0, 300]) });
    }
    table
}

fn read(director: &mut KernelDirector) -> (Held, Table) {
    let table = director.snapshot().unwrap().to_table();
    (Held::of(&table), table)
}

fn execute(director: &mut KernelDirector, operation: Operation) {
    director.apply(&[operation], OnRefusal::Stop).into_result().unwrap();
}

/// Carries a plan out step by step, up to one of its steps, and looks at the kernel's table after
/// each.
fn walk(director: &mut KernelDirector, plan: &Plan, start: &Held, end: &Held, steps: usize) -> Held {
    let kept: Vec<_> = start.0.keys().filter(|key| start.is_usable(key) && end.is_usable(key)).collect();
    let mut held = start.clone();
    for operation in plan.operations().take(steps) {
        execute(director, *operation);
        held.execute(operation).unwrap();
        let (now, _) = read(director);
        assert_eq!(now, held, "the kernel's table is another one after: {operation}");
        for key in &kept {
            assert!(now.is_usable(key), "{key} has no usable destination after: {operation}");
        }
        let foreign = |held: &Held| held.0.clone().into_iter().filter(|(key, _)| !ours().owns(key)).collect::<Vec<_>>();
        assert_eq!(foreign(&now), foreign(start), "somebody else's service is another one after: {operation}");
    }
    held
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn plans_lead_from_any_table_to_any_other_without_a_gap() {
    assert_expected_kernel();
    let (pairs, seed) = (environment("LVS_LAB_PLANS", 60), environment("LVS_TEST_SEED", 1));
    in_new_namespace(|| {
        let mut random = Random(seed);
        let mut director = KernelDirector::open().unwrap();
        let (mut steps, mut undone, mut resumed, mut kept, mut foreigners) = (0, 0, 0, 0, 0);
        for pair in 0..pairs {
            // Somebody else goes about their business.
            let foreign = table(foreign_key, &ours().inverted(), &read(&mut director).1, false, &mut random);
            let foreign = foreign.restricted_to(&ours().inverted());
            freely(&ours().inverted()).reconcile(&mut director, &foreign, OnFailure::Keep).unwrap();

            let (start, now) = read(&mut director);
            let wanted = table(our_key, &ours(), &now, true, &mut random);
            let plan = freely(&ours()).plan(&now, &wanted).unwrap();
            let mut whole = wanted.clone();
            whole.services.extend(now.services.iter().filter(|entry| !ours().owns(&entry.service.key())).cloned());
            let end = Held::of(&whole);

            // A way that is broken off leads back.
            if random.one_in(4) {
                let stop = random.below(plan.len() as u64 + 1) as usize;
                walk(&mut director, &plan, &start, &end, stop);
                for operation in plan.steps()[..stop].iter().rev().flat_map(|step| &step.undo) {
                    execute(&mut director, *operation);
                }
                let (back, table) = read(&mut director);
                assert_eq!((&back, table.timeouts), (&start, now.timeouts), "pair {pair}, undone after {stop} steps");
                undone += 1;
            }
            // One that ends in the middle, killed for instance, leaves a table from which the next
            // one goes on.
            let stop = if random.one_in(3) { random.below(plan.len() as u64 + 1) as usize } else { plan.len() };
            walk(&mut director, &plan, &start, &end, stop);
            if stop < plan.len() {
                let (start, now) = read(&mut director);
                let rest = freely(&ours()).plan(&now, &wanted).unwrap();
                assert_eq!(rest.len(), plan.len() - stop, "pair {pair}: what is done is not done again");
                walk(&mut director, &rest, &start, &end, rest.len());
                resumed += 1;
            }
            let (reached, table) = read(&mut director);
            assert_eq!(reached, end, "pair {pair}");
            let settled = freely(&ours()).plan(&table, &wanted).unwrap();
            assert!(settled.is_empty(), "pair {pair}: {:?}", settled.steps());

            steps += plan.len();
            kept += start.0.keys().filter(|key| start.is_usable(key) && end.is_usable(key)).count();
            foreigners += foreign.services.len();
        }
        println!(
            "{pairs} pairs of tables (seed {seed}), {steps} steps, each looked at; {kept} services kept in use and \
             {foreigners} foreign ones on the way; {undone} ways broken off and undone, {resumed} broken off and resumed"
        );
        assert!(kept > 0 && foreigners > 0, "nothing was shown");
    });
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn plans_set_daemons_up_change_them_and_leave_them_alone() {
    assert_expected_kernel();
    in_new_namespace(|| {
        let multicast = std::process::Command::new("ip").args(["link", "set", "dummy0", "multicast", "on"]).status();
        assert!(multicast.unwrap().success());
        let mut director = KernelDirector::open().unwrap();
        let daemon = |role, id| Daemon::new(role, "dummy0".parse().unwrap(), id);
        let mut reach = |daemons: &[Daemon]| {
            let mut wanted = Table::new();
            wanted.daemons = daemons.to_vec();
            let plan = freely(&ours()).reconcile(&mut director, &wanted, OnFailure::Undo).unwrap().plan;
            let mut running: Vec<_> =
                director.daemons().unwrap().iter().map(|daemon| (daemon.role, daemon.sync_id)).collect();
            running.sort_unstable();
            (plan.len(), running)
        };
        let (master, backup) = (DaemonRole::Master, DaemonRole::Backup);
        assert_eq!(reach(&[daemon(master, 7)]), (1, vec![(master, 7)]));
        assert_eq!(reach(&[daemon(master, 7)]), (0, vec![(master, 7)]));
        assert_eq!(reach(&[daemon(master, 8)]), (2, vec![(master, 8)]), "one cannot be changed: stop, start");
        assert_eq!(reach(&[]), (0, vec![(master, 8)]), "a table without daemons says nothing of them");
        assert_eq!(reach(&[daemon(backup, 9), daemon(master, 8)]).1, [(master, 8), (backup, 9)]);
        assert_eq!(reach(&[daemon(backup, 9)]), (1, vec![(backup, 9)]));
    });
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn a_scheduler_that_the_kernel_lacks_is_refused_before_any_change() {
    assert_expected_kernel();
    in_new_namespace(|| {
        let mut director = KernelDirector::open().unwrap();
        let has = |director: &mut KernelDirector, name: &str| director.has_scheduler(&name.parse().unwrap()).unwrap();
        for name in ["none", "rr", "wlc", "sed"] {
            assert_eq!(has(&mut director, name), Some(true), "{name}");
        }
        assert_eq!(has(&mut director, "nosuch"), Some(false));
        let mut wanted = Table::new();
        for (last, scheduler) in [(1, "rr"), (2, "nosuch")] {
            let key = ServiceKey::tcp(format!("192.0.2.{last}"), 80).unwrap();
            wanted.services.push(TableService::new(Service::new(key).with_scheduler(scheduler.parse().unwrap())));
        }
        let refused = Planner::new(&ours()).reconcile(&mut director, &wanted, OnFailure::Keep).unwrap_err();
        assert!(refused.to_string().contains("tcp://192.0.2.2:80: this director has no scheduler nosuch"), "{refused}");
        assert!(director.services().unwrap().is_empty(), "asking has left something behind");
    });
}
