//! From what is wanted to what is in force.

use std::collections::BTreeSet;

use lvs_core::director::Operation;
use lvs_core::model::{Protocol, ServiceKey, Table};
use lvs_core::plan::{OnFailure, Ownership, Plan, Planner};

use super::start::services;
use super::{Engine, Moment, Server};
use crate::event::EventKind;

/// What was done to the table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Forced {
    pub(super) operations: Vec<String>,
    pub(super) refused: Vec<String>,
}

/// More operations than this at once are logged as their number.
const LOGGED: usize = 20;

impl Engine {
    /// The table that is wanted now: what health says, less what is drained.
    pub(super) fn wanted(&self, moment: Moment) -> Table {
        let mut table = self.health.wanted(moment.now);
        table.timeouts = self.cluster.timeouts;
        table.daemons.clone_from(&self.cluster.daemons);
        self.without_drained(&mut table);
        table
    }

    /// What would be done now, from what the director holds.
    pub(super) fn plan(&mut self, moment: Moment) -> Result<Plan, String> {
        let current = self.director.snapshot().map_err(|error| error.to_string())?.to_table();
        self.plan_from(&current, &self.wanted(moment))
    }

    fn plan_from(&self, current: &Table, wanted: &Table) -> Result<Plan, String> {
        let planner = planner(&self.ownership).allowing(self.cluster.allowed.kinds());
        planner.plan(current, wanted).map_err(|error| error.to_string())
    }

    /// Brings the table to what is wanted. Looks at it first if asked to, or if it is not known.
    pub(super) fn put_in_force(&mut self, look: bool, moment: Moment) -> Forced {
        self.pending = false;
        let look = look || self.known.is_none();
        if look {
            self.resync_at = moment.now + self.resync;
        }
        self.alarm = self.health.next_change(moment.now);
        // The state goes first: after a crash no server comes back that the table has without
        // weight.
        self.save_if_dirty(moment);
        let current = match self.known.take() {
            Some(known) if !look => known,
            known => match self.director.snapshot() {
                Ok(snapshot) => {
                    let current = snapshot.to_table();
                    if let Some(mut known) = known {
                        self.keep_weights(&mut known, &current, moment);
                        self.note_drift(&current, &known, moment);
                        self.save_if_dirty(moment);
                    }
                    current
                }
                Err(error) => return self.give_up(error.to_string(), moment),
            },
        };
        let wanted = self.wanted(moment);
        let plan = match self.plan_from(&current, &wanted) {
            Ok(plan) => plan,
            Err(error) => return self.give_up(error, moment),
        };
        let outcome = plan.apply(&mut *self.director, OnFailure::Keep);
        if !outcome.done.is_empty() {
            // Some of it only a whole reading shows.
            self.follower.forget();
        }
        let mut forced = Forced {
            operations: outcome.done.iter().map(|&step| plan.steps()[step].operation.to_string()).collect(),
            refused: outcome.refused.iter().map(|refusal| refusal.error.to_string()).collect(),
        };
        let done = outcome.done.iter().map(|&step| plan.steps()[step].operation);
        self.removed.extend(done.flat_map(|operation| removed_udp(operation, &current)));
        forced.refused.extend(outcome.interrupted.as_ref().map(ToString::to_string));
        self.counts.operations += forced.operations.len() as u64;
        self.counts.operations_refused += forced.refused.len() as u64;
        if !forced.operations.is_empty() {
            self.journal.cluster(EventKind::Applied, &shortened(&forced.operations), moment);
        }
        if outcome.is_complete() {
            // Before what left the file is given up: it is not in the table any more.
            self.known = if plan.withheld().is_empty() {
                Some(in_force(current, wanted, &self.ownership))
            } else if plan.is_empty() {
                Some(current)
            } else {
                // Then the table is neither what is wanted nor what it was.
                self.director.snapshot().ok().map(|snapshot| snapshot.to_table())
            };
            self.settle();
        } else if !look {
            // Somebody else may have been at the table: look at it, once.
            let again = self.put_in_force(true, moment);
            forced.operations.extend(again.operations);
            forced.refused = again.refused;
            return forced;
        }
        let withheld = plan.withheld().iter();
        forced
            .refused
            .extend(withheld.map(|operation| format!("not allowed by the file (allowed_actions): {operation}")));
        self.set_problems(forced.refused.clone(), moment);
        forced
    }

    fn give_up(&mut self, error: String, moment: Moment) -> Forced {
        self.resync_at = moment.now + self.resync;
        self.set_problems(vec![error.clone()], moment);
        Forced { operations: Vec::new(), refused: vec![error] }
    }

    /// Logs problems when they are others than before, not each time that they are met.
    fn set_problems(&mut self, problems: Vec<String>, moment: Moment) {
        if self.problems != problems {
            for problem in problems.iter().filter(|problem| !self.problems.contains(problem)).take(LOGGED) {
                self.journal.cluster(EventKind::Refused, problem, moment);
            }
            self.problems = problems;
        }
    }

    /// Somebody else has changed services of this cluster.
    fn note_drift(&mut self, current: &Table, known: &Table, moment: Moment) {
        let mut ours = known.clone();
        ours.services.retain(|entry| self.ownership.owns(&entry.service.key()));
        let Ok(back) = planner(&self.ownership).plan(current, &ours) else { return };
        if !back.is_empty() {
            self.counts.drifts += 1;
            let operations: Vec<_> = back.operations().map(ToString::to_string).collect();
            let message = format!("somebody else has changed the table: {}", shortened(&operations));
            self.journal.cluster(EventKind::DriftRepaired, &message, moment);
        }
    }

    /// Gives up services that neither the file nor the table has any more. One that is drained
    /// stays the cluster's: it is to come back.
    fn settle(&mut self) {
        let Some(known) = &self.known else { return };
        let before = self.ownership.services().len();
        self.ownership.settle(&services(&self.cluster), known);
        self.dirty |= self.ownership.services().len() != before;
    }

    /// Services that are in the table and should be, but are not this cluster's.
    pub(super) fn foreign(&self, current: &Table, wanted: &BTreeSet<ServiceKey>) -> Vec<ServiceKey> {
        let present = current.services.iter().map(|entry| entry.service.key());
        present.filter(|key| wanted.contains(key) && !self.ownership.owns(key)).collect()
    }
}

/// The servers that an operation takes away, of services that may have flows of UDP.
fn removed_udp(operation: Operation, current: &Table) -> Vec<Server> {
    let is_udp = |key: &ServiceKey| {
        matches!(key, ServiceKey::Endpoint { protocol: Protocol::Udp, .. } | ServiceKey::Fwmark { .. })
    };
    match operation {
        Operation::RemoveDestination(service, server) if is_udp(&service) => vec![(service, server)],
        Operation::RemoveService(service) if is_udp(&service) => {
            let servers = current.service(&service).into_iter().flat_map(|entry| &entry.destinations);
            servers.map(|destination| (service, destination.key)).collect()
        }
        _ => Vec::new(),
    }
}

/// The services of a table.
pub(super) fn keys(table: &Table) -> BTreeSet<ServiceKey> {
    table.services.iter().map(|entry| entry.service.key()).collect()
}

/// Plans within what is owned. What cannot work is found when a file is read; here it would hold up
/// all other services.
fn planner(ownership: &Ownership) -> Planner {
    Planner::owned_by(ownership).removing_all().unchecked()
}

/// The table after a complete plan: others' services as they were, and ours.
fn in_force(current: Table, wanted: Table, ownership: &Ownership) -> Table {
    let mut table = current;
    let ours = keys(&wanted);
    table.services.retain(|entry| {
        let key = entry.service.key();
        !ownership.owns(&key) && !ours.contains(&key)
    });
    table.services.extend(wanted.services);
    if !wanted.daemons.is_empty() {
        table.daemons = wanted.daemons;
    }
    if let (Some(now), Some(wanted)) = (&mut table.timeouts, wanted.timeouts) {
        for (now, wanted) in
            [(&mut now.tcp, wanted.tcp), (&mut now.tcp_fin, wanted.tcp_fin), (&mut now.udp, wanted.udp)]
        {
            if wanted != 0 {
                *now = wanted;
            }
        }
    }
    table
}

fn shortened(operations: &[String]) -> String {
    match operations.len() {
        0..=LOGGED => operations.join("; "),
        more => format!("{}; and {} more", operations[..LOGGED].join("; "), more - LOGGED),
    }
}
