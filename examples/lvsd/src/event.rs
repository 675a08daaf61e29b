//! What happens to a cluster, for logs, hooks and whoever watches.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What kind of thing has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventKind {
    /// A server is in use again.
    ServerUp,
    /// A server is out of use.
    ServerDown,
    /// A server is held down because it is flapping.
    ServerDamped,
    /// A service has too little weight left.
    QuorumLost,
    /// A service has enough weight again.
    QuorumRegained,
    /// A cluster file was put in force.
    Reloaded,
    /// A cluster file was refused; the one before stays in force.
    ReloadRefused,
    /// Operations were carried out on the table.
    Applied,
    /// The director refused an operation.
    Refused,
    /// The table was not as it should be without the daemon's doing, and is again.
    DriftRepaired,
    /// Somebody else has set the weight of a server, and the file says that such a weight stays.
    WeightKept,
    /// The addresses of a name have changed, and with them the servers.
    NamesChanged,
    /// A drain has begun.
    DrainStarted,
    /// A drain has come to its end.
    Drained,
    /// Connections were cut because the deadline of a drain was over.
    DrainCut,
    /// A drain was taken back.
    Undrained,
    /// An override was set.
    OverrideSet,
    /// An override was taken back or has expired.
    OverrideEnded,
    /// A server asks for more weight than a check may give it.
    WeightLimited,
    /// A check could not be made for a reason of this host.
    CheckNotRun,
    /// The daemon has begun its work.
    Started,
    /// The daemon ends.
    Stopping,
}

impl EventKind {
    /// Its name in files and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ServerUp => "server_up",
            Self::ServerDown => "server_down",
            Self::ServerDamped => "server_damped",
            Self::QuorumLost => "quorum_lost",
            Self::QuorumRegained => "quorum_regained",
            Self::Reloaded => "reloaded",
            Self::ReloadRefused => "reload_refused",
            Self::Applied => "applied",
            Self::Refused => "refused",
            Self::DriftRepaired => "drift_repaired",
            Self::WeightKept => "weight_kept",
            Self::NamesChanged => "names_changed",
            Self::DrainStarted => "drain_started",
            Self::Drained => "drained",
            Self::DrainCut => "drain_cut",
            Self::Undrained => "undrained",
            Self::OverrideSet => "override_set",
            Self::OverrideEnded => "override_ended",
            Self::WeightLimited => "weight_limited",
            Self::CheckNotRun => "check_not_run",
            Self::Started => "started",
            Self::Stopping => "stopping",
        }
    }
}

/// Something that has happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Its number, counted from the start of the daemon.
    pub id: u64,
    /// When, in seconds since 1970.
    pub time: u64,
    /// What kind of thing.
    pub kind: EventKind,
    /// The service, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub service: Option<String>,
    /// The server, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub server: Option<String>,
    /// Why, for people.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub message: String,
}

/// In words, without its time.
impl std::fmt::Display for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.kind.name().replace('_', " "))?;
        match (&self.server, &self.service) {
            (Some(server), Some(service)) => write!(f, ": {server} of {service}")?,
            (None, Some(service)) => write!(f, ": {service}")?,
            _ => {}
        }
        if self.message.is_empty() { Ok(()) } else { write!(f, ": {}", self.message) }
    }
}
