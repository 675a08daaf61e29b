//! A task for each checked server. They know nothing of each other: one that hangs delays no other.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use lvs_core::model::Destination;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::AbortHandle;

use crate::config::{Cluster, ServerCheck};
use crate::engine::Server;
use crate::probe::{Context, Outcome, Target};

/// A server that comes with a reload waits at most this long for its first check.
const FIRST: Duration = Duration::from_secs(1);

/// What one check came to.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) server: Server,
    pub(super) kind: &'static str,
    pub(super) outcome: Outcome,
    pub(super) took: Duration,
}

/// The checks that run.
#[derive(Debug)]
pub(super) struct Checks {
    running: HashMap<Server, Running>,
    permits: Rc<Semaphore>,
    reports: UnboundedSender<Report>,
    begun: bool,
}

#[derive(Debug)]
struct Running {
    check: Rc<ServerCheck>,
    destination: Destination,
    task: AbortHandle,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Checks {
    pub(super) fn new(reports: UnboundedSender<Report>, at_once: usize) -> Self {
        Self { running: HashMap::new(), permits: Rc::new(Semaphore::new(at_once)), reports, begun: false }
    }

    /// Checks the servers of this cluster and no others. Checks that stay as they are keep their
    /// rhythm.
    pub(super) fn follow(&mut self, cluster: &Cluster) {
        let mut running = HashMap::with_capacity(self.running.len());
        for entry in &cluster.services {
            let service = entry.service.key();
            for member in &entry.members {
                let Some(check) = &member.check else { continue };
                let server = (service, member.destination.key);
                let destination = member.destination.with_weight(1);
                let kept = self
                    .running
                    .remove(&server)
                    .filter(|running| running.check == *check && running.destination == destination);
                let task = kept.unwrap_or_else(|| self.begin(server, destination, Rc::clone(check)));
                running.insert(server, task);
            }
        }
        self.running = running;
        self.begun = true;
    }

    fn begin(&self, server: Server, destination: Destination, check: Rc<ServerCheck>) -> Running {
        let spread = if self.begun { check.interval.min(FIRST) } else { check.interval };
        let first = spread.mul_f64(fastrand::f64());
        let address = SocketAddr::new(destination.key.addr, check.port.unwrap_or(destination.key.port));
        let target = Target { service: server.0, server: destination, address, through: check.through };
        let task = repeat(server, target, Rc::clone(&check), first, Rc::clone(&self.permits), self.reports.clone());
        Running { check, destination, task: tokio::task::spawn_local(task).abort_handle() }
    }
}

async fn repeat(
    server: Server,
    target: Target,
    check: Rc<ServerCheck>,
    first: Duration,
    permits: Rc<Semaphore>,
    reports: UnboundedSender<Report>,
) {
    let context = Context { timeout: check.timeout };
    let mut due = Instant::now() + first;
    loop {
        tokio::time::sleep_until(due.into()).await;
        let Ok(permit) = permits.acquire().await else { return };
        let started = Instant::now();
        let outcome = check.check.run(&target, &context).await;
        drop(permit);
        let (kind, took) = (check.check.name(), started.elapsed());
        if reports.send(Report { server, kind, outcome, took }).is_err() {
            return;
        }
        // A little off the beat, so that servers that came together do not stay together.
        let pause = check.interval.mul_f64(0.95 + 0.1 * fastrand::f64());
        due = (due + pause).max(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_waits_for_its_check_takes_little_memory() {
        let text = r#"
            [[service]]
            address = "tcp://192.0.2.1:80"
            check = { tcp = {} }
            server = [{ address = "192.0.2.7" }]
        "#;
        let cluster = Cluster::parse(text).unwrap();
        let check = cluster.services[0].members[0].check.clone().unwrap();
        let (service, server) = (cluster.services[0].service.key(), cluster.services[0].members[0].destination);
        let target = Target { service, server, address: "192.0.2.7:80".parse().unwrap(), through: None };
        let (permits, (reports, _)) = (Rc::new(Semaphore::new(1)), tokio::sync::mpsc::unbounded_channel());
        let task = repeat((service, server.key), target, check, Duration::ZERO, permits, reports);
        let size = size_of_val(&task);
        assert!(size <= 1024, "a waiting server takes {size} bytes");
    }
}
