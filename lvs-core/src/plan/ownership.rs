use std::collections::BTreeSet;
use std::fmt;

use super::Scope;
use crate::model::{ServiceKey, Table};

/// Where a table is: owning a service in one does not mean owning it in another.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Place {
    /// The kernel's table in a network namespace, by whatever name identifies that to the program:
    /// a path such as `/run/netns/blue`, or what `/proc/self/ns/net` points to.
    Kernel(String),
    /// The table of an embedded director, by a name of the program's own.
    Embedded(String),
}

impl Place {
    /// The kernel's table in a named network namespace.
    pub fn kernel(namespace: impl Into<String>) -> Self {
        Self::Kernel(namespace.into())
    }

    /// The table of a named embedded director.
    pub fn embedded(name: impl Into<String>) -> Self {
        Self::Embedded(name.into())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kernel(namespace) => write!(f, "the kernel's table in {namespace}"),
            Self::Embedded(name) => write!(f, "the embedded director {name}"),
        }
    }
}

/// Which services somebody has put in force in one table: the record by which a program knows its
/// own after a restart.
///
/// With the feature `serde` it is a value to write to a file. The protocol that loses nothing,
/// whenever the program is killed: [`claim`](Ownership::claim) what is wanted, write the record,
/// apply the plan, then [`settle`](Ownership::settle) and write it again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Ownership {
    version: u32,
    name: String,
    place: Place,
    services: BTreeSet<ServiceKey>,
    #[cfg_attr(feature = "serde", serde(default))]
    timeouts: bool,
    #[cfg_attr(feature = "serde", serde(default))]
    daemons: bool,
}

/// A record that is not what it is taken for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OwnershipError {
    /// A version that this release does not know.
    #[error("ownership record of version {0} is not supported")]
    Version(u32),
    /// The record of another owner.
    #[error("this ownership record belongs to {found}, not to {expected}")]
    Name {
        /// Whose record it is.
        found: String,
        /// Whose it should be.
        expected: String,
    },
    /// The record of another table.
    #[error("this ownership record is for {found}, not for {expected}")]
    Place {
        /// The table that it is for.
        found: Place,
        /// The table that it should be for.
        expected: Place,
    },
}

impl Ownership {
    /// The version of the record that this release writes and reads.
    pub const VERSION: u32 = 1;

    /// A record of nothing yet. The name is the owner's and has to be unique in its place.
    pub fn new(name: impl Into<String>, place: Place) -> Self {
        let (name, services) = (name.into(), BTreeSet::new());
        Self { version: Self::VERSION, name, place, services, timeouts: false, daemons: false }
    }

    /// Makes sure that a record which was read is the one that was looked for.
    ///
    /// # Errors
    /// [`OwnershipError`] says what it is instead.
    pub fn check(&self, name: &str, place: &Place) -> Result<(), OwnershipError> {
        if self.version != Self::VERSION {
            return Err(OwnershipError::Version(self.version));
        }
        if self.name != name {
            return Err(OwnershipError::Name { found: self.name.clone(), expected: name.to_owned() });
        }
        if self.place != *place {
            return Err(OwnershipError::Place { found: self.place.clone(), expected: place.clone() });
        }
        Ok(())
    }

    /// Whose record it is.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The table that it is for.
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// The services owned.
    pub fn services(&self) -> impl ExactSizeIterator<Item = ServiceKey> + '_ {
        self.services.iter().copied()
    }

    /// Whether a service is owned.
    pub fn owns(&self, key: &ServiceKey) -> bool {
        self.services.contains(key)
    }

    /// Owning the timeouts, too: the whole table's, so at most one owner's.
    #[must_use]
    pub const fn with_timeouts(mut self) -> Self {
        self.timeouts = true;
        self
    }

    /// Owning the sync daemons, too: the whole table's, so at most one owner's.
    #[must_use]
    pub const fn with_daemons(mut self) -> Self {
        self.daemons = true;
        self
    }

    /// What a plan for the owner may touch: see [`Planner::owned_by`](super::Planner::owned_by).
    pub fn scope(&self) -> Scope {
        let mut scope = Scope::services(self.services());
        if self.timeouts {
            scope = scope.with_timeouts();
        }
        if self.daemons {
            scope = scope.with_daemons();
        }
        scope
    }

    /// Claims the services of a table beside those owned.
    pub fn claim(&mut self, wanted: &Table) {
        self.services.extend(wanted.services.iter().map(|entry| entry.service.key()));
    }

    /// Gives up what is owned but in neither table: not wanted any more, and gone.
    pub fn settle(&mut self, wanted: &Table, current: &Table) {
        let kept: BTreeSet<ServiceKey> =
            wanted.services.iter().chain(&current.services).map(|entry| entry.service.key()).collect();
        self.services.retain(|key| kept.contains(key));
    }

    /// Gives a service up without touching it. Returns whether it was owned.
    pub fn disown(&mut self, key: &ServiceKey) -> bool {
        self.services.remove(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Service, TableService};

    fn table(ports: &[u16]) -> Table {
        let mut table = Table::new();
        let key = |port| ServiceKey::tcp("192.0.2.1", port).unwrap();
        table.services = ports.iter().map(|&port| TableService::new(Service::new(key(port)))).collect();
        table
    }

    #[test]
    fn a_service_that_is_not_wanted_stays_owned_until_it_is_gone() {
        let mut ours = Ownership::new("web", Place::kernel("/run/netns/blue"));
        ours.claim(&table(&[80]));
        ours.claim(&table(&[81]));
        ours.settle(&table(&[81]), &table(&[80, 81]));
        assert_eq!(ours.services().len(), 2, "80 is still there");
        ours.settle(&table(&[81]), &table(&[81, 443]));
        assert_eq!(ours.services().collect::<Vec<_>>(), [ServiceKey::tcp("192.0.2.1", 81).unwrap()]);
    }

    #[test]
    fn the_record_of_somebody_else_is_not_taken_for_ones_own() {
        let ours = Ownership::new("web.blue", Place::kernel("/run/netns/blue"));
        assert_eq!(ours.check("web.blue", &Place::kernel("/run/netns/blue")), Ok(()));
        for (name, place) in [
            ("web.green", Place::kernel("/run/netns/blue")),
            ("web.blue", Place::kernel("/run/netns/green")),
            ("web.blue", Place::embedded("/run/netns/blue")),
        ] {
            assert!(ours.check(name, &place).is_err(), "{name} {place}");
        }
    }

    #[cfg(feature = "serde")]
    #[test]
    fn a_record_survives_json_and_takes_no_unknown_field() {
        let mut ours = Ownership::new("web", Place::kernel("/run/netns/blue")).with_timeouts();
        ours.claim(&table(&[80]));
        let json = serde_json::to_string(&ours).unwrap();
        assert_eq!(serde_json::from_str::<Ownership>(&json).unwrap(), ours);
        assert!(serde_json::from_str::<Ownership>(&json.replace("version", "versoin")).is_err());
    }
}
