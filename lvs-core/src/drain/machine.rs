use std::collections::HashMap;
use std::time::Duration;

use super::{DrainPolicy, DrainTarget};
use crate::director::Operation;
use crate::model::{Destination, DestinationKey, ServiceKey, Snapshot, Table};

/// What a destination still holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
// Exhaustive: whose, and the three counters of a destination.
pub struct Remaining {
    /// The service.
    pub service: ServiceKey,
    /// The destination.
    pub destination: DestinationKey,
    /// Active connections.
    pub active: u32,
    /// Inactive connections.
    pub inactive: u32,
    /// Persistence templates.
    pub persistent: u32,
}

/// What one look at the table came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct DrainProgress {
    /// What is due now; the caller applies it.
    pub operations: Vec<Operation>,
    /// What is being waited for.
    pub waiting: Vec<Remaining>,
    /// What was cut because the deadline passed, with what it still held.
    pub cut: Vec<Remaining>,
    /// Whether nothing of the target is left to be done: the drain is over.
    pub done: bool,
}

/// A drain under way: pure state, see the [module](super).
#[derive(Debug, Clone)]
pub struct Drain {
    target: DrainTarget,
    policy: DrainPolicy,
    started: Option<Duration>,
    /// The destinations as they were before this drain quiesced them.
    before: HashMap<(ServiceKey, DestinationKey), Destination>,
}

impl Drain {
    /// A drain that has not begun.
    pub fn new(target: DrainTarget, policy: DrainPolicy) -> Self {
        Self { target, policy, started: None, before: HashMap::new() }
    }

    /// The same after a restart: the weights that [`Drain::cancel`] goes back to are those of this table, where the
    /// director holds 0.
    #[must_use]
    pub fn resuming(mut self, table: &Table) -> Self {
        for entry in &table.services {
            let service = entry.service.key();
            for destination in &entry.destinations {
                if destination.weight != 0 && self.target.covers(&service, &destination.key) {
                    self.before.insert((service, destination.key), *destination);
                }
            }
        }
        self
    }

    /// What is taken out.
    pub const fn target(&self) -> DrainTarget {
        self.target
    }

    /// Looks at the table at a time (any clock that does not run backwards) and says what is due.
    ///
    /// Applying the operations and looking again is safe in any rhythm: what was refused or lost comes again.
    pub fn step(&mut self, snapshot: &Snapshot, now: Duration) -> DrainProgress {
        let started = *self.started.get_or_insert(now);
        let expired = self.policy.deadline.is_some_and(|deadline| now.saturating_sub(started) >= deadline);
        let mut progress = DrainProgress::default();
        for service in &snapshot.services {
            let key = service.entry.service.key();
            let mut left = 0;
            let mut going = Vec::new();
            for entry in service.destinations.iter().filter(|e| self.target.covers(&key, &e.destination.key)) {
                let destination = entry.destination;
                let remaining = Remaining {
                    service: key,
                    destination: destination.key,
                    active: entry.active,
                    inactive: entry.inactive,
                    persistent: entry.persistent,
                };
                if destination.weight != 0 {
                    self.before.insert((key, destination.key), destination);
                    progress.operations.push(Operation::UpdateDestination(key, destination.with_weight(0)));
                    progress.waiting.push(remaining);
                    left += 1;
                } else if self.policy.wait_for(&key).is_over(entry) {
                    going.push(Operation::RemoveDestination(key, destination.key));
                } else if expired {
                    progress.cut.push(remaining);
                    going.push(Operation::RemoveDestination(key, destination.key));
                } else {
                    progress.waiting.push(remaining);
                    left += 1;
                }
            }
            if !self.policy.remove {
                continue;
            }
            match self.target {
                // The service goes when its last destination may: until then none is taken from it, so that persistent
                // clients keep their server.
                DrainTarget::Service(target) if target == key => {
                    if left == 0 {
                        progress.operations.push(Operation::RemoveService(key));
                    }
                }
                _ => progress.operations.extend(going),
            }
        }
        progress.done = progress.operations.is_empty() && progress.waiting.is_empty();
        progress
    }

    /// Gives up: what goes back to its weight, as far as it is still there.
    ///
    /// What other programs changed since then stays changed; only a weight of 0 is taken back.
    pub fn cancel(&mut self, snapshot: &Snapshot) -> Vec<Operation> {
        let mut operations = Vec::new();
        for service in &snapshot.services {
            let key = service.entry.service.key();
            for entry in &service.destinations {
                let now = entry.destination;
                if let Some(before) = self.before.get(&(key, now.key))
                    && now.weight == 0
                {
                    operations.push(Operation::UpdateDestination(key, now.with_weight(before.weight)));
                }
            }
        }
        self.started = None;
        operations
    }
}
