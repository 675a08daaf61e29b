//! Services: what a command makes of them.

use super::super::estimator::Estimator;
use super::super::ids::{DestinationId, ServiceId};
use super::super::options::EmbeddedOptions;
use super::{Moment, ServiceTable};
use crate::errno::Errno;
use crate::model::{
    AddressFamily, EngineName, Netmask, SchedulerName, Service, ServiceEntry, ServiceFlags, ServiceKey,
};
use crate::schedulers::{DestinationId as PoolId, Family, Pool, Scheduler, Twos, by_name};

/// A service as a command carries it: netmask and flags not yet looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ServiceRequest {
    pub(crate) key: ServiceKey,
    pub(crate) scheduler: SchedulerName,
    pub(crate) engine: Option<EngineName>,
    pub(crate) flags: ServiceFlags,
    /// Which flags to take; the others stay as they are.
    pub(crate) mask: ServiceFlags,
    /// Seconds.
    pub(crate) timeout: u32,
    /// The netmask, or why it is none. That is said only after scheduler and engine were found.
    pub(crate) netmask: Result<Netmask, Errno>,
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
#[derive(Debug, Clone)]
pub(crate) struct ServiceState {
    pub(crate) key: ServiceKey,
    pub(crate) scheduler_name: SchedulerName,
    pub(crate) engine: Option<EngineName>,
    pub(crate) flags: ServiceFlags,
    /// Ticks.
    pub(crate) timeout: u32,
    pub(crate) netmask: Netmask,
    pub(crate) pool: Pool,
    pub(crate) scheduler: Option<Box<dyn Scheduler>>,
    pub(crate) stats: Estimator,
    /// Which destination of the director an id of the pool is.
    pub(super) members: Vec<Option<DestinationId>>,
    /// Destinations in the pool, removed ones included.
    pub(super) pool_size: u32,
    pub(super) alive: bool,
    pub(super) sequence: u64,
}

impl ServiceState {
    /// The destination of the director that an id of the pool is.
    #[inline]
    pub(crate) fn member(&self, id: PoolId) -> DestinationId {
        self.members[id.index() as usize].expect("what is in the pool is a member")
    }

    pub(super) fn place(&mut self, id: PoolId, at: DestinationId) {
        let index = id.index() as usize;
        if self.members.len() <= index {
            self.members.resize(index + 1, None);
        }
        self.members[index] = Some(at);
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

impl ServiceTable {
    pub(crate) fn add_service(
        &mut self,
        request: &ServiceRequest,
        options: &EmbeddedOptions,
        now: Moment,
    ) -> Result<(), Errno> {
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
            AddressFamily::Ipv4 => Family::V4,
            AddressFamily::Ipv6 => Family::V6,
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
            pool_size: 0,
            alive: true,
            sequence: self.sequence,
        };
        let at = match self.free_services.pop() {
            Some(at) => {
                self.services[at.index()] = state;
                at
            }
            None => {
                self.services.push(state);
                ServiceId::new((self.services.len() - 1) as u32)
            }
        };
        self.by_key.insert(key, at);
        let place = self.place(&key, self.sequence, options);
        self.order.insert(place, at);
        match key.port() {
            0 => self.portless += 1,
            21 => self.ftp += 1,
            _ => {}
        }
        self.of_family[usize::from(key.family() == AddressFamily::Ipv6)] += 1;
        self.bind(at, request.scheduler, scheduler, now).expect("an empty pool suits every scheduler");
        Ok(())
    }

    pub(crate) fn update_service(
        &mut self,
        request: &ServiceRequest,
        options: &EmbeddedOptions,
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
        options: &EmbeddedOptions,
    ) -> Result<Option<Box<dyn Scheduler>>, Errno> {
        if name == SchedulerName::NONE {
            return Ok(None);
        }
        if !options.schedulers.contains(&name) {
            return Err(Errno::ENOENT);
        }
        match &options.draws {
            Some(draws) if name.as_str() == "twos" => Ok(Some(Box::new(Twos::new(draws.clone())))),
            _ => by_name(name.as_str(), &scheduling(options, flags)).map(Some).ok_or(Errno::ENOENT),
        }
    }

    /// Binds a scheduler in place of the present one. If it refuses, the present one is bound
    /// afresh.
    fn bind(
        &mut self,
        at: ServiceId,
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
        let ticks = scheduler.as_ref().is_some_and(|new| new.has_timer());
        service.scheduler = scheduler;
        service.scheduler_name = name;
        self.ticking.retain(|ticking| *ticking != at);
        if ticks {
            self.ticking.push(at);
        }
        Ok(())
    }

    /// Tells the schedulers of changed settings.
    pub(crate) fn reconfigure(&mut self, options: &EmbeddedOptions) {
        for service in self.services.iter_mut().filter(|service| service.alive) {
            if let Some(scheduler) = &mut service.scheduler {
                scheduler.reconfigured(&scheduling(options, service.flags));
            }
        }
    }

    pub(crate) fn remove_service(
        &mut self,
        key: &ServiceKey,
        options: &EmbeddedOptions,
        now: Moment,
    ) -> Result<(), Errno> {
        let at = self.named(key, options)?;
        self.unlink_service(at, options, now);
        Ok(())
    }

    fn unlink_service(&mut self, at: ServiceId, options: &EmbeddedOptions, now: Moment) {
        let service = self.service(at);
        let place = self.place(&service.key, service.sequence, options);
        let service = &mut self.services[at.index()];
        let key = service.key;
        service.scheduler = None;
        service.alive = false;
        self.by_key.remove(&key);
        self.order.remove(&place);
        self.ticking.retain(|ticking| *ticking != at);
        match key.port() {
            0 => self.portless -= 1,
            21 => self.ftp -= 1,
            _ => {}
        }
        self.of_family[usize::from(key.family() == AddressFamily::Ipv6)] -= 1;
        let listed: Vec<PoolId> = service.pool.iter().collect();
        for id in listed {
            let destination = self.service(at).member(id);
            self.discard(destination, now);
        }
        self.free_if_unused(at);
    }

    pub(crate) fn flush(&mut self, options: &EmbeddedOptions, now: Moment) {
        let all: Vec<ServiceId> = self.iter().collect();
        for at in all {
            self.unlink_service(at, options, now);
        }
    }

    pub(super) fn free_if_unused(&mut self, at: ServiceId) {
        let service = self.service(at);
        if !service.alive && service.pool_size == 0 {
            self.free_services.push(at);
        }
    }

    pub(crate) fn zero_service(&mut self, at: ServiceId, now: Moment) {
        let Self { services, destinations, .. } = self;
        let service = &mut services[at.index()];
        for id in &service.pool {
            destinations[service.member(id).index()].stats.zero(now.pass);
        }
        service.stats.zero(now.pass);
    }

    pub(crate) fn service_entry(&mut self, at: ServiceId, now: Moment) -> ServiceEntry {
        let service = self.service_mut(at);
        let stats = service.stats.stats(now.pass);
        let mut entry = ServiceEntry::new(service.service(now.hz));
        entry.stats = Some(stats.truncated());
        entry.stats64 = Some(stats);
        entry
    }
}

fn check_engine(engine: Option<EngineName>, options: &EmbeddedOptions) -> Result<(), Errno> {
    match engine {
        Some(engine) if !options.engines.contains(&engine) => Err(Errno::ENOENT),
        _ => Ok(()),
    }
}

fn scheduling(options: &EmbeddedOptions, flags: ServiceFlags) -> crate::schedulers::SchedulerOptions {
    let mut scheduling = options.scheduling.with_flags(flags.bits());
    scheduling.lblc_expiration = u64::from(options.settings.lblc_expiration) * 1000;
    scheduling.lblcr_expiration = u64::from(options.settings.lblcr_expiration) * 1000;
    scheduling
}
