//! Python environments of this project, each with what one file names.

use crate::error::{Context, Result};
use crate::{host, project};
use fs_err as fs;
use std::path::PathBuf;
use std::process::Command;

/// A virtual environment, from the workspace's directory.
pub(crate) struct Venv {
    pub(crate) directory: &'static str,
    /// What it holds: pinned versions.
    pub(crate) requirements: &'static str,
}

/// The programs of an environment.
pub(crate) struct Programs(PathBuf);

impl Venv {
    /// The environment with its requirements, made again when these change.
    pub(crate) fn programs(&self) -> Result<Programs> {
        let Self { directory, requirements } = self;
        let path = project::root().join(directory);
        let programs = Programs(path.join("bin"));
        let wanted = fs::read_to_string(project::root().join(requirements))?;
        let stamp = path.join("requirements-installed.txt");
        if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(programs);
        }
        eprintln!("xtask: making the Python environment {directory} with what {requirements} names");
        host::ensure_programs(&[("python3", "python3")], "programs from PyPI run with it")?;
        let make = || host::capture(project::command("python3").args(["-m", "venv", "--clear"]).arg(&path));
        if make().is_err() {
            host::install(&["python3-venv"], "programs from PyPI have an environment of their own")?;
            make()?;
        }
        let mut pip = programs.command("pip");
        host::capture(pip.args(["install", "--quiet", "--disable-pip-version-check", "-r", requirements]))
            .context(|| format!("cannot install what {requirements} names"))?;
        fs::write(stamp, wanted)?;
        Ok(programs)
    }
}

impl Programs {
    /// A program of the environment, which believes the environment to be active.
    pub(crate) fn command(&self, name: &str) -> Command {
        let mut command = project::command(&self.0.join(name).to_string_lossy());
        command.env("VIRTUAL_ENV", self.0.parent().unwrap_or(&self.0));
        command
    }
}
