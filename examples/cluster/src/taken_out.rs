//! Servers that somebody has taken out by hand: checks do not bring them back, only a start of the cluster does.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use lvs_core::model::{DestinationKey, ServiceKey, Table};

/// One server of one service.
pub type Server = (ServiceKey, DestinationKey);

/// The record of them, a file beside that of the services of each cluster.
#[derive(Debug, Clone)]
pub struct TakenOut {
    path: PathBuf,
}

impl TakenOut {
    /// The record in a directory; it is not looked at yet.
    pub fn in_directory(state: &Path) -> Self {
        Self { path: state.join("taken-out") }
    }

    /// Who is out; nobody if that was never written.
    ///
    /// # Errors
    /// The record cannot be read, or holds something else than servers.
    pub fn servers(&self) -> Result<BTreeSet<Server>> {
        let text = match fs::read_to_string(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            result => result.with_context(|| format!("cannot read {}", self.path.display()))?,
        };
        let server = |line: &str| -> Option<Server> {
            let (server, service) = line.split_once(" of ")?;
            Some((service.parse().ok()?, server.parse().ok()?))
        };
        let lines = text.lines().enumerate().map(|(index, line)| {
            server(line).with_context(|| format!("{}, line {}: no server: {line:?}", self.path.display(), index + 1))
        });
        lines.collect()
    }

    /// Adds servers. Others may do so at the same time.
    ///
    /// # Errors
    /// The record cannot be written.
    pub fn add(&self, servers: &[Server]) -> Result<()> {
        let context = || format!("cannot write {}", self.path.display());
        let text: String = servers.iter().map(line).collect();
        if let Some(directory) = self.path.parent() {
            fs::create_dir_all(directory).with_context(context)?;
        }
        let file = File::options().append(true).create(true).open(&self.path);
        file.and_then(|mut file| file.write_all(text.as_bytes())).with_context(context)
    }

    /// Takes those servers from the record for which a predicate holds.
    ///
    /// # Errors
    /// The record cannot be read or written.
    pub fn forget(&self, mut is_meant: impl FnMut(&Server) -> bool) -> Result<()> {
        let mut servers = self.servers()?;
        let before = servers.len();
        servers.retain(|server| !is_meant(server));
        if servers.len() == before {
            return Ok(());
        }
        let new = self.path.with_extension("new");
        fs::write(&new, servers.iter().map(line).collect::<String>())
            .and_then(|()| fs::rename(&new, &self.path))
            .with_context(|| format!("cannot write {}", self.path.display()))
    }
}

fn line((service, server): &Server) -> String {
    format!("{server} of {service}\n")
}

/// Makes a wanted table one that leaves these servers as they are now, be they gone or quiesced.
pub fn leave_alone(wanted: &mut Table, current: &Table, servers: &BTreeSet<Server>) {
    if servers.is_empty() {
        return;
    }
    wanted.services.retain_mut(|entry| {
        let key = entry.service.key();
        let now = current.service(&key);
        let all = entry.destinations.len();
        entry.destinations.retain_mut(|destination| {
            if !servers.contains(&(key, destination.key)) {
                return true;
            }
            let held = now.and_then(|now| now.destinations.iter().find(|other| other.key == destination.key));
            held.inspect(|held| *destination = **held).is_some()
        });
        // A service that went with its last server does not come back empty.
        now.is_some() || all == 0 || !entry.destinations.is_empty()
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use lvs_core::model::{Destination, Service, TableService};

    fn table(last: &[(u8, u32)]) -> Table {
        let mut entry = TableService::new(Service::new(ServiceKey::tcp("192.0.2.1", 80).unwrap()));
        entry.destinations = last
            .iter()
            .map(|&(last, weight)| Destination::new([198, 51, 100, last].into(), 80).with_weight(weight))
            .collect();
        let mut table = Table::new();
        table.services.push(entry);
        table
    }

    fn out(last: &[u8]) -> BTreeSet<Server> {
        let key = ServiceKey::tcp("192.0.2.1", 80).unwrap();
        last.iter().map(|&last| (key, Destination::new([198, 51, 100, last].into(), 80).key)).collect()
    }

    #[test]
    fn what_is_out_stays_as_it_is_and_the_rest_is_wanted() {
        let mut wanted = table(&[(1, 5), (2, 5), (3, 5)]);
        leave_alone(&mut wanted, &table(&[(1, 0), (3, 1)]), &out(&[1, 2]));
        assert_eq!(wanted, table(&[(1, 0), (3, 5)]));
        let mut wanted = table(&[(1, 5), (2, 5)]);
        leave_alone(&mut wanted, &Table::new(), &out(&[1, 2]));
        assert_eq!(wanted, Table::new(), "all of the service is out");
    }

    #[test]
    fn the_record_keeps_what_is_added_until_it_is_forgotten() {
        let directory = std::env::temp_dir().join(format!("lvs-taken-out-{}", std::process::id()));
        let record = TakenOut::in_directory(&directory);
        assert_eq!(record.servers().unwrap(), BTreeSet::new());
        record.forget(|_| true).unwrap();
        for last in [1, 2, 1] {
            record.add(&out(&[last]).into_iter().collect::<Vec<_>>()).unwrap();
        }
        assert_eq!(record.servers().unwrap(), out(&[1, 2]));
        record.forget(|server| out(&[1]).contains(server)).unwrap();
        assert_eq!(record.servers().unwrap(), out(&[2]));
        fs::remove_dir_all(directory).unwrap();
    }
}
