//! What has changed since the last look: the kernel sends no notifications, so snapshots are compared.
//!
//! [`Watcher::observe`] takes a [`Snapshot`] and the time it was taken and returns [`Event`]s: what
//! appeared, changed and vanished, how much each service and destination has counted since, and counters that were reset.
//! It has no clock and does no I/O, so it fits a loop, an iterator ([`poll`]) and async code under any runtime
//! ([`poll_async`]) alike.
//!
//! Counters of the kernel move every two seconds; looking more often shows the same numbers again.
//!
//! ```
//! use std::time::Duration;
//! use lvs_core::model::*;
//! use lvs_core::watch::{Event, Watcher};
//!
//! let mut table = Snapshot::new(Info::default(), Coverage::FULL);
//! let mut entry = ServiceEntry::new(Service::new(ServiceKey::tcp("192.0.2.1", 80)?));
//! entry.stats64 = Some(Stats::default());
//! table.services.push(ServiceSnapshot { entry, destinations: vec![] });
//!
//! let mut watcher = Watcher::new();
//! let events = watcher.observe(table.clone(), Duration::from_secs(0));
//! assert!(matches!(events[..], [Event::ServiceAppeared(_)]));
//!
//! table.services[0].entry.stats64 = Some(Stats { counters: Counters { connections: 50, ..Default::default() }, ..Default::default() });
//! let events = watcher.observe(table, Duration::from_secs(10));
//! let [Event::Counted(count)] = &events[..] else { panic!("{events:?}") };
//! assert_eq!(count.delta.connections, 50);
//! assert_eq!(count.per_second(count.delta.connections), 5.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod counting;
mod pairs;
mod poll;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

pub use counting::Count;
use counting::compare;
use pairs::pair;
pub use poll::{AsyncPoll, poll, poll_async};

use crate::model::{
    Daemon, Destination, DestinationEntry, DestinationKey, Service, ServiceEntry, ServiceKey, ServiceSnapshot,
    Snapshot, Stats, Timeouts,
};

/// A difference between two looks at a director.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A service is new. At the first look all are.
    ServiceAppeared(ServiceEntry),
    /// The configuration of a service is another.
    ServiceChanged {
        /// What it was.
        before: Service,
        /// What it is.
        after: Service,
    },
    /// A service is gone, and its destinations with it.
    ServiceVanished(Service),
    /// A destination is new.
    DestinationAppeared(ServiceKey, DestinationEntry),
    /// The configuration of a destination is another: its weight, for instance.
    DestinationChanged {
        /// Whose destination.
        service: ServiceKey,
        /// What it was.
        before: Destination,
        /// What it is.
        after: Destination,
    },
    /// A destination is gone from a service that is still there.
    DestinationVanished(ServiceKey, Destination),
    /// Something was counted since the last look.
    Counted(Count),
    /// Counters are lower than at the last look: zeroed, or the service or destination was removed and added again.
    CountersReset(ServiceKey, Option<DestinationKey>),
    /// The timeouts are others.
    TimeoutsChanged {
        /// What they were.
        before: Timeouts,
        /// What they are.
        after: Timeouts,
    },
    /// A sync daemon runs that did not, or not so.
    DaemonStarted(Daemon),
    /// A sync daemon does not run any more, or not so.
    DaemonStopped(Daemon),
}

/// Compares each look with the one before.
#[derive(Debug, Clone, Default)]
pub struct Watcher {
    last: Option<(Snapshot, Duration)>,
}

impl Watcher {
    /// A watcher that has seen nothing yet.
    pub const fn new() -> Self {
        Self { last: None }
    }

    /// The last look.
    pub fn last(&self) -> Option<&Snapshot> {
        self.last.as_ref().map(|(snapshot, _)| snapshot)
    }

    /// Takes in a look at a time (any clock that does not run backwards) and says what is different.
    ///
    /// What is missing of a family of which the look is not [complete](Snapshot::complete) counts as unchanged.
    pub fn observe(&mut self, mut snapshot: Snapshot, now: Duration) -> Vec<Event> {
        let mut events = Vec::new();
        match &self.last {
            None => {
                for service in &snapshot.services {
                    appeared(service, &mut events);
                }
                events.extend(snapshot.daemons.iter().copied().map(Event::DaemonStarted));
            }
            Some((last, then)) => {
                if !snapshot.complete.is_whole() {
                    keep_unseen(last, &mut snapshot);
                }
                difference(last, &snapshot, now.saturating_sub(*then), &mut events);
            }
        }
        self.last = Some((snapshot, now));
        events
    }
}

/// Adds to a look what the last one had and this one may only have passed over.
fn keep_unseen(last: &Snapshot, next: &mut Snapshot) {
    let mut places: HashMap<ServiceKey, usize> =
        next.services.iter().enumerate().map(|(place, service)| (service.entry.service.key(), place)).collect();
    for service in &last.services {
        let key = service.entry.service.key();
        if next.complete.of(key.family()) {
            continue;
        }
        let Some(place) = places.remove(&key) else {
            next.services.push(service.clone());
            continue;
        };
        let list = &mut next.services[place].destinations;
        let seen: HashSet<DestinationKey> = list.iter().map(|entry| entry.destination.key).collect();
        list.extend(service.destinations.iter().filter(|entry| !seen.contains(&entry.destination.key)));
    }
}

fn appeared(service: &ServiceSnapshot, events: &mut Vec<Event>) {
    let key = service.entry.service.key();
    events.push(Event::ServiceAppeared(service.entry));
    events.extend(service.destinations.iter().map(|entry| Event::DestinationAppeared(key, *entry)));
}

fn difference(last: &Snapshot, next: &Snapshot, elapsed: Duration, events: &mut Vec<Event>) {
    if last.timeouts != next.timeouts {
        events.push(Event::TimeoutsChanged { before: last.timeouts, after: next.timeouts });
    }
    let gone = last.daemons.iter().filter(|daemon| !next.daemons.contains(daemon));
    events.extend(gone.copied().map(Event::DaemonStopped));
    let new = next.daemons.iter().filter(|daemon| !last.daemons.contains(daemon));
    events.extend(new.copied().map(Event::DaemonStarted));

    pair(
        &last.services,
        &next.services,
        |service| service.entry.service.key(),
        |before, after| match (before, after) {
            (None, Some(after)) => appeared(after, events),
            (Some(before), None) => events.push(Event::ServiceVanished(before.entry.service)),
            (Some(before), Some(after)) => service_difference(before, after, elapsed, events),
            (None, None) => {}
        },
    );
}

fn service_difference(before: &ServiceSnapshot, after: &ServiceSnapshot, elapsed: Duration, events: &mut Vec<Event>) {
    let (old, new) = (before.entry.service, after.entry.service);
    let key = new.key();
    if old != new {
        events.push(Event::ServiceChanged { before: old, after: new });
    }
    let stats = |entry: &ServiceEntry| (entry.statistics(), entry.stats64.is_some());
    counted(key, None, stats(&before.entry), stats(&after.entry), elapsed, events);

    pair(
        &before.destinations,
        &after.destinations,
        |entry| entry.destination.key,
        |before, after| match (before, after) {
            (None, Some(after)) => events.push(Event::DestinationAppeared(key, *after)),
            (Some(before), None) => events.push(Event::DestinationVanished(key, before.destination)),
            (Some(before), Some(after)) => {
                if before.destination != after.destination {
                    let (before, after) = (before.destination, after.destination);
                    events.push(Event::DestinationChanged { service: key, before, after });
                }
                let stats = |entry: &DestinationEntry| (entry.statistics(), entry.stats64.is_some());
                counted(key, Some(after.destination.key), stats(before), stats(after), elapsed, events);
            }
            (None, None) => {}
        },
    );
}

fn counted(
    service: ServiceKey,
    destination: Option<DestinationKey>,
    (before, before_wide): (Stats, bool),
    (after, after_wide): (Stats, bool),
    elapsed: Duration,
    events: &mut Vec<Event>,
) {
    if before.counters == after.counters {
        return;
    }
    events.push(match compare(&before.counters, &after.counters, before_wide && after_wide) {
        Some(delta) => Event::Counted(Count { service, destination, delta, elapsed }),
        None => Event::CountersReset(service, destination),
    });
}

#[cfg(test)]
mod tests;
