use std::collections::{HashMap, HashSet};

use super::outcome::{Held, OnFailure, Outcome};
use super::{Phase, Plan, Step};
use crate::director::{Cause, Director, OnRefusal, Operation, Refusal};
use crate::model::{DaemonRole, ServiceKey};
use crate::trace;

/// What belongs together: a refusal of one never touches another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Group {
    Service(ServiceKey),
    Daemon(DaemonRole),
    Timeouts,
}

impl Group {
    const fn of(operation: &Operation) -> Self {
        match (operation.service_key(), operation.daemon_role()) {
            (Some(key), _) => Self::Service(key),
            (None, Some(role)) => Self::Daemon(role),
            // Of the rest, plans have nothing else.
            (None, None) => Self::Timeouts,
        }
    }
}

/// What has been refused so far, as far as later steps depend on it.
#[derive(Debug, Default)]
struct Refused {
    /// The first refused step of each group.
    any: HashMap<Group, usize>,
    /// The first step that was to make a service serve, or a daemon stop, and did not.
    essential: HashMap<Group, usize>,
    /// Services that the plan adds.
    new: HashSet<ServiceKey>,
    /// Those of them that could not be added at all.
    missing: HashMap<ServiceKey, usize>,
    /// Those of them that could not be added, or not completely.
    lacking: Vec<(ServiceKey, usize)>,
}

impl Refused {
    fn of(plan: &Plan) -> Self {
        let added = plan.operations().filter_map(|operation| match operation {
            Operation::AddService(service) => Some(service.key()),
            _ => None,
        });
        Self { new: added.collect(), ..Self::default() }
    }

    fn note(&mut self, index: usize, step: &Step) {
        let group = Group::of(&step.operation);
        self.any.entry(group).or_insert(index);
        if matches!(step.phase, Phase::Add | Phase::StopDaemons) {
            self.essential.entry(group).or_insert(index);
        }
        if let Group::Service(key) = group
            && self.new.contains(&key)
        {
            self.lacking.push((key, index));
            if matches!(step.operation, Operation::AddService(_)) {
                self.missing.insert(key, index);
            }
        }
    }

    /// The refused step because of which a step must not be carried out.
    fn holds(&self, step: &Step, on_failure: OnFailure) -> Option<usize> {
        let group = Group::of(&step.operation);
        if on_failure == OnFailure::UndoService
            && let Some(&because) = self.any.get(&group)
        {
            return Some(because);
        }
        match (step.phase, &step.operation) {
            (_, Operation::RemoveService(key)) => {
                let replacement = self.lacking.iter().find(|(added, _)| may_replace(key, added));
                replacement.map(|&(_, because)| because)
            }
            // What is taken from a service may be what the missing addition was to stand in for.
            (Phase::Remove, _) | (Phase::Settle, Operation::StartDaemon(_)) => self.essential.get(&group).copied(),
            _ => None,
        }
    }
}

/// Whether clients of a service that goes may be meant to use one that comes: it has the same
/// address, or one of them is a firewall mark, whose addresses nobody knows.
fn may_replace(gone: &ServiceKey, new: &ServiceKey) -> bool {
    match (gone, new) {
        (ServiceKey::Endpoint { addr: gone, .. }, ServiceKey::Endpoint { addr: new, .. }) => gone == new,
        _ => gone.family() == new.family(),
    }
}

impl Plan {
    /// Carries the plan out, one batch a phase.
    ///
    /// A refused step holds up what depends on it and nothing else: in its service, nothing is
    /// removed when something could not be added; other services go on. A service that goes stays
    /// if one that may replace it (of the same address, or a firewall mark) could not be added
    /// completely. What was held up is in the outcome with its reason.
    ///
    /// With [`OnFailure::Undo`] no further phase is begun after a refusal.
    pub fn apply<D: Director + ?Sized>(&self, director: &mut D, on_failure: OnFailure) -> Outcome {
        let mut outcome = Outcome::of(self.len());
        let mut refused = Refused::of(self);
        let mut first = 0;
        for phase in self.steps.chunk_by(|a, b| a.phase == b.phase) {
            self.run(first..first + phase.len(), director, on_failure, &mut refused, &mut outcome);
            first += phase.len();
            let gives_up = on_failure == OnFailure::Undo && !outcome.refused.is_empty();
            if gives_up || outcome.interrupted.is_some() {
                break;
            }
        }
        if !outcome.is_complete() {
            let whole = |_: &Step| true;
            let broken = |step: &Step| refused.any.contains_key(&Group::of(&step.operation));
            match on_failure {
                OnFailure::Keep => {}
                OnFailure::UndoService => self.undo(director, broken, &mut outcome),
                OnFailure::Undo => self.undo(director, whole, &mut outcome),
            }
        }
        trace::planned(self.len(), &outcome);
        outcome
    }

    /// Runs the steps of a phase that nothing holds up.
    fn run<D: Director + ?Sized>(
        &self,
        steps: std::ops::Range<usize>,
        director: &mut D,
        on_failure: OnFailure,
        refused: &mut Refused,
        outcome: &mut Outcome,
    ) {
        let mut due = Vec::with_capacity(steps.len());
        for index in steps {
            match refused.holds(&self.steps[index], on_failure) {
                Some(because) => outcome.held.push(Held { step: index, because }),
                None => due.push(index),
            }
        }
        let operations: Vec<Operation> = due.iter().map(|&index| self.steps[index].operation).collect();
        let report = director.apply(&operations, OnRefusal::Continue);
        let mut refusals = report.refused.into_iter().peekable();
        for (place, &index) in due.iter().enumerate().take(report.answered) {
            match refusals.next_if(|refusal| refusal.index == place) {
                None => outcome.done.push(index),
                Some(refusal) => self.refuse(index, Refusal { index, ..refusal }, refused, outcome),
            }
        }
        outcome.interrupted = report.interrupted;
    }

    fn refuse(&self, index: usize, refusal: Refusal, refused: &mut Refused, outcome: &mut Outcome) {
        let step = &self.steps[index];
        // The destinations of a service that could not be added are no refusals of their own.
        if refusal.error.cause == Cause::ServiceNotFound
            && let Group::Service(key) = Group::of(&step.operation)
            && let Some(&because) = refused.missing.get(&key)
        {
            outcome.held.push(Held { step: index, because });
            return;
        }
        refused.note(index, step);
        outcome.refused.push(refusal);
    }

    /// Undoes the steps done that are meant, last first.
    fn undo<D: Director + ?Sized>(&self, director: &mut D, is_meant: impl Fn(&Step) -> bool, outcome: &mut Outcome) {
        let steps: Vec<usize> =
            outcome.done.iter().rev().copied().filter(|&index| is_meant(&self.steps[index])).collect();
        let operations: Vec<(usize, Operation)> =
            steps.iter().flat_map(|&index| self.steps[index].undo.iter().map(move |undo| (index, *undo))).collect();
        let report = director.apply(&operations.iter().map(|(_, undo)| *undo).collect::<Vec<_>>(), OnRefusal::Continue);
        let mut kept: HashSet<usize> = operations[report.answered..].iter().map(|(index, _)| *index).collect();
        kept.extend(report.refused.iter().map(|refusal| operations[refusal.index].0));
        outcome.undone = steps.into_iter().filter(|index| !kept.contains(index)).collect();
        outcome.undo_refused = report.refused.into_iter().map(|refusal| refusal.error).collect();
        outcome.interrupted = outcome.interrupted.take().or(report.interrupted);
    }
}
