use super::OperationError;
use crate::error::Error;

/// What a batch does when the director refuses one of its operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
// Exhaustive: to go on or not.
pub enum OnRefusal {
    /// Goes on with the rest. The fastest way: requests travel many to a system call.
    #[default]
    Continue,
    /// Does nothing after the first refusal. Exact, and therefore one round trip an operation.
    Stop,
}

/// A refused operation of a batch, or a refused step of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
// Exhaustive: a pair with names.
pub struct Refusal {
    /// Which operation of the batch or step of the plan, from 0.
    pub index: usize,
    /// Why it was refused.
    pub error: OperationError,
}

/// What came of a batch: enough to know the table that is now in force.
///
/// Operations `0..answered` have been answered; those in `refused` changed nothing, all others took
/// effect. Operations from `answered` on were not sent, unless `interrupted` says that the way to
/// the director broke: then operations `answered..sent` may or may not have taken effect.
#[derive(Debug, Default)]
#[must_use = "operations that were refused are only reported here"]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct BatchReport {
    /// How many operations the batch had.
    pub operations: usize,
    /// How many operations the director has answered, from the first on.
    pub answered: usize,
    /// How many operations were sent.
    pub sent: usize,
    /// The refused ones, in order.
    pub refused: Vec<Refusal>,
    /// What broke the way to the director, if something did.
    #[cfg_attr(feature = "serde", serde(with = "crate::director::interruption"))]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub interrupted: Option<Error>,
}

impl BatchReport {
    /// A report on a batch of which nothing has been sent yet.
    pub const fn new(operations: usize) -> Self {
        Self { operations, answered: 0, sent: 0, refused: Vec::new(), interrupted: None }
    }

    /// A report on a batch whose first operations were sent and answered.
    pub const fn answered(operations: usize, answered: usize, refused: Vec<Refusal>) -> Self {
        Self { operations, answered, sent: answered, refused, interrupted: None }
    }

    /// Whether every operation took effect.
    pub const fn is_complete(&self) -> bool {
        self.answered == self.operations && self.refused.is_empty() && self.interrupted.is_none()
    }

    /// How many operations took effect for certain.
    pub const fn applied(&self) -> usize {
        self.answered - self.refused.len()
    }

    /// The first thing that went wrong, or nothing.
    ///
    /// # Errors
    /// The first refusal, else the interruption.
    pub fn into_result(self) -> Result<(), Error> {
        match (self.refused.into_iter().next(), self.interrupted) {
            (Some(refusal), _) => Err(refusal.error.into()),
            (None, Some(error)) => Err(error),
            (None, None) => Ok(()),
        }
    }
}
