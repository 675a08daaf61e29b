//! From what probes say to the weights that should be: a state machine without probes, clock or director.
//!
//! Tell [`Health`] which services and servers there are and under which [`HealthPolicy`]; report each [`Probe`] with the
//! time it came; ask for the [`Table`] that is wanted now and put it in force with
//! [`plan::reconcile`](crate::plan::reconcile). How to probe (connect, HTTP, a command) is the caller's business.
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
//! health.watch(Service::new(key), [server], policy)?;
//! let second = Duration::from_secs;
//!
//! health.report(&key, &server.key, Probe::Down, second(1));
//! assert_eq!(health.wanted(second(1)).services[0].destinations, [server], "one failure is not enough");
//!
//! health.report(&key, &server.key, Probe::Down, second(2));
//! let wanted = health.wanted(second(2));
//! assert_eq!(wanted.services[0].destinations, [server.with_weight(0), sorry], "inhibited, and an apology instead");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod policy;
mod server;
mod service;

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

pub use policy::{Damping, HealthPolicy, OnDown, StartAs};
use service::ServiceHealth;

use crate::model::{Destination, DestinationKey, Service, ServiceKey, Table};

/// What a probe found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
// Exhaustive: well, well with a measure, or not.
pub enum Probe {
    /// The server answers.
    Up,
    /// The server answers and says which weight it wants from now on; 0 asks to be quiesced.
    UpWithWeight(u32),
    /// The server does not answer, or not as it should.
    Down,
}

/// What a report, or the time, has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Change {
    /// A server is in use again.
    ServerUp(ServiceKey, DestinationKey),
    /// A server is out of use.
    ServerDown(ServiceKey, DestinationKey),
    /// A server has changed too often and stays down for the time that its damping says.
    ServerDamped(ServiceKey, DestinationKey),
    /// The service has too little weight left: its sorry server serves, if it has one.
    QuorumLost(ServiceKey),
    /// The service has enough weight again.
    QuorumRegained(ServiceKey),
}

/// A service that cannot be watched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HealthError {
    /// It is watched already.
    #[error("service {0} is watched already")]
    DuplicateService(ServiceKey),
    /// One of its servers is named twice, or is also its sorry server.
    #[error("destination {1} of {0} is named twice")]
    DuplicateServer(ServiceKey, DestinationKey),
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
    /// # Errors
    /// [`HealthError`] when the service or one of its servers is named twice.
    pub fn watch(
        &mut self,
        service: Service,
        servers: impl IntoIterator<Item = Destination>,
        policy: HealthPolicy,
    ) -> Result<(), HealthError> {
        let key = service.key();
        if self.by_key.contains_key(&key) {
            return Err(HealthError::DuplicateService(key));
        }
        let health = ServiceHealth::new(service, servers, policy)?;
        self.by_key.insert(key, self.services.len());
        self.services.push(health);
        Ok(())
    }

    /// What is to be probed: every server with its service, in the order in which they were given. Sorry servers are not.
    pub fn watched(&self) -> impl Iterator<Item = (ServiceKey, DestinationKey)> + '_ {
        self.services.iter().flat_map(ServiceHealth::watched)
    }

    /// Takes in what a probe of one server of one service says. Unknown servers are ignored.
    pub fn report(
        &mut self,
        service: &ServiceKey,
        server: &DestinationKey,
        probe: Probe,
        now: Duration,
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        if let Some(&index) = self.by_key.get(service) {
            self.services[index].report(|key| key == server, probe, now, &mut changes);
        }
        changes
    }

    /// Takes in what a probe of a whole host says: of all its servers in all services.
    pub fn report_host(&mut self, addr: IpAddr, probe: Probe, now: Duration) -> Vec<Change> {
        let mut changes = Vec::new();
        for service in &mut self.services {
            service.report(|key| key.addr == addr, probe, now, &mut changes);
        }
        changes
    }

    /// What time alone has changed: a hold that is over. Call it when [`Health::next_change`] says so.
    pub fn tick(&mut self, now: Duration) -> Vec<Change> {
        let mut changes = Vec::new();
        for service in &mut self.services {
            service.tick(now, &mut changes);
        }
        changes
    }

    /// The table that is wanted at a time.
    pub fn wanted(&self, now: Duration) -> Table {
        let mut table = Table::new();
        table.services = self.services.iter().map(|service| service.wanted(now)).collect();
        table
    }

    /// When the wanted table changes next without any report: a step of a slow start, the end of a hold.
    pub fn next_change(&self, now: Duration) -> Option<Duration> {
        self.services.iter().filter_map(|service| service.next_change(now)).min()
    }

    /// Whether a server is in use, `None` if it is not watched.
    pub fn is_up(&self, service: &ServiceKey, server: &DestinationKey) -> Option<bool> {
        self.by_key.get(service).and_then(|&index| self.services[index].is_up(server))
    }

    /// Whether a service has its quorum, `None` if it is not watched.
    pub fn has_quorum(&self, service: &ServiceKey) -> Option<bool> {
        self.by_key.get(service).map(|&index| self.services[index].has_quorum())
    }
}

#[cfg(test)]
mod tests;
