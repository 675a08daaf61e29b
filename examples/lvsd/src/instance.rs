//! Under which name a cluster keeps its state, and that it runs once.
//!
//! A name that is not given is derived from all that tells two clusters apart: the whole path of
//! the file, the network namespace, and whether the table is the kernel's. Two clusters never share
//! one.

use std::fs::{DirBuilder, File, OpenOptions};
use std::hash::Hasher;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nix::fcntl::{Flock, FlockArg, OFlag};

/// Longer names do not fit the path of a Unix socket (`unix(7)`: 108 bytes).
const LONGEST_NAME: usize = 80;
/// A longer path becomes a sum.
const LONGEST_DERIVED: usize = 48;

/// One cluster on one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// The name of its files.
    pub name: String,
    /// Which cluster and table it is, in full.
    pub identity: Identity,
}

/// What tells two clusters apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The cluster file.
    pub cluster: PathBuf,
    /// The table: empty for the kernel's in this network namespace, else `ns:NAME` or
    /// `embedded:PATH`.
    pub table: String,
}

impl Identity {
    /// Whether the table is in a file.
    pub fn is_embedded(&self) -> bool {
        self.table.starts_with("embedded:")
    }
}

impl Instance {
    /// Names an instance: as given, or after its identity.
    ///
    /// # Errors
    /// The file is not there, or the derived name is too long for a file.
    pub fn new(given: Option<&str>, cluster: &Path, table: &str) -> Result<Self> {
        let cluster =
            cluster.canonicalize().with_context(|| format!("cannot read cluster file {}", cluster.display()))?;
        let identity = Identity { cluster, table: table.to_owned() };
        let name = match given {
            Some(name) => name.to_owned(),
            None => identity.to_name(),
        };
        if name.len() > LONGEST_NAME {
            bail!("the name {name:?} is too long for a socket: give the cluster a short one (--name)");
        }
        let clean = |c: char| c.is_ascii_alphanumeric() || "-_.@\\".contains(c);
        if name.is_empty() || name.starts_with('.') || !name.chars().all(clean) {
            bail!("{name:?} is not a name for an instance: letters, digits, - and _");
        }
        Ok(Self { name, identity })
    }

    /// The file of its state.
    pub fn state_file(&self, directory: &Path) -> PathBuf {
        directory.join(format!("{}.json", self.name))
    }

    /// Its control socket.
    pub fn socket(&self, directory: &Path) -> PathBuf {
        directory.join(format!("{}.sock", self.name))
    }

    /// Sees to it that no other process runs this instance as long as the result lives.
    ///
    /// # Errors
    /// Another does, or the directory cannot be written.
    pub fn lock(&self, directory: &Path) -> Result<Lock> {
        create_directory(directory)?;
        let path = directory.join(format!("{}.lock", self.name));
        lock(&path)
            .with_context(|| format!("cannot lock {}", path.display()))?
            .with_context(|| format!("an lvsd for {} runs already as {:?}", self.identity.cluster.display(), self.name))
    }
}

impl Identity {
    /// As systemd escapes paths: `/` becomes `-`, and what is neither letter, digit nor one of `_.`
    /// is spelled out, so that no two identities have one name.
    fn to_name(&self) -> String {
        let escape = |text: &str| -> String {
            text.bytes()
                .map(|byte| match byte {
                    b'/' => "-".to_owned(),
                    b'_' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => char::from(byte).to_string(),
                    other => format!("\\x{other:02x}"),
                })
                .collect()
        };
        let path = self.cluster.to_string_lossy();
        let name = escape(path.strip_prefix('/').unwrap_or(&path)).replace("..", ".\\x2e");
        let name = name.strip_prefix('.').map_or(name.clone(), |rest| format!("\\x2e{rest}"));
        let name = if self.table.is_empty() { name } else { format!("{name}@{}", escape(&self.table)) };
        if name.len() <= LONGEST_DERIVED { name } else { self.to_short_name() }
    }

    /// The name of the file and a sum of all of it. The state says in full whose it is, so that two
    /// clusters with one sum would be noticed.
    fn to_short_name(&self) -> String {
        let mut sum = fnv::FnvHasher::default();
        sum.write(self.cluster.as_os_str().as_bytes());
        sum.write(&[0]);
        sum.write(self.table.as_bytes());
        let stem = self.cluster.file_stem().unwrap_or_default().to_string_lossy();
        let stem: String = stem.chars().filter(char::is_ascii_alphanumeric).take(24).collect();
        format!("{stem}-{:016x}", sum.finish())
    }
}

/// A lock that is held as long as this lives.
#[derive(Debug)]
pub struct Lock {
    _file: Flock<File>,
}

/// Locks a file; `None` if another process holds the lock.
///
/// # Errors
/// The file cannot be opened.
pub fn lock(path: &Path) -> io::Result<Option<Lock>> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .custom_flags(OFlag::O_NOFOLLOW.bits() | OFlag::O_CLOEXEC.bits())
        .open(path)?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(file) => Ok(Some(Lock { _file: file })),
        Err((_, nix::errno::Errno::EWOULDBLOCK)) => Ok(None),
        Err((_, errno)) => Err(errno.into()),
    }
}

/// Makes a directory that is there or not.
///
/// # Errors
/// It cannot be made.
pub fn create_directory(directory: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(directory)
        .with_context(|| format!("cannot make the directory {}", directory.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_clusters_share_a_name() {
        let directory = tempfile::tempdir().unwrap();
        let mut names = Vec::new();
        for file in ["web.blue.toml", "web.green.toml", "web-green.toml", "web/green.toml", "shop/web.toml"] {
            let path = directory.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "").unwrap();
            for table in ["", "ns:blue", "ns:green", "embedded:/tmp/t"] {
                names.push(Identity { cluster: path.clone(), table: table.to_owned() }.to_name());
            }
        }
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
        assert!(names.iter().all(|name| !name.contains('/')), "{names:?}");
    }

    #[test]
    fn a_second_instance_is_refused_while_the_first_runs() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("web.toml");
        std::fs::write(&file, "").unwrap();
        let instance = Instance::new(Some("web"), &file, "").unwrap();
        let first = instance.lock(directory.path()).unwrap();
        let error = instance.lock(directory.path()).unwrap_err();
        assert!(error.to_string().contains("runs already"), "{error:#}");
        drop(first);
        instance.lock(directory.path()).unwrap();
    }

    #[test]
    fn names_stay_in_their_directory() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("web.toml");
        std::fs::write(&file, "").unwrap();
        for name in ["", "../web", ".hidden", "a/b", &"x".repeat(200)] {
            assert!(Instance::new(Some(name), &file, "").is_err(), "{name:?}");
        }
    }
}
