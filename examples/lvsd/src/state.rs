//! What a cluster keeps over reloads, restarts and crashes, in one file.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use lvs_core::health::{Forced, HealthState};
use lvs_core::plan::{Ownership, Place};
use serde::{Deserialize, Serialize};

use crate::config::Answers;
use crate::control::DrainSpec;
use crate::instance::Identity;

/// The version of the file.
const VERSION: u32 = 2;

/// All that is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// Of this form.
    pub version: u32,
    /// Whose state it is.
    pub cluster: PathBuf,
    /// On which table.
    pub table: String,
    /// When it was written, in seconds since 1970.
    pub saved_at: u64,
    /// The services that are the cluster's, and in which table.
    pub ownership: Ownership,
    /// What is known of the servers, with what operators have decided about them.
    pub health: Option<HealthState>,
    /// Drains, also those that are over.
    pub drains: Vec<DrainRecord>,
    /// Overrides of servers that the file did not name.
    #[serde(default)]
    pub overrides: Vec<OverrideRecord>,
    /// Weights of servers in services that keep those that somebody else sets.
    #[serde(default)]
    pub held: Vec<HeldRecord>,
    /// The addresses of names that servers have.
    #[serde(default)]
    pub names: Answers,
}

/// The weight that a server has while it is well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldRecord {
    /// The key of its service.
    pub service: String,
    /// Its key.
    pub server: String,
    /// Its weight.
    pub weight: u32,
}

/// An override of a server that was not in the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverrideRecord {
    /// The key of its service.
    pub service: String,
    /// Its key.
    pub server: String,
    /// What is wanted.
    pub forced: Forced,
    /// Why.
    pub reason: String,
    /// For how many more seconds, nothing until it is released.
    pub ends_in: Option<f64>,
}

/// A drain as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrainRecord {
    /// Its number.
    pub id: u64,
    /// What was asked for.
    pub spec: DrainSpec,
    /// When, in seconds since 1970.
    pub started: u64,
    /// Servers that are out already, as `SERVER of SERVICE`.
    pub gone: BTreeSet<String>,
    /// Whether all of it is out.
    pub done: bool,
    /// Connections that were cut because its deadline was over.
    pub cut: u64,
    /// Inactive connections and UDP flows that were left.
    pub left: u64,
}

impl State {
    /// Nothing yet.
    pub fn new(identity: &Identity, ownership: Ownership) -> Self {
        Self {
            version: VERSION,
            cluster: identity.cluster.clone(),
            table: identity.table.clone(),
            saved_at: 0,
            ownership,
            health: None,
            drains: Vec::new(),
            overrides: Vec::new(),
            held: Vec::new(),
            names: Answers::new(),
        }
    }
}

/// Where state is kept.
pub trait Store {
    /// Keeps it: once this returns, it survives a crash.
    ///
    /// # Errors
    /// It could not be written; what was there before still is.
    fn save(&mut self, state: &State) -> io::Result<()>;
}

/// A file that is replaced as a whole.
#[derive(Debug, Clone)]
pub struct StateFile {
    path: PathBuf,
}

/// What a file held.
#[derive(Debug, Clone, PartialEq)]
// Exhaustive: nothing, something, or something that cannot be read.
pub enum Loaded {
    /// There is no file.
    Absent,
    /// The state.
    State(Box<State>),
    /// It was damaged, and is now out of the way under this name.
    Damaged {
        /// Where it is.
        moved_to: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl Loaded {
    /// The addresses of names that were known.
    pub fn names(&self) -> Answers {
        match self {
            Self::State(state) => state.names.clone(),
            Self::Absent | Self::Damaged { .. } => Answers::new(),
        }
    }
}

impl StateFile {
    /// The file; it is not looked at yet.
    pub const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Reads it.
    ///
    /// # Errors
    /// The file cannot be read, or belongs to another cluster.
    pub fn load(&self, identity: &Identity, take_over: bool) -> Result<Loaded> {
        let text = match fs::read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Loaded::Absent),
            result => result.with_context(|| format!("cannot read {}", self.path.display()))?,
        };
        let state: Result<State, String> =
            serde_json::from_slice(&text).map_err(|error| error.to_string()).and_then(|state: State| {
                if state.version == VERSION { Ok(state) } else { Err(format!("it has version {}", state.version)) }
            });
        let state = match state {
            Ok(state) => state,
            Err(reason) => {
                let moved_to = self.path.with_extension("json.damaged");
                fs::rename(&self.path, &moved_to)
                    .with_context(|| format!("{} is damaged ({reason}) and cannot be moved", self.path.display()))?;
                return Ok(Loaded::Damaged { moved_to, reason });
            }
        };
        let same = state.cluster == identity.cluster && state.table == identity.table;
        if !same && !take_over {
            bail!(
                "{} is the state of {}{}: choose another name (--name), or --take-over if the file has moved",
                self.path.display(),
                state.cluster.display(),
                if state.table.is_empty() { String::new() } else { format!(" on {}", state.table) }
            );
        }
        Ok(Loaded::State(Box::new(state)))
    }
}

impl Store for StateFile {
    fn save(&mut self, state: &State) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(state).map_err(io::Error::other)?;
        write_atomically(&self.path, &text, 0o600)
    }
}

/// Replaces a file as a whole: a reader sees the old text or the new one, also after a crash. A
/// symbolic link is followed, so that it stays one; the file under it is never written in place.
///
/// # Errors
/// It could not be written; what was there before still is.
pub fn write_atomically(path: &Path, text: &[u8], mode: u32) -> io::Result<()> {
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let directory = match target.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    // The mode of a file that is there stays.
    let mode = fs::metadata(&target).map_or(mode, |metadata| metadata.mode() & 0o7777);
    // A random name that is created exclusively: nobody can lay a link in its way.
    let mut file = tempfile::Builder::new()
        .prefix(".lvs-")
        .permissions(fs::Permissions::from_mode(0o600))
        .tempfile_in(directory)?;
    file.write_all(text)?;
    file.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
    file.as_file().sync_all()?;
    file.persist(&target).map_err(|error| error.error)?;
    File::open(directory)?.sync_all()
}

/// Where a table is. The kernel's is another one after a start of the machine, and in another
/// network namespace; one in a file stays.
pub fn place(identity: &Identity) -> Place {
    if identity.is_embedded() {
        return Place::embedded(identity.table.clone());
    }
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let namespace = fs::metadata("/proc/self/ns/net").map_or(0, |metadata| metadata.ino());
    Place::kernel(format!("{} net:{namespace}", boot.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(path: &str) -> Identity {
        Identity { cluster: path.into(), table: String::new() }
    }

    #[test]
    fn state_comes_back_and_belongs_to_one_cluster() {
        let directory = tempfile::tempdir().unwrap();
        let mut file = StateFile::new(directory.path().join("web.json"));
        let web = identity("/etc/lvs/web.toml");
        assert_eq!(file.load(&web, false).unwrap(), Loaded::Absent);
        let mut ownership = Ownership::new("web", place(&web));
        let mut table = lvs_core::model::Table::new();
        let key = lvs_core::model::ServiceKey::tcp("192.0.2.1", 80).unwrap();
        table.services.push(lvs_core::model::TableService::new(lvs_core::model::Service::new(key)));
        ownership.claim(&table);
        let state = State::new(&web, ownership);
        file.save(&state).unwrap();
        assert_eq!(file.load(&web, false).unwrap(), Loaded::State(Box::new(state)));
        let mode = fs::metadata(directory.path().join("web.json")).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600);
        let other = identity("/srv/web.toml");
        assert!(file.load(&other, false).unwrap_err().to_string().contains("/etc/lvs/web.toml"));
        assert!(matches!(file.load(&other, true).unwrap(), Loaded::State(_)));
    }

    #[test]
    fn damaged_state_is_put_aside_and_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("web.json");
        fs::write(&path, "{\"version\": 1, \"own").unwrap();
        let loaded = StateFile::new(path.clone()).load(&identity("/etc/lvs/web.toml"), false).unwrap();
        let Loaded::Damaged { moved_to, .. } = loaded else { panic!("{loaded:?}") };
        assert!(moved_to.exists() && !path.exists());
    }

    #[test]
    fn writing_leaves_links_and_modes_alone_and_no_files_behind() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("real.new"), directory.path().join("link"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write_atomically(&link, b"new", 0o600).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().file_type().is_symlink());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
        let missing = directory.path().join("no/such");
        assert!(write_atomically(&missing, b"x", 0o600).is_err());
    }
}
