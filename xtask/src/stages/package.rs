//! What is handed out: the crate as crates.io would have it, the Debian packages of the C library.

use fs_err as fs;
use std::path::Path;
use std::process::Command;

use super::Report;
use super::c::consumer_of;
use super::report::libtest;
use crate::error::{Context, Result};
use crate::host;
use crate::project::{self, cargo};

/// What readers of crates.io and packagers look for.
const NEEDED: [&str; 4] = ["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"];

pub(crate) fn run(report: &mut Report) -> Result<()> {
    crate_file(report)?;
    debian(report)
}

/// `lvs-core` as published: complete, without test data, and its tests pass where it was unpacked.
fn crate_file(report: &mut Report) -> Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    report.check(&mut cargo(&["package", "--quiet", "--package", "lvs-core", "--allow-dirty", "--no-verify"]))?;
    let packages = project::target_directory().join("package");
    let unpacked = packages.join(format!("lvs-core-{version}"));
    let _ = fs::remove_dir_all(&unpacked);
    let archive = packages.join(format!("lvs-core-{version}.crate"));
    host::capture(Command::new("tar").arg("-C").arg(&packages).arg("-xf").arg(archive))?;
    let missing: Vec<_> = NEEDED.iter().filter(|file| !unpacked.join(file).is_file()).collect();
    let surplus: Vec<_> = ["tests", "benches"].iter().filter(|name| unpacked.join(name).exists()).collect();
    if missing.is_empty() && surplus.is_empty() {
        report.pass(1);
    } else {
        report.fail(format!("the crate lacks {missing:?} and should not have {surplus:?}"));
    }
    let mut test = cargo(&["test", "--quiet", "--no-fail-fast", "--all-features"]);
    test.current_dir(&unpacked).env("CARGO_TARGET_DIR", project::target_directory().join("packaged"));
    report.tests(&mut test, libtest).map(drop)
}

/// The Debian packages: built, without errors of lintian, and of use to a program.
fn debian(report: &mut Report) -> Result<()> {
    host::ensure_programs(
        &[("dpkg-buildpackage", "dpkg-dev"), ("dh", "debhelper"), ("lintian", "lintian"), ("pkg-config", "pkg-config")],
        "Debian packages are built with them",
    )?;
    // A copy: packages appear beside the directory in which they are built.
    let base = project::target_directory().join("debian-packages");
    let _ = fs::remove_dir_all(&base);
    let source = base.join("lvs");
    copy_sources(project::root(), &source)?;
    let mut build = Command::new("dpkg-buildpackage");
    // Nothing about Rust is in Build-Depends, and what is there is installed above.
    build.args(["--build=binary", "--no-sign", "--no-check-builddeps"]).current_dir(&source);
    host::capture(&mut build).context(|| "cannot build the Debian packages".into())?;
    report.pass(1);
    let changes = only(&base, ".changes")?;
    report.check(Command::new("lintian").args(["--fail-on", "error", "--allow-root"]).arg(changes))?;
    let root = base.join("root");
    for package in fs::read_dir(&base)?.flatten().filter(|entry| entry.path().extension().is_some_and(|e| e == "deb")) {
        host::capture(Command::new("dpkg-deb").arg("-x").arg(package.path()).arg(&root))?;
    }
    consumer_of(report, &base, &root)
}

/// What tools have made is no part of the sources.
const MADE: [&str; 7] = ["target", ".git", ".venv", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"];

fn copy_sources(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)?.flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        if MADE.iter().any(|made| name == *made) {
            continue;
        }
        // Licences are links.
        if path.is_dir() {
            copy_sources(&path, &to.join(name))?;
        } else {
            fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}

fn only(directory: &Path, end: &str) -> Result<std::path::PathBuf> {
    fs::read_dir(directory)?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.to_string_lossy().ends_with(end))
        .context(|| format!("no {end} in {}", directory.display()))
}
