use std::collections::TryReserveError;

use super::{PlanError, Planner, Scope};
use crate::memory;
use crate::model::{
    Daemon, DaemonRole, Destination, Operation, OperationKind, ServiceKey, Table, TableService, Timeouts,
};

/// The order of things inside a service, and in the whole plan.
///
/// The steps of a phase run before those of the next one. What a refusal holds up, [`Plan::apply`]
/// says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
// Exhaustive: the order is the point of a plan.
pub enum Phase {
    /// Daemons that are not wanted, or not so, stop: while one runs the kernel takes no destination
    /// of the other family.
    StopDaemons,
    /// Services and destinations appear, weights rise from 0.
    Add,
    /// Everything else of services and destinations changes.
    Change,
    /// Destinations are quiesced where others, in use before the plan and after it, go on serving.
    Quiesce,
    /// Other destinations are quiesced, destinations and services disappear.
    Remove,
    /// Timeouts are set and daemons start.
    Settle,
}

impl Phase {
    /// In the order in which they run.
    const ALL: [Self; 6] = [Self::StopDaemons, Self::Add, Self::Change, Self::Quiesce, Self::Remove, Self::Settle];
}

/// One operation of a plan and what takes it back.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
// Exhaustive: three parts with names.
pub struct Step {
    /// When it runs.
    pub phase: Phase,
    /// What it does.
    pub operation: Operation,
    /// What undoes it, in order. A service or destination that comes back is at the head of its
    /// list again and its counters start from what the director still remembers.
    pub undo: Vec<Operation>,
}

/// The ordered operations that turn one table into another.
///
/// Displayed, it is a list of what it adds (`+`), changes (`~`, with what it was) and removes
/// (`-`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use = "a plan does nothing until it is applied"]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Plan {
    pub(super) steps: Vec<Step>,
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    withheld: Vec<Operation>,
}

/// Kinds of operations, a bit each.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kinds(u16);

impl Kinds {
    const fn has(self, kind: OperationKind) -> bool {
        self.0 & (1 << kind as u16) != 0
    }
}

impl FromIterator<OperationKind> for Kinds {
    fn from_iter<I: IntoIterator<Item = OperationKind>>(kinds: I) -> Self {
        Self(kinds.into_iter().fold(0, |bits, kind| bits | 1 << kind as u16))
    }
}

impl Plan {
    /// The smallest plan from what is there to what is wanted, within a scope.
    /// [`Planner`](super::Planner) has more to choose.
    ///
    /// # Errors
    /// Those of [`Planner::plan`](super::Planner::plan).
    pub fn between(current: &Table, wanted: &Table, scope: &Scope) -> Result<Self, PlanError> {
        Planner::new(scope).plan(current, wanted)
    }

    /// The plan that brings back what was there before, within a scope: whatever that was, and
    /// whatever else others have put there. `before` is usually a snapshot's
    /// [`to_table`](crate::model::Snapshot::to_table).
    ///
    /// # Errors
    /// Only [`PlanError::Incomplete`]: reading the current table again helps.
    pub fn rollback(current: &Table, before: &Table, scope: &Scope) -> Result<Self, PlanError> {
        Self::difference(current, &before.try_restricted_to(scope)?, scope, None)
    }

    /// The difference itself, of tables without duplicates and within the scope, as far as it is
    /// allowed.
    pub(super) fn difference(
        current: &Table,
        wanted: &Table,
        scope: &Scope,
        allowed: Option<Kinds>,
    ) -> Result<Self, PlanError> {
        let mut plan = Self::default();
        plan.daemons(current, wanted)?;
        let present = memory::map(current.services.iter().map(|entry| (entry.service.key(), entry)))?;
        for entry in &wanted.services {
            match present.get(&entry.service.key()) {
                None => plan.add_service(entry)?,
                Some(old) => plan.change_service(old, entry)?,
            }
        }
        let kept = memory::set(wanted.services.iter().map(|entry| entry.service.key()))?;
        for entry in &current.services {
            let key = entry.service.key();
            if !kept.contains(&key) && scope.owns(&key) {
                plan.remove_service(entry)?;
            }
        }
        plan.timeouts(current.timeouts, wanted.timeouts)?;
        if let Some(allowed) = allowed {
            plan.withhold(allowed)?;
        }
        let removed = plan.operations().filter_map(|operation| match operation {
            Operation::RemoveService(key) | Operation::RemoveDestination(key, _) => Some(key.family()),
            _ => None,
        });
        if let Some(family) = removed.into_iter().find(|family| !current.complete.of(*family)) {
            return Err(PlanError::Incomplete(family));
        }
        // Stable: inside a phase, a service comes before its destinations as pushed above.
        // The sort of the standard library that is stable aborts without memory.
        let mut steps = Vec::new();
        steps.try_reserve_exact(plan.steps.len())?;
        for phase in Phase::ALL {
            steps.extend(plan.steps.extract_if(.., |step| step.phase == phase));
        }
        Ok(Self { steps, withheld: plan.withheld })
    }

    /// Takes out what is not allowed, before the steps are sorted: a service still comes before its
    /// destinations.
    fn withhold(&mut self, allowed: Kinds) -> Result<(), TryReserveError> {
        let missing = |step: &Step| match step.operation {
            Operation::AddService(service) => Some(service.key()),
            _ => None,
        };
        let missing = if allowed.has(OperationKind::AddService) {
            memory::set(std::iter::empty())?
        } else {
            memory::set(self.steps.iter().filter_map(missing))?
        };
        self.withheld.try_reserve_exact(self.steps.len())?;
        let withheld = self.steps.extract_if(.., |step| match &step.operation {
            Operation::AddDestination(key, _) if missing.contains(key) => true,
            operation => !allowed.has(operation.kind()),
        });
        self.withheld.extend(withheld.map(|step| step.operation));
        Ok(())
    }

    /// The steps in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What the plan would do beside its steps if that were allowed, see
    /// [`Planner::allowing`](super::Planner::allowing).
    pub fn withheld(&self) -> &[Operation] {
        &self.withheld
    }

    /// The operations in order.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.steps.iter().map(|step| &step.operation)
    }

    /// Whether there is nothing to do, but for what is withheld.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// How many steps there are.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether it changes what a table read again
    /// ([`Director::snapshot_after`](crate::Director::snapshot_after)) may not show.
    pub(super) fn changes_what_may_be_hidden(&self) -> bool {
        self.steps.iter().any(|step| match (&step.operation, step.undo.first()) {
            (Operation::UpdateService(new), Some(Operation::UpdateService(old))) => new.engine != old.engine,
            (Operation::UpdateDestination(_, new), Some(Operation::UpdateDestination(_, old))) => {
                new.tunnel != old.tunnel
            }
            _ => false,
        })
    }

    fn push(&mut self, phase: Phase, operation: Operation, undo: Vec<Operation>) -> Result<(), TryReserveError> {
        memory::push(&mut self.steps, Step { phase, operation, undo })
    }

    fn add_service(&mut self, entry: &TableService) -> Result<(), TryReserveError> {
        let key = entry.service.key();
        let undo = memory::one(Operation::RemoveService(key))?;
        self.push(Phase::Add, Operation::AddService(entry.service), undo)?;
        entry.destinations.iter().try_for_each(|destination| self.add_destination(key, *destination))
    }

    fn add_destination(&mut self, key: ServiceKey, destination: Destination) -> Result<(), TryReserveError> {
        let undo = memory::one(Operation::RemoveDestination(key, destination.key))?;
        self.push(Phase::Add, Operation::AddDestination(key, destination), undo)
    }

    fn change_service(&mut self, old: &TableService, new: &TableService) -> Result<(), TryReserveError> {
        let key = new.service.key();
        if old.service != new.service {
            let undo = memory::one(Operation::UpdateService(old.service))?;
            self.push(Phase::Change, Operation::UpdateService(new.service), undo)?;
        }
        if old.destinations == new.destinations {
            return Ok(());
        }
        let present = memory::map(old.destinations.iter().map(|destination| (destination.key, destination)))?;
        let serves_on = new.destinations.iter().any(|destination| {
            destination.weight > 0 && present.get(&destination.key).is_some_and(|before| before.weight > 0)
        });
        for destination in &new.destinations {
            match present.get(&destination.key) {
                None => self.add_destination(key, *destination)?,
                Some(before) if *before != destination => {
                    let phase = match (before.weight, destination.weight) {
                        (0, 1..) => Phase::Add,
                        (1.., 0) if serves_on => Phase::Quiesce,
                        (1.., 0) => Phase::Remove,
                        _ => Phase::Change,
                    };
                    let undo = memory::one(Operation::UpdateDestination(key, **before))?;
                    self.push(phase, Operation::UpdateDestination(key, *destination), undo)?;
                }
                Some(_) => {}
            }
        }
        let kept = memory::set(new.destinations.iter().map(|destination| destination.key))?;
        for destination in old.destinations.iter().filter(|destination| !kept.contains(&destination.key)) {
            let undo = memory::one(Operation::AddDestination(key, *destination))?;
            self.push(Phase::Remove, Operation::RemoveDestination(key, destination.key), undo)?;
        }
        Ok(())
    }

    fn remove_service(&mut self, entry: &TableService) -> Result<(), TryReserveError> {
        let key = entry.service.key();
        let destinations = entry.destinations.iter().map(|destination| Operation::AddDestination(key, *destination));
        let mut undo = Vec::new();
        undo.try_reserve_exact(1 + entry.destinations.len())?;
        undo.push(Operation::AddService(entry.service));
        undo.extend(destinations);
        self.push(Phase::Remove, Operation::RemoveService(key), undo)
    }

    fn timeouts(&mut self, current: Option<Timeouts>, wanted: Option<Timeouts>) -> Result<(), TryReserveError> {
        let Some(wanted) = wanted else { return Ok(()) };
        let now = current.unwrap_or(Timeouts { tcp: 0, tcp_fin: 0, udp: 0 });
        let differing = |wanted: u32, now: u32| if wanted == now { 0 } else { wanted };
        let change = Timeouts {
            tcp: differing(wanted.tcp, now.tcp),
            tcp_fin: differing(wanted.tcp_fin, now.tcp_fin),
            udp: differing(wanted.udp, now.udp),
        };
        if change != (Timeouts { tcp: 0, tcp_fin: 0, udp: 0 }) {
            let undo = memory::collect(current.map(Operation::SetTimeouts).into_iter())?;
            self.push(Phase::Settle, Operation::SetTimeouts(change), undo)?;
        }
        Ok(())
    }

    fn daemons(&mut self, current: &Table, wanted: &Table) -> Result<(), TryReserveError> {
        if wanted.daemons.is_empty() {
            return Ok(());
        }
        for role in [DaemonRole::Master, DaemonRole::Backup] {
            let of = |table: &Table| table.daemons.iter().find(|daemon| daemon.role == role).copied();
            let (old, new) = (of(current), of(wanted));
            if let (Some(old), Some(new)) = (old, new)
                && serves(&old, &new)
            {
                continue;
            }
            if let Some(old) = old {
                let undo = memory::one(Operation::StartDaemon(old))?;
                self.push(Phase::StopDaemons, Operation::StopDaemon(role), undo)?;
            }
            if let Some(new) = new {
                let undo = memory::one(Operation::StopDaemon(role))?;
                self.push(Phase::Settle, Operation::StartDaemon(new), undo)?;
            }
        }
        Ok(())
    }
}

/// Whether a running daemon is what is wanted; what the wanted one leaves open is the running one's
/// choice.
fn serves(running: &Daemon, wanted: &Daemon) -> bool {
    fn open_or_same<T: PartialEq>(wanted: Option<T>, running: Option<T>) -> bool {
        wanted.is_none() || wanted == running
    }
    running.role == wanted.role
        && running.interface == wanted.interface
        && running.sync_id == wanted.sync_id
        && open_or_same(wanted.max_len, running.max_len)
        && open_or_same(wanted.group, running.group)
        && open_or_same(wanted.port, running.port)
        && open_or_same(wanted.ttl, running.ttl)
}
/// Over its steps, in order.
impl<'a> IntoIterator for &'a Plan {
    type Item = &'a Step;
    type IntoIter = std::slice::Iter<'a, Step>;

    fn into_iter(self) -> Self::IntoIter {
        self.steps.iter()
    }
}
