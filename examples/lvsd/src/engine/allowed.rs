//! A wanted table less what the file does not allow to be done.

use std::collections::{HashMap, HashSet};

use lvs_core::model::{Destination, DestinationKey, ServiceKey, Table, TableService};

use super::Engine;
use crate::config::{Action, Allowed};

impl Engine {
    /// What is wanted of the table as it is: nothing that is not allowed.
    pub(super) fn restricted(&self, wanted: Table, current: &Table) -> Table {
        let allowed = &self.cluster.allowed;
        if allowed.is_all() {
            return wanted;
        }
        let owned = |entry: &&TableService| self.ownership.owns(&entry.service.key());
        restricted(allowed, wanted, current.services.iter().filter(owned))
    }

    /// What would be done if it were allowed, in words.
    pub(super) fn withheld(&self, current: &Table, wanted: &Table) -> Vec<String> {
        if self.cluster.allowed.is_all() {
            return Vec::new();
        }
        let restricted = self.restricted(wanted.clone(), current);
        let (Ok(all), Ok(some)) = (self.plan_from(current, wanted), self.plan_from(current, &restricted)) else {
            // Why it cannot be planned is said where it is carried out.
            return Vec::new();
        };
        let done: HashSet<String> = some.operations().map(ToString::to_string).collect();
        let all = all.operations().map(ToString::to_string);
        all.filter(|operation| !done.contains(operation))
            .map(|operation| format!("not allowed by the file (allowed_actions): {operation}"))
            .collect()
    }

    /// That something is not allowed which a command of an operator comes to.
    pub(super) fn not_allowed(&self, actions: &[Action]) -> Result<(), String> {
        match self.cluster.allowed.lacks(actions) {
            None => Ok(()),
            Some(action) => Err(format!("the file does not allow {} (allowed_actions)", action.name())),
        }
    }
}

fn restricted<'a>(allowed: &Allowed, mut wanted: Table, current: impl Iterator<Item = &'a TableService>) -> Table {
    let mut present: HashMap<ServiceKey, &TableService> = current.map(|entry| (entry.service.key(), entry)).collect();
    wanted.services.retain_mut(|entry| match present.remove(&entry.service.key()) {
        None => {
            if !allowed.allows(Action::AddServer) {
                entry.destinations.clear();
            }
            allowed.allows(Action::AddService)
        }
        Some(now) => {
            if !allowed.allows(Action::ChangeService) {
                entry.service = now.service;
            }
            servers(allowed, &mut entry.destinations, &now.destinations);
            true
        }
    });
    if !allowed.allows(Action::RemoveService) {
        let mut left: Vec<TableService> = present.into_values().cloned().collect();
        left.sort_by_key(|entry| entry.service.key());
        wanted.services.extend(left);
    }
    wanted
}

fn servers(allowed: &Allowed, wanted: &mut Vec<Destination>, current: &[Destination]) {
    let mut present: HashMap<DestinationKey, &Destination> = current.iter().map(|one| (one.key, one)).collect();
    wanted.retain_mut(|server| match present.remove(&server.key) {
        None => allowed.allows(Action::AddServer),
        Some(now) => {
            if !allowed.allows(Action::ChangeServer) {
                *server = *now;
            }
            true
        }
    });
    if !allowed.allows(Action::RemoveServer) {
        wanted.extend(current.iter().filter(|server| present.contains_key(&server.key)));
    }
}
