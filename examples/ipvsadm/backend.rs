//! Where the table is: in the kernel, in this process, or in a file.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use lvs_core::Director;
use lvs_core::director::OnRefusal;
use lvs_core::embedded::EmbeddedDirector;
use lvs_core::kernel::{KernelDirector, Namespace};
use lvs_core::model::Table;
use lvs_core::rules::{Comment, Dialect, Emitter, Parser};

use crate::messages::{Exit, cannot_initialise, refused};
use crate::ours::{Embedded, Ours};

/// A director, and the file that holds its table between two calls.
pub(crate) struct Backend {
    director: Box<dyn Director>,
    file: Option<StateFile>,
}

struct StateFile {
    path: PathBuf,
    /// What the file said.
    table: Table,
    comments: Vec<Comment>,
}

impl Backend {
    pub(crate) fn open(ours: &Ours) -> Result<Self, Exit> {
        match &ours.embedded {
            None => Self::kernel(ours.netns.as_deref()),
            Some(Embedded::Memory) => Ok(Self { director: Box::new(EmbeddedDirector::new()), file: None }),
            Some(Embedded::File(path)) => Self::file(path),
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

    fn file(path: &Path) -> Result<Self, Exit> {
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
        let file = StateFile { path: path.to_owned(), table, comments: script.comments };
        Ok(Self { director: Box::new(director), file: Some(file) })
    }

    pub(crate) fn director(&mut self) -> &mut dyn Director {
        &mut *self.director
    }

    /// Writes the file anew if the table is another one now.
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

/// Replaces a file in one step: whoever reads it sees the old text or the new one.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = path.with_file_name(name);
    let written = fs::File::create(&new).and_then(|mut file| {
        if let Ok(old) = fs::metadata(path) {
            file.set_permissions(old.permissions())?;
        }
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    let result = written.and_then(|()| fs::rename(&new, path));
    if result.is_err() {
        let _ = fs::remove_file(&new);
    }
    result
}
