use std::ops::ControlFlow;
use std::time::Duration;

use super::*;
use crate::director::{Director, Operation};
use crate::embedded::EmbeddedDirector;
use crate::model::{Destination, DestinationEntry, DestinationKey, Service, ServiceKey, Snapshot};
use crate::{Error, ErrorKind};

/// A director that says of one destination what it is told to, whatever is done to it.
struct Busy {
    director: EmbeddedDirector,
    active: u32,
    inactive: u32,
}

impl Busy {
    fn new(keys: &[ServiceKey], active: u32, inactive: u32) -> Self {
        let mut director = EmbeddedDirector::new();
        for key in keys {
            director.add_service(&Service::new(*key)).unwrap();
            director.add_destination(key, &server()).unwrap();
        }
        Self { director, active, inactive }
    }

    fn weights(&mut self) -> Vec<u32> {
        let snapshot = self.director.snapshot().unwrap();
        snapshot.services.iter().flat_map(|s| &s.destinations).map(|entry| entry.destination.weight).collect()
    }
}

/// Everything of the embedded director but the counts.
impl Director for Busy {
    fn snapshot(&mut self) -> crate::Result<Snapshot> {
        let mut snapshot = self.director.snapshot()?;
        let entries = snapshot.services.iter_mut().flat_map(|service| &mut service.destinations);
        entries.for_each(|entry| (entry.active, entry.inactive) = (self.active, self.inactive));
        Ok(snapshot)
    }

    fn apply(
        &mut self,
        operations: &[Operation],
        on_refusal: crate::director::OnRefusal,
    ) -> crate::director::BatchReport {
        self.director.apply(operations, on_refusal)
    }

    fn info(&mut self) -> crate::Result<crate::model::Info> {
        self.director.info()
    }

    fn services(&mut self) -> crate::Result<Vec<crate::model::ServiceEntry>> {
        self.director.services()
    }

    fn service(&mut self, key: &ServiceKey) -> crate::Result<crate::model::ServiceEntry> {
        self.director.service(key)
    }

    fn destinations(&mut self, key: &ServiceKey) -> crate::Result<Vec<DestinationEntry>> {
        self.director.destinations(key)
    }

    fn timeouts(&mut self) -> crate::Result<crate::model::Timeouts> {
        self.director.timeouts()
    }

    fn daemons(&mut self) -> crate::Result<Vec<crate::model::Daemon>> {
        self.director.daemons()
    }

    fn visit_connections(
        &mut self,
        visitor: &mut dyn FnMut(&crate::model::Connection<'_>) -> ControlFlow<()>,
    ) -> crate::Result<()> {
        self.director.visit_connections(visitor)
    }
}

fn web() -> ServiceKey {
    ServiceKey::tcp("192.0.2.1", 80).unwrap()
}

fn dns() -> ServiceKey {
    ServiceKey::udp("192.0.2.1", 53).unwrap()
}

fn server() -> Destination {
    Destination::new("198.51.100.7".parse().unwrap(), 80).with_weight(3)
}

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

/// Runs a drain with a look a second.
fn run_for(director: &mut Busy, target: DrainTarget, policy: DrainPolicy, most: u64) -> crate::Result<(Drained, u64)> {
    let mut looks = 0;
    let drained = run(director, &mut Drain::new(target, policy), seconds(0), |_, _| {
        looks += 1;
        if looks > most { ControlFlow::Break(()) } else { ControlFlow::Continue(seconds(looks)) }
    })?;
    Ok((drained, looks))
}

#[test]
fn what_the_deadline_cuts_is_reported() {
    let mut director = Busy::new(&[web()], 1, 2);
    let target = DrainTarget::Destination(web(), server().key);
    let (drained, _) = run_for(&mut director, target, DrainPolicy::default().with_deadline(seconds(3)), 99).unwrap();
    assert_eq!(drained.cut.len(), 1);
    assert_eq!((drained.cut[0].active, drained.cut[0].inactive, drained.cancelled), (1, 2, false));
    assert!(drained.left_behind.is_empty() && director.weights().is_empty());
}

#[test]
fn a_kept_server_is_not_cut_by_the_deadline() {
    let mut director = Busy::new(&[web()], 1, 0);
    let policy = DrainPolicy::default().with_deadline(seconds(3)).keeping();
    let (drained, _) = run_for(&mut director, DrainTarget::RealServer(server().key.addr), policy, 99).unwrap();
    assert_eq!((drained.cut.len(), drained.left_behind[0].active), (0, 1));
    assert_eq!(director.weights(), [0]);
}

#[test]
fn flows_that_are_not_waited_for_are_reported_as_left_behind() {
    for target in [DrainTarget::Destination(dns(), server().key), DrainTarget::Service(dns())] {
        let mut director = Busy::new(&[dns()], 0, 5);
        let (drained, _) = run_for(&mut director, target, DrainPolicy::default(), 99).unwrap();
        assert_eq!((drained.cut.len(), drained.left_behind.len()), (0, 1), "{target}");
        assert_eq!(drained.left_behind[0].inactive, 5);
    }
}

#[test]
fn draining_what_is_not_there_is_an_error() {
    let mut director = Busy::new(&[web()], 0, 0);
    let absent = DestinationKey::new("203.0.113.9".parse().unwrap(), 80);
    for target in
        [DrainTarget::Destination(web(), absent), DrainTarget::Service(dns()), DrainTarget::RealServer(absent.addr)]
    {
        let refused = run_for(&mut director, target, DrainPolicy::default(), 9).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::NotFound, "{refused}");
        assert!(matches!(refused, Error::Drain(DrainError::NotFound(missing)) if missing == target));
    }
    assert_eq!(director.weights(), [3], "nothing was touched");
}

#[test]
fn a_cancelled_drain_brings_back_weights_and_what_it_has_removed() {
    // UDP is not waited for, so the server is gone there while TCP still holds it.
    let mut director = Busy::new(&[web(), dns()], 1, 0);
    let target = DrainTarget::RealServer(server().key.addr);
    let mut removed = false;
    let mut looks = 0;
    let mut drain = Drain::new(target, DrainPolicy::default());
    let drained = run(&mut director, &mut drain, seconds(0), |director: &mut Busy, _| {
        looks += 1;
        removed |= director.director.destinations(&dns()).unwrap().is_empty();
        if looks > 4 { ControlFlow::Break(()) } else { ControlFlow::Continue(seconds(looks)) }
    });
    assert!(drained.unwrap().cancelled && removed);
    assert_eq!(director.weights(), [3, 3]);
}
