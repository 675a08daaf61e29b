use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::thread;

use nix::sched::{CloneFlags, setns};

/// Which network namespace a director works in. Each has an IPVS table of its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Namespace {
    /// The calling thread's.
    #[default]
    Current,
    /// The one of a namespace file, such as `/proc/1/ns/net`.
    Path(PathBuf),
    /// One made by `ip netns add`: a file of that name in `/run/netns`.
    Name(String),
    /// A process's.
    Pid(u32),
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Current => f.write_str("the current network namespace"),
            Self::Path(path) => write!(f, "the network namespace {}", path.display()),
            Self::Name(name) => write!(f, "the network namespace {name:?}"),
            Self::Pid(pid) => write!(f, "the network namespace of process {pid}"),
        }
    }
}

const OWN: &str = "/proc/thread-self/ns/net";

impl Namespace {
    /// A handle that keeps the namespace alive. Of the current one it may be missing, where `/proc`
    /// is not mounted.
    pub(super) fn open(&self) -> io::Result<Option<File>> {
        let path = match self {
            Self::Current => return Ok(File::open(OWN).ok()),
            Self::Path(path) => path.clone(),
            Self::Name(name) if name.is_empty() || name.contains('/') || name == "." || name == ".." => {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "not the name of a network namespace"));
            }
            Self::Name(name) => PathBuf::from("/run/netns").join(name),
            Self::Pid(pid) => PathBuf::from(format!("/proc/{pid}/ns/net")),
        };
        File::open(path).map(Some)
    }
}

/// Runs something inside a namespace.
///
/// In the caller's own it just runs. Otherwise it runs on a thread that lives for the length of
/// this call: a thread that cannot return from a namespace stays in it, and that must not happen to
/// a caller's.
pub(super) fn inside<T: Send>(namespace: Option<&File>, work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    let Some(namespace) = namespace else { return work() };
    let (wanted, own) = (namespace.metadata()?, std::fs::metadata(OWN));
    if own.is_ok_and(|own| (own.dev(), own.ino()) == (wanted.dev(), wanted.ino())) {
        return work();
    }
    thread::scope(|scope| {
        let visitor = thread::Builder::new().name("lvs-netns".to_owned()).spawn_scoped(scope, || {
            setns(namespace, CloneFlags::CLONE_NEWNET)?;
            work()
        })?;
        visitor.join().unwrap_or_else(|_| Err(io::Error::other("the visit to the network namespace panicked")))
    })
}
