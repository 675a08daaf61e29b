//! The sources that everything is made from: a clone of HEAD, and what makes builds of it
//! repeatable.

use crate::error::{Error, Result};
use crate::{host, project};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A clone of HEAD.
pub(super) struct Source {
    /// Below which everything is made.
    pub(super) base: PathBuf,
    pub(super) directory: PathBuf,
    /// The workspace's version.
    pub(super) version: String,
    /// When HEAD was committed, in seconds since 1970.
    pub(super) epoch: String,
    /// HEAD's full name.
    pub(super) commit: String,
}

impl Source {
    pub(super) fn new() -> Result<Self> {
        let base = project::target_directory().join("dist-build");
        let directory = base.join("lvs");
        project::remove(&directory)?;
        let mut clone = project::command("git");
        host::capture(clone.args(["clone", "--quiet", "--no-hardlinks"]).arg(project::root()).arg(&directory))?;
        if !said(project::command("git").args(["status", "--porcelain"]))?.is_empty() {
            eprintln!("xtask: what is not committed is not in what is made");
        }
        let head = said(project::command("git").args(["log", "-1", "--format=%ct %H"]).current_dir(&directory))?;
        let (epoch, commit) = head.split_once(' ').ok_or_else(|| Error::new("git names no commit"))?;
        let (epoch, commit) = (epoch.to_owned(), commit.to_owned());
        let mut source = Self { base, directory, version: String::new(), epoch, commit };
        let metadata = source.metadata(&["--no-deps"])?;
        let member = &metadata["packages"][0]["version"];
        source.version = member.as_str().unwrap_or_default().to_owned();
        Ok(source)
    }

    /// A program in the clone, with the time of the commit for the time of the build.
    pub(super) fn command(&self, program: &str) -> Command {
        self.settle(project::command(program))
    }

    /// The same for a program of an environment.
    pub(super) fn settle(&self, mut command: Command) -> Command {
        command.current_dir(&self.directory).env("SOURCE_DATE_EPOCH", &self.epoch);
        // What this user has set for other builds.
        command.env_remove("CARGO_ENCODED_RUSTFLAGS").env_remove("CARGO_BUILD_TARGET");
        command.env("LC_ALL", "C.UTF-8").env("TZ", "UTC").env("CARGO_INCREMENTAL", "0");
        command
    }

    /// Lets cargo build into the directory of what is made, without paths of this machine in it.
    /// `flags` are more of rustc's.
    pub(super) fn build<'a>(&self, command: &'a mut Command, flags: &str) -> &'a mut Command {
        let map = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
        let paths = [map(&self.directory, "/usr/src/lvs"), map(&project::cargo_home(), "/usr/share/cargo")];
        command.env("CARGO_TARGET_DIR", self.target()).env("RUSTFLAGS", format!("{} {flags}", paths.join(" ")))
    }

    /// Where cargo puts what it makes.
    pub(super) fn target(&self) -> PathBuf {
        self.base.join("target")
    }

    /// What cargo knows of the workspace.
    pub(super) fn metadata(&self, options: &[&str]) -> Result<Value> {
        let mut cargo = self.command("cargo");
        let output = host::capture(cargo.args(["metadata", "--locked", "--format-version", "1"]).args(options))?;
        serde_json::from_slice(&output.stdout).map_err(|error| Error::new(format!("cargo metadata: {error}")))
    }

    pub(super) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.directory.join(path)
    }
}

/// What a program prints, without the end of the line.
fn said(command: &mut Command) -> Result<String> {
    Ok(String::from_utf8_lossy(&host::capture(command)?.stdout).trim().to_owned())
}
