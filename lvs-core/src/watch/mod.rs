//! What has changed since the last look: the kernel sends no notifications, so snapshots are
//! compared.
//!
//! [`Watcher::observe`] takes a [`Snapshot`] and the time it was taken and returns [`Event`]s: what
//! appeared, changed and vanished, how much each service and destination has counted since, and
//! counters that were reset. It has no clock and does no I/O, so it fits a loop, an iterator
//! ([`poll`]) and async code under any runtime alike. [`Watcher::look`] reads the director itself,
//! which knows from the last look what it need not read: on a kernel a fraction of a snapshot's
//! cost. A [`Follower`](crate::director::Follower) reads that way without comparing.
//!
//! Counters of the kernel move every two seconds, whenever one looks: [`Count::per_second`] takes
//! rates from looks that lie whole ticks apart, so that they are right at any interval.
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
//! assert_eq!(count.per_second().unwrap().connections, 5.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod counting;
mod display;
mod pairs;
mod poll;
mod rates;
#[cfg(feature = "serde")]
mod record;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use counting::compare;
pub use counting::{Count, PerSecond, Window};
use pairs::pair;
pub use poll::{Poll, poll};
use rates::Rates;

use crate::director::{Director, Pace};
use crate::error::Result;
use crate::model::{
    Counters, Daemon, Destination, DestinationEntry, DestinationKey, Service, ServiceEntry, ServiceKey,
    ServiceSnapshot, Snapshot, Stats, Timeouts,
};
use crate::plan::Scope;

/// A difference between two looks at a director.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(into = "record::Record", from = "record::Record")
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// Counters are lower than at the last look: zeroed, or the service or destination was removed
    /// and added again. What they have counted since follows as [`Event::Counted`].
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
    rates: Rates,
    scope: Scope,
    pace: Pace,
}

impl Watcher {
    /// A watcher that has seen nothing yet and watches everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// A watcher that sees what is in a scope and nothing else.
    pub fn within(scope: Scope) -> Self {
        Self { scope, ..Self::default() }
    }

    /// The last look, as far as it is in the scope.
    pub fn last(&self) -> Option<&Snapshot> {
        self.last.as_ref().map(|(snapshot, _)| snapshot)
    }

    /// Reads a director and takes in what it shows, as [`Watcher::observe`] does of a snapshot: by
    /// [`Director::snapshot_after`], and as a whole at the first look, after a failure, and every
    /// [`WHOLE_EVERY`](crate::director::Follower::WHOLE_EVERY) looks. A watcher of a part of the
    /// table reads all of it each time.
    ///
    /// # Errors
    /// As [`Director::snapshot`]; what was seen before is kept.
    pub fn look<D: Director + ?Sized>(&mut self, director: &mut D, now: Duration) -> Result<Vec<Event>> {
        let last = self.last.as_ref().filter(|_| self.scope.owns_all_services());
        let snapshot = self.pace.read(director, last.map(|(snapshot, _)| snapshot))?;
        Ok(self.observe(snapshot, now))
    }

    /// Takes in a look at a time (any clock that does not run backwards) and says what is
    /// different.
    ///
    /// What is missing of a family of which the look is not [complete](Snapshot::complete) counts
    /// as unchanged.
    #[must_use = "events are reported once"]
    pub fn observe(&mut self, mut snapshot: Snapshot, now: Duration) -> Vec<Event> {
        snapshot.services.retain(|service| self.scope.owns(&service.entry.service.key()));
        self.rates.look(now);
        let last = self.last.take();
        let elapsed = last.as_ref().map_or(Duration::ZERO, |(_, then)| now.saturating_sub(*then));
        let mut look = Look { now, elapsed, rates: &mut self.rates, events: Vec::new() };
        match &last {
            None => snapshot.services.iter().for_each(|service| look.shown(service)),
            Some((last, _)) => {
                if !snapshot.complete.is_whole() {
                    keep_unseen(last, &mut snapshot);
                }
                if self.scope.owns_timeouts() && last.timeouts != snapshot.timeouts {
                    look.events.push(Event::TimeoutsChanged { before: last.timeouts, after: snapshot.timeouts });
                }
            }
        }
        if self.scope.owns_daemons() {
            look.daemons(last.as_ref().map_or(&[], |(last, _)| &last.daemons), &snapshot.daemons);
        }
        if let Some((last, _)) = &last {
            look.services(last, &snapshot);
        }
        let events = look.events;
        self.last = Some((snapshot, now));
        events
    }
}

/// Adds to a look what the last one had and this one may only have passed over.
fn keep_unseen(last: &Snapshot, next: &mut Snapshot) {
    if last.services.iter().all(|service| next.complete.of(service.entry.service.key().family())) {
        return;
    }
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

/// One look, compared with the one before.
struct Look<'r> {
    now: Duration,
    elapsed: Duration,
    rates: &'r mut Rates,
    events: Vec<Event>,
}

impl Look<'_> {
    fn shown(&mut self, service: &ServiceSnapshot) {
        let key = service.entry.service.key();
        self.events.push(Event::ServiceAppeared(service.entry));
        self.events.extend(service.destinations.iter().map(|entry| Event::DestinationAppeared(key, *entry)));
    }

    fn daemons(&mut self, last: &[Daemon], next: &[Daemon]) {
        let gone = last.iter().filter(|daemon| !next.contains(daemon));
        self.events.extend(gone.copied().map(Event::DaemonStopped));
        let new = next.iter().filter(|daemon| !last.contains(daemon));
        self.events.extend(new.copied().map(Event::DaemonStarted));
    }

    fn services(&mut self, last: &Snapshot, next: &Snapshot) {
        let key = |service: &ServiceSnapshot| service.entry.service.key();
        pair(&last.services, &next.services, key, |before, after| match (before, after) {
            (None, Some(after)) => {
                self.rates.appeared((key(after), None), self.now);
                for entry in &after.destinations {
                    self.rates.appeared((key(after), Some(entry.destination.key)), self.now);
                }
                self.shown(after);
            }
            (Some(before), None) => {
                self.rates.vanished(&(key(before), None));
                for entry in &before.destinations {
                    self.rates.vanished(&(key(before), Some(entry.destination.key)));
                }
                self.events.push(Event::ServiceVanished(before.entry.service));
            }
            (Some(before), Some(after)) => self.service(before, after),
            (None, None) => {}
        });
    }

    fn service(&mut self, before: &ServiceSnapshot, after: &ServiceSnapshot) {
        if before == after {
            return;
        }
        let (old, new) = (before.entry.service, after.entry.service);
        let service = new.key();
        if old != new {
            self.events.push(Event::ServiceChanged { before: old, after: new });
        }
        let stats = |entry: &ServiceEntry| (entry.statistics(), entry.stats64.is_some());
        self.counters(service, None, stats(&before.entry), stats(&after.entry));

        let key = |entry: &DestinationEntry| entry.destination.key;
        pair(&before.destinations, &after.destinations, key, |before, after| match (before, after) {
            (None, Some(after)) => {
                self.rates.appeared((service, Some(key(after))), self.now);
                self.events.push(Event::DestinationAppeared(service, *after));
            }
            (Some(before), None) => {
                self.rates.vanished(&(service, Some(key(before))));
                self.events.push(Event::DestinationVanished(service, before.destination));
            }
            (Some(before), Some(after)) => {
                if before.destination != after.destination {
                    let (before, after) = (before.destination, after.destination);
                    self.events.push(Event::DestinationChanged { service, before, after });
                }
                let stats = |entry: &DestinationEntry| (entry.statistics(), entry.stats64.is_some());
                self.counters(service, Some(key(after)), stats(before), stats(after));
            }
            (None, None) => {}
        });
    }

    fn counters(
        &mut self,
        service: ServiceKey,
        destination: Option<DestinationKey>,
        (before, before_wide): (Stats, bool),
        (after, after_wide): (Stats, bool),
    ) {
        if before.counters == after.counters {
            return;
        }
        let difference = compare(&before.counters, &after.counters, before_wide && after_wide);
        if difference.is_none() {
            self.events.push(Event::CountersReset(service, destination));
        }
        let delta = difference.unwrap_or(after.counters);
        if delta != Counters::default() {
            let window = self.rates.counted((service, destination), delta, self.now);
            self.events.push(Event::Counted(Count { service, destination, delta, elapsed: self.elapsed, window }));
        }
    }
}

#[cfg(test)]
mod tests;
