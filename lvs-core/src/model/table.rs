use std::collections::TryReserveError;

use super::{Completeness, Daemon, Destination, Service, ServiceKey, Timeouts};
use crate::memory;

/// A virtual service with its destinations.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
// Exhaustive: a pair with names.
pub struct TableService {
    /// The service.
    pub service: Service,
    /// Its destinations.
    pub destinations: Vec<Destination>,
}

impl TableService {
    /// A service without destinations.
    pub const fn new(service: Service) -> Self {
        Self { service, destinations: Vec::new() }
    }
}

/// A whole configuration: what a rules file says, what a director is to hold.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Table {
    /// The services, each with its destinations, in the order of the source.
    pub services: Vec<TableService>,
    /// The timeouts, if the source says something of them.
    pub timeouts: Option<Timeouts>,
    /// The sync daemons.
    pub daemons: Vec<Daemon>,
    /// Whether the source is known to have held nothing else: a table of a
    /// [`Snapshot`](super::Snapshot) has what that says, any other is whole.
    pub complete: Completeness,
}

impl Table {
    /// An empty table.
    pub const fn new() -> Self {
        Self { services: Vec::new(), timeouts: None, daemons: Vec::new(), complete: Completeness::WHOLE }
    }

    /// The service of a key.
    pub fn service(&self, key: &ServiceKey) -> Option<&TableService> {
        self.services.iter().find(|entry| entry.service.key() == *key)
    }

    /// A copy, or an error if there is not enough memory for one.
    ///
    /// # Errors
    /// [`TryReserveError`], as the standard library gives it.
    pub fn try_clone(&self) -> Result<Self, TryReserveError> {
        self.try_filtered(|_| true)
    }

    /// A copy with the services that are wanted.
    pub(crate) fn try_filtered(&self, mut wanted: impl FnMut(&ServiceKey) -> bool) -> Result<Self, TryReserveError> {
        let services = self.services.iter().filter(|entry| wanted(&entry.service.key()));
        let services = services.map(|entry| {
            let destinations = memory::collect(entry.destinations.iter().copied())?;
            Ok(TableService { service: entry.service, destinations })
        });
        Ok(Self {
            services: memory::try_collect::<_, TryReserveError>(services)?,
            timeouts: self.timeouts,
            daemons: memory::collect(self.daemons.iter().copied())?,
            complete: self.complete,
        })
    }

    /// Sorts services and destinations by their keys, so that equal tables compare equal: a
    /// director reports them in an order of its own.
    pub fn sort(&mut self) {
        self.services.sort_by_key(|entry| entry.service.key());
        for entry in &mut self.services {
            entry.destinations.sort_by_key(|destination| destination.key);
        }
        self.daemons.sort();
    }
}
