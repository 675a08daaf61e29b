use std::time::Duration;

/// What an operator wants of a server, whatever probes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
// Exhaustive: in use, out of use, or in use with another weight.
pub enum Forced {
    /// In use with its usual weight, even if its probes fail.
    Up,
    /// Out of use, even if its probes succeed.
    Down,
    /// This weight while its probes succeed; 0 quiesces it.
    Weight(u32),
}

/// A decision of an operator about one server.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
// Exhaustive: what, why, how long.
pub struct Override {
    /// What is wanted.
    pub forced: Forced,
    /// Why, for those who read the status.
    pub reason: String,
    /// When it ends by itself, on the clock of all other times; `None`: when it is released.
    pub until: Option<Duration>,
}

impl Override {
    /// An override that stays until it is released.
    pub fn new(forced: Forced, reason: impl Into<String>) -> Self {
        Self { forced, reason: reason.into(), until: None }
    }

    /// The same, ending by itself.
    #[must_use]
    pub const fn until(mut self, end: Duration) -> Self {
        self.until = Some(end);
        self
    }
}
