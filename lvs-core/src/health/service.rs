use std::collections::{HashMap, HashSet};

use super::server::{ServerHealth, Turn};
use super::time::Time;
use super::{Change, HealthError, HealthPolicy, OnDown, Override, Probe, ServerStatus, ServiceState, StartAs};
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
    pub(super) fn new(service: Service, servers: Vec<Destination>, policy: HealthPolicy) -> Result<Self, HealthError> {
        check(&service, &servers, &policy)?;
        let servers = servers.into_iter().map(|server| ServerHealth::new(server, policy.start_as)).collect();
        let mut health = Self { service, policy, servers, quorum: true };
        health.begin();
        Ok(health)
    }

    /// Takes in another configuration; what is known of servers that stay is kept.
    pub(super) fn reconfigure(
        &mut self,
        service: Service,
        servers: Vec<Destination>,
        policy: HealthPolicy,
        changes: &mut Vec<Change>,
    ) -> Result<(), HealthError> {
        check(&service, &servers, &policy)?;
        let mut known: HashMap<DestinationKey, ServerHealth> =
            self.servers.drain(..).map(|server| (server.destination.key, server)).collect();
        self.servers = servers
            .into_iter()
            .map(|destination| match known.remove(&destination.key) {
                Some(mut server) => {
                    server.reconfigure(destination, &policy);
                    server
                }
                None => ServerHealth::new(destination, policy.start_as),
            })
            .collect();
        (self.service, self.policy) = (service, policy);
        self.judge(changes);
        Ok(())
    }

    /// The quorum that it has from the start: none is lost or regained by that.
    fn begin(&mut self) {
        self.quorum = self.weight_up() >= u64::from(self.policy.quorum);
    }

    /// Takes over what a director held before: a server with weight 0 was out of use, one that is
    /// missing counts as `absent`.
    pub(super) fn start_from(&mut self, held: &TableService, absent: StartAs) {
        let weights: HashMap<DestinationKey, u32> = held.destinations.iter().map(|d| (d.key, d.weight)).collect();
        for server in self.servers.iter_mut().filter(|server| !server.is_probed()) {
            match weights.get(&server.destination.key) {
                None => server.start(absent),
                // Nothing can be told from a 0 that it was given.
                Some(0) if server.destination.weight == 0 => {}
                Some(0) => server.start(StartAs::Down),
                Some(_) => server.start(StartAs::Up),
            }
        }
        self.begin();
    }

    pub(super) const fn service(&self) -> &Service {
        &self.service
    }

    pub(super) const fn policy(&self) -> &HealthPolicy {
        &self.policy
    }

    pub(super) fn destinations(&self) -> Vec<Destination> {
        self.servers.iter().map(|server| server.destination).collect()
    }

    pub(super) fn watched(&self) -> impl Iterator<Item = (ServiceKey, DestinationKey)> + '_ {
        self.servers.iter().map(|server| (self.service.key(), server.destination.key))
    }

    pub(super) fn report(
        &mut self,
        is_meant: impl Fn(&DestinationKey) -> bool,
        probe: Probe,
        now: Time,
        changes: &mut Vec<Change>,
    ) -> bool {
        self.each(is_meant, changes, |server, policy| server.report(probe, policy, now))
    }

    pub(super) fn tick(&mut self, now: Time, changes: &mut Vec<Change>) {
        self.each(|_| true, changes, |server, policy| server.tick(policy, now));
    }

    pub(super) fn decide(
        &mut self,
        server: &DestinationKey,
        decision: &Option<Override>,
        changes: &mut Vec<Change>,
    ) -> bool {
        self.each(|key| key == server, changes, |server, _| server.decide(decision.clone()).into_iter().collect())
    }

    /// Does something to some servers, and notes what comes of it. Returns whether there was one.
    fn each(
        &mut self,
        is_meant: impl Fn(&DestinationKey) -> bool,
        changes: &mut Vec<Change>,
        mut act: impl FnMut(&mut ServerHealth, &HealthPolicy) -> Vec<Turn>,
    ) -> bool {
        let service = self.service.key();
        let mut met = false;
        for server in self.servers.iter_mut().filter(|server| is_meant(&server.destination.key)) {
            met = true;
            let key = server.destination.key;
            changes.extend(act(server, &self.policy).into_iter().map(|turn| describe(service, key, turn)));
        }
        if met {
            self.judge(changes);
        }
        met
    }

    /// Quorum with hysteresis, on the full weights of the servers in use: a slow start does not
    /// cost the quorum.
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
        let up = self.servers.iter().filter(|server| server.is_up());
        up.map(|server| u64::from(server.full_weight(&self.policy))).sum()
    }

    /// The weight of all servers when all are well: a hysteresis that asks for more would never let
    /// go.
    fn weight_at_most(&self) -> u64 {
        self.servers.iter().map(|server| u64::from(server.full_weight(&self.policy))).sum()
    }

    pub(super) fn wanted(&self, now: Time) -> TableService {
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

    pub(super) fn next_change(&self, now: Time) -> Option<Time> {
        self.servers.iter().filter_map(|server| server.next_change(&self.policy, now)).min()
    }

    pub(super) fn status(&self, now: Time) -> impl Iterator<Item = ServerStatus> + '_ {
        self.servers.iter().map(move |server| ServerStatus {
            service: self.service.key(),
            server: server.destination.key,
            up: server.is_up(),
            weight: server.weight(&self.policy, now),
            configured_weight: server.destination.weight,
            state: server.save(now),
        })
    }

    pub(super) fn save(&self, now: Time) -> ServiceState {
        ServiceState {
            service: self.service.key(),
            quorum: self.quorum,
            servers: self.servers.iter().map(|server| server.save(now)).collect(),
        }
    }

    pub(super) fn restore(&mut self, state: &ServiceState, saved: Time) {
        let states: HashMap<DestinationKey, _> = state.servers.iter().map(|server| (server.server, server)).collect();
        for server in &mut self.servers {
            if let Some(state) = states.get(&server.destination.key) {
                server.restore(state, saved);
            }
        }
        // With hysteresis the weight alone does not say whether the quorum is lost.
        self.quorum = state.quorum;
        self.judge(&mut Vec::new());
    }

    pub(super) fn is_up(&self, key: &DestinationKey) -> Option<bool> {
        self.servers.iter().find(|server| server.destination.key == *key).map(ServerHealth::is_up)
    }

    pub(super) const fn has_quorum(&self) -> bool {
        self.quorum
    }
}

fn check(service: &Service, servers: &[Destination], policy: &HealthPolicy) -> Result<(), HealthError> {
    let key = service.key();
    policy.check().map_err(|error| HealthError::Policy(key, error))?;
    let mut seen: HashSet<DestinationKey> = policy.sorry_server.iter().map(|server| server.key).collect();
    for server in servers {
        if !seen.insert(server.key) {
            return Err(HealthError::DuplicateServer(key, server.key));
        }
        if server.weight > HealthPolicy::MAX_WEIGHT {
            return Err(HealthError::WeightOutOfRange(key, server.key, server.weight));
        }
    }
    Ok(())
}

fn describe(service: ServiceKey, server: DestinationKey, turn: Turn) -> Change {
    match turn {
        Turn::Up => Change::ServerUp(service, server),
        Turn::Down => Change::ServerDown(service, server),
        Turn::Damped => Change::ServerDamped(service, server),
        Turn::OverrideExpired => Change::OverrideExpired(service, server),
        Turn::WeightLimited(asked) => Change::WeightLimited { service, server, asked },
    }
}
