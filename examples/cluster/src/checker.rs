//! Checks real servers side by side and keeps the director's table to what the checks say.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Result;
use lvs_core::Director;
use lvs_core::health::{Change, Health, Probe};
use lvs_core::model::{DestinationKey, ServiceKey, Table};
use lvs_core::plan::{OnFailure, Plan, Scope};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::config::{Cluster, ServiceCheck};
use crate::taken_out::{TakenOut, leave_alone};

/// What one check found out.
#[derive(Debug)]
struct Report {
    service: ServiceKey,
    server: DestinationKey,
    result: Result<Probe, String>,
    due: Instant,
}

/// What the checker tells its user.
#[derive(Debug)]
pub enum Notice<'a> {
    /// A server or service has changed.
    Change(&'a Change),
    /// Why a server counts as down.
    Failure(&'a DestinationKey, &'a str),
    /// An operation was carried out.
    Done(String),
    /// An operation was refused, or the director could not be reached; it is tried again.
    Refused(String),
}

/// How the checker went on, for those who measure it.
#[derive(Debug, Default, Clone, Copy)]
pub struct Work {
    /// Checks done.
    pub checks: u64,
    /// The longest time that a check came later than it was due.
    pub worst_lag: Duration,
}

/// Runs until `stop` comes; servers that somebody has taken out by hand stay as they are. Must run inside a [`tokio::task::LocalSet`].
///
/// # Errors
/// The cluster cannot be watched: a server is named twice.
pub async fn run(
    cluster: &Cluster,
    director: &mut dyn Director,
    scope: &Scope,
    resync: Duration,
    taken_out: &TakenOut,
    stop: impl Future<Output = ()>,
    mut notice: impl FnMut(Notice<'_>),
) -> Result<Work> {
    let mut stop = pin!(stop);
    let start = Instant::now();
    let mut health = Health::new();
    for entry in &cluster.services {
        health.watch(entry.service, entry.destinations.iter().copied(), entry.policy)?;
    }
    // The sender stays: a cluster in which nothing is checked is still put in force again and again.
    let (sender, mut reports) = unbounded_channel();
    spawn_checks(cluster, &sender);
    let mut work = Work::default();
    let mut reasons: BTreeMap<(ServiceKey, DestinationKey), String> = BTreeMap::new();
    let mut wanted = with_rest(health.wanted(Duration::ZERO), cluster);
    let mut resync_at = start;
    let mut by_itself = health.next_change(Duration::ZERO);
    loop {
        if Instant::now() >= resync_at {
            put_in_force(director, &wanted, scope, taken_out, &mut notice);
            resync_at = Instant::now() + resync;
        }
        let alarm = by_itself.map_or(resync_at, |at| (start + at).min(resync_at));
        let mut may_differ = true;
        let changes = tokio::select! {
            () = &mut stop => return Ok(work),
            () = tokio::time::sleep_until(alarm.into()) => health.tick(start.elapsed()),
            report = reports.recv() => {
                let Some(report) = report else { return Ok(work) };
                let weighs = matches!(report.result, Ok(Probe::UpWithWeight(_)));
                let changes = take(report, &mut health, start, &mut work, &mut reasons);
                // Most reports say what is known: the table is compared only if it may be another one.
                may_differ = weighs || !changes.is_empty();
                changes
            }
        };
        for change in &changes {
            if let Change::ServerDown(service, server) | Change::ServerDamped(service, server) = change
                && let Some(reason) = reasons.get(&(*service, *server))
            {
                notice(Notice::Failure(server, reason));
            }
            notice(Notice::Change(change));
        }
        if may_differ {
            let now = start.elapsed();
            by_itself = health.next_change(now);
            let before = std::mem::replace(&mut wanted, with_rest(health.wanted(now), cluster));
            if before.services != wanted.services {
                resync_at = Instant::now();
            }
        }
    }
}

fn take(
    report: Report,
    health: &mut Health,
    start: Instant,
    work: &mut Work,
    reasons: &mut BTreeMap<(ServiceKey, DestinationKey), String>,
) -> Vec<Change> {
    work.checks += 1;
    work.worst_lag = work.worst_lag.max(report.due.elapsed());
    let probe = match report.result {
        Ok(probe) => probe,
        Err(reason) => {
            reasons.insert((report.service, report.server), reason);
            Probe::Down
        }
    };
    // Only watched servers are checked, and none of them goes while this runs.
    health.report(&report.service, &report.server, probe, start.elapsed()).unwrap_or_default()
}

/// The timeouts and daemons of the file beside the services that health wants.
fn with_rest(mut wanted: Table, cluster: &Cluster) -> Table {
    wanted.timeouts = cluster.timeouts;
    wanted.daemons.clone_from(&cluster.daemons);
    wanted
}

fn put_in_force(
    director: &mut dyn Director,
    wanted: &Table,
    scope: &Scope,
    taken_out: &TakenOut,
    notice: &mut impl FnMut(Notice<'_>),
) {
    let mut plan = || -> Result<Plan> {
        let current = director.snapshot()?.to_table();
        let mut wanted = wanted.clone();
        leave_alone(&mut wanted, &current, &taken_out.servers()?);
        Ok(Plan::between(&current, &wanted, scope)?)
    };
    let plan = match plan() {
        Ok(plan) => plan,
        Err(error) => return notice(Notice::Refused(format!("{error:#}"))),
    };
    let outcome = plan.apply(director, OnFailure::Keep);
    for &step in &outcome.done {
        notice(Notice::Done(plan.steps()[step].operation.to_string()));
    }
    for refusal in &outcome.refused {
        notice(Notice::Refused(refusal.error.to_string()));
    }
    if let Some(error) = &outcome.interrupted {
        notice(Notice::Refused(error.to_string()));
    }
}

/// Starts a task for each server of each checked service; their first checks are spread over the interval.
fn spawn_checks(cluster: &Cluster, sender: &UnboundedSender<Report>) {
    let checked: Vec<_> = cluster
        .services
        .iter()
        .filter_map(|entry| entry.check.clone().map(|check| (entry, Rc::new(check))))
        .flat_map(|(entry, check)| {
            entry.destinations.iter().map(move |server| (entry.service.key(), server.key, Rc::clone(&check)))
        })
        .collect();
    let count = checked.len();
    for (index, (service, server, check)) in checked.into_iter().enumerate() {
        let offset = check.interval * index as u32 / count as u32;
        tokio::task::spawn_local(repeat(service, server, check, offset, sender.clone()));
    }
}

async fn repeat(
    service: ServiceKey,
    server: DestinationKey,
    check: Rc<ServiceCheck>,
    offset: Duration,
    sender: UnboundedSender<Report>,
) {
    let address = SocketAddr::new(server.addr, check.port.unwrap_or(server.port));
    let mut due = Instant::now() + offset;
    loop {
        tokio::time::sleep_until(due.into()).await;
        let started = Instant::now();
        let result = check.check.run(address, check.timeout).await;
        // The lag is how late the check began, not how long the server took to answer.
        let late = started.saturating_duration_since(due);
        let report = Report { service, server, result, due: Instant::now() - late };
        if sender.send(report).is_err() {
            return;
        }
        due = (due + check.interval).max(Instant::now());
    }
}
