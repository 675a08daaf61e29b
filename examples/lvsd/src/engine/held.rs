//! Weights that somebody else has set, in services whose file says that they stay.
//!
//! Such a weight is what the server has while it is well; checks, drains and overrides still take
//! it out of use, and it has it again afterwards. The file's weight is for servers that come new.

use std::collections::{BTreeMap, HashMap, HashSet};

use lvs_core::model::{Destination, Table};

use super::absent::overridden;
use super::{Engine, Moment, Server};
use crate::config::{Cluster, ClusterService};
use crate::event::EventKind;
use crate::state::{HeldRecord, State};

/// The weights of servers in services that keep them.
pub(super) type Held = BTreeMap<Server, u32>;

/// The servers of a service with the weights that they have while they are well.
pub(super) fn destinations<'a>(entry: &'a ClusterService, held: &'a Held) -> impl Iterator<Item = Destination> + 'a {
    entry.destinations().map(|destination| {
        let weight = held.get(&(entry.service.key(), destination.key)).filter(|_| entry.keep_weights);
        weight.map_or(destination, |weight| destination.with_weight(*weight))
    })
}

/// The weights of a table by server.
fn weights(table: &Table) -> HashMap<Server, u32> {
    let of = |entry: &lvs_core::model::TableService| {
        let key = entry.service.key();
        entry.destinations.iter().map(move |one| ((key, one.key), one.weight)).collect::<Vec<_>>()
    };
    table.services.iter().flat_map(of).collect()
}

impl Engine {
    /// The weights that hold with another file, before anything of it is in force.
    pub(super) fn hold(&self, cluster: &Cluster, kept: Option<&State>, current: &Table, moment: Moment) -> Held {
        let mut held = Held::new();
        if cluster.services.iter().all(|entry| !entry.keep_weights) {
            return held;
        }
        let mut before = self.held.clone();
        for record in kept.iter().flat_map(|state| &state.held) {
            if let (Ok(service), Ok(server)) = (record.service.parse(), record.server.parse()) {
                before.insert((service, server), record.weight);
            }
        }
        let mut overridden: HashSet<Server> = overridden(&self.health, moment.now).into_keys().collect();
        let saved = kept
            .iter()
            .flat_map(|state| &state.health)
            .flat_map(|health| &health.services)
            .flat_map(|entry| entry.servers.iter().map(|server| (entry.service, server)))
            .filter(|(_, server)| server.overridden.is_some())
            .map(|(service, server)| (service, server.server));
        overridden.extend(saved);
        let present = weights(current);
        for entry in cluster.services.iter().filter(|entry| entry.keep_weights) {
            for member in &entry.members {
                let server = (entry.service.key(), member.destination.key);
                let known = before.get(&server).copied();
                // Weight 0 says that a server that is checked was down, not what it has when it is
                // well. While this runs, the table is compared with how it was left; at a start
                // nobody knows that, so a weight in the table is somebody's unless an override is.
                let is_start = self.known.is_none();
                let found = present.get(&server).copied().filter(|weight| {
                    let is_zero_meant = member.check.is_none() && known.is_none() && !self.is_drained(server);
                    (*weight > 0 || is_zero_meant) && (known.is_none() || is_start) && !overridden.contains(&server)
                });
                held.insert(server, found.or(known).unwrap_or(member.destination.weight));
            }
        }
        held
    }

    /// Takes over weights that somebody else has set since the table was left as it is known.
    pub(super) fn keep_weights(&mut self, known: &mut Table, current: &Table, moment: Moment) {
        let keeping: HashSet<_> =
            self.cluster.services.iter().filter(|entry| entry.keep_weights).map(|entry| entry.service.key()).collect();
        if keeping.is_empty() {
            return;
        }
        let present = weights(current);
        let overridden = overridden(&self.health, moment.now);
        let mut set = Vec::new();
        for entry in known.services.iter_mut().filter(|entry| keeping.contains(&entry.service.key())) {
            let key = entry.service.key();
            for destination in &mut entry.destinations {
                let server = (key, destination.key);
                let Some(&weight) = present.get(&server) else { continue };
                if weight != destination.weight && self.held.contains_key(&server) && !overridden.contains_key(&server)
                {
                    // It is no drift.
                    destination.weight = weight;
                    set.push((server, weight));
                }
            }
        }
        for (server, weight) in set {
            self.held.insert(server, weight);
            self.dirty = true;
            self.journal.server(EventKind::WeightKept, server, &format!("weight {weight}"), moment);
            self.set_weight(server, weight, moment);
        }
    }

    fn set_weight(&mut self, (service, server): Server, weight: u32, moment: Moment) {
        match self.health.set_weight(&service, &server, weight) {
            Ok(changes) => self.note(&changes, moment),
            // The kernel has it, so it is in range; and only what is watched is held.
            Err(error) => self.journal.server(EventKind::Refused, (service, server), &error.to_string(), moment),
        }
    }

    /// Those that are to be written down.
    pub(super) fn held_records(&self) -> Vec<HeldRecord> {
        let record = |((service, server), weight): (&Server, &u32)| HeldRecord {
            service: service.to_string(),
            server: server.to_string(),
            weight: *weight,
        };
        self.held.iter().map(record).collect()
    }
}
