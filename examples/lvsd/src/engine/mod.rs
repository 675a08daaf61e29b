//! The cluster while it runs: one owner of the director, the health of servers, drains, overrides
//! and the file in force. It has no clock, no task and no socket; whoever drives it brings the
//! time.

mod absent;
mod allowed;
mod drains;
mod force;
mod held;
mod journal;
mod requests;
mod servers;
mod start;
mod status;

use std::collections::HashMap;
use std::time::Duration;

use lvs_core::Director;
use lvs_core::director::Follower;
use lvs_core::health::Health;
use lvs_core::model::{DestinationKey, ServiceKey, Table};
use lvs_core::plan::Ownership;

pub use journal::Journal;
pub use start::{Setup, StartError};

use crate::config::Cluster;
use crate::control::Refused;
use crate::control::server::Page;
use crate::event::EventKind;
use crate::instance::Instance;
use crate::metrics::Latency;
use crate::probe::Outcome;
use crate::state::{State, Store};
use absent::Absent;
use drains::Job;
use held::Held;

/// One server of one service.
pub type Server = (ServiceKey, DestinationKey);

/// A point in time on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// A clock that does not run backwards, from the start of the program.
    pub now: Duration,
    /// Seconds since 1970.
    pub unix: u64,
}

/// What is counted, for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Checks that were made.
    pub checks: u64,
    /// Checks that could not be made for a reason of this host.
    pub checks_not_run: u64,
    /// Servers that came back.
    pub ups: u64,
    /// Servers that went.
    pub downs: u64,
    /// Files that were put in force.
    pub reloads: u64,
    /// Files that were refused.
    pub reloads_refused: u64,
    /// Operations that the director carried out.
    pub operations: u64,
    /// Operations that it refused.
    pub operations_refused: u64,
    /// Times that the table had to be repaired.
    pub drifts: u64,
    /// Connections that drains have cut.
    pub cut: u64,
    /// Times that state could not be written.
    pub save_failures: u64,
}

/// What is known of the checks of a server.
#[derive(Debug, Clone, Default)]
struct Checked {
    /// Why the last check was no success.
    reason: Option<String>,
    /// The weight that the server asks for.
    asked: Option<u32>,
    /// Whether the last check that was made was a success.
    passed: bool,
}

/// The cluster while it runs.
pub struct Engine {
    instance: Instance,
    pub(crate) director: Box<dyn Director>,
    /// Reads the table for metrics, which are asked for again and again.
    pub(crate) follower: Follower,
    store: Box<dyn Store>,
    cluster: Cluster,
    health: Health,
    /// What is the cluster's.
    ownership: Ownership,
    drains: Vec<Job>,
    /// What operators have decided about servers that the file does not name now.
    absent: Absent,
    /// Weights that hold while servers are well, in services that keep those of others.
    held: Held,
    next_drain: u64,
    checked: HashMap<Server, Checked>,
    /// The table as it was left or seen last.
    known: Option<Table>,
    /// UDP servers that were taken out of the table, and that nobody has asked for yet.
    removed: Vec<Server>,
    /// Why the table is not as it should be.
    problems: Vec<String>,
    reload_refused: Option<Refused>,
    /// Whether there is something to keep.
    dirty: bool,
    /// Why the last state could not be kept; it is tried again with each look at the table.
    unsaved: Option<String>,
    /// Whether the wanted table may be another one than the one in force.
    pending: bool,
    resync: Duration,
    resync_at: Duration,
    /// When time alone changes what is wanted.
    alarm: Option<Duration>,
    started: Moment,
    not_run_said: Option<Duration>,
    adopt: bool,
    latency: Latency,
    page: Option<(Duration, Page)>,
    /// What happens.
    pub journal: Journal,
    /// What is counted.
    pub counts: Counts,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("instance", &self.instance).finish_non_exhaustive()
    }
}

/// How often the same shortage of this host is logged.
const NOT_RUN_PAUSE: Duration = Duration::from_secs(10);

impl Engine {
    /// Takes in the outcome of a check. Call [`Engine::flush`] once all that came are in.
    pub fn report(&mut self, server: Server, outcome: Outcome, moment: Moment) {
        let (service, key) = server;
        self.counts.checks += 1;
        let known = self.checked.entry(server).or_default();
        let probe = outcome.probe();
        match outcome {
            Outcome::Up => *known = Checked { passed: true, ..Checked::default() },
            Outcome::UpWithWeight(weight) => {
                self.pending |= known.asked != Some(weight);
                *known = Checked { reason: None, asked: Some(weight), passed: true };
            }
            Outcome::Down(reason) => {
                known.reason = Some(reason);
                known.passed = false;
            }
            Outcome::NotRun(reason) => {
                self.counts.checks_not_run += 1;
                let quiet = self.not_run_said.is_some_and(|said| moment.now < said + NOT_RUN_PAUSE);
                known.reason = Some(format!("not checked: {reason}"));
                if !quiet {
                    self.not_run_said = Some(moment.now);
                    self.journal.server(EventKind::CheckNotRun, server, &reason, moment);
                }
            }
        }
        // A server that has left the file meanwhile is nobody's any more.
        if let Ok(changes) = self.health.report(&service, &key, probe, moment.now) {
            self.note(&changes, moment);
        }
    }

    /// Does what is due: changes of health, steps of drains, the regular look at the table.
    pub fn flush(&mut self, moment: Moment) {
        if self.alarm.is_some_and(|at| at <= moment.now) {
            let changes = self.health.tick(moment.now);
            self.note(&changes, moment);
            self.pending = true;
        }
        self.step_drains(moment);
        let look = moment.now >= self.resync_at;
        self.dirty |= look && self.unsaved.is_some();
        if look || self.pending {
            self.put_in_force(look, moment);
        }
        self.save_if_dirty(moment);
    }

    /// When [`Engine::flush`] has something to do even if nothing is reported.
    pub fn next_wakeup(&self) -> Duration {
        let drains = self.next_look();
        self.alarm.into_iter().chain(drains).fold(self.resync_at, Duration::min)
    }

    /// The servers that were taken out of the table since the last call, of services that may have
    /// flows of UDP.
    pub fn take_removed(&mut self) -> Vec<Server> {
        std::mem::take(&mut self.removed)
    }

    /// The file in force.
    pub const fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Under which name it runs, and what it is.
    pub const fn instance(&self) -> &Instance {
        &self.instance
    }

    /// The health of its servers.
    pub const fn health(&self) -> &Health {
        &self.health
    }

    /// How long checks took.
    pub const fn latency(&self) -> &Latency {
        &self.latency
    }

    /// The director.
    pub fn director(&mut self) -> &mut dyn Director {
        &mut *self.director
    }

    /// Why the table is not as it should be; empty if it is.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// What would be kept now.
    pub fn state(&self, moment: Moment) -> State {
        let mut state = State::new(&self.instance.identity, self.ownership.clone());
        state.saved_at = moment.unix;
        state.health = Some(self.health.save(moment.now));
        state.drains = self.drains.iter().map(Job::record).collect();
        state.overrides = self.absent_records(moment.now);
        state.held = self.held_records();
        state.names.clone_from(&self.cluster.answers);
        state
    }

    /// Writes everything down before the process ends. The table stays as it is.
    pub fn end(&mut self, moment: Moment) {
        self.journal.cluster(EventKind::Stopping, "", moment);
        // What cannot be kept is logged; the table says most of it, too.
        let _ = self.save(moment);
    }

    fn save(&mut self, moment: Moment) -> std::io::Result<()> {
        let state = self.state(moment);
        let saved = self.store.save(&state);
        // Health goes before: what could not be kept is logged, and tried again with the next
        // change or look.
        self.dirty = false;
        match &saved {
            Ok(()) => self.unsaved = None,
            Err(error) => {
                self.counts.save_failures += 1;
                let error = format!("cannot keep state: {error}");
                if self.unsaved.as_ref() != Some(&error) {
                    self.journal.cluster(EventKind::Refused, &error, moment);
                }
                self.unsaved = Some(error);
            }
        }
        saved
    }

    fn save_if_dirty(&mut self, moment: Moment) {
        if self.dirty {
            let _ = self.save(moment);
        }
    }
}

#[cfg(test)]
mod tests;
