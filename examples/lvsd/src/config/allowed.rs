//! What may be done to the table.

use std::collections::BTreeSet;

use lvs_core::model::OperationKind;
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

    const fn kind(self) -> OperationKind {
        match self {
            Self::AddService => OperationKind::AddService,
            Self::ChangeService => OperationKind::UpdateService,
            Self::RemoveService => OperationKind::RemoveService,
            Self::AddServer => OperationKind::AddDestination,
            Self::ChangeServer => OperationKind::UpdateDestination,
            Self::RemoveServer => OperationKind::RemoveDestination,
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

    /// The operations that come of what is allowed, and those that no file forbids.
    pub fn kinds(&self) -> impl Iterator<Item = OperationKind> + '_ {
        let others = [OperationKind::SetTimeouts, OperationKind::StartDaemon, OperationKind::StopDaemon];
        self.0.iter().map(|action| action.kind()).chain(others)
    }

    /// The first of these that is not allowed.
    pub fn lacks(&self, actions: &[Action]) -> Option<Action> {
        actions.iter().copied().find(|action| !self.allows(*action))
    }
}
