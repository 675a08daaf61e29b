//! Large clusters on the embedded director: how long a start takes, a reload of one change, and the
//! death of a server.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement may fail loudly and prints")]

mod common;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use common::setup;
use lvsd::config::Cluster;
use lvsd::engine::{Engine, Moment};
use lvsd::probe::Outcome;
use lvsd::state::{Loaded, StateFile};

const SERVICES: usize = 10_000;
const SERVERS: usize = 2;

fn text(changed: bool) -> String {
    let mut text = String::new();
    for service in 0..SERVICES {
        let (high, low) = (service / 250, service % 250 + 1);
        writeln!(text, "[[service]]\naddress = \"tcp://10.0.{high}.{low}:80\"\nforwarding = \"masquerade\"").unwrap();
        writeln!(text, "check = {{ tcp = {{}} }}").unwrap();
        for server in 0..SERVERS {
            let weight = if changed && service == SERVICES / 2 && server == 0 { 5 } else { 1 };
            writeln!(text, "[[service.server]]\naddress = \"10.1.{high}.{}\"\nweight = {weight}", low + server)
                .unwrap();
        }
    }
    text
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    println!("{what}: {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    result
}

fn main() {
    let directory = tempfile::tempdir().unwrap();
    let (first, second) = (text(false), text(true));
    println!("{SERVICES} services with {SERVERS} servers each");
    let cluster = timed("reading the file", || Cluster::parse(&first).unwrap());
    let moment = |seconds| Moment { now: Duration::from_secs(seconds), unix: 1_700_000_000 + seconds };
    let setup = setup(Box::new(StateFile::new(directory.path().join("state.json"))));
    let (mut engine, begun) = timed("start", || Engine::start(setup, cluster, Loaded::Absent, moment(0)).unwrap());
    println!("  {} operations", begun.operations.len());
    let cluster = Cluster::parse(&second).unwrap();
    let reloaded = timed("reload of one change", || engine.reload(cluster, moment(1)).unwrap());
    println!("  {} operations", reloaded.operations.len());
    let server = engine.health().watched().nth(77).unwrap();
    for _ in 0..2 {
        engine.report(server, Outcome::Down(String::new()), moment(2));
    }
    timed("death of a server", || {
        engine.report(server, Outcome::Down(String::new()), moment(2));
        engine.flush(moment(2));
    });
    timed("regular look", || engine.flush(moment(20)));
    timed("status", || engine.status(moment(20)));
    timed("metrics", || engine.metrics(moment(20)).unwrap().len());
}
