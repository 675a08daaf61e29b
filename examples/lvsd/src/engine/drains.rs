//! Drains: what is quiesced, waited for and taken out. The core says how a drain goes on; here it
//! becomes part of what is wanted, so that one writer changes the table.

use std::collections::BTreeSet;
use std::time::Duration;

use lvs_core::director::Operation;
use lvs_core::drain::{Drain, DrainPolicy, DrainTarget, Remaining};
use lvs_core::model::{Coverage, DestinationKey, Info, ServiceKey, ServiceSnapshot, Snapshot, Table};

use super::{Engine, Moment, Server};
use crate::config::Action;
use crate::control::{DrainSpec, DrainStatus};
use crate::event::EventKind;
use crate::state::DrainRecord;

/// How often a drain looks at what is left.
const LOOK: Duration = Duration::from_secs(1);

/// A drain with what has become of it.
#[derive(Debug)]
pub(super) struct Job {
    id: u64,
    spec: DrainSpec,
    started: u64,
    target: DrainTarget,
    drain: Drain,
    /// Servers that are out already.
    gone: BTreeSet<Server>,
    done: bool,
    cut: u64,
    /// Inactive connections and UDP flows that were left when servers went.
    left: u64,
    waiting: Vec<Remaining>,
    look_at: Duration,
}

impl Job {
    fn new(id: u64, spec: DrainSpec, moment: Moment) -> Result<Self, String> {
        let target = spec.what.target()?;
        let mut policy = DrainPolicy::default();
        if let Some(waiting) = spec.wait_for {
            policy = policy.waiting_for(waiting.into());
        }
        if let Some(deadline) = spec.deadline {
            let deadline = Duration::try_from_secs_f64(deadline)
                .map_err(|_| format!("deadline: {deadline} is not a number of seconds"))?;
            policy = policy.with_deadline(deadline);
        }
        if spec.keep {
            policy = policy.keeping();
        }
        Ok(Self {
            id,
            spec,
            started: moment.unix,
            target,
            drain: Drain::new(target, policy),
            gone: BTreeSet::new(),
            done: false,
            cut: 0,
            left: 0,
            waiting: Vec::new(),
            look_at: moment.now,
        })
    }

    /// A drain that was kept; its deadline goes on from where it was.
    pub(super) fn resume(record: &DrainRecord, moment: Moment) -> Option<Self> {
        let mut spec = record.spec.clone();
        let passed = moment.unix.saturating_sub(record.started);
        spec.deadline = spec.deadline.map(|deadline| (deadline - passed as f64).max(0.0));
        let mut job = Self::new(record.id, spec, moment).ok()?;
        job.spec = record.spec.clone();
        job.started = record.started;
        job.done = record.done;
        job.cut = record.cut;
        job.left = record.left;
        job.gone = record.gone.iter().filter_map(|text| parse(text)).collect();
        Some(job)
    }

    pub(super) fn record(&self) -> DrainRecord {
        DrainRecord {
            id: self.id,
            spec: self.spec.clone(),
            started: self.started,
            gone: self.gone.iter().map(|server| name(*server)).collect(),
            done: self.done,
            cut: self.cut,
            left: self.left,
        }
    }

    fn covers(&self, service: &ServiceKey, server: &DestinationKey) -> bool {
        covers(self.target, service, server)
    }
}

/// Whether a target is, or has, a server.
pub(super) fn covers(target: DrainTarget, service: &ServiceKey, server: &DestinationKey) -> bool {
    match target {
        DrainTarget::Destination(key, other) => key == *service && other == *server,
        DrainTarget::RealServer(addr) => addr == server.addr,
        DrainTarget::Service(key) => key == *service,
    }
}

/// A server as text.
pub(super) fn name((service, server): Server) -> String {
    format!("{server} of {service}")
}

fn parse(text: &str) -> Option<Server> {
    let (server, service) = text.split_once(" of ")?;
    Some((service.parse().ok()?, server.parse().ok()?))
}

impl Engine {
    /// Takes out of a wanted table what is drained.
    pub(super) fn without_drained(&self, table: &mut Table) {
        if self.drains.is_empty() {
            return;
        }
        let policies = self.cluster.by_key();
        table.services.retain_mut(|entry| {
            let key = entry.service.key();
            let jobs: Vec<&Job> = self
                .drains
                .iter()
                .filter(|job| !matches!(job.target, DrainTarget::Service(other) | DrainTarget::Destination(other, _) if other != key))
                .collect();
            if jobs.is_empty() {
                return true;
            }
            if jobs.iter().any(|job| job.done && !job.spec.keep && job.target == DrainTarget::Service(key)) {
                return false;
            }
            entry.destinations.retain_mut(|destination| {
                for job in jobs.iter().filter(|job| job.covers(&key, &destination.key)) {
                    if job.gone.contains(&(key, destination.key)) {
                        return false;
                    }
                    destination.weight = 0;
                }
                true
            });
            // With nobody left to serve, clients get the sorry server, as with all servers down.
            let drained = jobs.iter().all(|job| job.target != DrainTarget::Service(key));
            if drained
                && entry.destinations.iter().all(|destination| destination.weight == 0)
                && let Some(sorry) = policies.get(&key).and_then(|entry| entry.policy.sorry_server)
                && !jobs.iter().any(|job| job.covers(&key, &sorry.key))
            {
                entry.destinations.push(sorry);
            }
            true
        });
    }

    /// Whether a server is being drained, or has been.
    pub(super) fn is_drained(&self, (service, server): Server) -> bool {
        self.drains.iter().any(|job| job.covers(&service, &server))
    }

    /// Begins a drain of what the file names.
    pub(super) fn drain(&mut self, spec: DrainSpec, moment: Moment) -> Result<u64, String> {
        let job = Job::new(self.next_drain, spec, moment)?;
        self.not_allowed(&[Action::ChangeServer])?;
        if !job.spec.keep {
            let removes = if matches!(job.target, DrainTarget::Service(_)) {
                Action::RemoveService
            } else {
                Action::RemoveServer
            };
            self.not_allowed(&[removes])?;
        }
        let covered = self.servers_of(job.target);
        if covered.is_empty()
            && !matches!(job.target, DrainTarget::Service(key) if self.cluster.by_key().contains_key(&key))
        {
            return Err(self.not_there(&job.spec.what));
        }
        if let Some(other) = self.drains.iter().find(|other| other.target == job.target) {
            return Err(format!("it is drained already, by drain {}: undrain it first", other.id));
        }
        self.next_drain += 1;
        let (id, message) = (job.id, job.spec.reason.clone());
        self.drains.push(job);
        self.dirty = true;
        for server in covered {
            self.journal.server(EventKind::DrainStarted, server, &message, moment);
        }
        self.put_in_force(false, moment);
        self.step_drains(moment);
        if self.pending {
            self.put_in_force(false, moment);
        }
        Ok(id)
    }

    /// Takes drains back that cover any of these servers.
    pub(super) fn undrain(&mut self, target: DrainTarget, moment: Moment) -> Result<Vec<Server>, String> {
        let (ended, left): (Vec<Job>, Vec<Job>) =
            std::mem::take(&mut self.drains).into_iter().partition(|job| overlaps(job, target));
        self.drains = left;
        if ended.is_empty() {
            return Err("it is not drained".to_owned());
        }
        let mut servers: Vec<Server> = ended.iter().flat_map(|job| self.servers_of(job.target)).collect();
        servers.sort_unstable();
        servers.dedup();
        for server in &servers {
            self.journal.server(EventKind::Undrained, *server, "", moment);
        }
        self.dirty = true;
        self.put_in_force(false, moment);
        Ok(servers)
    }

    pub(super) fn next_look(&self) -> Option<Duration> {
        self.drains.iter().filter(|job| !job.done).map(|job| job.look_at).min()
    }

    /// Looks at what drains wait for.
    pub(super) fn step_drains(&mut self, moment: Moment) {
        for index in 0..self.drains.len() {
            if self.drains[index].done || self.drains[index].look_at > moment.now {
                continue;
            }
            self.drains[index].look_at = moment.now + LOOK;
            let Some(snapshot) = self.counts_of(index) else { continue };
            let job = &mut self.drains[index];
            let progress = job.drain.step(&snapshot, moment.now);
            job.waiting = progress.waiting;
            for operation in &progress.operations {
                match *operation {
                    Operation::RemoveDestination(service, server) => {
                        job.left += inactive(&snapshot, service, server);
                        job.gone.insert((service, server));
                    }
                    Operation::RemoveService(_) => job.done = true,
                    // It is quiesced by being wanted with weight 0.
                    _ => {}
                }
            }
            job.done |= progress.done;
            job.cut += progress.cut.iter().map(|left| u64::from(left.active)).sum::<u64>();
            let changed = job.done || !progress.operations.is_empty();
            let (id, done) = (job.id, job.done);
            self.counts.cut += progress.cut.iter().map(|left| u64::from(left.active)).sum::<u64>();
            for left in &progress.cut {
                let message = format!("the deadline is over: {} active connections are cut", left.active);
                self.journal.server(EventKind::DrainCut, (left.service, left.destination), &message, moment);
            }
            if done {
                self.journal.cluster(EventKind::Drained, &format!("drain {id} is over"), moment);
            }
            if changed {
                self.pending = true;
                self.dirty = true;
            }
        }
    }

    /// The services that a drain is about, with the counts of their servers.
    fn counts_of(&mut self, index: usize) -> Option<Snapshot> {
        let mut keys: Vec<ServiceKey> =
            self.servers_of(self.drains[index].target).into_iter().map(|(key, _)| key).collect();
        keys.extend(match self.drains[index].target {
            DrainTarget::Service(key) => Some(key),
            _ => None,
        });
        keys.sort_unstable();
        keys.dedup();
        let mut snapshot = Snapshot::new(Info::default(), Coverage::FULL);
        for key in keys {
            // A service that is not there has nothing to wait for; others are asked again next
            // time.
            let entry = match self.director.service(&key) {
                Ok(entry) => entry,
                Err(error) if error.kind() == lvs_core::ErrorKind::NotFound => continue,
                Err(_) => return None,
            };
            let destinations = self.director.destinations(&key).ok()?;
            snapshot.services.push(ServiceSnapshot { entry, destinations });
        }
        Some(snapshot)
    }

    pub(super) fn drain_statuses(&self) -> Vec<DrainStatus> {
        let waiting = |left: &Remaining| {
            format!(
                "{} of {}: {} active, {} inactive, {} persistent",
                left.destination, left.service, left.active, left.inactive, left.persistent
            )
        };
        self.drains
            .iter()
            .map(|job| DrainStatus {
                id: job.id,
                spec: job.spec.clone(),
                started: job.started,
                done: job.done,
                waiting: job.waiting.iter().map(waiting).collect(),
                cut: job.cut,
                left: job.left,
            })
            .collect()
    }
}

fn inactive(snapshot: &Snapshot, service: ServiceKey, server: DestinationKey) -> u64 {
    let entry = snapshot.services.iter().find(|entry| entry.entry.service.key() == service);
    let entry = entry.and_then(|entry| entry.destinations.iter().find(|entry| entry.destination.key == server));
    entry.map_or(0, |entry| entry.inactive.into())
}

/// Whether taking back a selection takes back a drain: what it is about is drained by it.
fn overlaps(job: &Job, target: DrainTarget) -> bool {
    match (job.target, target) {
        (DrainTarget::Destination(key, _) | DrainTarget::Service(key), DrainTarget::Service(other)) => key == other,
        (_, DrainTarget::Destination(key, server)) => job.covers(&key, &server),
        (DrainTarget::Destination(_, server), DrainTarget::RealServer(addr)) => server.addr == addr,
        (mine, other) => mine == other,
    }
}
