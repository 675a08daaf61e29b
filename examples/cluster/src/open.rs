//! Which director a program works on.

use std::fs;
use std::io;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use lvs_core::director::OnRefusal;
use lvs_core::embedded::EmbeddedDirector;
use lvs_core::kernel::{KernelDirector, Namespace};
use lvs_core::{Director, ErrorKind, rules};

use crate::text;

/// The options that choose a director: the kernel's, unless an embedded one is asked for.
#[derive(Debug, Args)]
pub struct Target {
    /// Work on a table in this process, kept as rules in a file, rather than on the kernel's: needs no privileges
    #[arg(long, value_name = "FILE", global = true, conflicts_with_all = ["namespace", "load_module"])]
    pub embedded: Option<PathBuf>,
    /// Work in another network namespace: a name of `ip netns`, a path, or the number of a process
    #[arg(long, value_name = "NAME", global = true)]
    pub namespace: Option<String>,
    /// Load the kernel module ip_vs if it is missing
    #[arg(long, global = true)]
    pub load_module: bool,
}

/// An open director.
pub struct Opened {
    director: Box<dyn Director>,
    /// Where the table of an embedded director is kept.
    file: Option<PathBuf>,
}

impl Target {
    /// Opens it.
    ///
    /// # Errors
    /// The kernel has no IPVS, or the caller no privilege; the file does not parse, or asks for what cannot be.
    pub fn open(&self) -> Result<Opened> {
        match &self.embedded {
            Some(file) => embedded(file.clone()),
            None => {
                let namespace = self.namespace.as_deref().map_or(Namespace::Current, namespace);
                let options = KernelDirector::options().namespace(namespace).load_module(self.load_module);
                let director = options.open().map_err(|error| {
                    let mend = match error.kind() {
                        ErrorKind::Unsupported => "`modprobe ip_vs` or --load-module loads it",
                        ErrorKind::PermissionDenied => "root may, and whoever has CAP_NET_ADMIN",
                        _ => return error.into(),
                    };
                    anyhow!("{error} ({mend}; --embedded works on a table in a file instead)")
                })?;
                Ok(Opened { director: Box::new(director), file: None })
            }
        }
    }
}

fn namespace(text: &str) -> Namespace {
    match text.parse() {
        Ok(pid) => Namespace::Pid(pid),
        Err(_) if text.contains('/') => Namespace::Path(text.into()),
        Err(_) => Namespace::Name(text.to_owned()),
    }
}

fn embedded(file: PathBuf) -> Result<Opened> {
    let text = match fs::read(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        result => result.with_context(|| format!("cannot read {}", file.display()))?,
    };
    let script = rules::parse(&text).map_err(|errors| anyhow!("{}:\n{errors}", file.display()))?;
    let operations = script.operations().map_err(|errors| anyhow!("{}:\n{errors}", file.display()))?;
    let mut director = EmbeddedDirector::new();
    let report = director.apply(&operations, OnRefusal::Continue);
    if let Some(failure) = report.failures.first() {
        bail!("{}, line {}: {}", file.display(), script.rules[failure.index].line, failure.error);
    }
    Ok(Opened { director: Box::new(director), file: Some(file) })
}

impl Opened {
    /// The director.
    pub fn director(&mut self) -> &mut dyn Director {
        &mut *self.director
    }

    /// Keeps the table of an embedded director in its file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn close(mut self) -> Result<()> {
        let Some(file) = self.file.take() else { return Ok(()) };
        let text = text::rules(&self.director.complete_snapshot()?.to_table());
        let new = file.with_extension("new");
        fs::write(&new, text)
            .and_then(|()| fs::rename(&new, &file))
            .with_context(|| format!("cannot write {}", file.display()))
    }
}
