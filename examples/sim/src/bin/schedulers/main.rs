//! Which scheduler should I use? All of the kernel's schedulers on one workload, as a table and as
//! a picture.
//!
//! ```text
//! cargo run --release -p lvs-sim --bin schedulers -- schedulers.svg [SEED]
//! ```
//!
//! No privileges, no kernel module: the embedded director makes the kernel's choices, and ten
//! minutes of traffic pass in a moment.
#![allow(clippy::print_stdout)]

mod picture;

use std::time::Duration;

use lvs_core::model::{Destination, DestinationKey, Service, ServiceKey};
use lvs_core::schedulers::SCHEDULERS;
use lvs_sim::{Arrivals, Clients, Event, Lengths, Report, Workload};

/// Weights of the servers; the second one fails and comes back.
const WEIGHTS: [u32; 6] = [3, 3, 2, 2, 1, 1];
const FAILS: Duration = Duration::from_secs(200);
const RETURNS: Duration = Duration::from_secs(400);
const LASTS: Duration = Duration::from_secs(600);

/// One scheduler's result, and the figures to judge it by.
struct Result {
    name: &'static str,
    title: &'static str,
    report: Report,
    /// Load of the fullest server against its fair part, not exceeded nine times out of ten.
    imbalance: f64,
    /// Returning clients that a change of the set moved without need, in percent.
    moved: f64,
    /// Clients that had one server only, in percent.
    loyal: f64,
}

fn workload(scheduler: &str, seed: u64) -> std::result::Result<Workload, Box<dyn std::error::Error>> {
    let service = Service::new(ServiceKey::tcp("192.0.2.1", 80)?).with_scheduler(scheduler.parse()?);
    let mut workload = Workload::new(service, LASTS);
    let key = |at: usize| DestinationKey::new([198, 51, 100, at as u8 + 1].into(), 80);
    workload.servers =
        WEIGHTS.iter().enumerate().map(|(at, weight)| Destination::with_key(key(at)).with_weight(*weight)).collect();
    workload.arrivals = Arrivals::Poisson { per_second: 60.0 };
    workload.lengths = Lengths::LogNormal { median: Duration::from_secs(4), spread: 1.2 };
    workload.clients = Clients::Zipf { count: 3000, exponent: 0.7 };
    workload.events = vec![(FAILS, Event::Fail(key(1))), (RETURNS, Event::Return(key(1)))];
    workload.sample_every = Duration::from_secs(4);
    workload.seed = seed;
    Ok(workload)
}

fn judge(name: &'static str, title: &'static str, report: Report) -> Result {
    let percent = |part: u64, whole: u64| if whole == 0 { 0.0 } else { 100.0 * part as f64 / whole as f64 };
    let sum = |figure: fn(&lvs_sim::Change) -> u64| report.changes.iter().map(figure).sum();
    Result {
        name,
        title,
        imbalance: report.imbalance_quantile(0.9).unwrap_or(0.0),
        moved: percent(sum(|change| change.moved_without_need), sum(|change| change.returning)),
        loyal: 100.0 - percent(report.spread_clients, report.clients),
        report,
    }
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or_else(|| "schedulers.svg".to_owned());
    let seed = arguments.next().map_or(Ok(1), |seed| seed.parse())?;
    let mut results = Vec::new();
    for info in &SCHEDULERS {
        results.push(judge(info.name, info.title, workload(info.name, seed)?.run()?));
    }
    results.sort_by(|a, b| a.imbalance.total_cmp(&b.imbalance));

    println!("{:6} {:>10} {:>8} {:>8} {:>8}", "", "imbalance", "moved", "loyal", "refused");
    for Result { name, imbalance, moved, loyal, report, .. } in &results {
        println!("{name:6} {imbalance:9.2}x {moved:7.1}% {loyal:7.1}% {:8}", report.refused);
    }
    std::fs::write(&path, picture::draw(&results))?;
    println!("{path}");
    Ok(())
}
