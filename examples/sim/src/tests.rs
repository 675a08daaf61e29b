use std::time::Duration;

use super::{Arrivals, Clients, Event, Lengths, Workload};
use lvs_core::ErrorKind;
use lvs_core::model::{Destination, Service, ServiceKey};

fn workload(scheduler: &str, servers: u8) -> Workload {
    let service = Service::new(ServiceKey::tcp("192.0.2.1", 80).unwrap()).with_scheduler(scheduler.parse().unwrap());
    let mut workload = Workload::new(service, Duration::from_secs(100));
    workload.servers = (1..=servers).map(|host| Destination::new([198, 51, 100, host].into(), 80)).collect();
    workload
}

#[test]
fn every_connection_is_some_servers_or_refused() {
    let mut workload = workload("wlc", 3);
    let key = workload.servers[1].key;
    workload.events = vec![
        (Duration::from_secs(20), Event::Fail(key)),
        (Duration::from_secs(50), Event::Return(key)),
        (Duration::from_secs(70), Event::Drain(key)),
    ];
    let report = workload.run().unwrap();
    let taken: u64 = report.servers.iter().map(|server| server.connections).sum();
    assert_eq!(taken + report.refused, report.connections);
    assert_eq!(report.refused, 0);
    assert!((900..1100).contains(&report.connections), "{report}");
    assert!(report.changes[0].broken > 0);
    assert!(report.to_string().contains("    20.0 s failure of 198.51.100.2:80: "), "{report}");
    let sampled: u64 = report.samples.iter().flat_map(|sample| &sample.new).map(|new| u64::from(*new)).sum();
    assert_eq!(sampled, taken);
    // Nothing goes to a server that is away.
    for pair in report.samples.windows(2) {
        assert!(pair[0].weights[1] > 0 || pair[1].weights[1] > 0 || pair[1].new[1] == 0, "{pair:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_report_and_another_one_another() {
    let mut workload = workload("sh", 4);
    let first = workload.run().unwrap();
    assert_eq!(workload.run().unwrap(), first);
    workload.seed = 2;
    assert_ne!(workload.run().unwrap(), first);
}

#[test]
fn what_is_given_is_played_as_it_is() {
    let mut workload = workload("rr", 2);
    workload.arrivals = Arrivals::Given([5, 1, 2].map(Duration::from_secs).to_vec());
    workload.lengths = Lengths::Given(vec![Duration::from_secs(10), Duration::from_secs(2)]);
    workload.clients = Clients::Given(vec!["203.0.113.1".parse().unwrap(), "203.0.113.2".parse().unwrap()]);
    let report = workload.run().unwrap();
    // rr begins with the server added last.
    let got: Vec<_> = report.servers.iter().map(|server| (server.connections, server.peak)).collect();
    assert_eq!(got, [(1, 1), (2, 2)]);
    assert_eq!((report.clients, report.spread_clients), (2, 0));
    assert!(report.to_csv().contains("\n3.000,198.51.100.1:80,1,"));
}

#[test]
fn persistence_skews_what_the_scheduler_balances() {
    let skew = |persistent: bool| {
        let mut workload = workload("rr", 4);
        workload.clients = Clients::Zipf { count: 50, exponent: 1.5 };
        if persistent {
            workload.service = workload.service.with_persistence(600);
        }
        let report = workload.run().unwrap();
        (0..4).filter_map(|server| report.relative_share(server)).fold(0.0, f64::max)
    };
    assert!(skew(false) < 1.02);
    assert!(skew(true) > 1.2);
}

#[test]
fn what_is_no_distribution_is_refused() {
    let mut workload = workload("rr", 1);
    workload.arrivals = Arrivals::Poisson { per_second: 0.0 };
    assert!(workload.run().is_err());
    workload.arrivals = Arrivals::Regular { per_second: 1.0 };
    workload.clients = Clients::Uniform { count: 0 };
    assert!(workload.run().is_err());
    workload.clients = Clients::Given(vec!["2001:db8::1".parse().unwrap()]);
    assert!(workload.run().is_err());
}

#[test]
fn what_cannot_be_played_is_an_invalid_input() {
    let kind = |change: fn(&mut Workload)| {
        let mut workload = workload("rr", 2);
        change(&mut workload);
        workload.run().unwrap_err().kind()
    };
    let stranger = |workload: &mut Workload| {
        let key = Destination::new([203, 0, 113, 1].into(), 80).key;
        workload.events.push((Duration::from_secs(1), Event::Fail(key)));
    };
    assert_eq!(kind(stranger), ErrorKind::InvalidInput);
    assert_eq!(kind(|w| w.sample_every = Duration::ZERO), ErrorKind::InvalidInput);
    assert_eq!(kind(|w| w.arrivals = Arrivals::Poisson { per_second: 0.0 }), ErrorKind::InvalidInput);
    assert_eq!(kind(|w| w.lengths = Lengths::Given(Vec::new())), ErrorKind::InvalidInput);
    assert_eq!(kind(|w| w.clients = Clients::Uniform { count: 0 }), ErrorKind::InvalidInput);
}
