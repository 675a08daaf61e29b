//! The trash: where removed destinations wait for their connections to end, or for their return.

use super::super::ids::{DestinationId, ServiceId};
use super::{Moment, ServiceState, ServiceTable};

/// How long a deleted destination that nobody uses is kept, in seconds.
const TRASH_PERIOD: u64 = 120;
/// How often the trash is looked through, in seconds.
pub(crate) const CHECK: u64 = TRASH_PERIOD / 2;

/// What a look through the trash has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TrashState {
    /// Nothing is left in it.
    Empty,
    /// Some destination is idle and waits for its time.
    Waiting,
    /// All destinations are in use.
    InUse,
}

impl ServiceTable {
    /// Takes a destination back from the trash, into the pool of `service` if it is in another
    /// one's.
    pub(super) fn resurrect(&mut self, at: DestinationId, service: ServiceId, now: Moment) {
        let destination = &mut self.destinations[at.index()];
        destination.stats.resume(now.pass);
        let former = destination.service;
        if former != service {
            // The service was removed and made again: the connections stay, the counters don't.
            destination.stats.zero(now.pass);
            let object = self.services[former.index()].pool.release(destination.id);
            destination.id =
                self.services[service.index()].pool.adopt(object).expect("what is in the trash is in no other pool");
            destination.service = service;
            self.services[former.index()].pool_size -= 1;
            self.services[service.index()].pool_size += 1;
            self.free_if_unused(former);
        }
    }

    /// Takes a destination off its service's list and puts it into the trash.
    pub(super) fn discard(&mut self, at: DestinationId, now: Moment) {
        let destination = &mut self.destinations[at.index()];
        let ServiceState { pool, scheduler, key, .. } = &mut self.services[destination.service.index()];
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
        self.trash.insert((*key, destination.config.key), at);
    }

    /// Looks through the trash: what has been unused for two minutes since it was first found so
    /// goes.
    pub(crate) fn check_trash(&mut self, now: Moment) -> TrashState {
        let mut waiting = false;
        let Self { trash, destinations, services, free_destinations, free_services, .. } = self;
        trash.retain(|_, at| {
            let destination = &mut destinations[at.index()];
            let service = &mut services[destination.service.index()];
            let held = service.scheduler.as_ref().is_some_and(|scheduler| scheduler.holds(destination.id));
            if destination.users > 0 || held {
                return true;
            }
            match destination.idle_since {
                None => {
                    destination.idle_since = Some(now.tick);
                    waiting = true;
                    true
                }
                Some(since) if now.tick < since + TRASH_PERIOD * now.hz => {
                    waiting = true;
                    true
                }
                Some(_) => {
                    service.pool.release(destination.id);
                    free_destinations.push(*at);
                    service.pool_size -= 1;
                    if !service.alive && service.pool_size == 0 {
                        free_services.push(destination.service);
                    }
                    false
                }
            }
        });
        match (self.trash.is_empty(), waiting) {
            (true, _) => TrashState::Empty,
            (false, true) => TrashState::Waiting,
            (false, false) => TrashState::InUse,
        }
    }
}
