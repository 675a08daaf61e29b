//! Destinations: what a command makes of them.

use std::collections::TryReserveError;

use super::super::estimator::Estimator;
use super::super::ids::{DestinationId, ServiceId};
use super::super::options::EmbeddedOptions;
use super::{Moment, ServiceState, ServiceTable};
use crate::errno::Errno;
use crate::memory;
use crate::model::{Destination, DestinationEntry, DestinationKey, ForwardingMethod, ServiceKey, TunnelKind};
use crate::schedulers::{DestinationId as PoolId, NewDestination, Profile};

/// A destination, listed or in the trash.
#[derive(Debug, Clone)]
pub(crate) struct DestinationState {
    /// The service whose pool it is in.
    pub(crate) service: ServiceId,
    pub(crate) id: PoolId,
    pub(crate) config: Destination,
    pub(crate) stats: Estimator,
    /// Connections and templates that point here.
    pub(super) users: u32,
    /// On its service's list, that is not in the trash.
    pub(super) listed: bool,
    /// In the trash: when it was first found idle.
    pub(super) idle_since: Option<u64>,
}

impl ServiceTable {
    fn check_destination(
        &self,
        service: ServiceId,
        destination: &Destination,
        synchronised: bool,
        options: &EmbeddedOptions,
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
        if options.profile != Profile::Old && destination.upper_threshold > i32::MAX as u32 {
            return Err(Errno::EINVAL);
        }
        if destination.tunnel.kind == TunnelKind::Gue && destination.tunnel.port == 0 {
            return Err(Errno::EINVAL);
        }
        Ok(())
    }

    pub(crate) fn add_destination(
        &mut self,
        key: &ServiceKey,
        destination: &Destination,
        synchronised: bool,
        options: &EmbeddedOptions,
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
                self.destinations[at.index()].config = *destination;
                at
            }
            None if options.takes_destination(addr) => {
                let state = DestinationState {
                    service,
                    id: PoolId::new(0),
                    config: *destination,
                    stats: Estimator::starting(now.pass),
                    users: 0,
                    idle_since: None,
                    listed: false,
                };
                self.services[service.index()].pool_size += 1;
                match self.free_destinations.pop() {
                    Some(at) => {
                        self.destinations[at.index()] = state;
                        at
                    }
                    None => {
                        self.destinations.push(state);
                        DestinationId::new((self.destinations.len() - 1) as u32)
                    }
                }
            }
            None => return Err(Errno::EINVAL),
        };
        let ServiceState { pool, scheduler, .. } = &mut self.services[service.index()];
        let new = NewDestination::new(addr, port, destination.weight as i32)
            .with_thresholds(destination.upper_threshold, destination.lower_threshold);
        let id = pool.insert(new).expect("it was looked for");
        if let Some(scheduler) = scheduler {
            scheduler.added(pool, id);
        }
        self.services[service.index()].place(id, at);
        self.destinations[at.index()].id = id;
        self.destinations[at.index()].listed = true;
        if destination.key.family() != key.family() {
            self.mixed += 1;
        }
        Ok(())
    }

    pub(crate) fn update_destination(
        &mut self,
        key: &ServiceKey,
        destination: &Destination,
        synchronised: bool,
        options: &EmbeddedOptions,
    ) -> Result<(), Errno> {
        let service = self.named(key, options)?;
        self.check_destination(service, destination, synchronised, options)?;
        let DestinationKey { addr, port } = destination.key;
        let ServiceState { pool, scheduler, members, .. } = &mut self.services[service.index()];
        let id = pool.find(addr, port).ok_or(Errno::ENOENT)?;
        pool.set_weight(id, destination.weight as i32);
        pool.set_thresholds(id, destination.upper_threshold, destination.lower_threshold);
        if let Some(scheduler) = scheduler {
            scheduler.edited(pool, id);
        }
        let at = members[id.index() as usize].expect("a listed destination is a member");
        self.destinations[at.index()].config = *destination;
        Ok(())
    }

    pub(crate) fn remove_destination(
        &mut self,
        key: &ServiceKey,
        destination: &DestinationKey,
        options: &EmbeddedOptions,
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

    /// The destinations of a service, in list order.
    pub(crate) fn destination_entries(
        &mut self,
        at: ServiceId,
        now: Moment,
    ) -> Result<Vec<DestinationEntry>, TryReserveError> {
        self.destination_entries_from(at, now, 0, usize::MAX)
    }

    /// At most `most` of them, after skipping the first `first`.
    pub(crate) fn destination_entries_from(
        &mut self,
        at: ServiceId,
        now: Moment,
        first: usize,
        most: usize,
    ) -> Result<Vec<DestinationEntry>, TryReserveError> {
        let Self { services, destinations, .. } = self;
        let service = &services[at.index()];
        let entry = |id: PoolId| {
            let destination = &mut destinations[service.member(id).index()];
            let stats = destination.stats.stats(now.pass);
            let mut entry = DestinationEntry::new(destination.config);
            entry.active = service.pool.active(id) as u32;
            entry.inactive = service.pool.inactive(id) as u32;
            entry.persistent = service.pool.persistent(id) as u32;
            entry.stats = Some(stats.truncated());
            entry.stats64 = Some(stats);
            entry
        };
        memory::collect(service.pool.iter().skip(first).take(most).map(entry))
    }
}
