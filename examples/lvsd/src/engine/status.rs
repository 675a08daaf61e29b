use std::collections::HashMap;

use lvs_core::model::{DestinationKey, ServiceKey};

use super::servers::override_status;
use super::{Engine, Moment};
use crate::config::Member;
use crate::control::{ServerStatus, ServiceStatus, Status};

impl Engine {
    /// The cluster as it is, without asking the director.
    pub fn status(&self, moment: Moment) -> Status {
        let mut servers: HashMap<ServiceKey, Vec<ServerStatus>> = HashMap::new();
        let mut weights: HashMap<(ServiceKey, DestinationKey), u32> = HashMap::new();
        for entry in self.known.iter().flat_map(|table| &table.services) {
            let key = entry.service.key();
            weights.extend(entry.destinations.iter().map(|destination| ((key, destination.key), destination.weight)));
        }
        let members: HashMap<(ServiceKey, DestinationKey), &Member> = self
            .cluster
            .services
            .iter()
            .flat_map(|entry| {
                entry.members.iter().map(|member| ((entry.service.key(), member.destination.key), member))
            })
            .collect();
        for server in self.health.status(moment.now) {
            let id = (server.service, server.server);
            let overridden = server.state.overridden.as_ref();
            let overridden =
                overridden.map(|decision| override_status(decision.forced, &decision.reason, decision.ends_in));
            servers.entry(server.service).or_default().push(ServerStatus {
                server: server.server.to_string(),
                up: server.up,
                healthy: server.state.healthy,
                weight: weights.get(&id).copied(),
                configured_weight: server.configured_weight,
                check: members
                    .get(&id)
                    .and_then(|member| member.check.as_ref())
                    .map(|check| check.check.name().to_owned()),
                reason: self.checked.get(&id).and_then(|known| known.reason.clone()),
                overridden,
                drained: self.is_drained(id),
            });
        }
        let services = self.cluster.services.iter().map(|entry| {
            let key = entry.service.key();
            let sorry = entry.policy.sorry_server.is_some_and(|sorry| weights.contains_key(&(key, sorry.key)));
            ServiceStatus {
                service: key.to_string(),
                name: entry.name.clone(),
                labels: entry.labels.clone(),
                scheduler: entry.service.scheduler.to_string(),
                quorum: self.health.has_quorum(&key).unwrap_or_default(),
                sorry,
                servers: servers.remove(&key).unwrap_or_default(),
            }
        });
        Status {
            instance: self.instance.name.clone(),
            cluster: self.instance.identity.cluster.display().to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime: moment.now.saturating_sub(self.started.now).as_secs(),
            in_force: self.problems.is_empty(),
            problems: self.problems.iter().chain(&self.unsaved).cloned().collect(),
            reload_refused: self.reload_refused.clone(),
            services: services.collect(),
            drains: self.drain_statuses(),
            absent: self.absent_statuses(moment.now),
        }
    }
}
