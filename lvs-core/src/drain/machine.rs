use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::{DrainError, DrainPolicy, DrainTarget};
use crate::director::Operation;
use crate::model::{Destination, DestinationEntry, DestinationKey, ServiceKey, ServiceSnapshot, Snapshot, Table};

/// What a destination still holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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

impl Remaining {
    const fn of(service: ServiceKey, entry: &DestinationEntry) -> Self {
        Self {
            service,
            destination: entry.destination.key,
            active: entry.active,
            inactive: entry.inactive,
            persistent: entry.persistent,
        }
    }

    /// Whether it holds nothing any more.
    pub const fn is_empty(&self) -> bool {
        self.active == 0 && self.inactive == 0 && self.persistent == 0
    }
}

/// What one look at the table came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[must_use = "the operations have to be applied"]
#[non_exhaustive]
pub struct DrainProgress {
    /// What is due now; the caller applies it.
    pub operations: Vec<Operation>,
    /// What is being waited for.
    pub waiting: Vec<Remaining>,
    /// What is cut by these operations because the deadline passed, with what it still holds.
    pub cut: Vec<Remaining>,
    /// What these operations remove, or the deadline leaves quiesced, while it still holds
    /// something that is not waited for.
    pub left_behind: Vec<Remaining>,
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
    /// Those that this drain has removed, to come back if it is cancelled.
    removed: HashSet<(ServiceKey, DestinationKey)>,
}

impl Drain {
    /// A drain that has not begun.
    pub fn new(target: DrainTarget, policy: DrainPolicy) -> Self {
        Self { target, policy, started: None, before: HashMap::new(), removed: HashSet::new() }
    }

    /// The same after a restart: the weights that [`Drain::cancel`] goes back to are those of this
    /// table, where the director holds 0.
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

    /// Finds a target that is not there: a typing error, perhaps, and the server meant still
    /// serves. For the first look; what goes later has gone.
    ///
    /// # Errors
    /// [`DrainError::NotFound`]; [`DrainError::Incomplete`] when the snapshot may have passed it
    /// over.
    pub fn check(&self, snapshot: &Snapshot) -> Result<(), DrainError> {
        match self.target.is_in(snapshot) {
            true => Ok(()),
            false if self.target.may_be_hidden(snapshot) => Err(DrainError::Incomplete(self.target)),
            false => Err(DrainError::NotFound(self.target)),
        }
    }

    /// What is taken out.
    pub const fn target(&self) -> DrainTarget {
        self.target
    }

    /// Looks at the table at a time (any clock that does not run backwards) and says what is due.
    ///
    /// Applying the operations and looking again is safe in any rhythm: what was refused or lost
    /// comes again. It is never over on a snapshot that may lack something of the target: such a
    /// one is looked at again later.
    pub fn step(&mut self, snapshot: &Snapshot, now: Duration) -> DrainProgress {
        let started = *self.started.get_or_insert(now);
        let expired = self.policy.deadline.is_some_and(|deadline| now.saturating_sub(started) >= deadline);
        let mut progress = DrainProgress::default();
        for service in &snapshot.services {
            let hidden = !snapshot.complete.of(service.entry.service.key().family());
            self.step_service(service, expired, hidden, &mut progress);
        }
        let hidden = self.target.may_be_hidden(snapshot);
        progress.done = progress.operations.is_empty() && progress.waiting.is_empty() && !hidden;
        progress
    }

    /// `hidden`: more destinations than the snapshot shows may be there.
    fn step_service(&mut self, service: &ServiceSnapshot, expired: bool, hidden: bool, progress: &mut DrainProgress) {
        let key = service.entry.service.key();
        let waiting_before = progress.waiting.len();
        let mut going = Vec::new();
        for entry in service.destinations.iter().filter(|e| self.target.covers(&key, &e.destination.key)) {
            let destination = entry.destination;
            let remaining = Remaining::of(key, entry);
            if destination.weight != 0 {
                self.before.insert((key, destination.key), destination);
                progress.operations.push(Operation::UpdateDestination(key, destination.with_weight(0)));
                progress.waiting.push(remaining);
                continue;
            }
            self.before.entry((key, destination.key)).or_insert(destination);
            match self.policy.wait_for(&key).is_over(entry) {
                true => going.push((remaining, false)),
                false if expired => going.push((remaining, true)),
                false => progress.waiting.push(remaining),
            }
        }
        let is_service = matches!(self.target, DrainTarget::Service(target) if target == key);
        // A service goes when its last destination may: until then none is taken from it, so that
        // persistent clients keep their server.
        if is_service && (progress.waiting.len() > waiting_before || hidden) {
            return;
        }
        for (remaining, is_cut) in going {
            match is_cut && self.policy.remove {
                true => progress.cut.push(remaining),
                false if !remaining.is_empty() => progress.left_behind.push(remaining),
                false => {}
            }
            if self.policy.remove && !is_service {
                self.removed.insert((key, remaining.destination));
                progress.operations.push(Operation::RemoveDestination(key, remaining.destination));
            }
        }
        if self.policy.remove && is_service {
            progress.operations.push(Operation::RemoveService(key));
        }
    }

    /// Gives up: what goes back to its weight, and what comes back into a service that is still
    /// there.
    ///
    /// What other programs changed since then stays changed; only a weight of 0, and what this
    /// drain removed, is taken back. What an incomplete snapshot does not show goes back to all
    /// that it was.
    #[must_use = "the operations have to be applied"]
    pub fn cancel(&mut self, snapshot: &Snapshot) -> Vec<Operation> {
        let mut operations = Vec::new();
        let mut shown = HashSet::new();
        for service in &snapshot.services {
            let key = service.entry.service.key();
            shown.extend(service.destinations.iter().map(|entry| (key, entry.destination.key)));
            let present: HashSet<DestinationKey> = service.destinations.iter().map(|e| e.destination.key).collect();
            for entry in &service.destinations {
                let now = entry.destination;
                if let Some(before) = self.before.get(&(key, now.key))
                    && now.weight == 0
                    && before.weight != 0
                {
                    operations.push(Operation::UpdateDestination(key, now.with_weight(before.weight)));
                }
            }
            let missing = self.removed.iter().filter(|(of, server)| *of == key && !present.contains(server));
            let back = missing.filter_map(|place| self.before.get(place));
            operations.extend(back.map(|before| Operation::AddDestination(key, *before)));
        }
        let unseen = self.before.iter().filter(|(place, before)| {
            before.weight != 0
                && !snapshot.complete.of(place.0.family())
                && !shown.contains(place)
                && !self.removed.contains(place)
        });
        operations.extend(unseen.map(|((key, _), before)| Operation::UpdateDestination(*key, *before)));
        self.started = None;
        self.removed.clear();
        operations
    }
}
