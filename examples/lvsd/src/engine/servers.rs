use std::collections::BTreeSet;
use std::time::Duration;

use lvs_core::drain::DrainTarget;
use lvs_core::health::{Forced, Override};

use super::drains::covers;
use super::{Engine, Moment, Server};
use crate::config::Action;
use crate::control::{Force, OverrideSpec, OverrideStatus, Selection};
use crate::event::EventKind;

impl Engine {
    /// The servers of the file that a target covers.
    pub(super) fn servers_of(&self, target: DrainTarget) -> Vec<Server> {
        let all = self.cluster.services.iter().flat_map(|entry| {
            let key = entry.service.key();
            entry.members.iter().map(move |member| (key, member.destination.key))
        });
        all.filter(|(service, server)| covers(target, service, server)).collect()
    }

    /// That a selection covers nothing, and what would be there.
    pub(super) fn not_there(&self, what: &Selection) -> String {
        let services: BTreeSet<_> = self.cluster.services.iter().map(|entry| entry.service.key()).collect();
        let target = what.target();
        match target {
            Ok(DrainTarget::Destination(key, server)) if services.contains(&key) => {
                format!("{key} has no server {server}")
            }
            Ok(DrainTarget::Destination(key, _) | DrainTarget::Service(key)) => {
                format!("the cluster has no service {key}")
            }
            Ok(DrainTarget::RealServer(addr)) => format!("the cluster has no server {addr}"),
            Err(error) => error,
        }
    }

    /// Sets or ends overrides.
    pub(super) fn set_override(&mut self, spec: &OverrideSpec, moment: Moment) -> Result<Vec<Server>, String> {
        let target = spec.what.target()?;
        let mut servers = self.servers_of(target);
        let released = if spec.force.is_none() { self.release_absent(target) } else { Vec::new() };
        if servers.is_empty() && released.is_empty() {
            return Err(self.not_there(&spec.what));
        }
        self.not_allowed(&[Action::ChangeServer])?;
        let decision = spec.force.map(|force| decision(force, spec, moment)).transpose()?;
        // All or none: a weight that is out of range is refused before anything is changed.
        let mut health = self.health.clone();
        let mut changes = Vec::new();
        for (service, server) in &servers {
            let changed = match &decision {
                Some(decision) => health.set_override(service, server, decision.clone()),
                None => health.clear_override(service, server),
            };
            changes.extend(changed.map_err(|error| error.to_string())?);
        }
        self.health = health;
        let kind = if decision.is_some() { EventKind::OverrideSet } else { EventKind::OverrideEnded };
        let message = match spec.force {
            Some(force) => format!("{}{}", describe(force), reason(&spec.reason)),
            None => format!("taken back{}", reason(&spec.reason)),
        };
        servers.extend(released);
        for server in &servers {
            self.journal.server(kind, *server, &message, moment);
        }
        self.note(&changes, moment);
        self.dirty = true;
        self.put_in_force(false, moment);
        Ok(servers)
    }
}

fn decision(force: Force, spec: &OverrideSpec, moment: Moment) -> Result<Override, String> {
    let forced = match force {
        Force::Up => Forced::Up,
        Force::Down => Forced::Down,
        Force::Weight(weight) => Forced::Weight(weight),
    };
    let decision = Override::new(forced, spec.reason.clone());
    let Some(seconds) = spec.expires else { return Ok(decision) };
    match Duration::try_from_secs_f64(seconds) {
        Ok(time) if !time.is_zero() => Ok(decision.until(moment.now.saturating_add(time))),
        _ => Err(format!("expires: {seconds} is not a number of seconds from now")),
    }
}

/// An override as it is shown.
pub(super) fn override_status(forced: Forced, reason: &str, ends_in: Option<Duration>) -> OverrideStatus {
    let force = match forced {
        Forced::Up => Force::Up,
        Forced::Down => Force::Down,
        Forced::Weight(weight) => Force::Weight(weight),
    };
    OverrideStatus { force, reason: reason.to_owned(), ends_in: ends_in.map(|time| time.as_secs_f64()) }
}

/// An override in words.
pub(super) fn describe(force: Force) -> String {
    match force {
        Force::Up => "up".to_owned(),
        Force::Down => "down".to_owned(),
        Force::Weight(weight) => format!("weight {weight}"),
    }
}

fn reason(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(": {reason}") }
}
