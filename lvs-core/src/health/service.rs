use std::collections::HashSet;
use std::time::Duration;

use super::server::{ServerHealth, Turn};
use super::{Change, HealthError, HealthPolicy, OnDown, Probe};
use crate::model::{Destination, DestinationKey, Service, ServiceKey, TableService};

/// One service with its servers and its quorum.
#[derive(Debug, Clone)]
pub(super) struct ServiceHealth {
    service: Service,
    policy: HealthPolicy,
    servers: Vec<ServerHealth>,
    quorum: bool,
}

impl ServiceHealth {
    pub(super) fn new(
        service: Service,
        servers: impl IntoIterator<Item = Destination>,
        policy: HealthPolicy,
    ) -> Result<Self, HealthError> {
        let mut seen: HashSet<DestinationKey> = policy.sorry_server.iter().map(|server| server.key).collect();
        let servers = servers
            .into_iter()
            .map(|destination| match seen.insert(destination.key) {
                true => Ok(ServerHealth::new(destination, policy.start_as)),
                false => Err(HealthError::DuplicateServer(service.key(), destination.key)),
            })
            .collect::<Result<_, _>>()?;
        let mut health = Self { service, policy, servers, quorum: true };
        health.quorum = health.weight_up() >= u64::from(policy.quorum);
        Ok(health)
    }

    pub(super) fn watched(&self) -> impl Iterator<Item = (ServiceKey, DestinationKey)> + '_ {
        self.servers.iter().map(|server| (self.service.key(), server.destination.key))
    }

    pub(super) fn report(
        &mut self,
        is_meant: impl Fn(&DestinationKey) -> bool,
        probe: Probe,
        now: Duration,
        changes: &mut Vec<Change>,
    ) {
        let key = self.service.key();
        let mut met = false;
        for server in self.servers.iter_mut().filter(|server| is_meant(&server.destination.key)) {
            met = true;
            changes.extend(server.report(probe, &self.policy, now).map(|turn| describe(key, server, turn)));
        }
        if met {
            self.judge(changes);
        }
    }

    pub(super) fn tick(&mut self, now: Duration, changes: &mut Vec<Change>) {
        let key = self.service.key();
        for server in &mut self.servers {
            changes.extend(server.tick(&self.policy, now).map(|turn| describe(key, server, turn)));
        }
        self.judge(changes);
    }

    /// Quorum with hysteresis, on the full weights of the servers in use: a slow start does not cost the quorum.
    fn judge(&mut self, changes: &mut Vec<Change>) {
        let weight = self.weight_up();
        let quorum = u64::from(self.policy.quorum);
        let hysteresis = u64::from(self.policy.hysteresis);
        if self.quorum && weight < quorum.saturating_sub(hysteresis).max(u64::from(quorum > 0)) {
            self.quorum = false;
            changes.push(Change::QuorumLost(self.service.key()));
        } else if !self.quorum && weight >= (quorum + hysteresis).min(self.weight_at_most().max(quorum)) {
            self.quorum = true;
            changes.push(Change::QuorumRegained(self.service.key()));
        }
    }

    fn weight_up(&self) -> u64 {
        self.servers.iter().filter(|server| server.is_up()).map(|server| u64::from(server.destination.weight)).sum()
    }

    /// The weight of all servers when all are well: a hysteresis that asks for more would never let go.
    fn weight_at_most(&self) -> u64 {
        self.servers.iter().map(|server| u64::from(server.destination.weight)).sum()
    }

    pub(super) fn wanted(&self, now: Duration) -> TableService {
        let sorry = self.policy.sorry_server.filter(|_| !self.quorum);
        let servers = self.servers.iter().filter_map(|server| {
            if !server.is_up() && self.policy.on_down == OnDown::Remove {
                return None;
            }
            let weight = if sorry.is_some() { 0 } else { server.weight(&self.policy, now) };
            Some(server.destination.with_weight(weight))
        });
        TableService { service: self.service, destinations: servers.chain(sorry).collect() }
    }

    pub(super) fn next_change(&self, now: Duration) -> Option<Duration> {
        self.servers.iter().filter_map(|server| server.next_change(&self.policy, now)).min()
    }

    pub(super) fn is_up(&self, key: &DestinationKey) -> Option<bool> {
        self.servers.iter().find(|server| server.destination.key == *key).map(ServerHealth::is_up)
    }

    pub(super) const fn has_quorum(&self) -> bool {
        self.quorum
    }
}

fn describe(service: crate::model::ServiceKey, server: &ServerHealth, turn: Turn) -> Change {
    let key = server.destination.key;
    match turn {
        Turn::Up => Change::ServerUp(service, key),
        Turn::Down => Change::ServerDown(service, key),
        Turn::Damped => Change::ServerDamped(service, key),
    }
}
