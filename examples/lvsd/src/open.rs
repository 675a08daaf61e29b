//! Which director a program works on.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use lvs_core::director::{BatchReport, OnRefusal, Operation};
use lvs_core::embedded::EmbeddedDirector;
use lvs_core::kernel::{KernelDirector, Namespace};
use lvs_core::{Director, Error, ErrorKind, rules};

use crate::instance::{Lock, lock};
use crate::state::write_atomically;
use crate::text;

/// The options that choose a director: the kernel's, unless an embedded one is asked for.
#[derive(Debug, Clone, Default, Args)]
pub struct Target {
    /// Work on a table in this process, kept as rules in a file, rather than on the kernel's: needs
    /// no privileges
    #[arg(long, value_name = "FILE", global = true, conflicts_with_all = ["namespace", "load_module"])]
    pub embedded: Option<PathBuf>,
    /// Work in another network namespace: a name of `ip netns`, a path, or the number of a process
    #[arg(long, value_name = "NAME", global = true)]
    pub namespace: Option<String>,
    /// Load the kernel module ip_vs if it is missing
    #[arg(long, global = true)]
    pub load_module: bool,
}

impl Target {
    /// Which table that is, as text for [`Identity`](crate::instance::Identity).
    ///
    /// # Errors
    /// The directory of the file is not there.
    pub fn table(&self) -> Result<String> {
        if let Some(file) = &self.embedded {
            let path = std::path::absolute(file)?;
            return Ok(format!("embedded:{}", path.display()));
        }
        Ok(match &self.namespace {
            Some(name) => format!("ns:{name}"),
            None => other_namespace().unwrap_or_default(),
        })
    }

    /// Opens it.
    ///
    /// # Errors
    /// The kernel has no IPVS, or the caller no privilege; the file does not parse, asks for what
    /// cannot be, or is in use.
    pub fn open(&self) -> Result<Box<dyn Director>> {
        if let Some(file) = &self.embedded {
            return Ok(Box::new(FileDirector::open(file)?));
        }
        let namespace = self.namespace.as_deref().map_or(Namespace::Current, namespace);
        let options = KernelDirector::options().namespace(namespace).load_module(self.load_module);
        let director = options.open().map_err(|error| {
            let way_out = match error.kind() {
                ErrorKind::Unsupported => "`modprobe ip_vs` or --load-module loads it",
                ErrorKind::PermissionDenied => "root may, and whoever has CAP_NET_ADMIN",
                _ => return error.into(),
            };
            anyhow!("{error} ({way_out}; --embedded works on a table in a file instead)")
        })?;
        Ok(Box::new(director))
    }
}

/// The network namespace that this process was started in, unless it is that of the whole machine.
fn other_namespace() -> Option<String> {
    let of = |process: &str| fs::metadata(format!("/proc/{process}/ns/net")).ok().map(|metadata| metadata.ino());
    let (own, first) = (of("self")?, of("1")?);
    (own != first).then(|| format!("net:{own}"))
}

/// Where a program keeps its files.
#[derive(Debug, Clone, Default, Args)]
pub struct Directories {
    /// Where state is kept: /var/lib/lvs, or beside the file of --embedded
    #[arg(long, global = true, env = "LVS_STATE", value_name = "DIRECTORY")]
    pub state: Option<PathBuf>,
    /// Where control sockets are: /run/lvs, or beside the file of --embedded
    #[arg(long, global = true, env = "LVS_RUN", value_name = "DIRECTORY")]
    pub run: Option<PathBuf>,
}

impl Directories {
    /// Where state is kept.
    pub fn state(&self, target: &Target) -> PathBuf {
        self.state.clone().unwrap_or_else(|| target.beside("/var/lib/lvs"))
    }

    /// Where control sockets are.
    pub fn run(&self, target: &Target) -> PathBuf {
        self.run.clone().unwrap_or_else(|| target.beside("/run/lvs"))
    }
}

impl Target {
    /// An embedded table has its files beside it: whoever works on one needs no rights to the
    /// system's.
    fn beside(&self, system: &str) -> PathBuf {
        match &self.embedded {
            Some(file) => {
                let mut name = file.as_os_str().to_owned();
                name.push(".state");
                name.into()
            }
            None => system.into(),
        }
    }
}

/// A network namespace as people name it.
pub fn namespace(text: &str) -> Namespace {
    match text.parse() {
        Ok(pid) => Namespace::Pid(pid),
        Err(_) if text.contains('/') => Namespace::Path(text.into()),
        Err(_) => Namespace::Name(text.to_owned()),
    }
}

/// Moves this thread, and what it starts from now on, to another network namespace for good.
///
/// # Errors
/// There is no such namespace, or this process may not enter it.
pub fn enter(name: &str) -> Result<()> {
    let path = match namespace(name) {
        Namespace::Pid(pid) => format!("/proc/{pid}/ns/net").into(),
        Namespace::Path(path) => path,
        _ => Path::new("/run/netns").join(name),
    };
    let context = || format!("cannot enter the network namespace {name}");
    let file = fs::File::open(&path).with_context(context)?;
    nix::sched::setns(file, nix::sched::CloneFlags::CLONE_NEWNET).with_context(context)
}

/// An embedded director whose table is in a file: read when it is opened, written with every
/// change, and nobody else's meanwhile.
#[derive(Debug)]
pub struct FileDirector {
    director: EmbeddedDirector,
    file: PathBuf,
    _lock: Lock,
}

impl FileDirector {
    /// Opens a file; one that is not there is an empty table.
    ///
    /// # Errors
    /// Another program has it open; it does not parse, or asks for what cannot be.
    pub fn open(file: &Path) -> Result<Self> {
        let mut path = file.as_os_str().to_owned();
        path.push(".lock");
        let lock = lock(Path::new(&path)).with_context(|| format!("cannot lock {}", file.display()))?;
        let Some(lock) = lock else { bail!("{} is in use by another program", file.display()) };
        let text = match fs::read(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            result => result.with_context(|| format!("cannot read {}", file.display()))?,
        };
        let script = rules::parse(&text).map_err(|errors| anyhow!("{}:\n{errors}", file.display()))?;
        let operations = script.operations().map_err(|errors| anyhow!("{}:\n{errors}", file.display()))?;
        let mut director = EmbeddedDirector::new();
        let report = director.apply(&operations, OnRefusal::Continue);
        if let Some(failure) = report.refused.first() {
            bail!("{}, line {}: {}", file.display(), script.rules[failure.index].line, failure.error);
        }
        Ok(Self { director, file: file.to_owned(), _lock: lock })
    }

    fn write(&mut self) -> lvs_core::Result<()> {
        let text = text::rules(&self.director.snapshot()?.to_table());
        write_atomically(&self.file, text.as_bytes(), 0o644)
            .map_err(|error| Error::io(format!("write {}", self.file.display()), error))
    }
}

impl Director for FileDirector {
    lvs_core::delegate_director!(self => self.director; info, services, service, destinations, snapshot, timeouts, daemons,
        visit_connections, visit_connection_origins, totals, status, profile, has_scheduler, sysctl_names, sysctl);

    fn apply(&mut self, operations: &[Operation], on_refusal: OnRefusal) -> BatchReport {
        let mut report = self.director.apply(operations, on_refusal);
        if let Err(error) = self.write() {
            report.interrupted = report.interrupted.or(Some(error));
        }
        report
    }

    /// Refused: a file of rules has no place for it.
    fn set_sysctl(&mut self, name: &str, _: &str) -> lvs_core::Result<()> {
        let error = io::Error::new(io::ErrorKind::Unsupported, "a table in a file keeps no sysctls");
        Err(Error::io(format!("write sysctl {name:?}"), error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_in_a_file_is_written_with_every_change_and_used_by_one_program() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("table.rules");
        let mut first = FileDirector::open(&file).unwrap();
        let key = lvs_core::model::ServiceKey::tcp("192.0.2.1", 80).unwrap();
        let service = lvs_core::model::Service::new(key);
        first.add_service(&service).unwrap();
        assert!(fs::read_to_string(&file).unwrap().contains("192.0.2.1:80"));
        assert!(FileDirector::open(&file).unwrap_err().to_string().contains("in use"));
        drop(first);
        assert_eq!(FileDirector::open(&file).unwrap().services().unwrap().len(), 1);
    }
}
