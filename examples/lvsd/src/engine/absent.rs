//! Overrides of servers that the file does not name now. They hold again when it does: a server
//! that left by an edit, and comes back with the next one, is still as an operator has decided.

use std::collections::BTreeMap;
use std::time::Duration;

use lvs_core::drain::DrainTarget;
use lvs_core::health::{Change, Forced, Health, HealthError, Override, OverrideState};

use super::drains::covers;
use super::servers::override_status;
use super::{Engine, Moment, Server};
use crate::control::AbsentServer;
use crate::state::{OverrideRecord, State};

pub(super) type Absent = BTreeMap<Server, Override>;

impl Engine {
    /// What remains of overrides once another file is in force: those of servers that it names hold
    /// again, the others are returned.
    pub(super) fn carry_over(
        &self,
        health: &mut Health,
        kept: Option<&State>,
        moment: Moment,
    ) -> Result<(Absent, Vec<Change>), HealthError> {
        let mut absent = self.absent.clone();
        // Servers that stay have kept theirs, so that only those of others are met here.
        absent.extend(overridden(&self.health, moment.now));
        if let Some(state) = kept {
            let away = Duration::from_secs(moment.unix.saturating_sub(state.saved_at));
            let servers = state.health.iter().flat_map(|health| &health.services).flat_map(|entry| {
                entry.servers.iter().map(|server| ((entry.service, server.server), server.overridden.as_ref()))
            });
            for (server, saved) in servers {
                let decision = saved.and_then(|saved| resume(saved.forced, &saved.reason, saved.ends_in, moment, away));
                absent.extend(decision.map(|decision| (server, decision)));
            }
            for record in &state.overrides {
                let (Ok(service), Ok(server)) = (record.service.parse(), record.server.parse()) else { continue };
                let left = record.ends_in.map(|left| Duration::try_from_secs_f64(left).unwrap_or_default());
                let decision = resume(record.forced, &record.reason, left, moment, away);
                absent.extend(decision.map(|decision| ((service, server), decision)));
            }
        }
        absent.retain(|_, decision| decision.until.is_none_or(|until| until > moment.now));
        let mut changes = Vec::new();
        let here: Vec<Server> =
            absent.keys().copied().filter(|(service, server)| health.is_up(service, server).is_some()).collect();
        for (service, server) in here {
            let decision = absent.remove(&(service, server));
            if let Some(decision) = decision.filter(|_| !self.is_watched((service, server))) {
                changes.extend(health.set_override(&service, &server, decision)?);
            }
        }
        Ok((absent, changes))
    }

    fn is_watched(&self, (service, server): Server) -> bool {
        self.health.is_up(&service, &server).is_some()
    }

    /// Those that are to be kept.
    pub(super) fn absent_records(&self, now: Duration) -> Vec<OverrideRecord> {
        self.absent_now(now)
            .map(|((service, server), decision)| OverrideRecord {
                service: service.to_string(),
                server: server.to_string(),
                forced: decision.forced,
                reason: decision.reason.clone(),
                ends_in: decision.until.map(|until| until.saturating_sub(now).as_secs_f64()),
            })
            .collect()
    }

    /// Those that are to be shown.
    pub(super) fn absent_statuses(&self, now: Duration) -> Vec<AbsentServer> {
        self.absent_now(now)
            .map(|((service, server), decision)| AbsentServer {
                service: service.to_string(),
                server: server.to_string(),
                overridden: override_status(
                    decision.forced,
                    &decision.reason,
                    decision.until.map(|until| until.saturating_sub(now)),
                ),
            })
            .collect()
    }

    /// Ends those of a target, and says which they were.
    pub(super) fn release_absent(&mut self, target: DrainTarget) -> Vec<Server> {
        let ended: Vec<Server> =
            self.absent.keys().copied().filter(|(service, server)| covers(target, service, server)).collect();
        self.absent.retain(|server, _| !ended.contains(server));
        ended
    }

    fn absent_now(&self, now: Duration) -> impl Iterator<Item = (&Server, &Override)> {
        self.absent.iter().filter(move |(_, decision)| decision.until.is_none_or(|until| until > now))
    }
}

/// The overrides of watched servers.
pub(super) fn overridden(health: &Health, now: Duration) -> Absent {
    let decision = |saved: OverrideState| Override {
        forced: saved.forced,
        reason: saved.reason,
        until: saved.ends_in.map(|left| now.saturating_add(left)),
    };
    health
        .status(now)
        .filter_map(|server| Some(((server.service, server.server), decision(server.state.overridden?))))
        .collect()
}

/// A kept override, unless its time was over meanwhile.
fn resume(forced: Forced, reason: &str, left: Option<Duration>, moment: Moment, away: Duration) -> Option<Override> {
    let decision = Override::new(forced, reason);
    match left.map(|left| left.saturating_sub(away)) {
        None => Some(decision),
        Some(left) if left.is_zero() => None,
        Some(left) => Some(decision.until(moment.now.saturating_add(left))),
    }
}
