//! What may be done to the table.

use std::collections::BTreeSet;

use serde::Deserialize;

/// A kind of change of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
// Exhaustive: two things, and what can be done to them.
pub enum Action {
    /// Adds a service.
    AddService,
    /// Changes scheduler, flags or persistence of a service.
    ChangeService,
    /// Removes a service with its servers.
    RemoveService,
    /// Adds a server.
    AddServer,
    /// Changes weight, forwarding or thresholds of a server.
    ChangeServer,
    /// Removes a server.
    RemoveServer,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::AddService,
        Self::ChangeService,
        Self::RemoveService,
        Self::AddServer,
        Self::ChangeServer,
        Self::RemoveServer,
    ];

    /// The name that it has in a file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AddService => "add_service",
            Self::ChangeService => "change_service",
            Self::RemoveService => "remove_service",
            Self::AddServer => "add_server",
            Self::ChangeServer => "change_server",
            Self::RemoveServer => "remove_server",
        }
    }
}

/// The changes that a file allows; all of them unless it says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed(BTreeSet<Action>);

impl Default for Allowed {
    fn default() -> Self {
        Self(Action::ALL.into())
    }
}

impl Allowed {
    pub(super) const fn only(actions: BTreeSet<Action>) -> Self {
        Self(actions)
    }

    /// Whether a change is allowed.
    pub fn allows(&self, action: Action) -> bool {
        self.0.contains(&action)
    }

    /// Whether nothing is kept from being done.
    pub fn is_all(&self) -> bool {
        self.0.len() == Action::ALL.len()
    }

    /// The first of these that is not allowed.
    pub fn lacks(&self, actions: &[Action]) -> Option<Action> {
        actions.iter().copied().find(|action| !self.allows(*action))
    }
}
