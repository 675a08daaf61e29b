//! How long a choice takes, beside a plain walk over the list that chooses the same, in one run.
//!
//! `cargo bench -p lvs-core --bench schedulers`, with words to run only what contains one of them:
//! `table`, `least`, `bulk`, or a scheduler's name. Times are the best of several repetitions, in
//! nanoseconds.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

#[path = "../tests/linear/mod.rs"]
mod linear;

use std::collections::VecDeque;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use linear::linear;
use lvs_core::schedulers::{
    Balancer, DestinationId, Family, NewDestination, Pool, Profile, Random, Request, Scheduler, SchedulerOptions,
    SplitMix64, by_name,
};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wanted = |group: &str, name: &str| words.is_empty() || words.iter().any(|word| group == word || name == word);
    // As a test, `cargo test --benches` only sees that it runs.
    let quick = std::env::args().any(|word| word == "--test");

    println!("{:<34} {:>9} {:>11} {:>8}", "one choice, ns", "ours", "linear", "ratio");
    for (name, sizes) in [
        ("rr", &[10, 1000, 10_000][..]),
        ("wrr", &[10, 1000, 10_000]),
        ("dh", &[10, 1000, 10_000]),
        ("sh", &[10, 1000, 10_000]),
        ("mh", &[10, 1000, 4000]),
    ] {
        for &size in sizes.iter().filter(|&&size| wanted("table", name) && !(quick && size > 10)) {
            // The reference walks and fills as the kernel does; its rr makes a list first and is no
            // fair match.
            let theirs =
                (name != "rr").then(|| choices(filled(linear(name, &SchedulerOptions::default()).unwrap(), size)));
            report(name, size, choices(filled(ours(name), size)), theirs);
        }
    }

    for size in [1000, 10_000] {
        if wanted("table", "wrr") && !quick {
            let theirs = choices(lopsided(linear("wrr", &SchedulerOptions::default()).unwrap(), size));
            report("wrr, one heavy", size, choices(lopsided(ours("wrr"), size)), Some(theirs));
        }
    }

    println!("\n{:<34} {:>9} {:>11} {:>8}", "choice, connection, close, ns", "ours", "linear", "ratio");
    for name in ["lc", "wlc", "sed", "nq", "lblc", "lblcr", "fo", "ovf"] {
        for size in [10, 100, 1000, 10_000, 100_000] {
            if wanted("least", name) && !(quick && size > 10) {
                let theirs = connections(filled(linear(name, &SchedulerOptions::default()).unwrap(), size), size);
                report(name, size, connections(filled(ours(name), size), size), Some(theirs));
            }
        }
    }

    println!("\n{:<34} {:>9} {:>11} {:>8}", "one change of many, then a choice", "ours", "linear", "ratio");
    for name in ["rr", "wrr", "wlc", "sh", "mh"] {
        for size in [1000, 10_000, 100_000] {
            if !wanted("bulk", name) || (quick && size > 1000) {
                continue;
            }
            let mine = bulk(ours(name), size);
            // The kernel's way takes minutes beyond.
            let theirs = (size <= 10_000).then(|| bulk(linear(name, &SchedulerOptions::default()).unwrap(), size));
            for (at, what) in ["add", "edit", "remove"].into_iter().enumerate() {
                report(&format!("{name} {what}"), size, mine[at], theirs.map(|theirs| theirs[at]));
            }
        }
    }
}

fn ours(name: &str) -> Box<dyn Scheduler> {
    by_name(name, &SchedulerOptions::default()).unwrap()
}

fn report(name: &str, size: u32, ours: f64, linear: Option<f64>) {
    let label = format!("{name}, {size} destinations");
    match linear {
        Some(linear) => println!("{label:<34} {ours:>9.1} {linear:>11.1} {:>8.1}", linear / ours),
        None => println!("{label:<34} {ours:>9.1}"),
    }
}

fn destination(n: u32, weight: i32) -> NewDestination {
    NewDestination::new(Ipv4Addr::from_bits(0x0A00_0000 + n).into(), 80, weight)
}

/// A service of `size` destinations, weights 1 to 100.
fn filled(scheduler: Box<dyn Scheduler>, size: u32) -> Balancer {
    let mut random = SplitMix64::new(1);
    weighted(scheduler, (0..size).map(|_| 1 + random.below(100) as i32))
}

/// The same, but one has the weight 1000 and all others 1.
fn lopsided(scheduler: Box<dyn Scheduler>, size: u32) -> Balancer {
    weighted(scheduler, (0..size).map(|n| if n == size / 2 { 1000 } else { 1 }))
}

/// A service of destinations with these weights, which the scheduler finds when it is bound.
fn weighted(scheduler: Box<dyn Scheduler>, weights: impl Iterator<Item = i32>) -> Balancer {
    let rr = by_name("rr", &SchedulerOptions::default()).unwrap();
    let mut balancer = Balancer::new(Pool::new(Profile::New, Family::V4), rr, 0).unwrap();
    for (weight, n) in weights.zip(0..) {
        balancer.add(destination(n, weight)).unwrap();
    }
    balancer.set_scheduler(scheduler, 0).unwrap();
    balancer
}

fn requests() -> Vec<Request> {
    let mut random = SplitMix64::new(2);
    let mut address = |net: u32| IpAddr::from(Ipv4Addr::from_bits(net + random.below(1 << 16)));
    (0..4096)
        .map(|port| {
            Request::tcp(SocketAddr::new(address(0xC633_0000), 1024 + port), SocketAddr::new(address(0xCB00_0000), 80))
        })
        .collect()
}

/// Nanoseconds that one of `count` repetitions within `run` takes, the best of several runs.
fn best(count: usize, mut run: impl FnMut()) -> f64 {
    let mut least = f64::INFINITY;
    let began = Instant::now();
    for repetition in 0.. {
        let start = Instant::now();
        run();
        least = least.min(start.elapsed().as_nanos() as f64 / count as f64);
        if repetition >= 4 && began.elapsed() > Duration::from_millis(100) {
            break;
        }
    }
    least
}

/// Choices alone.
fn choices(mut balancer: Balancer) -> f64 {
    let requests = requests();
    let rounds = 16;
    best(requests.len() * rounds, || {
        for _ in 0..rounds {
            for request in &requests {
                black_box(balancer.pick(request));
            }
        }
    })
}

/// A choice, a connection that becomes active, and the end of the oldest one: a steady state of
/// some connections for each destination.
fn connections(mut balancer: Balancer, size: u32) -> f64 {
    let requests = requests();
    let mut requests = requests.iter().cycle();
    // Three connections each to begin with, in an order that tells nothing, so that nobody is idle.
    let ids: Vec<DestinationId> = balancer.pool().iter().collect();
    let mut random = SplitMix64::new(3);
    let mut open: VecDeque<DestinationId> = ids.iter().cycle().take(3 * ids.len()).copied().collect();
    for n in (1..open.len()).rev() {
        open.swap(n, random.below(n as u32 + 1) as usize);
    }
    for &at in &open {
        balancer.connection_added(at);
        balancer.connection_activated(at);
    }
    let mut turn = || {
        open.extend(balancer.connect(requests.next().unwrap()));
        if open.len() > 3 * ids.len() {
            balancer.connection_removed(open.pop_front().unwrap(), true);
        }
    };
    // The linear walks of large services set the pace.
    let count = (20_000_000 / size as usize).clamp(200, 50_000);
    best(count, || (0..count).for_each(|_| turn()))
}

/// Adds, edits and removes all destinations, a choice after each kind; time for one change of each
/// kind.
fn bulk(scheduler: Box<dyn Scheduler>, size: u32) -> [f64; 3] {
    let request = requests()[0];
    let mut balancer = Balancer::new(Pool::new(Profile::New, Family::V4), scheduler, 0).unwrap();
    let mut ids = Vec::new();
    let mut time = |act: &mut dyn FnMut(&mut Balancer, u32)| {
        let start = Instant::now();
        (0..size).for_each(|n| act(&mut balancer, n));
        black_box(balancer.pick(&request));
        start.elapsed().as_nanos() as f64 / f64::from(size)
    };
    let add = time(&mut |balancer, n| ids.push(balancer.add(destination(n, 1 + (n * 7 % 100) as i32)).unwrap()));
    let edit = time(&mut |balancer, n| balancer.set_weight(ids[n as usize], 1 + (n * 11 % 90) as i32));
    let remove = time(&mut |balancer, n| balancer.remove(ids[n as usize]));
    [add, edit, remove]
}
