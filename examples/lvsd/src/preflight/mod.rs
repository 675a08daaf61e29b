//! What is missing on this host for a cluster to work, and the command that mends it.

mod director;
mod interfaces;
mod real_server;

use std::fmt;

pub use director::director;
pub use interfaces::{Held, held};
pub use real_server::real_server;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something that is not as the cluster needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Whether the cluster cannot work so, or only may not.
    pub severity: Severity,
    /// What is wrong.
    pub what: String,
    /// The command that mends it, if there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mend: Option<String>,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It works, but look at it.
    Advice,
    /// It cannot work.
    Missing,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Advice => "advice ",
            Severity::Missing => "MISSING",
        };
        write!(f, "{severity} {}", self.what)?;
        match &self.mend {
            Some(mend) => write!(f, "\n        mend: {mend}"),
            None => Ok(()),
        }
    }
}

fn missing(what: impl Into<String>, mend: impl Into<String>) -> Finding {
    Finding { severity: Severity::Missing, what: what.into(), mend: Some(mend.into()) }
}

fn advice(what: impl Into<String>, mend: Option<String>) -> Finding {
    Finding { severity: Severity::Advice, what: what.into(), mend }
}
