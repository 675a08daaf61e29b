use std::ops::Deref;
use std::{fmt, slice, vec};

use super::Change;

/// What a report, the time or another configuration has changed, in the order in which it came.
///
/// Each change is reported once, and a server that is down is worth a line in the log. A program that
/// goes by [`Health::wanted`](super::Health::wanted) alone says so: `let _ = health.report(..)?;`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transparent))]
#[must_use = "each change is reported once"]
pub struct Changes(pub(super) Vec<Change>);

/// One line, as for a log.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.service())?;
        match self {
            Self::ServerUp(_, server) => write!(f, "server {server} is up"),
            Self::ServerDown(_, server) => write!(f, "server {server} is down"),
            Self::ServerDamped(_, server) => {
                write!(f, "server {server} is down and stays so for a while: it is flapping")
            }
            Self::QuorumLost(_) => f.write_str("quorum lost"),
            Self::QuorumRegained(_) => f.write_str("quorum regained"),
            Self::OverrideExpired(_, server) => write!(f, "server {server}: its override has ended"),
            Self::WeightLimited { server, asked, .. } => {
                write!(f, "server {server} asks for weight {asked}, more than it may have")
            }
        }
    }
}

impl Deref for Changes {
    type Target = [Change];

    fn deref(&self) -> &[Change] {
        &self.0
    }
}

impl From<Changes> for Vec<Change> {
    fn from(changes: Changes) -> Self {
        changes.0
    }
}

impl FromIterator<Change> for Changes {
    fn from_iter<I: IntoIterator<Item = Change>>(changes: I) -> Self {
        Self(changes.into_iter().collect())
    }
}

impl Extend<Change> for Changes {
    fn extend<I: IntoIterator<Item = Change>>(&mut self, changes: I) {
        self.0.extend(changes);
    }
}

impl IntoIterator for Changes {
    type Item = Change;
    type IntoIter = vec::IntoIter<Change>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Changes {
    type Item = &'a Change;
    type IntoIter = slice::Iter<'a, Change>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<const N: usize> PartialEq<[Change; N]> for Changes {
    fn eq(&self, other: &[Change; N]) -> bool {
        self.0 == other
    }
}
