use super::{Plan, PlanError, Scope, Step};
use crate::director::{BatchReport, Director, OnRefusal, Operation, OperationError};
use crate::error::{Error, Result};
use crate::model::Table;

/// What happens to the steps already done when a director refuses one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
// Exhaustive: they stay or they go.
pub enum OnFailure {
    /// They stay; the outcome names them.
    #[default]
    Keep,
    /// They are undone, last first.
    Undo,
}

/// A step that the director refused.
#[derive(Debug, Clone, PartialEq, Eq)]
// Exhaustive: a pair with names.
pub struct Refusal {
    /// Which step of the plan, from 0.
    pub step: usize,
    /// Why.
    pub error: OperationError,
}

/// What came of a plan.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Outcome {
    /// Indexes of the steps that took effect, in order.
    pub done: Vec<usize>,
    /// The steps that were refused. Those behind `done` and `refused` were never begun.
    pub refused: Vec<Refusal>,
    /// What broke the way to the director, if something did: steps of that batch may or may not have taken effect.
    pub interrupted: Option<Error>,
    /// Whether the steps done were undone again, completely.
    pub undone: bool,
    /// What the director refused to undo.
    pub undo_failures: Vec<OperationError>,
}

impl Outcome {
    /// Whether the wanted table is in force.
    pub fn is_complete(&self) -> bool {
        self.refused.is_empty() && self.interrupted.is_none()
    }

    /// The first thing that went wrong, or nothing.
    ///
    /// # Errors
    /// The first refusal, else the interruption.
    pub fn into_result(self) -> Result<()> {
        match (self.refused.into_iter().next(), self.interrupted) {
            (Some(refusal), _) => Err(refusal.error.into()),
            (None, Some(error)) => Err(error),
            (None, None) => Ok(()),
        }
    }
}

impl Plan {
    /// Carries the plan out, one batch a phase.
    ///
    /// After a refusal the rest of that phase still runs, which is safe by the order of the phases, and no further one
    /// is begun: nothing is removed when something could not be added.
    pub fn apply<D: Director + ?Sized>(&self, director: &mut D, on_failure: OnFailure) -> Outcome {
        let mut outcome = Outcome::default();
        let mut first = 0;
        for phase in self.steps.chunk_by(|a, b| a.phase == b.phase) {
            let operations: Vec<Operation> = phase.iter().map(|step| step.operation).collect();
            let report = director.apply(&operations, OnRefusal::Continue);
            outcome.take(report, first);
            first += phase.len();
            if !outcome.is_complete() {
                break;
            }
        }
        if !outcome.is_complete() && on_failure == OnFailure::Undo {
            self.undo(director, &mut outcome);
        }
        outcome
    }

    fn undo<D: Director + ?Sized>(&self, director: &mut D, outcome: &mut Outcome) {
        let operations: Vec<Operation> =
            outcome.done.iter().rev().flat_map(|&step| self.step(step).undo.iter().copied()).collect();
        let report = director.apply(&operations, OnRefusal::Continue);
        outcome.undone = report.is_complete(operations.len()) && outcome.interrupted.is_none();
        outcome.undo_failures = report.failures.into_iter().map(|failure| failure.error).collect();
        outcome.interrupted = outcome.interrupted.take().or(report.interrupted);
    }

    fn step(&self, index: usize) -> &Step {
        &self.steps[index]
    }
}

impl Outcome {
    fn take(&mut self, report: BatchReport, first: usize) {
        let mut refused = report.failures.iter().map(|failure| failure.index).peekable();
        for index in 0..report.answered {
            if refused.next_if_eq(&index).is_none() {
                self.done.push(first + index);
            }
        }
        let failures = report.failures.into_iter();
        self.refused.extend(failures.map(|failure| Refusal { step: first + failure.index, error: failure.error }));
        self.interrupted = report.interrupted;
    }
}

/// Why a table could not be put in force.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReconcileError {
    /// The director could not be read.
    #[error(transparent)]
    Read(#[from] Error),
    /// There is no plan to that table.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

/// Puts a table in force: reads what the director holds now, plans the difference and applies it.
///
/// Returns the plan with what came of it. Running it again after any interruption, even of the whole process,
/// goes on from wherever the table is.
///
/// # Errors
/// [`ReconcileError`] when the director cannot be read or the table cannot be planned; refusals are in the [`Outcome`].
pub fn reconcile<D: Director + ?Sized>(
    director: &mut D,
    wanted: &Table,
    scope: &Scope,
    on_failure: OnFailure,
) -> Result<(Plan, Outcome), ReconcileError> {
    let plan = Plan::between(&director.snapshot()?.to_table(), wanted, scope)?;
    let outcome = plan.apply(director, on_failure);
    Ok((plan, outcome))
}
