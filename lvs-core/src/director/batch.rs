use super::OperationError;
use crate::error::Error;

/// What a batch does when the director refuses one of its operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
// Exhaustive: to go on or not.
pub enum OnRefusal {
    /// Goes on with the rest. The fastest way: requests travel many to a system call.
    #[default]
    Continue,
    /// Does nothing after the first refusal. Exact, and therefore one round trip an operation.
    Stop,
}

/// One refused operation of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
// Exhaustive: a pair with names.
pub struct Failure {
    /// Which operation of the batch, from 0.
    pub index: usize,
    /// Why it was refused.
    pub error: OperationError,
}

/// What came of a batch: enough to name the table that is now in force.
///
/// Operations `0..answered` have been answered; those in `failures` were refused and changed nothing, all others
/// took effect. Operations from `answered` on were not sent, unless `interrupted` says that the way to the director
/// broke: then operations `answered..sent` may or may not have taken effect.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct BatchReport {
    /// How many operations the director has answered, from the first on.
    pub answered: usize,
    /// How many operations were sent.
    pub sent: usize,
    /// The refused ones, in order.
    pub failures: Vec<Failure>,
    /// What broke the way to the director, if something did.
    pub interrupted: Option<Error>,
}

impl BatchReport {
    /// A report of operations that were all answered.
    pub const fn answered(count: usize, failures: Vec<Failure>) -> Self {
        Self { answered: count, sent: count, failures, interrupted: None }
    }

    /// Whether every one of `count` operations took effect.
    pub fn is_complete(&self, count: usize) -> bool {
        self.answered == count && self.failures.is_empty() && self.interrupted.is_none()
    }

    /// How many operations took effect for certain.
    pub const fn applied(&self) -> usize {
        self.answered - self.failures.len()
    }

    /// The first thing that went wrong, or nothing.
    ///
    /// # Errors
    /// The interruption if there was one and nothing was refused before it, else the first refusal.
    pub fn into_result(self) -> Result<(), Error> {
        match (self.failures.into_iter().next(), self.interrupted) {
            (Some(failure), _) => Err(failure.error.into()),
            (None, Some(error)) => Err(error),
            (None, None) => Ok(()),
        }
    }
}
