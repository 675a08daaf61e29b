use std::ops::ControlFlow;
use std::time::Duration;

use super::*;
use crate::director::{Director, Operation};
use crate::embedded::EmbeddedDirector;
use crate::model::{Destination, DestinationKey, Service, ServiceKey, Snapshot};
use crate::{Error, ErrorKind};

/// A director that reports one destination as configured here, whatever is done to it.
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

    crate::delegate_director!(self => self.director; info, services, service, destinations, timeouts, daemons,
        visit_connections, visit_connection_origins, totals, status, profile, has_scheduler, sysctl_names, sysctl, set_sysctl);
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
    let drained = run(director, Drain::new(target, policy), seconds(0), |_, _| {
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
    let drain = Drain::new(target, DrainPolicy::default());
    let drained = run(&mut director, drain, seconds(0), |director: &mut Busy, _| {
        looks += 1;
        removed |= director.director.destinations(&dns()).unwrap().is_empty();
        if looks > 4 { ControlFlow::Break(()) } else { ControlFlow::Continue(seconds(looks)) }
    });
    assert!(drained.unwrap().cancelled && removed);
    assert_eq!(director.weights(), [3, 3]);
}

/// The embedded director's snapshot, as a reader gets it who was passed over by everything of IPv4.
fn passed_over(director: &mut Busy) -> Snapshot {
    let mut snapshot = director.snapshot().unwrap();
    snapshot.services.clear();
    snapshot.complete.ipv4 = false;
    snapshot
}

#[test]
fn nothing_is_concluded_from_what_an_incomplete_snapshot_does_not_show() {
    let mut director = Busy::new(&[web()], 1, 0);
    let whole = director.snapshot().unwrap();
    let targets = [
        DrainTarget::Destination(web(), server().key),
        DrainTarget::RealServer(server().key.addr),
        DrainTarget::Service(web()),
    ];
    for target in targets {
        let mut drain = Drain::new(target, DrainPolicy::default());
        let hidden = passed_over(&mut director);
        assert_eq!(drain.check(&hidden), Err(DrainError::Incomplete(target)));
        assert!(!drain.step(&hidden, seconds(0)).done, "{target} may be there and busy");
        assert_eq!(drain.check(&whole), Ok(()));
        assert_eq!(drain.step(&whole, seconds(1)).waiting.len(), 1);
        assert!(!drain.step(&hidden, seconds(2)).done, "{target} has not gone");
        // What was quiesced comes back though nothing of it is seen.
        assert_eq!(drain.cancel(&hidden), [Operation::UpdateDestination(web(), server())]);
    }
    // What of the other family may be missing is no concern of a service of this one.
    let mut gone = Snapshot { services: Vec::new(), ..whole };
    gone.complete.ipv6 = false;
    let target = DrainTarget::Service(web());
    assert_eq!(Drain::new(target, DrainPolicy::default()).check(&gone), Err(DrainError::NotFound(target)));
    assert!(Drain::new(target, DrainPolicy::default()).step(&gone, seconds(0)).done);
}

#[test]
fn a_service_of_which_servers_may_be_hidden_is_not_removed() {
    let mut director = Busy::new(&[web()], 0, 0);
    let mut snapshot = director.snapshot().unwrap();
    snapshot.services[0].destinations[0].destination.weight = 0;
    snapshot.complete.ipv4 = false;
    let mut drain = Drain::new(DrainTarget::Service(web()), DrainPolicy::default());
    let progress = drain.step(&snapshot, seconds(0));
    assert!(progress.operations.is_empty() && !progress.done, "{progress:?}");
    snapshot.complete.ipv4 = true;
    assert_eq!(drain.step(&snapshot, seconds(1)).operations, [Operation::RemoveService(web())]);
}
