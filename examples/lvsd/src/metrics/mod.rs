//! Prometheus metrics of a table and of the daemon that keeps it.

mod family;
mod table;

use std::collections::BTreeMap;

pub use family::{Families, Labels, Latency, classic};
use lvs_core::model::{ServiceKey, Snapshot, Stats};
pub(crate) use table::may_be_label;
pub use table::{add_state, add_table, add_totals};

use crate::engine::{Engine, Moment};

/// What people call a service, and more words of theirs.
#[derive(Debug, Clone, Default)]
pub struct Naming {
    /// Its name.
    pub name: Option<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// The metrics of a table alone, in the OpenMetrics text format.
///
/// # Errors
/// Never in practice: writing to a string does not fail.
pub fn of_table(snapshot: &Snapshot, totals: Option<&Stats>) -> Result<String, std::fmt::Error> {
    let mut families = Families::default();
    if let Some(totals) = totals {
        add_totals(&mut families, totals);
    }
    add_table(&mut families, snapshot, |_| Naming::default());
    families.render(None)
}

impl Engine {
    /// The metrics of the table and of what keeps it, in the OpenMetrics text format.
    ///
    /// # Errors
    /// The director cannot be read.
    pub fn metrics(&mut self, moment: Moment) -> Result<String, String> {
        let mut follower = std::mem::take(&mut self.follower);
        let page = match follower.read(&mut *self.director) {
            Ok(snapshot) => self.metrics_of(snapshot, moment),
            Err(error) => Err(error.to_string()),
        };
        self.follower = follower;
        page
    }

    fn metrics_of(&mut self, snapshot: &Snapshot, moment: Moment) -> Result<String, String> {
        let naming: std::collections::HashMap<ServiceKey, Naming> = self
            .cluster()
            .services
            .iter()
            .map(|entry| {
                let naming = Naming { name: entry.name.clone(), labels: entry.labels.clone() };
                (entry.service.key(), naming)
            })
            .collect();
        let mut families = Families::default();
        add_table(&mut families, snapshot, |key| naming.get(key).cloned().unwrap_or_default());
        self.add_daemon(&mut families, |key| naming.get(key).cloned().unwrap_or_default(), moment);
        // Some directors keep none.
        if let Ok(totals) = self.director().totals() {
            add_totals(&mut families, &totals);
        }
        families.render(Some(self.latency())).map_err(|error| error.to_string())
    }

    fn add_daemon(&self, families: &mut Families, naming: impl Fn(&ServiceKey) -> Naming, moment: Moment) {
        let counts = self.counts;
        for (name, help, value) in [
            ("lvsd_checks", "Checks made", counts.checks),
            ("lvsd_checks_not_run", "Checks not made for a reason of this host", counts.checks_not_run),
            ("lvsd_servers_up", "Servers that came back into use", counts.ups),
            ("lvsd_servers_down", "Servers that went out of use", counts.downs),
            ("lvsd_reloads", "Cluster files put in force", counts.reloads),
            ("lvsd_reloads_refused", "Cluster files refused", counts.reloads_refused),
            ("lvsd_operations", "Operations carried out on the table", counts.operations),
            ("lvsd_operations_refused", "Operations that the director refused", counts.operations_refused),
            ("lvsd_drifts_repaired", "Times that somebody else's change was repaired", counts.drifts),
            ("lvsd_drain_cut_connections", "Connections cut at the deadline of a drain", counts.cut),
            ("lvsd_state_failures", "Times that state could not be written", counts.save_failures),
        ] {
            families.counter(name, help, [(Labels::default(), value)]);
        }
        let gauge = |value: bool| u64::from(value);
        families.gauge(
            "lvsd_in_force",
            "Whether the table is as it should be",
            [(Labels::default(), gauge(self.problems().is_empty()))],
        );
        let mut quorum = Vec::new();
        let mut up = Vec::new();
        let mut overridden = Vec::new();
        for entry in &self.cluster().services {
            let key = entry.service.key();
            let labels = table::service(&key, &naming(&key));
            quorum.push((labels, gauge(self.health().has_quorum(&key).unwrap_or_default())));
        }
        for server in self.health().status(moment.now) {
            let labels = table::destination(&table::service(&server.service, &naming(&server.service)), &server.server);
            overridden.push((labels.clone(), gauge(server.state.overridden.is_some())));
            up.push((labels, gauge(server.up)));
        }
        families.gauge("lvsd_service_quorum", "Whether enough servers of the service are up", quorum);
        families.gauge("lvsd_server_up", "Whether the server is in use", up);
        families.gauge("lvsd_server_overridden", "Whether an operator overrides the checks", overridden);
    }
}
