//! The beginning of a cluster, and its change to another file.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use lvs_core::Director;
use lvs_core::director::Follower;
use lvs_core::health::{Change, Health, HealthError, Probe, StartAs};
use lvs_core::lint::{self, Finding};
use lvs_core::model::{ServiceKey, Table, TableService};
use lvs_core::plan::{Ownership, Place};

use super::absent::{Absent, overridden};
use super::drains::Job;
use super::force::Forced;
use super::held::{Held, destinations};
use super::{Counts, Engine, Journal, Moment};
use crate::config::Cluster;
use crate::control::{Refused, Reloaded};
use crate::event::EventKind;
use crate::instance::Instance;
use crate::state::{Loaded, State, Store};

/// What a cluster needs to begin.
pub struct Setup {
    /// Its name.
    pub instance: Instance,
    /// Where its table is.
    pub place: Place,
    /// Its table.
    pub director: Box<dyn Director>,
    /// Where its state is kept.
    pub store: Box<dyn Store>,
    /// After which time the table is looked at again even if nothing has changed.
    pub resync: Duration,
    /// Whether services that are there already become the cluster's, whatever the file says.
    pub adopt: bool,
    /// Whether the file is refused as a whole when the director is known to refuse one of its
    /// services; otherwise the others are put in force.
    pub whole: bool,
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup").field("instance", &self.instance).finish_non_exhaustive()
    }
}

/// A cluster that cannot begin. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The table cannot be read.
    #[error(transparent)]
    Director(#[from] lvs_core::Error),
    /// The file cannot be watched.
    #[error(transparent)]
    Health(#[from] HealthError),
    /// Services are there that are not this cluster's.
    #[error("{}", foreign(.0))]
    Foreign(Vec<ServiceKey>),
    /// The director will refuse some of them.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Refused(Vec<Finding>),
    /// The file names no service although some are in force: it was cut short, perhaps.
    #[error(
        "the file names no service, which would remove all of this cluster ({0}): to take them out of force, run lvsctl stop"
    )]
    Empty(usize),
    /// What is the cluster's cannot be written down.
    #[error("cannot keep state: {0}")]
    State(std::io::Error),
}

fn foreign(keys: &[ServiceKey]) -> String {
    let names: Vec<_> = keys.iter().take(5).map(ToString::to_string).collect();
    let more = if keys.len() > 5 { format!(" and {} more", keys.len() - 5) } else { String::new() };
    let whose = match crate::owner::likely().as_slice() {
        [] => "somebody's (ipvsadm, another cluster)".to_owned(),
        programs => format!("probably of {}", programs.join(" or ")),
    };
    format!(
        "{}{more}: in the table already and not this cluster's, but {whose}; remove it there, or write adopt = true \
         into the file to take it over",
        names.join(", ")
    )
}

impl Engine {
    fn begin(setup: Setup, loaded: Loaded, moment: Moment) -> (Self, Option<Box<State>>) {
        let Setup { instance, place, director, store, resync, adopt, whole: _ } = setup;
        let ownership = Ownership::new(instance.name.clone(), place).with_timeouts().with_daemons();
        let mut engine = Self {
            instance,
            director,
            follower: Follower::new(),
            store,
            cluster: Cluster::default(),
            health: Health::new(),
            ownership,
            drains: Vec::new(),
            absent: Absent::new(),
            held: Held::new(),
            next_drain: 1,
            checked: std::collections::HashMap::new(),
            known: None,
            removed: Vec::new(),
            problems: Vec::new(),
            reload_refused: None,
            dirty: false,
            unsaved: None,
            pending: false,
            resync,
            resync_at: moment.now,
            alarm: None,
            started: moment,
            not_run_said: None,
            adopt,
            latency: crate::metrics::Latency::default(),
            page: None,
            journal: Journal::default(),
            counts: Counts::default(),
        };
        let mut kept = None;
        match loaded {
            Loaded::Absent => {}
            Loaded::State(state) => {
                // After a start of the machine, or in another namespace, the table is another one.
                if state.ownership.check(engine.ownership.name(), engine.ownership.place()).is_ok() {
                    engine.ownership = state.ownership.clone();
                }
                engine.next_drain = state.drains.iter().map(|drain| drain.id + 1).max().unwrap_or(1);
                engine.drains = state.drains.iter().filter_map(|drain| Job::resume(drain, moment)).collect();
                kept = Some(state);
            }
            Loaded::Damaged { moved_to, reason } => {
                // What the file of this cluster names was most likely its own: adopted, this once.
                engine.adopt = true;
                let message = format!(
                    "the state was damaged ({reason}) and is now {}: beginning from what the table says",
                    moved_to.display()
                );
                engine.journal.cluster(EventKind::Refused, &message, moment);
            }
        }
        (engine, kept)
    }

    /// Begins: goes on from the state that was kept, or else from what the table says, and puts the
    /// file in force.
    ///
    /// # Errors
    /// [`StartError`]; nothing was changed.
    pub fn start(
        setup: Setup,
        cluster: Cluster,
        loaded: Loaded,
        moment: Moment,
    ) -> Result<(Self, Reloaded), StartError> {
        let (adopt, whole) = (setup.adopt, setup.whole);
        let (mut engine, kept) = Self::begin(setup, loaded, moment);
        if whole {
            engine.check_director(&cluster)?;
        }
        let forced = engine.change(cluster, kept.as_deref(), moment)?;
        engine.adopt = adopt;
        engine.journal.cluster(EventKind::Started, &engine.instance.identity.cluster.display().to_string(), moment);
        let warnings = engine.warnings();
        Ok((engine, Reloaded { operations: forced.operations, refused: forced.refused, warnings }))
    }

    /// Begins without putting anything in force, to see what would be done.
    ///
    /// # Errors
    /// As [`Engine::start`].
    pub fn look(setup: Setup, cluster: Cluster, loaded: Loaded, moment: Moment) -> Result<Self, StartError> {
        let whole = setup.whole;
        let (mut engine, kept) = Self::begin(setup, loaded, moment);
        if whole {
            engine.check_director(&cluster)?;
        }
        let prepared = engine.prepare(&cluster, kept.as_deref(), moment)?;
        engine.ownership.claim(&services(&cluster));
        (engine.health, engine.absent, engine.held) = (prepared.health, prepared.absent, prepared.held);
        engine.cluster = cluster;
        Ok(engine)
    }

    /// Changes to another file. What is known of servers that stay, is kept; the table goes from
    /// one file to the other without a gap.
    ///
    /// # Errors
    /// Why the file was refused: then the one before stays in force, and nothing was changed.
    pub fn reload(&mut self, cluster: Cluster, moment: Moment) -> Result<Reloaded, Refused> {
        match self.check_director(&cluster).and_then(|()| self.change(cluster, None, moment)) {
            Ok(forced) => {
                self.counts.reloads += 1;
                self.reload_refused = None;
                let warnings = self.warnings();
                let message = format!("{} operations", forced.operations.len());
                self.journal.cluster(EventKind::Reloaded, &message, moment);
                Ok(Reloaded { operations: forced.operations, refused: forced.refused, warnings })
            }
            Err(error) => Err(self.refuse(Refused::new(error), moment)),
        }
    }

    /// Changes to other addresses of the names of the file in force.
    ///
    /// # Errors
    /// Why they cannot be servers: then the addresses before stay in force.
    pub fn resolve(&mut self, cluster: Cluster, moment: Moment) -> Result<(), String> {
        let message: Vec<String> = cluster
            .answers
            .iter()
            .filter(|(name, known)| self.cluster.answers.get(*name) != Some(known))
            .map(|(name, known)| {
                format!("{name} is {}", known.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
            })
            .collect();
        self.change(cluster, None, moment).map_err(|error| error.to_string())?;
        self.journal.cluster(EventKind::NamesChanged, &message.join("; "), moment);
        Ok(())
    }

    /// Those addresses of a name that serve, as far as checks can say: one has passed its check, or
    /// nobody checks it.
    pub fn serving(&self, name: &str) -> BTreeSet<IpAddr> {
        let members = self.cluster.services.iter().flat_map(|entry| {
            let named = entry.members.iter().filter(|member| member.name.as_deref() == Some(name));
            named.map(|member| (entry.service.key(), member))
        });
        members
            .filter(|(service, member)| {
                let passed = || self.checked.get(&(*service, member.destination.key)).is_some_and(|known| known.passed);
                member.check.is_none() || passed()
            })
            .map(|(_, member)| member.destination.key.addr)
            .collect()
    }

    /// Notes that a file was refused, here or before it could be read.
    pub fn refuse(&mut self, refused: Refused, moment: Moment) -> Refused {
        self.counts.reloads_refused += 1;
        self.journal.cluster(EventKind::ReloadRefused, &refused.error, moment);
        self.reload_refused = Some(refused.clone());
        refused
    }

    /// What is odd about the file in force but may be meant.
    pub fn warnings(&self) -> Vec<String> {
        let health = self.health.warnings().map(|(service, warning)| format!("{service}: {warning}"));
        self.cluster.warnings.iter().cloned().chain(health).collect()
    }

    /// That the director refuses none of a file's services for what it lacks.
    fn check_director(&mut self, cluster: &Cluster) -> Result<(), StartError> {
        let findings = lint::schedulers(&mut *self.director, &services(cluster))?;
        if findings.is_empty() { Ok(()) } else { Err(StartError::Refused(findings)) }
    }

    /// The health of another file's servers: what is known of those that stay, is kept.
    fn prepare(&mut self, cluster: &Cluster, kept: Option<&State>, moment: Moment) -> Result<Prepared, StartError> {
        let current = self.director.snapshot()?.to_table();
        let wanted = keys(cluster);
        let foreign = self.foreign(&current, &wanted);
        if !foreign.is_empty() && !cluster.adopt && !self.adopt {
            return Err(StartError::Foreign(foreign));
        }
        let owned = self.ownership.services().len();
        if wanted.is_empty() && owned > 0 {
            return Err(StartError::Empty(owned));
        }
        let mut health = self.health.clone();
        health.retain(|key| wanted.contains(key));
        let new: BTreeSet<ServiceKey> = wanted.into_iter().filter(|key| health.configured(key).is_none()).collect();
        let mut changes = Vec::new();
        let held = self.hold(cluster, kept, &current, moment);
        for entry in &cluster.services {
            changes.extend(health.watch(entry.service, destinations(entry, &held), entry.policy)?);
        }
        learn(&mut health, cluster, &current, &new);
        if let Some(state) = kept
            && let Some(saved) = &state.health
        {
            let away = Duration::from_secs(moment.unix.saturating_sub(state.saved_at));
            health.restore(saved, moment.now, away)?;
        }
        let (absent, again) = self.carry_over(&mut health, kept, moment)?;
        changes.extend(again);
        for entry in &cluster.services {
            for member in entry.members.iter().filter(|member| member.check.is_none()) {
                // Nobody checks it, so nobody would ever bring it back.
                for _ in 0..entry.policy.rise {
                    let (service, server) = (entry.service.key(), member.destination.key);
                    changes.extend(health.report(&service, &server, Probe::Up, moment.now)?);
                }
            }
        }
        Ok(Prepared { health, absent, held, changes })
    }

    fn change(&mut self, cluster: Cluster, kept: Option<&State>, moment: Moment) -> Result<Forced, StartError> {
        let Prepared { health, absent, held, changes } = self.prepare(&cluster, kept, moment)?;
        // Claimed before anything is in the table: a crash in between leaves nothing that is
        // nobody's.
        let before = self.ownership.clone();
        self.ownership.claim(&services(&cluster));
        if self.ownership != before
            && let Err(error) = self.save(moment)
        {
            self.ownership = before;
            return Err(StartError::State(error));
        }
        self.cluster = cluster;
        self.health = health;
        self.absent = absent;
        self.held = held;
        self.dirty = true;
        let watched: std::collections::HashSet<_> = self.health.watched().collect();
        self.checked.retain(|server, _| watched.contains(server));
        self.note(&changes, moment);
        Ok(self.put_in_force(true, moment))
    }

    /// Takes the services of the cluster out of force and stops its sync daemons.
    pub fn withdraw(&mut self, moment: Moment) -> Reloaded {
        let daemons: Vec<_> = self.cluster.daemons.iter().map(|daemon| daemon.role).collect();
        self.cluster = Cluster::default();
        self.absent.extend(overridden(&self.health, moment.now));
        self.health = Health::new();
        let mut forced = self.put_in_force(true, moment);
        let running = self.director.daemons().unwrap_or_default();
        for role in daemons.into_iter().filter(|role| running.iter().any(|daemon| daemon.role == *role)) {
            match self.director.stop_daemon(role) {
                Ok(()) => forced.operations.push(format!("stop the {role} sync daemon")),
                Err(error) => forced.refused.push(error.to_string()),
            }
        }
        self.dirty = true;
        self.save_if_dirty(moment);
        Reloaded { operations: forced.operations, refused: forced.refused, warnings: Vec::new() }
    }
}

/// What is known of another file's servers.
struct Prepared {
    health: Health,
    absent: Absent,
    held: Held,
    changes: Vec<Change>,
}

/// The services of a file.
fn keys(cluster: &Cluster) -> BTreeSet<ServiceKey> {
    cluster.services.iter().map(|entry| entry.service.key()).collect()
}

/// The services of a file as a table without servers, which is enough to own them.
pub(super) fn services(cluster: &Cluster) -> Table {
    let mut table = Table::new();
    table.services = cluster.services.iter().map(|entry| TableService::new(entry.service)).collect();
    table
}

/// Learns from the table which servers of new services were out of use. Servers that nobody checks
/// start in use: nothing would bring them back.
fn learn(health: &mut Health, cluster: &Cluster, current: &Table, new: &BTreeSet<ServiceKey>) {
    let mut held = Table::new();
    let by_key = cluster.by_key();
    for entry in current.services.iter().filter(|entry| new.contains(&entry.service.key())) {
        let Some(wanted) = by_key.get(&entry.service.key()) else { continue };
        let mut entry = entry.clone();
        for member in wanted.members.iter().filter(|member| member.check.is_none() || member.destination.weight == 0) {
            entry.destinations.retain(|destination| destination.key != member.destination.key);
            entry.destinations.push(member.destination.with_weight(1));
        }
        held.services.push(entry);
    }
    health.start_from(&held, StartAs::Up);
}
