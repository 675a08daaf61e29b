//! Installed as any C library, and found by pkg-config from make, CMake and Meson.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{TESTS, examples};
use crate::error::{Error, Result};
use crate::stages::Report;
use crate::{host, project};

/// What `make install` puts in place, below the prefix.
const INSTALLED: [&str; 6] = [
    "lib/liblvs.so",
    concat!("lib/liblvs.so.", env!("CARGO_PKG_VERSION")),
    "lib/liblvs.a",
    "include/lvs.h",
    "lib/pkgconfig/lvs.pc",
    "share/man/man3/lvs.3",
];

pub(super) fn run(report: &mut Report) -> Result<()> {
    let base = project::target_directory().join("c").join("install");
    if base.exists() {
        fs::remove_dir_all(&base)?;
    }
    fs::create_dir_all(&base)?;
    let prefix = base.join("prefix");
    // The library as the tests built it: how it is optimised makes no difference here.
    let make = |target: &str, variables: &[String]| {
        let mut make = project::command("make");
        make.args(["-s", "-C", "lvs-ffi", target, "PROFILE=dev"]).args(variables);
        make.env("CARGO_TARGET_DIR", project::target_directory());
        make
    };
    let variables = [format!("PREFIX={}", prefix.display())];
    report.check(&mut make("install", &variables))?;
    complete(report, &prefix, true);
    consumers(report, &base, &prefix)?;
    examples::run(report, &base, &prefix)?;
    report.check(&mut make("uninstall", &variables))?;
    complete(report, &prefix, false);

    let root = base.join("root");
    let variables = ["PREFIX=/usr".to_owned(), format!("DESTDIR={}", root.display())];
    report.check(&mut make("install", &variables))?;
    complete(report, &root.join("usr"), true);
    let mut man = project::command("man");
    man.args(["--warnings", "-l"]).arg(root.join("usr/share/man/man3/lvs.3")).env("MANPAGER", "cat");
    let page = host::capture(&mut man)?;
    match String::from_utf8_lossy(&page.stderr).trim() {
        "" => report.pass(1),
        warnings => report.fail(format!("lvs.3: {warnings}")),
    }
    Ok(())
}

fn complete(report: &mut Report, prefix: &Path, expected: bool) {
    let wrong: Vec<_> = INSTALLED.iter().filter(|file| prefix.join(file).exists() != expected).collect();
    if wrong.is_empty() {
        report.pass(1);
    } else {
        let what = if expected { "not installed" } else { "not uninstalled" };
        report.fail(format!("{what}: {wrong:?}"));
    }
}

/// Three projects build against what is installed, and their programs run.
fn consumers(report: &mut Report, base: &Path, prefix: &Path) -> Result<()> {
    let prepared = |command: &str| prepared(command, prefix);
    let from = |name: &str| project::root().join(TESTS).join("consumers").join(name);
    let out = |name: &str| -> Result<PathBuf> {
        let directory = base.join(name);
        fs::create_dir_all(&directory)?;
        Ok(directory)
    };
    let make = out("make")?;
    built(prepared("make").arg("-s").arg("-C").arg(from("make")).arg(format!("OUT={}", make.display())))?;
    report.check(&mut prepared(&make.join("shared").to_string_lossy()))?;
    report.check(&mut prepared(&make.join("static").to_string_lossy()))?;

    let cmake = out("cmake")?;
    built(prepared("cmake").arg("-S").arg(from("cmake")).arg("-B").arg(&cmake))?;
    built(prepared("cmake").arg("--build").arg(&cmake))?;
    report.check(&mut prepared(&cmake.join("consumer").to_string_lossy()))?;

    let meson = out("meson")?;
    built(prepared("meson").arg("setup").arg(&meson).arg(from("meson")))?;
    built(prepared("meson").args(["compile", "-C"]).arg(&meson))?;
    report.check(&mut prepared(&meson.join("consumer").to_string_lossy()))
}

/// A program that finds what is installed below a prefix.
pub(super) fn prepared(command: &str, prefix: &Path) -> Command {
    let library = prefix.join("lib");
    let mut command = project::command(command);
    command.env("PKG_CONFIG_PATH", library.join("pkgconfig")).env("LD_LIBRARY_PATH", library);
    command
}

pub(super) fn built(command: &mut Command) -> Result<()> {
    host::capture(command).map(drop).map_err(|error| Error::new(format!("a project that uses liblvs: {error}")))
}
