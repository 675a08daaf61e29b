//! Ten thousand clients on an embedded director, with persistence and a server that fails: which
//! server gets how many, and what the failure costs. No kernel, no privileges, a moment of time.
//!
//! ```text
//! cargo run -p lvs-core --example simulate_clients
//! ```

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use lvs_core::embedded::{EmbeddedDirector, Flow};
use lvs_core::health::{Health, HealthPolicy, Probe};
use lvs_core::model::{Destination, DestinationKey, Service, ServiceKey};
use lvs_core::plan::{OnFailure, Scope, reconcile};

fn main() -> Result<(), Box<dyn Error>> {
    let web = ServiceKey::tcp("192.0.2.1", 80)?;
    let servers = [1u8, 2, 3, 4].map(|last| Destination::new([198, 51, 100, last].into(), 80).with_weight(last.into()));
    let service = Service::new(web).with_scheduler("wrr".parse()?).with_persistence(300);

    let mut health = Health::new();
    let _ = health.watch(service, servers, HealthPolicy::default().with_fall(1))?;
    let mut director = EmbeddedDirector::new();
    let wanted = health.wanted(director.now());
    reconcile(&mut director, &wanted, &Scope::all(), OnFailure::Undo)?;

    let first = connect_all(&mut director, 40000);
    show("all servers up", &first);

    // The fourth one fails. Its clients are bound to it until it is taken out with their templates.
    let mut settings = *director.settings();
    settings.expire_quiescent_template = true;
    director.set_settings(settings);
    for change in health.report(&web, &servers[3].key, Probe::Down, director.now())? {
        println!("{change}");
    }
    let wanted = health.wanted(director.now());
    reconcile(&mut director, &wanted, &Scope::all(), OnFailure::Undo)?;
    let second = connect_all(&mut director, 40001);
    show("198.51.100.4 is out", &second);
    Ok(())
}

/// Lets each client open a connection from a port; returns how many each server got.
fn connect_all(director: &mut EmbeddedDirector, port: u16) -> BTreeMap<Option<DestinationKey>, u32> {
    let mut counts = BTreeMap::new();
    for client in 0..10_000u32 {
        let [_, _, high, low] = client.to_be_bytes();
        let flow = Flow::tcp(([10, 0, high, low], port).into(), ([192, 0, 2, 1], 80).into());
        *counts.entry(director.open(&flow).destination()).or_default() += 1;
        director.close(&flow);
        director.advance(Duration::from_millis(1));
    }
    counts
}

fn show(what: &str, counts: &BTreeMap<Option<DestinationKey>, u32>) {
    println!("{what}");
    for (server, count) in counts {
        let server = server.map_or_else(|| "no server".to_owned(), |server| server.to_string());
        println!("  {count:5}  {server}");
    }
}
