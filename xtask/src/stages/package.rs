//! What is handed out: the crate as crates.io would have it, the Debian packages of the C library.

use fs_err as fs;
use std::path::Path;
use std::process::Command;

use super::Report;
use super::c::consumer_of;
use super::report::libtest;
use crate::error::{Context, Result};
use crate::project::{self, cargo};
use crate::{debian, host};

/// What readers of crates.io and packagers look for.
const NEEDED: [&str; 5] = ["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE", "schema/lvs.schema.json"];

pub(crate) fn run(report: &mut Report) -> Result<()> {
    crate_file(report)?;
    packages(report)
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
    // As packagers of distributions test it, and with everything.
    for features in [&[][..], &["--all-features"]] {
        let mut test = project::cargo_into("packaged", &["test", "--quiet", "--no-fail-fast"]);
        report.tests(test.args(features).current_dir(&unpacked), libtest)?;
    }
    Ok(())
}

/// The Debian packages of the library: built, without errors of lintian, and of use to a program.
fn packages(report: &mut Report) -> Result<()> {
    debian::ensure_programs()?;
    host::ensure_programs(&[("pkg-config", "pkg-config")], "programs find the library with it")?;
    // A copy: packages appear beside the directory in which they are built.
    let base = project::target_directory().join("debian-packages");
    let _ = fs::remove_dir_all(&base);
    let source = base.join("lvs");
    project::copy(project::root(), &source, &MADE)?;
    let mut build = Command::new("dpkg-buildpackage");
    // The programs take minutes to build for release, and are tested elsewhere.
    build.arg(format!("--build-profiles={}", debian::LIBRARY_ALONE)).current_dir(&source);
    host::capture(debian::build(&mut build)).context(|| "cannot build the Debian packages".into())?;
    report.pass(1);
    let changes = only(&base, ".changes")?;
    report.check(&mut debian::lint(&changes))?;
    let root = base.join("root");
    for package in fs::read_dir(&base)?.flatten().filter(|entry| entry.path().extension().is_some_and(|e| e == "deb")) {
        host::capture(Command::new("dpkg-deb").arg("-x").arg(package.path()).arg(&root))?;
    }
    consumer_of(report, &base, &root)
}

/// What tools have made is no part of the sources.
const MADE: [&str; 7] = ["target", ".git", ".venv", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"];

fn only(directory: &Path, end: &str) -> Result<std::path::PathBuf> {
    fs::read_dir(directory)?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.to_string_lossy().ends_with(end))
        .context(|| format!("no {end} in {}", directory.display()))
}
