//! How fast the kernel director restores and reads tables, beside whatever else runs in the same
//! kernel.
//!
//! ```text
//! kernel restore SERVICES DESTINATIONS     adds so many services with so many destinations each
//! kernel snapshot [TIMES]                  reads the whole table
//! kernel snapshot-options [TIMES]          the same over the old socket options
//! kernel each SERVICES DESTINATIONS        adds one operation a call
//! kernel change                            finds and makes one change of a weight: reads, plans, applies
//! kernel change-again                      the same change, with the table remembered
//! kernel refill SERVICES DESTINATIONS      makes the same change by removing and adding everything
//! kernel watch                             looks for what has changed since the last look, by whole snapshots
//! kernel look                              the same by what is cheapest
//! kernel sockets SOCKETS [TIMES]           reads the services' servers, over so many sockets side by side
//! kernel flush                             removes everything
//! kernel decode SERVICES DESTINATIONS      reads a table that no kernel made: our own part of a snapshot's cost
//! ```
//!
//! Each prints a line: case, contender, seconds of processor time (ours and the kernel's on our
//! behalf; waiting for the machine is not in it; `sockets` counts time as it passes), separated by tabs; the first two come from the
//! environment (`CASE`, `CONTENDER`), as `cargo xtask bench restore snapshot` sets them. Run it as
//! root where the kernel has IPVS, in a network namespace of its own: the kernel slows down after a
//! flush, until it has forgotten the destinations.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

mod canned;

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use canned::Canned;
use lvs_core::Director;
use lvs_core::director::{Follower, OnRefusal, Operation};
use lvs_core::kernel::{KernelDirector, TransportChoice};
use lvs_core::model::{Destination, ForwardingMethod, Protocol, Service, ServiceKey};
use lvs_core::plan::{OnFailure, Plan, Planner, Scope};
use lvs_core::watch::Watcher;

/// The processor time that this process has taken, in seconds.
fn now() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live value.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    assert_eq!(result, 0);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn tell(what: &str, seconds: f64) {
    let case = std::env::var("CASE").unwrap_or_else(|_| what.to_owned());
    let contender = std::env::var("CONTENDER").unwrap_or_else(|_| "lvs-core".to_owned());
    println!("{case}\t{contender}\t{seconds:.6}");
}

fn key(index: u32) -> ServiceKey {
    let [_, a, b, c] = index.to_be_bytes();
    ServiceKey::endpoint(Protocol::Tcp, IpAddr::V4(Ipv4Addr::new(10, a, b, c)), 80)
}

fn operations(services: u32, destinations: u32) -> Vec<Operation> {
    let mut operations = Vec::new();
    for index in 0..services {
        operations.push(Operation::AddService(Service::new(key(index))));
        for number in 0..destinations {
            let [_, a, b, c] = number.to_be_bytes();
            let destination = Destination::new(IpAddr::V4(Ipv4Addr::new(172, 16 + a, b, c)), 8080)
                .with_forwarding(ForwardingMethod::Masquerade)
                .with_weight(1 + number % 5);
            operations.push(Operation::AddDestination(key(index), destination));
        }
    }
    operations
}

fn snapshot(choice: TransportChoice, name: &str, times: u32) {
    let mut director = KernelDirector::options().transport(choice).open().unwrap();
    for _ in 0..times {
        let start = now();
        let snapshot = director.snapshot().unwrap();
        let seconds = now() - start;
        let destinations: usize = snapshot.services.iter().map(|service| service.destinations.len()).sum();
        tell(&format!("{name} {} services {destinations} destinations", snapshot.services.len()), seconds);
    }
}

/// What a program does whose file of so many services has one other weight than before.
fn change() {
    let mut director = KernelDirector::open().unwrap();
    let mut wanted = director.snapshot().unwrap().to_table();
    // A file is in an order of its own.
    wanted.services.sort_by_key(|entry| entry.service.key());
    let middle = wanted.services.len() / 2;
    wanted.services[middle].destinations[0].weight = 77;
    let start = now();
    let current = director.snapshot().unwrap().to_table();
    let read = now();
    let plan = Plan::between(&current, &wanted, &Scope::all()).unwrap();
    let planned = now();
    let outcome = plan.apply(&mut director, OnFailure::Undo);
    let applied = now();
    assert!(outcome.is_complete() && plan.len() == 1);
    tell("change", applied - start);
    let [read, planned, applied] = [read - start, planned - read, applied - planned];
    println!("{} operation: reading {read:.6} s, planning {planned:.6} s, applying {applied:.6} s", plan.len());
}

/// The same change, by a program that has read the table before and remembers it.
fn change_again() {
    let mut director = KernelDirector::open().unwrap();
    let (mut follower, planner) = (Follower::new(), Planner::new(&Scope::all()).unchecked());
    let mut wanted = follower.read(&mut director).unwrap().to_table();
    wanted.services.sort_by_key(|entry| entry.service.key());
    let middle = wanted.services.len() / 2;
    wanted.services[middle].destinations[0].weight = 77;
    let start = now();
    let applied = planner.reconcile_following(&mut director, &mut follower, &wanted, OnFailure::Undo).unwrap();
    let seconds = now() - start;
    assert_eq!(applied.plan.len(), 1);
    tell("change-again", seconds);
}

/// The same by force.
fn refill(services: u32, destinations: u32) {
    let mut operations = operations(services, destinations);
    if let Some(Operation::AddDestination(_, destination)) = operations.last_mut() {
        destination.weight = 77;
    }
    let mut director = KernelDirector::open().unwrap();
    let start = now();
    director.flush().unwrap();
    let report = director.apply(&operations, OnRefusal::Continue);
    let seconds = now() - start;
    assert!(report.is_complete(), "{:?}", report.refused.first());
    tell("refill", seconds);
    println!("{} operations", operations.len() + 1);
}

/// Changes between two looks.
const CHANGES: usize = 10;

/// What a program takes that looks at a table again and again, in which a few weights are others
/// than before: the last of some looks, when it has the memory that it needs.
fn watch(by_whole_snapshots: bool) {
    let (mut director, mut other) = (KernelDirector::open().unwrap(), KernelDirector::open().unwrap());
    let mut watcher = Watcher::new();
    let _ = watcher.look(&mut director, Duration::ZERO).unwrap();
    let mut seconds = 0.0;
    for look in 1..=4 {
        let table = watcher.last().unwrap();
        let every = table.services.len().div_ceil(CHANGES);
        let changes: Vec<_> = table
            .services
            .iter()
            .step_by(every)
            .map(|service| {
                let server = service.destinations[0].destination.with_weight(70 + look);
                Operation::UpdateDestination(service.entry.service.key(), server)
            })
            .collect();
        assert!(other.apply(&changes, OnRefusal::Stop).is_complete());
        let time = Duration::from_secs(2) * look;
        let start = now();
        let events = if by_whole_snapshots {
            watcher.observe(director.snapshot().unwrap(), time)
        } else {
            watcher.look(&mut director, time).unwrap()
        };
        seconds = now() - start;
        assert_eq!(events.len(), changes.len(), "{events:?}");
        println!("look {look}, {} changes: {seconds:.6} s", changes.len());
    }
    tell("watch", seconds);
}

/// What several sockets gain where the kernel answers them side by side, with threads of the caller:
/// the least of some runs, as time passes.
fn sockets(sockets: usize, times: u32) {
    let snapshot = KernelDirector::open().unwrap().snapshot().unwrap();
    let keys: Vec<_> = snapshot.services.iter().map(|service| service.entry.service.key()).collect();
    let shares: Vec<_> = keys.chunks(keys.len().div_ceil(sockets)).collect();
    let mut directors: Vec<_> = shares.iter().map(|_| KernelDirector::open().unwrap()).collect();
    let mut least = f64::INFINITY;
    for _ in 0..times {
        let start = Instant::now();
        std::thread::scope(|scope| {
            for (director, share) in directors.iter_mut().zip(&shares) {
                scope.spawn(move || {
                    share.iter().for_each(|key| assert!(!director.destinations(key).unwrap().is_empty()))
                });
            }
        });
        least = least.min(start.elapsed().as_secs_f64());
    }
    tell(&format!("{} services over {sockets} sockets", keys.len()), least);
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let number = |index: usize| arguments.get(index).map(|text| text.parse::<u32>().unwrap());
    match arguments.first().map(String::as_str) {
        Some(verb @ ("restore" | "each")) => {
            let operations = operations(number(1).unwrap(), number(2).unwrap());
            let mut director = KernelDirector::open().unwrap();
            let policy = if verb == "each" { OnRefusal::Stop } else { OnRefusal::Continue };
            let start = now();
            let report = director.apply(&operations, policy);
            let seconds = now() - start;
            assert!(report.is_complete(), "{:?}", report.refused.first());
            tell(&format!("{verb} {} operations", operations.len()), seconds);
        }
        Some(verb @ "snapshot") => snapshot(TransportChoice::Netlink, verb, number(1).unwrap_or(1)),
        Some(verb @ "snapshot-options") => snapshot(TransportChoice::SocketOptions, verb, number(1).unwrap_or(1)),
        Some("decode") => {
            let canned = Canned::new(number(1).unwrap(), number(2).unwrap());
            let mut director = KernelDirector::with_transport(canned).unwrap();
            for _ in 0..number(3).unwrap_or(1) {
                let start = now();
                let snapshot = director.snapshot().unwrap();
                tell(&format!("decode {} services", snapshot.services.len()), now() - start);
            }
        }
        Some("change") => change(),
        Some("change-again") => change_again(),
        Some("refill") => refill(number(1).unwrap(), number(2).unwrap()),
        Some("watch") => watch(true),
        Some("look") => watch(false),
        Some("sockets") => sockets(number(1).unwrap() as usize, number(2).unwrap_or(1)),
        Some("flush") => {
            let mut director = KernelDirector::open().unwrap();
            let start = now();
            director.flush().unwrap();
            tell("flush", now() - start);
        }
        _ => eprintln!("see the head of benches/kernel.rs for what to ask"),
    }
}
