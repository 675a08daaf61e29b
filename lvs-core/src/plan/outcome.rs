use std::fmt;

use super::Plan;
use crate::director::{OperationError, Refusal};
use crate::error::{Error, Result};

/// What happens to the steps already done when a director refuses one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
// Exhaustive: none, some or all of them go.
pub enum OnFailure {
    /// They stay, and everything that does not depend on the refused step is still done.
    #[default]
    Keep,
    /// Those of the same service are undone, last first; other services are brought to what is
    /// wanted.
    UndoService,
    /// All are undone, last first, and nothing further is begun.
    Undo,
}

/// A step that was not carried out because another one was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
// Exhaustive: a pair with names.
pub struct Held {
    /// Which step of the plan, from 0.
    pub step: usize,
    /// The refused step on which it depends.
    pub because: usize,
}

/// What came of a plan.
#[derive(Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[must_use = "steps that were refused are only reported here"]
#[non_exhaustive]
pub struct Outcome {
    /// How many steps the plan has.
    pub steps: usize,
    /// Indexes of the steps that took effect, in order. Those in `undone` have it no longer.
    pub done: Vec<usize>,
    /// The steps that were refused.
    pub refused: Vec<Refusal>,
    /// The steps that were not carried out because of a refused one. Steps that are neither here
    /// nor in `done` or `refused` were never begun.
    pub held: Vec<Held>,
    /// What broke the way to the director, if something did: steps of that batch may or may not
    /// have taken effect.
    #[cfg_attr(feature = "serde", serde(with = "crate::director::interruption"))]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub interrupted: Option<Error>,
    /// Indexes of the steps that were undone again, last first.
    pub undone: Vec<usize>,
    /// What the director refused to undo.
    pub undo_refused: Vec<OperationError>,
}

impl Outcome {
    pub(super) fn of(steps: usize) -> Self {
        Self { steps, ..Self::default() }
    }

    /// The outcome of a plan of which every step took effect.
    pub fn complete(plan: &Plan) -> Self {
        Self { done: (0..plan.len()).collect(), ..Self::of(plan.len()) }
    }

    /// Whether the wanted table is in force.
    pub const fn is_complete(&self) -> bool {
        self.refused.is_empty() && self.interrupted.is_none()
    }

    /// Whether the table is as it was before: something went wrong, and every step done was undone
    /// again.
    pub fn is_undone(&self) -> bool {
        !self.is_complete() && self.interrupted.is_none() && self.undone.len() == self.done.len()
    }

    /// The first thing that went wrong, or nothing. [`Incomplete`] says all of it.
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

/// A plan of which every step has taken effect.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Applied {
    /// The plan.
    pub plan: Plan,
}

/// A plan that was not carried out completely, and what came of it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Incomplete {
    /// The plan.
    pub plan: Plan,
    /// What came of it.
    pub outcome: Outcome,
}

impl Incomplete {
    pub(super) const fn new(plan: Plan, outcome: Outcome) -> Self {
        Self { plan, outcome }
    }

    /// The first refusal, if there was one.
    pub fn first_refusal(&self) -> Option<&OperationError> {
        self.outcome.refused.first().map(|refusal| &refusal.error)
    }
}

/// `1 of 12 steps refused, 3 held up, all undone: cannot add ...`
impl fmt::Display for Incomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = &self.outcome;
        match outcome.refused.len() {
            0 => write!(f, "interrupted after {} of {} steps", outcome.done.len(), outcome.steps)?,
            refused => write!(f, "{refused} of {} steps refused", outcome.steps)?,
        }
        if !outcome.held.is_empty() {
            write!(f, ", {} held up", outcome.held.len())?;
        }
        if outcome.is_undone() {
            f.write_str(", all undone")?;
        } else if !outcome.undone.is_empty() {
            write!(f, ", {} undone", outcome.undone.len())?;
        }
        for refusal in &outcome.refused {
            write!(f, "; {}", refusal.error)?;
        }
        match &outcome.interrupted {
            Some(error) => write!(f, "; {error}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Incomplete {}
