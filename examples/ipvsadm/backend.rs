//! Where the table is: in the kernel, in this process, or in a file.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use lvs_core::Director;
use lvs_core::director::OnRefusal;
use lvs_core::embedded::EmbeddedDirector;
use lvs_core::kernel::{KernelDirector, Namespace};
use lvs_core::model::Table;
use lvs_core::rules::{Comment, Dialect, Emitter, Parser};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg, OFlag};

use crate::messages::{Exit, cannot_initialise, refused};
use crate::ours::{Embedded, Ours};

/// How long another call that works on the file is waited for. A daemon that holds it does so as
/// long as it runs.
const PATIENCE: Duration = Duration::from_secs(10);

/// A director, and the file that holds its table between two calls.
pub(crate) struct Backend {
    director: Box<dyn Director>,
    file: Option<StateFile>,
}

struct StateFile {
    path: PathBuf,
    /// Held while the program works on the file, if it may change it.
    _lock: Option<Flock<File>>,
    /// What the file said.
    table: Table,
    comments: Vec<Comment>,
}

impl Backend {
    /// Opens what the options name. A file that is to be changed is nobody else's meanwhile.
    pub(crate) fn open(ours: &Ours, changes: bool) -> Result<Self, Exit> {
        match &ours.embedded {
            None => Self::kernel(ours.netns.as_deref()),
            Some(Embedded::Memory) => Ok(Self { director: Box::new(EmbeddedDirector::new()), file: None }),
            Some(Embedded::File(path)) => Self::file(path, changes),
        }
    }

    fn kernel(netns: Option<&str>) -> Result<Self, Exit> {
        let namespace = match netns {
            None => Namespace::Current,
            Some(path) if path.contains('/') => Namespace::Path(path.into()),
            Some(name) => Namespace::Name(name.to_owned()),
        };
        // DIFFERENCE: ipvsadm runs /sbin/modprobe; this has the kernel do it.
        let opened = KernelDirector::options().namespace(namespace).load_module(true).open();
        let mut director = opened.map_err(|error| cannot_initialise(&error))?;
        director.info().map_err(|error| cannot_initialise(&error))?;
        Ok(Self { director: Box::new(director), file: None })
    }

    fn file(path: &Path, changes: bool) -> Result<Self, Exit> {
        let lock = if changes { Some(lock(path)?) } else { None };
        let text = match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            text => text.map_err(|error| Exit::failed(2, format!("cannot read {}: {error}\n", path.display())))?,
        };
        let wrong = |errors| Exit::failed(2, format!("{}: {errors}\n", path.display()));
        let script = Parser::new(Dialect::Lossless).parse(text).map_err(wrong)?;
        // Asked for its own sake: what contradicts itself is not half taken.
        script.to_table().map_err(wrong)?;
        let operations = script.operations().map_err(wrong)?;
        let mut director = EmbeddedDirector::new();
        let report = director.apply(&operations, OnRefusal::Continue);
        if let Some(failure) = report.refused.first() {
            let line = script.rules[failure.index].line;
            let text = refused(&failure.error);
            return Err(Exit::failed(2, format!("{}: line {line}: {text}\n", path.display())));
        }
        let table = table_of(&mut director)?;
        let file = StateFile { path: path.to_owned(), _lock: lock, table, comments: script.comments };
        Ok(Self { director: Box::new(director), file: Some(file) })
    }

    pub(crate) fn director(&mut self) -> &mut dyn Director {
        &mut *self.director
    }

    /// Rewrites the file if the table has changed.
    pub(crate) fn save(&mut self) -> Result<(), Exit> {
        let Some(file) = &self.file else { return Ok(()) };
        let table = table_of(&mut *self.director)?;
        if table == file.table {
            return Ok(());
        }
        let mut text = String::new();
        for comment in &file.comments {
            text.push('#');
            text.push_str(&comment.text);
            text.push('\n');
        }
        text.push_str(&Emitter::new(Dialect::Lossless).table(&table).text);
        replace(&file.path, &text)
            .map_err(|error| Exit::failed(1, format!("cannot write {}: {error}\n", file.path.display())))
    }
}

fn table_of(director: &mut dyn Director) -> Result<Table, Exit> {
    director.complete_snapshot().map(|snapshot| snapshot.to_table()).map_err(|error| Exit::unlisted(&error))
}

/// Locks `FILE.lock`, as every program does that changes a table in a file.
fn lock(path: &Path) -> Result<Flock<File>, Exit> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let failed = |error: io::Error| Exit::failed(2, format!("cannot lock {}: {error}\n", Path::new(&name).display()));
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true).mode(0o600).custom_flags(OFlag::O_NOFOLLOW.bits());
    let mut file = options.open(&name).map_err(failed)?;
    let start = Instant::now();
    loop {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(lock),
            Err((same, Errno::EWOULDBLOCK)) if start.elapsed() < PATIENCE => file = same,
            Err((_, Errno::EWOULDBLOCK)) => {
                return Err(Exit::failed(1, format!("{} is in use by another program\n", path.display())));
            }
            Err((_, errno)) => return Err(failed(errno.into())),
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Replaces a file in one step: whoever reads it sees the old text or the new one. A symbolic link
/// stays one.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let directory = target.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
    let permissions = fs::metadata(&target).map_or(Permissions::from_mode(0o644), |metadata| metadata.permissions());
    // A random name that is created exclusively: nobody can lay a link in its way.
    let mut file = tempfile::Builder::new().prefix(".lvs-").tempfile_in(directory)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(permissions)?;
    file.as_file().sync_all()?;
    file.persist(&target).map_err(|error| error.error)?;
    File::open(directory)?.sync_all()
}
