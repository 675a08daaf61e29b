use std::fs::File;
use std::path::{Path, PathBuf};

use super::connection::ConnectionReader;
use super::error::ProcFile;
use super::helper::HelperReader;
use super::stats::{PerCpuReader, read_stats};
use super::status::{Status, read_status};
use super::table::TableReader;
use crate::error::{Error, Result};
use crate::model::Stats;

/// Where the files of a network namespace are.
///
/// The kernel shows in `/proc/PID/net` the namespace of that process; `/proc/net` is that of the
/// calling *process*, so a thread that has changed its namespace needs [`Procfs::current`], which
/// goes through `/proc/thread-self`.
///
/// ```no_run
/// use lvs_core::procfs::Procfs;
///
/// let mut connections = Procfs::current().connections()?;
/// let mut count = 0;
/// while let Some(connection) = connections.next_connection() {
///     connection?;
///     count += 1;
/// }
/// println!("{count} connections");
/// # Ok::<(), lvs_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Procfs {
    net: PathBuf,
}

impl Procfs {
    /// The namespace of the calling thread.
    pub fn current() -> Self {
        Self { net: "/proc/thread-self/net".into() }
    }

    /// The namespace that a process is in.
    pub fn of_process(pid: u32) -> Self {
        Self { net: format!("/proc/{pid}/net").into() }
    }

    /// A directory that holds the files, such as `/host/proc/1/net` or copies.
    pub fn at(net: impl Into<PathBuf>) -> Self {
        Self { net: net.into() }
    }

    /// The path of a file.
    pub fn path(&self, file: ProcFile) -> PathBuf {
        self.net.join(file.name())
    }

    /// Opens `ip_vs`.
    ///
    /// # Errors
    /// [`Error::Io`]; its kind is `NotFound` where IPVS is not loaded.
    pub fn table(&self) -> Result<TableReader<File>> {
        self.open(ProcFile::Table).map(TableReader::new)
    }

    /// Opens `ip_vs_conn`. The file is not one consistent moment: the kernel walks its hash table
    /// while it is read.
    ///
    /// # Errors
    /// [`Error::Io`]; its kind is `NotFound` where IPVS is not loaded.
    pub fn connections(&self) -> Result<ConnectionReader<File>> {
        Ok(ConnectionReader::named(self.open(ProcFile::Connections)?, ProcFile::Connections))
    }

    /// Opens `ip_vs_conn_sync`, which tells where each connection came from and leaves engine data
    /// out.
    ///
    /// # Errors
    /// [`Error::Io`]; its kind is `NotFound` where IPVS is not loaded.
    pub fn synced_connections(&self) -> Result<ConnectionReader<File>> {
        Ok(ConnectionReader::named(self.open(ProcFile::SyncedConnections)?, ProcFile::SyncedConnections))
    }

    /// Reads `ip_vs_stats`.
    ///
    /// # Errors
    /// [`Error::Io`]; its kind is `NotFound` where IPVS is not loaded. [`Error::Procfs`] for text
    /// of another form.
    pub fn stats(&self) -> Result<Stats> {
        read_stats(self.open(ProcFile::Stats)?)
    }

    /// Opens `ip_vs_stats_percpu`.
    ///
    /// # Errors
    /// [`Error::Io`]; its kind is `NotFound` where IPVS is not loaded.
    pub fn per_cpu_stats(&self) -> Result<PerCpuReader<File>> {
        self.open(ProcFile::PerCpuStats).map(PerCpuReader::new)
    }

    /// Opens `ip_vs_app`.
    ///
    /// # Errors
    /// [`Error::Io`]; its kind is `NotFound` where IPVS is not loaded.
    pub fn helpers(&self) -> Result<HelperReader<File>> {
        self.open(ProcFile::Helpers).map(HelperReader::new)
    }

    /// Reads `ip_vs_status`, which Linux has since 7.1 and shows to root alone. The kernel walks
    /// all its tables for it.
    ///
    /// # Errors
    /// [`Error::Io`]; its kind is `NotFound` where the kernel does not have it. [`Error::Procfs`]
    /// for text of another form.
    pub fn status(&self) -> Result<Status> {
        read_status(self.open(ProcFile::Status)?)
    }

    fn open(&self, file: ProcFile) -> Result<File> {
        open(&self.path(file))
    }
}

impl Default for Procfs {
    fn default() -> Self {
        Self::current()
    }
}

pub(super) fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|error| Error::io(format!("open {}", path.display()), error))
}
