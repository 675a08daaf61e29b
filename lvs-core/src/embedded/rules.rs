//! Services, destinations and the trash (`ip_vs_ctl.c`).

use std::collections::{BTreeMap, HashMap};

use super::clock::Clock;
use super::estimator::{Estimator, Schedule};
use super::options::Options;
use super::verdict::Refusal;
use crate::errno::Errno;
use crate::model::{
    AddressFamily, Destination, DestinationEntry, DestinationKey, EngineName, ForwardingMethod, Netmask, SchedulerName,
    Service, ServiceEntry, ServiceFlags, ServiceKey, TunnelKind,
};
use crate::schedulers::{DestinationId, Family, NewDestination, Pool, Profile, Request, Scheduler, by_name};

/// How long a deleted destination that nobody uses is kept, in seconds.
const TRASH_PERIOD: u64 = 120;
/// How often the trash is looked through, in seconds.
const TRASH_CHECK: u64 = TRASH_PERIOD / 2;

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

/// A service as a command carries it: netmask and flags not yet looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct ServiceRequest {
    pub(super) key: ServiceKey,
    pub(super) scheduler: SchedulerName,
    pub(super) engine: Option<EngineName>,
    pub(super) flags: ServiceFlags,
    /// Which flags to take; the others stay as they are.
    pub(super) mask: ServiceFlags,
    /// Seconds.
    pub(super) timeout: u32,
    /// The netmask, or why it is none. That is said only after scheduler and engine were found.
    pub(super) netmask: Result<Netmask, Errno>,
}

impl From<&Service> for ServiceRequest {
    fn from(service: &Service) -> Self {
        Self {
            key: service.key(),
            scheduler: service.scheduler,
            engine: service.engine,
            flags: service.flags,
            mask: ServiceFlags::from_bits(u32::MAX),
            timeout: service.timeout,
            netmask: Ok(service.netmask()),
        }
    }
}

impl ServiceRequest {
    /// The kernel multiplies in 32 bits without a check.
    const fn timeout_ticks(&self, hz: u64) -> u32 {
        self.timeout.wrapping_mul(hz as u32)
    }
}

/// A virtual service, or (when it is removed) the keeper of its removed destinations.
#[derive(Debug)]
pub(super) struct ServiceState {
    pub(super) key: ServiceKey,
    pub(super) scheduler_name: SchedulerName,
    pub(super) engine: Option<EngineName>,
    pub(super) flags: ServiceFlags,
    /// Ticks.
    pub(super) timeout: u32,
    pub(super) netmask: Netmask,
    pub(super) pool: Pool,
    pub(super) scheduler: Option<Box<dyn Scheduler>>,
    pub(super) stats: Estimator,
    /// Which destination of the director an id of the pool is.
    members: Vec<u32>,
    /// Destinations in the pool, removed ones included.
    residents: u32,
    alive: bool,
    sequence: u64,
}

impl ServiceState {
    /// The destination of the director that an id of the pool is.
    #[inline]
    pub(super) fn member(&self, id: DestinationId) -> u32 {
        self.members[id.index() as usize]
    }

    fn place(&mut self, id: DestinationId, at: u32) {
        let index = id.index() as usize;
        if self.members.len() <= index {
            self.members.resize(index + 1, u32::MAX);
        }
        self.members[index] = at;
    }

    fn service(&self, hz: u64) -> Service {
        let mut service = Service::new(self.key)
            .with_scheduler(self.scheduler_name)
            .with_flags(self.flags)
            .with_netmask(self.netmask)
            .expect("the netmask was checked against the key");
        service.timeout = self.timeout / hz as u32;
        service.engine = self.engine;
        service
    }
}

/// A destination, listed or in the trash.
#[derive(Debug)]
pub(super) struct DestinationState {
    /// The service whose pool it is in.
    pub(super) service: u32,
    pub(super) id: DestinationId,
    pub(super) config: Destination,
    pub(super) stats: Estimator,
    /// Connections and templates that point here.
    users: u32,
    /// On its service's list, that is not in the trash.
    listed: bool,
    /// In the trash: when it was first found idle.
    idle_since: Option<u64>,
}

/// Services, destinations, and the trash of removed destinations.
#[derive(Debug, Default)]
pub(super) struct Rules {
    services: Vec<ServiceState>,
    free_services: Vec<u32>,
    by_key: HashMap<ServiceKey, u32, super::hash::Seedless>,
    /// Address services first, then firewall marks, each in the order of their making.
    order: BTreeMap<(bool, u64), u32>,
    sequence: u64,
    destinations: Vec<DestinationState>,
    free_destinations: Vec<u32>,
    trash: BTreeMap<(ServiceKey, DestinationKey), u32>,
    trash_timer: Option<u64>,
    /// Services whose scheduler has a timer.
    ticking: Vec<u32>,
    /// Destinations of another family than their service's.
    mixed: usize,
    /// Services with port 0, firewall marks among them.
    portless: usize,
    /// Services with port 21.
    ftp: usize,
}

impl Rules {
    #[inline]
    pub(super) fn service(&self, at: u32) -> &ServiceState {
        &self.services[at as usize]
    }

    #[inline]
    pub(super) fn service_mut(&mut self, at: u32) -> &mut ServiceState {
        &mut self.services[at as usize]
    }

    #[inline]
    pub(super) fn destination(&self, at: u32) -> &DestinationState {
        &self.destinations[at as usize]
    }

    #[inline]
    pub(super) fn destination_mut(&mut self, at: u32) -> &mut DestinationState {
        &mut self.destinations[at as usize]
    }

    #[inline]
    pub(super) fn find(&self, key: &ServiceKey) -> Option<u32> {
        self.by_key.get(key).copied()
    }

    /// The service that a command names.
    pub(super) fn named(&self, key: &ServiceKey, options: &Options) -> Result<u32, Errno> {
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
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.order.values().copied()
    }

    /// Whether a destination is listed in its service.
    #[inline]
    pub(super) fn is_available(&self, at: u32) -> bool {
        self.destination(at).listed
    }

    /// The weight of a destination.
    pub(super) fn weight(&self, at: u32) -> i32 {
        let destination = self.destination(at);
        self.service(destination.service).pool.weight(destination.id)
    }

    /// The counters of a destination and its service, unless it was removed: then nothing is counted.
    #[inline]
    pub(super) fn counted(&mut self, at: u32) -> Option<(&mut Estimator, &mut Estimator)> {
        let destination = &mut self.destinations[at as usize];
        if !destination.listed {
            return None;
        }
        Some((&mut destination.stats, &mut self.services[destination.service as usize].stats))
    }

    /// Lets the scheduler of a service choose.
    #[inline]
    pub(super) fn pick(&mut self, service: u32, request: &Request) -> Result<u32, Refusal> {
        let ServiceState { pool, scheduler, members, .. } = &mut self.services[service as usize];
        let scheduler = scheduler.as_mut().ok_or(Refusal::NoScheduler)?;
        let id = scheduler.pick(pool, request).ok_or(Refusal::NoDestination)?;
        Ok(members[id.index() as usize])
    }

    /// Tells pool and scheduler of a change in the use of a destination.
    #[inline]
    fn count(&mut self, at: u32, change: impl FnOnce(&mut Pool, DestinationId)) {
        let destination = &self.destinations[at as usize];
        let ServiceState { pool, scheduler, .. } = &mut self.services[destination.service as usize];
        change(pool, destination.id);
        if let Some(scheduler) = scheduler {
            scheduler.counters_changed(pool, destination.id);
        }
    }

    #[inline]
    pub(super) fn connection_added(&mut self, at: u32) {
        self.destinations[at as usize].users += 1;
        self.count(at, |pool, id| pool.connection_added(id));
    }

    #[inline]
    pub(super) fn connection_activated(&mut self, at: u32) {
        self.count(at, |pool, id| pool.connection_activated(id));
    }

    #[inline]
    pub(super) fn connection_deactivated(&mut self, at: u32) {
        self.count(at, |pool, id| pool.connection_deactivated(id));
    }

    #[inline]
    pub(super) fn connection_removed(&mut self, at: u32, active: bool) {
        self.destinations[at as usize].users -= 1;
        self.count(at, |pool, id| pool.connection_removed(id, active));
    }

    pub(super) fn template_added(&mut self, at: u32) {
        self.destinations[at as usize].users += 1;
        self.count(at, |pool, id| pool.template_added(id));
    }

    pub(super) fn template_removed(&mut self, at: u32) {
        self.destinations[at as usize].users -= 1;
        self.count(at, |pool, id| pool.template_removed(id));
    }

    pub(super) fn add_service(
        &mut self,
        request: &ServiceRequest,
        options: &Options,
        now: Moment,
    ) -> Result<u32, Errno> {
        let key = request.key;
        if !options.supports(key.family()) {
            return Err(Errno::EAFNOSUPPORT);
        }
        if self.by_key.contains_key(&key) {
            return Err(Errno::EEXIST);
        }
        let flags = request.flags & request.mask;
        let scheduler = self.scheduler(request.scheduler, flags, options)?;
        check_engine(request.engine, options)?;
        let netmask = request.netmask?;
        let family = match key.family() {
            AddressFamily::Inet => Family::V4,
            AddressFamily::Inet6 => Family::V6,
        };
        self.sequence += 1;
        let state = ServiceState {
            key,
            scheduler_name: SchedulerName::NONE,
            engine: request.engine,
            flags: flags.without(ServiceFlags::HASHED),
            timeout: request.timeout_ticks(now.hz),
            netmask,
            pool: Pool::new(options.profile, family),
            scheduler: None,
            stats: Estimator::starting(now.pass),
            members: Vec::new(),
            residents: 0,
            alive: true,
            sequence: self.sequence,
        };
        let at = match self.free_services.pop() {
            Some(at) => {
                self.services[at as usize] = state;
                at
            }
            None => {
                self.services.push(state);
                (self.services.len() - 1) as u32
            }
        };
        self.by_key.insert(key, at);
        self.order.insert((is_fwmark(&key), self.sequence), at);
        match key.port() {
            0 => self.portless += 1,
            21 => self.ftp += 1,
            _ => {}
        }
        self.bind(at, request.scheduler, scheduler, now).expect("an empty pool suits every scheduler");
        Ok(at)
    }

    pub(super) fn update_service(
        &mut self,
        request: &ServiceRequest,
        options: &Options,
        now: Moment,
    ) -> Result<(), Errno> {
        let at = self.named(&request.key, options)?;
        let old = self.service(at).flags;
        let flags = (old & !request.mask).with(request.flags & request.mask).without(ServiceFlags::HASHED);
        let scheduler = self.scheduler(request.scheduler, flags, options)?;
        check_engine(request.engine, options)?;
        let netmask = request.netmask?;
        if self.service(at).scheduler_name != request.scheduler {
            self.bind(at, request.scheduler, scheduler, now)?;
        }
        let service = self.service_mut(at);
        service.flags = flags;
        service.timeout = request.timeout_ticks(now.hz);
        service.netmask = netmask;
        service.engine = request.engine;
        if let Some(scheduler) = &mut service.scheduler {
            scheduler.reconfigured(&scheduling(options, flags));
        }
        Ok(())
    }

    fn scheduler(
        &self,
        name: SchedulerName,
        flags: ServiceFlags,
        options: &Options,
    ) -> Result<Option<Box<dyn Scheduler>>, Errno> {
        if name == SchedulerName::NONE {
            return Ok(None);
        }
        if !options.schedulers.contains(&name) {
            return Err(Errno::ENOENT);
        }
        by_name(name.as_str(), &scheduling(options, flags)).map(Some).ok_or(Errno::ENOENT)
    }

    /// Binds a scheduler in place of the present one. If it refuses, the present one is bound afresh.
    fn bind(
        &mut self,
        at: u32,
        name: SchedulerName,
        scheduler: Option<Box<dyn Scheduler>>,
        now: Moment,
    ) -> Result<(), Errno> {
        let service = self.service_mut(at);
        let mut scheduler = scheduler;
        let time = now.millis;
        if let Some(new) = &mut scheduler
            && let Err(error) = new.bind(&service.pool, time)
        {
            if let Some(old) = &mut service.scheduler
                && old.bind(&service.pool, time).is_err()
            {
                service.scheduler = None;
                service.scheduler_name = SchedulerName::NONE;
            }
            return Err(Errno(error.errno()));
        }
        let ticks = scheduler.as_ref().is_some_and(|new| new.next_tick().is_some());
        service.scheduler = scheduler;
        service.scheduler_name = name;
        self.ticking.retain(|ticking| *ticking != at);
        if ticks {
            self.ticking.push(at);
        }
        Ok(())
    }

    /// Tells the schedulers of changed settings.
    pub(super) fn reconfigure(&mut self, options: &Options) {
        for service in self.services.iter_mut().filter(|service| service.alive) {
            if let Some(scheduler) = &mut service.scheduler {
                scheduler.reconfigured(&scheduling(options, service.flags));
            }
        }
    }

    pub(super) fn remove_service(&mut self, key: &ServiceKey, options: &Options, now: Moment) -> Result<(), Errno> {
        let at = self.named(key, options)?;
        self.unlink_service(at, now);
        Ok(())
    }

    fn unlink_service(&mut self, at: u32, now: Moment) {
        let service = &mut self.services[at as usize];
        let key = service.key;
        service.scheduler = None;
        service.alive = false;
        self.by_key.remove(&key);
        self.order.remove(&(is_fwmark(&key), service.sequence));
        self.ticking.retain(|ticking| *ticking != at);
        match key.port() {
            0 => self.portless -= 1,
            21 => self.ftp -= 1,
            _ => {}
        }
        let listed: Vec<DestinationId> = service.pool.iter().collect();
        for id in listed {
            let destination = self.service(at).member(id);
            self.discard(destination, now);
        }
        self.forget_if_empty(at);
    }

    pub(super) fn flush(&mut self, now: Moment) {
        let all: Vec<u32> = self.iter().collect();
        for at in all {
            self.unlink_service(at, now);
        }
    }

    fn forget_if_empty(&mut self, at: u32) {
        let service = self.service(at);
        if !service.alive && service.residents == 0 {
            self.free_services.push(at);
        }
    }

    fn check_destination(
        &self,
        service: u32,
        destination: &Destination,
        synchronised: bool,
        options: &Options,
    ) -> Result<(), Errno> {
        let family = destination.key.family();
        if !options.supports(family) {
            return Err(Errno::EAFNOSUPPORT);
        }
        let tunnel = destination.forwarding == ForwardingMethod::Tunnel;
        if family != self.service(service).key.family() && (synchronised || !tunnel) {
            return Err(Errno::EINVAL);
        }
        if destination.weight > i32::MAX as u32 || destination.lower_threshold > destination.upper_threshold {
            return Err(Errno::ERANGE);
        }
        if options.profile == Profile::New && destination.upper_threshold > i32::MAX as u32 {
            return Err(Errno::EINVAL);
        }
        if destination.tunnel.kind == TunnelKind::Gue && destination.tunnel.port == 0 {
            return Err(Errno::EINVAL);
        }
        Ok(())
    }

    pub(super) fn add_destination(
        &mut self,
        key: &ServiceKey,
        destination: &Destination,
        synchronised: bool,
        options: &Options,
        now: Moment,
    ) -> Result<(), Errno> {
        let service = self.named(key, options)?;
        self.check_destination(service, destination, synchronised, options)?;
        let DestinationKey { addr, port } = destination.key;
        if self.service(service).pool.find(addr, port).is_some() {
            return Err(Errno::EEXIST);
        }
        let at = match self.trash.remove(&(*key, destination.key)) {
            Some(at) => {
                self.resurrect(at, service, now);
                self.destinations[at as usize].config = *destination;
                at
            }
            None if options.takes_destination(addr) => {
                let state = DestinationState {
                    service,
                    id: DestinationId::new(0),
                    config: *destination,
                    stats: Estimator::starting(now.pass),
                    users: 0,
                    idle_since: None,
                    listed: false,
                };
                self.services[service as usize].residents += 1;
                match self.free_destinations.pop() {
                    Some(at) => {
                        self.destinations[at as usize] = state;
                        at
                    }
                    None => {
                        self.destinations.push(state);
                        (self.destinations.len() - 1) as u32
                    }
                }
            }
            None => return Err(Errno::EINVAL),
        };
        let ServiceState { pool, scheduler, .. } = &mut self.services[service as usize];
        let new = NewDestination::new(addr, port, destination.weight as i32)
            .with_thresholds(destination.upper_threshold, destination.lower_threshold);
        let id = pool.insert(new).expect("it was looked for");
        if let Some(scheduler) = scheduler {
            scheduler.added(pool, id);
        }
        self.services[service as usize].place(id, at);
        self.destinations[at as usize].id = id;
        self.destinations[at as usize].listed = true;
        if destination.key.family() != key.family() {
            self.mixed += 1;
        }
        Ok(())
    }

    /// Takes a destination back from the trash, into the pool of `service` if it is in another one's.
    fn resurrect(&mut self, at: u32, service: u32, now: Moment) {
        let destination = &mut self.destinations[at as usize];
        destination.stats.resume(now.pass);
        let former = destination.service;
        if former != service {
            // The service was removed and made again: the connections stay, the counters don't.
            destination.stats.zero(now.pass);
            let object = self.services[former as usize].pool.release(destination.id);
            destination.id =
                self.services[service as usize].pool.adopt(object).expect("what is in the trash is in no other pool");
            destination.service = service;
            self.services[former as usize].residents -= 1;
            self.services[service as usize].residents += 1;
            self.forget_if_empty(former);
        }
    }

    pub(super) fn update_destination(
        &mut self,
        key: &ServiceKey,
        destination: &Destination,
        synchronised: bool,
        options: &Options,
    ) -> Result<(), Errno> {
        let service = self.named(key, options)?;
        self.check_destination(service, destination, synchronised, options)?;
        let DestinationKey { addr, port } = destination.key;
        let ServiceState { pool, scheduler, members, .. } = &mut self.services[service as usize];
        let id = pool.find(addr, port).ok_or(Errno::ENOENT)?;
        pool.set_weight(id, destination.weight as i32);
        pool.set_thresholds(id, destination.upper_threshold, destination.lower_threshold);
        if let Some(scheduler) = scheduler {
            scheduler.edited(pool, id);
        }
        self.destinations[members[id.index() as usize] as usize].config = *destination;
        Ok(())
    }

    pub(super) fn remove_destination(
        &mut self,
        key: &ServiceKey,
        destination: &DestinationKey,
        options: &Options,
        now: Moment,
    ) -> Result<(), Errno> {
        let service = self.named(key, options)?;
        if !options.supports(destination.family()) {
            return Err(Errno::EAFNOSUPPORT);
        }
        let id = self.service(service).pool.find(destination.addr, destination.port).ok_or(Errno::ENOENT)?;
        self.discard(self.service(service).member(id), now);
        Ok(())
    }

    /// Takes a destination off its service's list and puts it into the trash.
    fn discard(&mut self, at: u32, now: Moment) {
        let destination = &mut self.destinations[at as usize];
        let ServiceState { pool, scheduler, key, .. } = &mut self.services[destination.service as usize];
        pool.detach(destination.id);
        if let Some(scheduler) = scheduler {
            scheduler.removed(pool, destination.id);
        }
        if destination.config.key.family() != key.family() {
            self.mixed -= 1;
        }
        destination.stats.pause(now.pass);
        destination.idle_since = None;
        destination.listed = false;
        if self.trash.is_empty() {
            self.trash_timer = Some(now.tick + TRASH_CHECK * now.hz);
        }
        self.trash.insert((*key, destination.config.key), at);
    }

    /// When the trash wants to be looked through.
    pub(super) const fn trash_timer(&self) -> Option<u64> {
        self.trash_timer
    }

    /// Looks through the trash: what has been unused for two minutes since it was first found so goes.
    pub(super) fn check_trash(&mut self, now: Moment) {
        let Self { trash, destinations, services, free_destinations, free_services, .. } = self;
        trash.retain(|_, at| {
            let destination = &mut destinations[*at as usize];
            let service = &mut services[destination.service as usize];
            let held = service.scheduler.as_ref().is_some_and(|scheduler| scheduler.holds(destination.id));
            if destination.users > 0 || held {
                return true;
            }
            match destination.idle_since {
                None => {
                    destination.idle_since = Some(now.tick);
                    true
                }
                Some(since) if now.tick < since + TRASH_PERIOD * now.hz => true,
                Some(_) => {
                    service.pool.release(destination.id);
                    free_destinations.push(*at);
                    service.residents -= 1;
                    if !service.alive && service.residents == 0 {
                        free_services.push(destination.service);
                    }
                    false
                }
            }
        });
        self.trash_timer = if self.trash.is_empty() { None } else { Some(now.tick + TRASH_CHECK * now.hz) };
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
            let ServiceState { pool, scheduler: Some(scheduler), .. } = &mut self.services[*at as usize] else {
                continue;
            };
            while let Some(due) = scheduler.next_tick()
                && due <= millis
            {
                scheduler.tick(pool, due);
            }
        }
    }

    pub(super) fn zero_service(&mut self, at: u32, now: Moment) {
        let Self { services, destinations, .. } = self;
        let service = &mut services[at as usize];
        for id in &service.pool {
            destinations[service.members[id.index() as usize] as usize].stats.zero(now.pass);
        }
        service.stats.zero(now.pass);
    }

    pub(super) fn service_entry(&mut self, at: u32, now: Moment) -> ServiceEntry {
        let service = self.service_mut(at);
        let stats = service.stats.stats(now.pass);
        let mut entry = ServiceEntry::new(service.service(now.hz));
        entry.stats = Some(stats.truncated());
        entry.stats64 = Some(stats);
        entry
    }

    /// The destinations of a service, in list order.
    pub(super) fn destination_entries(&mut self, at: u32, now: Moment) -> Vec<DestinationEntry> {
        let Self { services, destinations, .. } = self;
        let service = &services[at as usize];
        let entry = |id: DestinationId| {
            let destination = &mut destinations[service.member(id) as usize];
            let stats = destination.stats.stats(now.pass);
            let mut entry = DestinationEntry::new(destination.config);
            entry.active = service.pool.active(id) as u32;
            entry.inactive = service.pool.inactive(id) as u32;
            entry.persistent = service.pool.persistent(id) as u32;
            entry.stats = Some(stats.truncated());
            entry.stats64 = Some(stats);
            entry
        };
        service.pool.iter().map(entry).collect()
    }
}

const fn is_fwmark(key: &ServiceKey) -> bool {
    matches!(key, ServiceKey::Fwmark { .. })
}

fn check_engine(engine: Option<EngineName>, options: &Options) -> Result<(), Errno> {
    match engine {
        Some(engine) if !options.engines.contains(&engine) => Err(Errno::ENOENT),
        _ => Ok(()),
    }
}

fn scheduling(options: &Options, flags: ServiceFlags) -> crate::schedulers::Options {
    let mut scheduling = options.scheduling.with_flags(flags.bits());
    scheduling.lblc_expiration = u64::from(options.settings.lblc_expiration) * 1000;
    scheduling.lblcr_expiration = u64::from(options.settings.lblcr_expiration) * 1000;
    scheduling
}
