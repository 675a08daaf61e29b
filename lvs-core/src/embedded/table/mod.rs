//! Services, destinations and the trash (`ip_vs_ctl.c`).

mod destination;
pub(super) mod service;
pub(super) mod trash;

pub(super) use destination::DestinationState;
pub(super) use service::ServiceState;

use std::collections::{BTreeMap, HashMap};

use super::clock::Clock;
use super::estimator::{Estimator, Schedule};
use super::ids::{DestinationId, ServiceId};
use super::options::{EmbeddedOptions, ServiceOrder};
use super::status::service_hash;
use super::verdict::RejectReason;
use crate::errno::Errno;
use crate::model::{DestinationKey, ServiceKey};
use crate::schedulers::{DestinationId as PoolId, Pool, Request};

/// The present, for those who count.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// Ticks since the director was made.
    pub(super) tick: u64,
    /// Passes of the estimator.
    pub(super) pass: u64,
    /// Ticks a second.
    pub(super) hz: u64,
    /// The time in milliseconds, the unit of the schedulers.
    pub(super) millis: u64,
}

impl Moment {
    /// What a clock shows.
    pub(super) const fn of(clock: Clock, schedule: &Schedule) -> Self {
        let (tick, hz) = (clock.ticks(), clock.hz());
        Self { tick, pass: schedule.passes(tick), hz, millis: tick * 1000 / hz }
    }
}

/// Where a service is listed: what comes first decides.
type Place = (bool, u64, u64);

/// Services, destinations, and the trash of removed destinations.
#[derive(Debug, Clone, Default)]
pub(super) struct ServiceTable {
    services: Vec<ServiceState>,
    free_services: Vec<ServiceId>,
    by_key: HashMap<ServiceKey, ServiceId, crate::hash::Seedless>,
    order: BTreeMap<Place, ServiceId>,
    /// How often the service table was resized.
    resizes: u64,
    sequence: u64,
    destinations: Vec<DestinationState>,
    free_destinations: Vec<DestinationId>,
    trash: BTreeMap<(ServiceKey, DestinationKey), DestinationId>,
    /// Services whose scheduler has a timer.
    ticking: Vec<ServiceId>,
    /// Destinations of another family than their service's.
    mixed: usize,
    /// Services with port 0, firewall marks among them.
    portless: usize,
    /// Services with port 21.
    ftp: usize,
    /// IPv4 services and IPv6 services.
    of_family: [usize; 2],
}

/// How much there is of what a change can make more or less.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) services: usize,
    pub(super) trash: usize,
}

impl ServiceTable {
    #[inline]
    pub(super) fn service(&self, at: ServiceId) -> &ServiceState {
        &self.services[at.index()]
    }

    #[inline]
    pub(super) fn service_mut(&mut self, at: ServiceId) -> &mut ServiceState {
        &mut self.services[at.index()]
    }

    #[inline]
    pub(super) fn destination(&self, at: DestinationId) -> &DestinationState {
        &self.destinations[at.index()]
    }

    #[inline]
    pub(super) fn destination_mut(&mut self, at: DestinationId) -> &mut DestinationState {
        &mut self.destinations[at.index()]
    }

    #[inline]
    pub(super) fn find(&self, key: &ServiceKey) -> Option<ServiceId> {
        self.by_key.get(key).copied()
    }

    /// Where a service is listed that was made as the `sequence`th one.
    fn place(&self, key: &ServiceKey, sequence: u64, options: &EmbeddedOptions) -> Place {
        let is_mark = matches!(key, ServiceKey::Fwmark { .. });
        match options.service_order {
            ServiceOrder::Made => (is_mark, sequence, 0),
            ServiceOrder::Hashed => {
                let mixed = options.profile.has_resizable_tables();
                (is_mark && !mixed, service_hash(key, options.seed ^ self.resizes), u64::MAX - sequence)
            }
        }
    }

    /// The service table was resized, which gives it another order.
    pub(super) fn resized(&mut self, options: &EmbeddedOptions) {
        self.resizes += 1;
        if options.service_order == ServiceOrder::Hashed {
            let all: Vec<ServiceId> = self.iter().collect();
            self.order = all
                .into_iter()
                .map(|at| {
                    let service = self.service(at);
                    (self.place(&service.key, service.sequence, options), at)
                })
                .collect();
        }
    }

    /// How many services there are.
    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    /// The keys of all services, in no order that means anything.
    pub(super) fn keys(&self) -> impl Iterator<Item = &ServiceKey> {
        self.by_key.keys()
    }

    /// Whether there are services of a family.
    #[inline]
    pub(super) fn has_family(&self, is_v6: bool) -> bool {
        self.of_family[usize::from(is_v6)] > 0
    }

    pub(super) fn sizes(&self) -> Sizes {
        Sizes { services: self.len(), trash: self.trash.len() }
    }

    /// The service that a command names.
    pub(super) fn named(&self, key: &ServiceKey, options: &EmbeddedOptions) -> Result<ServiceId, Errno> {
        if !options.supports(key.family()) {
            return Err(Errno::EAFNOSUPPORT);
        }
        self.find(key).ok_or(Errno::ESRCH)
    }

    pub(super) const fn has_mixed(&self) -> bool {
        self.mixed > 0
    }

    pub(super) const fn has_portless(&self) -> bool {
        self.portless > 0
    }

    pub(super) const fn has_ftp(&self) -> bool {
        self.ftp > 0
    }

    /// The services in the director's order.
    pub(super) fn iter(&self) -> impl Iterator<Item = ServiceId> + '_ {
        self.order.values().copied()
    }

    /// Whether a destination is listed in its service.
    #[inline]
    pub(super) fn is_available(&self, at: DestinationId) -> bool {
        self.destination(at).listed
    }

    /// The weight of a destination.
    pub(super) fn weight(&self, at: DestinationId) -> i32 {
        let destination = self.destination(at);
        self.service(destination.service).pool.weight(destination.id)
    }

    /// The counters of a destination and its service, unless it was removed: then nothing is
    /// counted.
    #[inline]
    pub(super) fn counted(&mut self, at: DestinationId) -> Option<(&mut Estimator, &mut Estimator)> {
        let destination = &mut self.destinations[at.index()];
        if !destination.listed {
            return None;
        }
        Some((&mut destination.stats, &mut self.services[destination.service.index()].stats))
    }

    /// Lets the scheduler of a service choose.
    #[inline]
    pub(super) fn pick(&mut self, service: ServiceId, request: &Request) -> Result<DestinationId, RejectReason> {
        let ServiceState { pool, scheduler, members, .. } = &mut self.services[service.index()];
        let scheduler = scheduler.as_mut().ok_or(RejectReason::NoScheduler)?;
        let id = scheduler.pick(pool, request).ok_or(RejectReason::NoDestination)?;
        Ok(members[id.index() as usize].expect("the scheduler chooses members"))
    }

    /// Tells pool and scheduler of a change in the use of a destination.
    #[inline]
    fn count(&mut self, at: DestinationId, change: impl FnOnce(&mut Pool, PoolId)) {
        let destination = &self.destinations[at.index()];
        let ServiceState { pool, scheduler, .. } = &mut self.services[destination.service.index()];
        change(pool, destination.id);
        if let Some(scheduler) = scheduler {
            scheduler.counters_changed(pool, destination.id);
        }
    }

    #[inline]
    pub(super) fn connection_added(&mut self, at: DestinationId) {
        self.destinations[at.index()].users += 1;
        self.count(at, |pool, id| pool.connection_added(id));
    }

    #[inline]
    pub(super) fn connection_activated(&mut self, at: DestinationId) {
        self.count(at, |pool, id| pool.connection_activated(id));
    }

    #[inline]
    pub(super) fn connection_deactivated(&mut self, at: DestinationId) {
        self.count(at, |pool, id| pool.connection_deactivated(id));
    }

    #[inline]
    pub(super) fn connection_removed(&mut self, at: DestinationId, active: bool) {
        self.destinations[at.index()].users -= 1;
        self.count(at, |pool, id| pool.connection_removed(id, active));
    }

    pub(super) fn template_added(&mut self, at: DestinationId) {
        self.destinations[at.index()].users += 1;
        self.count(at, |pool, id| pool.template_added(id));
    }

    pub(super) fn template_removed(&mut self, at: DestinationId) {
        self.destinations[at.index()].users -= 1;
        self.count(at, |pool, id| pool.template_removed(id));
    }

    /// When a scheduler wants to do something, in milliseconds.
    pub(super) fn scheduler_timer(&self) -> Option<u64> {
        self.ticking
            .iter()
            .filter_map(|at| self.service(*at).scheduler.as_ref().and_then(|scheduler| scheduler.next_tick()))
            .min()
    }

    /// Lets the schedulers do what is due.
    pub(super) fn tick_schedulers(&mut self, millis: u64) {
        for at in &self.ticking {
            let ServiceState { pool, scheduler: Some(scheduler), .. } = &mut self.services[at.index()] else {
                continue;
            };
            scheduler.tick(pool, millis);
        }
    }
}
