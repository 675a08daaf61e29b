//! Which services a cluster file has put in force, so that one that is taken out of the file goes, and no other.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use lvs_core::model::{ServiceKey, Table};
use lvs_core::plan::Scope;

/// The services that were put in force under a name.
#[derive(Debug, Clone)]
pub struct Owned {
    path: PathBuf,
    keys: BTreeSet<ServiceKey>,
}

impl Owned {
    /// Reads what is owned under the name of a cluster file; nothing if that was never written.
    ///
    /// # Errors
    /// The record cannot be read, or holds something else than keys.
    pub fn load(directory: &Path, cluster: &Path) -> Result<Self> {
        let name = cluster.file_stem().context("a cluster file has a name")?;
        let path = directory.join(name).with_extension("owned");
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            result => result.with_context(|| format!("cannot read {}", path.display()))?,
        };
        let keys = text
            .lines()
            .enumerate()
            .map(|(index, line)| line.parse().with_context(|| format!("{}, line {}", path.display(), index + 1)))
            .collect::<Result<_>>()?;
        Ok(Self { path, keys })
    }

    /// What a plan for this table may touch: its services and those owned from before.
    pub fn scope(&self, table: &Table) -> Scope {
        let mut keys = self.keys.clone();
        keys.extend(table.services.iter().map(|entry| entry.service.key()));
        Scope::matching(move |key| keys.contains(key))
    }

    /// Claims the services of a table beside those owned: written before the table is put in force, so that nothing is
    /// forgotten if the program ends in between.
    ///
    /// # Errors
    /// The record cannot be written.
    pub fn claim(&mut self, table: &Table) -> Result<()> {
        self.keys.extend(table.services.iter().map(|entry| entry.service.key()));
        self.write()
    }

    /// Keeps only the services of a table, once it is in force.
    ///
    /// # Errors
    /// The record cannot be written.
    pub fn settle(&mut self, table: &Table) -> Result<()> {
        self.keys = table.services.iter().map(|entry| entry.service.key()).collect();
        self.write()
    }

    fn write(&self) -> Result<()> {
        let context = || format!("cannot write {}", self.path.display());
        if let Some(directory) = self.path.parent() {
            fs::create_dir_all(directory).with_context(context)?;
        }
        let text: String = self.keys.iter().map(|key| format!("{key}\n")).collect();
        // A reader sees the old record or the new one, never half of one.
        let new = self.path.with_extension("owned.new");
        fs::write(&new, text).and_then(|()| fs::rename(&new, &self.path)).with_context(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lvs_core::model::{Service, TableService};

    #[test]
    fn a_service_that_left_the_file_stays_owned_until_it_is_gone() {
        let directory = std::env::temp_dir().join(format!("lvs-owned-{}", std::process::id()));
        let cluster = Path::new("web.toml");
        let (old, new) = (ServiceKey::tcp("192.0.2.1", 80).unwrap(), ServiceKey::tcp("192.0.2.2", 80).unwrap());
        let table = |key| {
            let mut table = Table::new();
            table.services.push(TableService::new(Service::new(key)));
            table
        };
        let mut owned = Owned::load(&directory, cluster).unwrap();
        owned.settle(&table(old)).unwrap();

        let mut owned = Owned::load(&directory, cluster).unwrap();
        let scope = owned.scope(&table(new));
        assert!(scope.owns(&old) && scope.owns(&new));
        assert!(!scope.owns(&ServiceKey::tcp("203.0.113.1", 80).unwrap()));
        owned.settle(&table(new)).unwrap();
        assert!(!Owned::load(&directory, cluster).unwrap().scope(&table(new)).owns(&old));
        fs::remove_dir_all(directory).unwrap();
    }
}
