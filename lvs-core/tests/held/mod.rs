//! A table as tests of plans hold it.

use std::collections::BTreeMap;

use lvs_core::director::Operation;
use lvs_core::model::{Destination, DestinationKey, Service, ServiceKey, Table};

/// The plainest holder of a table: enough to replay operations and to refuse what makes no sense.
#[derive(Default, Clone, PartialEq, Debug)]
pub(crate) struct Held(pub(crate) BTreeMap<ServiceKey, (Service, BTreeMap<DestinationKey, Destination>)>);

impl Held {
    pub(crate) fn of(table: &Table) -> Self {
        let entries = table.services.iter().map(|entry| {
            let destinations = entry.destinations.iter().map(|d| (d.key, *d)).collect();
            (entry.service.key(), (entry.service, destinations))
        });
        Self(entries.collect())
    }

    pub(crate) fn execute(&mut self, operation: &Operation) -> Result<(), &'static str> {
        match operation {
            Operation::AddService(service) => match self.0.insert(service.key(), (*service, BTreeMap::new())) {
                Some(_) => Err("the service was there"),
                None => Ok(()),
            },
            Operation::UpdateService(service) => {
                self.0.get_mut(&service.key()).ok_or("no service")?.0 = *service;
                Ok(())
            }
            Operation::RemoveService(key) => self.0.remove(key).map(drop).ok_or("no service"),
            Operation::AddDestination(key, destination) => {
                match self.0.get_mut(key).ok_or("no service")?.1.insert(destination.key, *destination) {
                    Some(_) => Err("the destination was there"),
                    None => Ok(()),
                }
            }
            Operation::UpdateDestination(key, destination) => {
                let held = self.0.get_mut(key).ok_or("no service")?.1.get_mut(&destination.key);
                *held.ok_or("no destination")? = *destination;
                Ok(())
            }
            Operation::RemoveDestination(key, destination) => {
                self.0.get_mut(key).ok_or("no service")?.1.remove(destination).map(drop).ok_or("no destination")
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn is_usable(&self, key: &ServiceKey) -> bool {
        self.0.get(key).is_some_and(|(_, destinations)| destinations.values().any(|d| d.weight > 0))
    }
}
