//! The busiest destinations, by connections a second: right whatever the interval is.
//!
//! ```text
//! cargo run -p lvs-core --example top_talkers               # made-up traffic on an embedded director
//! sudo target/debug/examples/top_talkers 1.5 10             # the kernel's table: every 1.5 s, 10 looks
//! ```

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use lvs_core::Director;
use lvs_core::embedded::{EmbeddedDirector, Flow};
use lvs_core::model::{Destination, DestinationKey, Service, ServiceKey};
use lvs_core::watch::{Event, Watcher};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    match arguments.next() {
        None => demonstrate(),
        Some(interval) => {
            let interval = Duration::try_from_secs_f64(interval.parse()?)?;
            watch_kernel(interval, arguments.next().map_or(Ok(u32::MAX), |looks| looks.parse())?)
        }
    }
}

/// Shows the latest rate of each destination that has counted anything, the busiest first.
#[derive(Default)]
struct Top(BTreeMap<(ServiceKey, DestinationKey), f64>);

impl Top {
    fn take(&mut self, events: &[Event]) {
        for event in events {
            if let Event::Counted(count) = event
                && let (Some(server), Some(rate)) = (count.destination, count.per_second())
            {
                self.0.insert((count.service, server), rate.connections);
            }
        }
    }

    fn show(&self) {
        let mut rows: Vec<_> = self.0.iter().collect();
        rows.sort_by(|a, b| b.1.total_cmp(a.1));
        for ((service, server), rate) in rows.into_iter().take(10) {
            println!("{rate:8.1}/s  {server} of {service}");
        }
    }
}

fn demonstrate() -> Result<(), Box<dyn Error>> {
    let mut director = EmbeddedDirector::new();
    let web = ServiceKey::tcp("192.0.2.1", 80)?;
    director.add_service(&Service::new(web).with_scheduler("wrr".parse()?))?;
    for (last, weight) in [(7, 3), (8, 1)] {
        director.add_destination(&web, &Destination::new([198, 51, 100, last].into(), 80).with_weight(weight))?;
    }
    // Twenty connections a second, looked at every 1.5 s, between the ticks of the estimator.
    let (mut watcher, mut top) = (Watcher::within(lvs_core::plan::Scope::services([web])), Top::default());
    for part in 0..600u16 {
        if part % 30 == 0 {
            top.take(&watcher.observe(director.snapshot()?, director.now()));
        }
        let flow = Flow::tcp(([203, 0, 113, 9], 1024 + part).into(), ([192, 0, 2, 1], 80).into());
        assert!(director.open(&flow).destination().is_some());
        director.advance(Duration::from_millis(50));
    }
    top.show();
    Ok(())
}

#[cfg(all(feature = "kernel", target_os = "linux"))]
fn watch_kernel(interval: Duration, looks: u32) -> Result<(), Box<dyn Error>> {
    let mut director = lvs_core::kernel::KernelDirector::open()?;
    let start = std::time::Instant::now();
    let (mut watcher, mut top) = (Watcher::new(), Top::default());
    for _ in 0..looks {
        top.take(&watcher.observe(director.snapshot()?, start.elapsed()));
        println!("after {:.1?}", start.elapsed());
        top.show();
        std::thread::sleep(interval);
    }
    Ok(())
}

#[cfg(not(all(feature = "kernel", target_os = "linux")))]
fn watch_kernel(_: Duration, _: u32) -> Result<(), Box<dyn Error>> {
    Err("built without the kernel director".into())
}
