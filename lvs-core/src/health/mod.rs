//! From what probes say to the weights that should be: a state machine without probes, clock or
//! director.
//!
//! Tell [`Health`] which services and servers there are and under which [`HealthPolicy`]; report
//! each [`Probe`] with the time it came; ask for the [`Table`] that is wanted now and put it in
//! force with [`plan::reconcile`](crate::plan::reconcile). How to probe (connect, HTTP, a command)
//! is the caller's business.
//!
//! ```
//! use std::time::Duration;
//! use lvs_core::health::{Health, HealthPolicy, Probe};
//! use lvs_core::model::{Destination, Service, ServiceKey};
//!
//! let key = ServiceKey::tcp("192.0.2.1", 80)?;
//! let server = Destination::new("198.51.100.7".parse()?, 80).with_weight(3);
//! let sorry = Destination::new("198.51.100.99".parse()?, 80);
//! let policy = HealthPolicy::default().with_fall(2).with_sorry_server(sorry);
//!
//! let mut health = Health::new();
//! assert_eq!(health.watch(Service::new(key), [server], policy)?, [], "a service that is new");
//! let second = Duration::from_secs;
//!
//! assert_eq!(health.report(&key, &server.key, Probe::Down, second(1))?, [], "one failure is not enough");
//! assert_eq!(health.wanted(second(1)).services[0].destinations, [server]);
//!
//! for change in health.report(&key, &server.key, Probe::Down, second(2))? {
//!     println!("{change}"); // tcp://192.0.2.1:80: server 198.51.100.7:80 is down
//! }
//! let wanted = health.wanted(second(2));
//! assert_eq!(wanted.services[0].destinations, [server.with_weight(0), sorry], "inhibited, and a sorry server instead");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Changes while it runs
//! What is watched changes without losing what is known: [`Health::watch`] of a service that is
//! watched already replaces its configuration and keeps the states of servers that stay, as
//! [`Health::set_servers`] and [`Health::set_weight`] do.
//!
//! # Restarts
//! [`Health::save`] gives a [`HealthState`] (with the feature `serde`: a value to write to a file),
//! from which [`Health::restore`] goes on. Without one, [`Health::start_from`] learns from what the
//! director holds which servers were down. Either way no server that was down is put back into use
//! by a restart.
//!
//! # What a probe must not say
//! A probe that could not be run, because the program itself lacks descriptors, memory or
//! processes, says nothing about the server: report [`Probe::Unknown`], which changes nothing.

mod changes;
mod error;
mod overrides;
mod policy;
mod server;
mod service;
mod state;
mod time;

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

pub use changes::Changes;
pub use error::{HealthError, PolicyError, PolicyWarning};
pub use overrides::{Forced, Override};
pub use policy::{Damping, HealthPolicy, OnDown, StartAs};
use service::ServiceHealth;
pub use state::{HealthState, OverrideState, ServerState, ServerStatus, ServiceState};
use time::Time;

use crate::model::{Destination, DestinationKey, Service, ServiceKey, Table, TableService};

/// What a probe found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
// Exhaustive: well, well with a measure, not well, or not known.
pub enum Probe {
    /// The server answers.
    Up,
    /// The server answers and says which weight it wants from now on; 0 asks to be quiesced. It
    /// gets at most [`HealthPolicy::max_asked_weight`], or the weight that it was given if that is
    /// larger.
    UpWithWeight(u32),
    /// The server does not answer, or not as it should.
    Down,
    /// The probe could not be run: the shortage is the caller's own. Nothing changes.
    Unknown,
}

/// What a report, or the time, has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(into = "Record", from = "Record"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Change {
    /// A server is in use again.
    ServerUp(ServiceKey, DestinationKey),
    /// A server is out of use.
    ServerDown(ServiceKey, DestinationKey),
    /// A server is flapping and stays down for the time that its damping says.
    ServerDamped(ServiceKey, DestinationKey),
    /// The service has too little weight left: its sorry server serves, if it has one.
    QuorumLost(ServiceKey),
    /// The service has enough weight again.
    QuorumRegained(ServiceKey),
    /// An override has ended by itself.
    OverrideExpired(ServiceKey, DestinationKey),
    /// A server's probes ask for more weight than it may have. Reported once for each weight asked
    /// for.
    WeightLimited {
        /// Its service.
        service: ServiceKey,
        /// Which server.
        server: DestinationKey,
        /// The weight asked for.
        asked: u32,
    },
}

impl Change {
    /// What has changed, in one word: `server_down`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::ServerUp(..) => "server_up",
            Self::ServerDown(..) => "server_down",
            Self::ServerDamped(..) => "server_damped",
            Self::QuorumLost(_) => "quorum_lost",
            Self::QuorumRegained(_) => "quorum_regained",
            Self::OverrideExpired(..) => "override_expired",
            Self::WeightLimited { .. } => "weight_limited",
        }
    }

    /// The service.
    pub const fn service(&self) -> ServiceKey {
        match *self {
            Self::QuorumLost(service)
            | Self::QuorumRegained(service)
            | Self::ServerUp(service, _)
            | Self::ServerDown(service, _)
            | Self::ServerDamped(service, _)
            | Self::OverrideExpired(service, _)
            | Self::WeightLimited { service, .. } => service,
        }
    }

    /// The server, if it is about one.
    pub const fn server(&self) -> Option<DestinationKey> {
        match *self {
            Self::QuorumLost(_) | Self::QuorumRegained(_) => None,
            Self::ServerUp(_, server)
            | Self::ServerDown(_, server)
            | Self::ServerDamped(_, server)
            | Self::OverrideExpired(_, server)
            | Self::WeightLimited { server, .. } => Some(server),
        }
    }
}

/// A change as serde has it: `{"change": "server_down", "service": KEY, "server": KEY}`.
#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(tag = "change", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
enum Record {
    ServerUp { service: ServiceKey, server: DestinationKey },
    ServerDown { service: ServiceKey, server: DestinationKey },
    ServerDamped { service: ServiceKey, server: DestinationKey },
    QuorumLost { service: ServiceKey },
    QuorumRegained { service: ServiceKey },
    OverrideExpired { service: ServiceKey, server: DestinationKey },
    WeightLimited { service: ServiceKey, server: DestinationKey, asked: u32 },
}

#[cfg(feature = "serde")]
impl From<Change> for Record {
    fn from(change: Change) -> Self {
        match change {
            Change::ServerUp(service, server) => Self::ServerUp { service, server },
            Change::ServerDown(service, server) => Self::ServerDown { service, server },
            Change::ServerDamped(service, server) => Self::ServerDamped { service, server },
            Change::QuorumLost(service) => Self::QuorumLost { service },
            Change::QuorumRegained(service) => Self::QuorumRegained { service },
            Change::OverrideExpired(service, server) => Self::OverrideExpired { service, server },
            Change::WeightLimited { service, server, asked } => Self::WeightLimited { service, server, asked },
        }
    }
}

#[cfg(feature = "serde")]
impl From<Record> for Change {
    fn from(record: Record) -> Self {
        match record {
            Record::ServerUp { service, server } => Self::ServerUp(service, server),
            Record::ServerDown { service, server } => Self::ServerDown(service, server),
            Record::ServerDamped { service, server } => Self::ServerDamped(service, server),
            Record::QuorumLost { service } => Self::QuorumLost(service),
            Record::QuorumRegained { service } => Self::QuorumRegained(service),
            Record::OverrideExpired { service, server } => Self::OverrideExpired(service, server),
            Record::WeightLimited { service, server, asked } => Self::WeightLimited { service, server, asked },
        }
    }
}

/// The health of services and their servers.
#[derive(Debug, Clone, Default)]
pub struct Health {
    services: Vec<ServiceHealth>,
    by_key: HashMap<ServiceKey, usize>,
}

impl Health {
    /// Nothing to watch yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Watches a service and its servers. Their weights are those for when they are well.
    ///
    /// A service that is watched already gets this configuration instead of the one it had: servers
    /// that stay keep their states and overrides, new ones start as the policy says, others are
    /// forgotten. Returns what that changes.
    ///
    /// # Errors
    /// [`HealthError`] when a server is named twice, a weight is out of range or the policy
    /// contradicts itself; nothing changes then.
    pub fn watch(
        &mut self,
        service: Service,
        servers: impl IntoIterator<Item = Destination>,
        policy: HealthPolicy,
    ) -> Result<Changes, HealthError> {
        let key = service.key();
        let servers = servers.into_iter().collect();
        let mut changes = Vec::new();
        match self.by_key.get(&key) {
            Some(&index) => self.services[index].reconfigure(service, servers, policy, &mut changes)?,
            None => {
                self.services.push(ServiceHealth::new(service, servers, policy)?);
                self.by_key.insert(key, self.services.len() - 1);
            }
        }
        Ok(Changes(changes))
    }

    /// Forgets a service. Returns whether it was watched.
    pub fn unwatch(&mut self, service: &ServiceKey) -> bool {
        let Some(index) = self.by_key.remove(service) else { return false };
        self.services.remove(index);
        for place in self.by_key.values_mut().filter(|place| **place > index) {
            *place -= 1;
        }
        true
    }

    /// Forgets all services but those for which the function returns true: what a reload does with
    /// those that left the configuration.
    pub fn retain(&mut self, mut keep: impl FnMut(&ServiceKey) -> bool) {
        self.services.retain(|service| keep(&service.service().key()));
        self.by_key = self.services.iter().enumerate().map(|(index, entry)| (entry.service().key(), index)).collect();
    }

    /// Replaces the servers of a service, as [`Health::watch`] does.
    ///
    /// # Errors
    /// [`HealthError`] as there, and when the service is not watched.
    pub fn set_servers(
        &mut self,
        service: &ServiceKey,
        servers: impl IntoIterator<Item = Destination>,
    ) -> Result<Changes, HealthError> {
        let (config, policy) = {
            let watched = self.get(service)?;
            (*watched.service(), *watched.policy())
        };
        self.watch(config, servers, policy)
    }

    /// Sets the weight of a server for when it is well.
    ///
    /// # Errors
    /// [`HealthError`] when it is not watched or the weight is out of range.
    pub fn set_weight(
        &mut self,
        service: &ServiceKey,
        server: &DestinationKey,
        weight: u32,
    ) -> Result<Changes, HealthError> {
        let mut servers = self.get(service)?.destinations();
        match servers.iter_mut().find(|destination| destination.key == *server) {
            Some(destination) => destination.weight = weight,
            None => return Err(HealthError::ServerNotWatched(*service, *server)),
        }
        self.set_servers(service, servers)
    }

    /// What is to be probed: every server with its service, in the order in which they were given.
    /// Sorry servers are not.
    pub fn watched(&self) -> impl Iterator<Item = (ServiceKey, DestinationKey)> + '_ {
        self.services.iter().flat_map(ServiceHealth::watched)
    }

    /// The configuration of a watched service: as it was given, weights for when the servers are
    /// well.
    pub fn configured(&self, service: &ServiceKey) -> Option<(TableService, HealthPolicy)> {
        let watched = self.get(service).ok()?;
        let entry = TableService { service: *watched.service(), destinations: watched.destinations() };
        Some((entry, *watched.policy()))
    }

    /// Learns from what a director holds which servers were out of use: those with weight 0. A
    /// server that is missing from a service that is there counts as `absent`; services that are
    /// not there start as their policy says.
    ///
    /// For a start without a saved state. Servers that have been probed already keep what is known
    /// of them.
    pub fn start_from(&mut self, held: &Table, absent: StartAs) {
        for entry in &held.services {
            if let Some(&index) = self.by_key.get(&entry.service.key()) {
                self.services[index].start_from(entry, absent);
            }
        }
    }

    /// What is known of all servers, to be kept over a restart.
    pub fn save(&self, now: Duration) -> HealthState {
        let services = self.services.iter().map(|service| service.save(now.into())).collect();
        HealthState { version: HealthState::VERSION, services }
    }

    /// Goes on from a saved state: servers that are watched and were saved are as they were; others
    /// start as their policy says. `away` is the time that has passed since the state was saved, as
    /// far as it is known: holds, slow starts and overrides went on meanwhile. Call
    /// [`Health::tick`] afterwards.
    ///
    /// # Errors
    /// [`HealthError::StateVersion`].
    pub fn restore(&mut self, state: &HealthState, now: Duration, away: Duration) -> Result<(), HealthError> {
        if state.version != HealthState::VERSION {
            return Err(HealthError::StateVersion(state.version));
        }
        let saved = Time::from(now).minus(away);
        for entry in &state.services {
            if let Some(&index) = self.by_key.get(&entry.service) {
                self.services[index].restore(entry, saved);
            }
        }
        Ok(())
    }

    /// Takes in what a probe of one server of one service says.
    ///
    /// # Errors
    /// [`HealthError`] when it is not watched: it was removed while the probe ran, perhaps.
    pub fn report(
        &mut self,
        service: &ServiceKey,
        server: &DestinationKey,
        probe: Probe,
        now: Duration,
    ) -> Result<Changes, HealthError> {
        let mut changes = Vec::new();
        let met = self.get_mut(service)?.report(|key| key == server, probe, now.into(), &mut changes);
        if met { Ok(Changes(changes)) } else { Err(HealthError::ServerNotWatched(*service, *server)) }
    }

    /// Takes in what a probe of a whole host says: of all its servers in all services.
    pub fn report_host(&mut self, addr: IpAddr, probe: Probe, now: Duration) -> Changes {
        let mut changes = Vec::new();
        for service in &mut self.services {
            service.report(|key| key.addr == addr, probe, now.into(), &mut changes);
        }
        Changes(changes)
    }

    /// Holds a server to what an operator has decided, whatever its probes say. Probes still count:
    /// they decide again when the override ends.
    ///
    /// # Errors
    /// [`HealthError`] when the server is not watched or the weight is out of range.
    pub fn set_override(
        &mut self,
        service: &ServiceKey,
        server: &DestinationKey,
        decision: Override,
    ) -> Result<Changes, HealthError> {
        match decision.forced {
            Forced::Weight(weight) if weight > HealthPolicy::MAX_WEIGHT => {
                Err(HealthError::WeightOutOfRange(*service, *server, weight))
            }
            _ => self.decide(service, server, Some(decision)),
        }
    }

    /// Ends an override; without one nothing changes.
    ///
    /// # Errors
    /// [`HealthError`] when the server is not watched.
    pub fn clear_override(&mut self, service: &ServiceKey, server: &DestinationKey) -> Result<Changes, HealthError> {
        self.decide(service, server, None)
    }

    fn decide(
        &mut self,
        service: &ServiceKey,
        server: &DestinationKey,
        decision: Option<Override>,
    ) -> Result<Changes, HealthError> {
        let mut changes = Vec::new();
        let met = self.get_mut(service)?.decide(server, &decision, &mut changes);
        if met { Ok(Changes(changes)) } else { Err(HealthError::ServerNotWatched(*service, *server)) }
    }

    /// What time alone has changed: a hold or an override that is over. Call it when
    /// [`Health::next_change`] says so.
    pub fn tick(&mut self, now: Duration) -> Changes {
        let mut changes = Vec::new();
        for service in &mut self.services {
            service.tick(now.into(), &mut changes);
        }
        Changes(changes)
    }

    /// The table that is wanted at a time.
    pub fn wanted(&self, now: Duration) -> Table {
        let mut table = Table::new();
        table.services = self.services.iter().map(|service| service.wanted(now.into())).collect();
        table
    }

    /// When the wanted table changes next without any report: a step of a slow start, the end of a
    /// hold or an override.
    pub fn next_change(&self, now: Duration) -> Option<Duration> {
        self.services.iter().filter_map(|service| service.next_change(now.into())).min().map(Time::on_clock)
    }

    /// Every watched server as it is at a time.
    pub fn status(&self, now: Duration) -> impl Iterator<Item = ServerStatus> + '_ {
        self.services.iter().flat_map(move |service| service.status(now.into()))
    }

    /// Whether a server is in use, `None` if it is not watched.
    pub fn is_up(&self, service: &ServiceKey, server: &DestinationKey) -> Option<bool> {
        self.get(service).ok()?.is_up(server)
    }

    /// Whether a service has its quorum, `None` if it is not watched.
    pub fn has_quorum(&self, service: &ServiceKey) -> Option<bool> {
        self.get(service).ok().map(ServiceHealth::has_quorum)
    }

    /// What is odd about the policies, with the service that each is about.
    pub fn warnings(&self) -> impl Iterator<Item = (ServiceKey, PolicyWarning)> + '_ {
        self.services.iter().flat_map(|entry| {
            let key = entry.service().key();
            entry.policy().warnings(&entry.destinations()).into_iter().map(move |warning| (key, warning))
        })
    }

    fn get(&self, service: &ServiceKey) -> Result<&ServiceHealth, HealthError> {
        let index = self.by_key.get(service).ok_or(HealthError::ServiceNotWatched(*service))?;
        Ok(&self.services[*index])
    }

    fn get_mut(&mut self, service: &ServiceKey) -> Result<&mut ServiceHealth, HealthError> {
        let index = self.by_key.get(service).ok_or(HealthError::ServiceNotWatched(*service))?;
        Ok(&mut self.services[*index])
    }
}

#[cfg(test)]
mod tests;
