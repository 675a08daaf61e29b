use std::fmt::{self, Write as _};
use std::time::Duration;

use super::workload::Event;
use lvs_core::model::DestinationKey;

/// One server's part.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ServerReport {
    /// The server.
    pub key: DestinationKey,
    /// Its weight at first.
    pub weight: u32,
    /// Connections that it got.
    pub connections: u64,
    /// Most sessions at once.
    pub peak: u32,
    /// Sessions that broke because it failed.
    pub broken: u64,
}

/// The state at one moment. The lists are in the order of the servers.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Sample {
    /// When.
    pub time: Duration,
    /// Sessions of each server.
    pub sessions: Vec<u32>,
    /// Connections that each server got since the sample before.
    pub new: Vec<u32>,
    /// Weights in force; 0 of servers that are away.
    pub weights: Vec<u32>,
}

impl Sample {
    /// How much more than its fair part the server has that has most: sessions of the server
    /// relative to its weight, against the average. 1 is perfect balance, 2 is twice its part;
    /// nothing if no server with a weight has a session.
    pub fn imbalance(&self) -> Option<f64> {
        let total: f64 = self.in_service().map(|(sessions, _)| sessions).sum();
        let weight: f64 = self.in_service().map(|(_, weight)| weight).sum();
        if total == 0.0 || weight == 0.0 {
            return None;
        }
        let relative = self.in_service().map(|(sessions, own)| sessions / own / (total / weight));
        relative.reduce(f64::max)
    }

    fn in_service(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        let pairs = self.sessions.iter().zip(&self.weights).filter(|(_, weight)| **weight > 0);
        pairs.map(|(sessions, weight)| (f64::from(*sessions), f64::from(*weight)))
    }
}

/// What an event did to the clients.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// When.
    pub time: Duration,
    /// What.
    pub event: Event,
    /// Sessions that broke.
    pub broken: u64,
    /// Clients that had been there before and came again before the next event.
    pub returning: u64,
    /// Of those, who found another server than the last time because theirs took no more.
    pub moved_of_necessity: u64,
    /// Of those, who found another server although theirs was still there.
    pub moved_without_need: u64,
}

/// What became of a workload.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// The scheduler.
    pub scheduler: String,
    /// How long it went on.
    pub duration: Duration,
    /// Connections that were opened.
    pub connections: u64,
    /// Connections that were refused.
    pub refused: u64,
    /// Different clients that came.
    pub clients: u64,
    /// The servers, in the workload's order.
    pub servers: Vec<ServerReport>,
    /// The samples, in order.
    pub samples: Vec<Sample>,
    /// The events, in order.
    pub changes: Vec<Change>,
    /// Clients that had more than one server in the end, events or not.
    pub spread_clients: u64,
    /// Most entries of the connection table at a sample, templates included.
    pub peak_entries: usize,
}

impl Report {
    /// The imbalance that a part of the samples, 0 to 1, did not exceed: 0.5 is the median. Nothing
    /// without samples.
    pub fn imbalance_quantile(&self, part: f64) -> Option<f64> {
        let mut all: Vec<f64> = self.samples.iter().filter_map(Sample::imbalance).collect();
        all.sort_by(f64::total_cmp);
        let last = all.len().checked_sub(1)?;
        all.get((part.clamp(0.0, 1.0) * last as f64).round() as usize).copied()
    }

    /// A server's share of all connections against its share of all weights at first: 1 is just its
    /// part.
    pub fn relative_share(&self, server: usize) -> Option<f64> {
        let server = self.servers.get(server)?;
        let weights: f64 = self.servers.iter().map(|server| f64::from(server.weight)).sum();
        let given: f64 = self.servers.iter().map(|server| server.connections as f64).sum();
        let fair = f64::from(server.weight) / weights;
        (fair > 0.0 && given > 0.0).then(|| server.connections as f64 / given / fair)
    }

    /// The samples as comma-separated values, one line a sample and server, to plot: time in
    /// seconds, server, sessions, new connections since the sample before, weight.
    pub fn to_csv(&self) -> String {
        let mut text = String::from("time,server,sessions,new,weight\n");
        for sample in &self.samples {
            for (at, server) in self.servers.iter().enumerate() {
                let _ = writeln!(
                    text,
                    "{:.3},{},{},{},{}",
                    sample.time.as_secs_f64(),
                    server.key,
                    sample.sessions[at],
                    sample.new[at],
                    sample.weights[at]
                );
            }
        }
        text
    }
}

/// A table for people.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}: {} connections of {} clients in {:.0} s, {} refused",
            self.scheduler,
            self.connections,
            self.clients,
            self.duration.as_secs_f64(),
            self.refused
        )?;
        writeln!(
            f,
            "{:30} {:>6} {:>11} {:>7} {:>6} {:>6}",
            "server", "weight", "connections", "of fair", "peak", "broken"
        )?;
        for (at, server) in self.servers.iter().enumerate() {
            let relative = self.relative_share(at).map_or_else(|| "-".to_owned(), |share| format!("{share:.2}"));
            let ServerReport { key, weight, connections, peak, broken } = server;
            writeln!(f, "{:30} {weight:6} {connections:11} {relative:>7} {peak:6} {broken:6}", key.to_string())?;
        }
        if let (Some(median), Some(worst)) = (self.imbalance_quantile(0.5), self.imbalance_quantile(1.0)) {
            writeln!(f, "imbalance: {median:.2} in the middle, {worst:.2} at worst")?;
        }
        writeln!(f, "clients with more than one server: {}", self.spread_clients)?;
        for change in &self.changes {
            let Change { time, event, broken, returning, moved_of_necessity, moved_without_need } = change;
            writeln!(
                f,
                "{:8.1} s {event}: {broken} sessions broken; of {returning} clients that came again {moved_of_necessity} had to \
                 move, {moved_without_need} moved without need",
                time.as_secs_f64()
            )?;
        }
        Ok(())
    }
}
