//! Installed as any C library, and found by pkg-config from make, CMake and Meson.

use fs_err as fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{TESTS, agents, examples, go};
use crate::error::{Error, Result};
use crate::stages::Report;
use crate::{c_abi, c_header, c_reference, host, project};

/// What `make install` puts in place, below the prefix.
const INSTALLED: [&str; 11] = [
    "lib/liblvs.so",
    concat!("lib/liblvs.so.", env!("CARGO_PKG_VERSION")),
    "lib/liblvs.a",
    "include/lvs.h",
    "lib/pkgconfig/lvs.pc",
    "lib/cmake/lvs/lvs-config.cmake",
    "lib/cmake/lvs/lvs-config-version.cmake",
    "share/man/man3/lvs.3",
    "share/man/man3/lvs_snapshot.3",
    "share/man/man3/lvs_director_add_service.3",
    "share/doc/liblvs/lvs.html",
];

pub(super) fn run(report: &mut Report) -> Result<()> {
    let base = project::target_directory().join("c").join("install");
    if base.exists() {
        fs::remove_dir_all(&base)?;
    }
    fs::create_dir_all(&base)?;
    // Blanks in a path must not matter.
    let prefix = base.join("a prefix");
    report.check(&mut make("all", &[]))?;
    let variables = [format!("PREFIX={}", prefix.display())];
    report.check(&mut make("install", &variables))?;
    complete(report, &prefix, true);
    modes(report, &prefix)?;
    versions(report, &prefix)?;
    consumers(report, &base, &prefix)?;
    examples::run(report, &base, &prefix)?;
    agents::run(report, &base, &prefix)?;
    go::run(report, &base)?;
    // Moved as a whole, it is found all the same: the directories in lvs.pc are named by the
    // prefix.
    let moved = base.join("moved");
    fs::rename(&prefix, &moved)?;
    make_consumer(report, &base.join("of-moved"), &moved, "pkg-config --define-prefix")?;
    fs::rename(&moved, &prefix)?;
    report.check(&mut make("uninstall", &variables))?;
    complete(report, &prefix, false);

    let root = base.join("root");
    let variables = ["PREFIX=/usr".to_owned(), format!("DESTDIR={}", root.display())];
    report.check(&mut make("install", &variables))?;
    complete(report, &root.join("usr"), true);
    let relative = make("install", &["DESTDIR=pkg".to_owned()]).output()?;
    if !relative.status.success() && String::from_utf8_lossy(&relative.stderr).contains("must be an absolute path") {
        report.pass(1);
    } else {
        report.fail("a relative DESTDIR is not refused");
    }
    target(report, &base)?;
    pages(report, &root.join("usr/share/man"))?;
    man_examples(report, &base.join("man"), &root.join("usr"))
}

/// Every function has a page of its name, and none of the pages has anything that man warns of.
fn pages(report: &mut Report, directory: &Path) -> Result<()> {
    let header = fs::read_to_string(project::root().join(c_header::FILE))?;
    let functions = c_abi::parse(&header).functions;
    let page = |name: &str| directory.join(format!("man3/{name}.3"));
    let missing: Vec<_> = functions.iter().map(|(name, _)| name).filter(|name| !page(name).exists()).collect();
    if missing.is_empty() {
        report.pass(1);
    } else {
        report.fail(format!("functions without a manual page: {missing:?}"));
    }
    eprintln!("   {} functions, each with a manual page", functions.len());
    for entry in fs::read_dir(project::root().join(c_reference::PAGES))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.ends_with(".3") {
            continue;
        }
        warnings(report, &directory.join("man3").join(name))?;
    }
    warnings(report, &page("lvs"))?;
    // One that is only a name for another.
    let mut man = project::command("man");
    man.arg("-M").arg(directory).args(["3", "lvs_director_add_service"]).env("MANPAGER", "cat");
    let text = host::capture(&mut man)?;
    if String::from_utf8_lossy(&text.stdout).contains("Adds a virtual service") {
        report.pass(1);
    } else {
        report.fail("man 3 lvs_director_add_service does not find its page");
    }
    Ok(())
}

fn warnings(report: &mut Report, page: &Path) -> Result<()> {
    let mut man = project::command("man");
    let shown = host::capture(man.args(["--warnings", "-l"]).arg(page).env("MANPAGER", "cat"))?;
    match String::from_utf8_lossy(&shown.stderr).trim() {
        "" => report.pass(1),
        warnings => report.fail(format!("{}: {warnings}", page.display())),
    }
    Ok(())
}

/// The examples of the manual pages do what they say.
fn man_examples(report: &mut Report, out: &Path, prefix: &Path) -> Result<()> {
    fs::create_dir_all(out)?;
    let mut sources = super::programs::sources(&format!("{}/examples", c_reference::PAGES))?;
    sources.sort();
    for source in sources {
        let program = out.join(source.file_stem().unwrap_or_default());
        let mut cc = prepared("cc", prefix);
        cc.args(["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I"])
            .arg(prefix.join("include"))
            .arg(&source);
        built(cc.arg("-o").arg(&program).arg("-L").arg(prefix.join("lib")).arg("-llvs"))?;
        report.check(&mut prepared(&program.to_string_lossy(), prefix))?;
    }
    Ok(())
}

/// A call of the Makefile, without cargo on the path, as under sudo: only `all` may need it.
pub(super) fn make(target: &str, variables: &[String]) -> Command {
    let mut make = project::command("make");
    make.args(["-s", "-C", "lvs-ffi", target, "PROFILE=dev"]).args(variables);
    make.env("CARGO_TARGET_DIR", project::target_directory());
    if target != "all" {
        make.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin").env("CARGO", "false");
    }
    make
}

/// Nothing that is installed is executable: a library is data.
fn modes(report: &mut Report, prefix: &Path) -> Result<()> {
    let mut wrong = Vec::new();
    for file in INSTALLED {
        let mode = fs::metadata(prefix.join(file))?.permissions().mode() & 0o777;
        if mode != 0o644 {
            wrong.push(format!("{file}: {mode:o}"));
        }
    }
    if wrong.is_empty() {
        report.pass(1)
    } else {
        report.fail(format!("modes: {wrong:?}"))
    }
    Ok(())
}

/// Every function has the version that is named after the soname.
fn versions(report: &mut Report, prefix: &Path) -> Result<()> {
    let nm = host::capture(Command::new("nm").args(["-D", "--defined-only"]).arg(prefix.join("lib/liblvs.so")))?;
    let text = String::from_utf8_lossy(&nm.stdout);
    let functions: Vec<_> = text.lines().filter(|line| line.contains(" T ")).collect();
    let without: Vec<_> = functions.iter().filter(|line| !line.contains("@@LVS_")).collect();
    if !functions.is_empty() && without.is_empty() {
        report.pass(1);
    } else {
        report.fail(format!("{} functions, without a version: {without:?}", functions.len()));
    }
    Ok(())
}

/// A target that is asked for explicitly is what gets installed, from the directory that cargo
/// keeps for it.
fn target(report: &mut Report, base: &Path) -> Result<()> {
    let rustc = host::capture(Command::new("rustc").arg("-vV"))?;
    let text = String::from_utf8_lossy(&rustc.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
    let stage = base.join("stage");
    let variables = [format!("STAGE={}", stage.display())];
    report.check(make("all", &variables).env("CARGO_BUILD_TARGET", host))?;
    let built = project::target_directory().join(host).join("debug/liblvs.a");
    if fs::read(stage.join("liblvs.a"))? == fs::read(&built)? {
        report.pass(1);
    } else {
        report.fail(format!("staged is not {}", built.display()));
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
    make_consumer(report, &base.join("make"), prefix, "pkg-config")?;
    let cmake = base.join("cmake");
    built(prepared("cmake").arg("-S").arg(consumer("cmake")).arg("-B").arg(&cmake))?;
    built(prepared("cmake").arg("--build").arg(&cmake))?;
    for program in ["PkgConfig-LVS", "lvs-lvs", "lvs-static"] {
        report.check(&mut prepared(&cmake.join(program).to_string_lossy()))?;
    }

    let meson = base.join("meson");
    built(prepared("meson").arg("setup").arg(&meson).arg(consumer("meson")))?;
    built(prepared("meson").args(["compile", "-C"]).arg(&meson))?;
    report.check(&mut prepared(&meson.join("consumer").to_string_lossy()))
}

fn make_consumer(report: &mut Report, out: &Path, prefix: &Path, pkg_config: &str) -> Result<()> {
    fs::create_dir_all(out)?;
    let mut make = prepared("make", prefix);
    make.arg("-s").arg("-C").arg(consumer("make")).arg(format!("OUT={}", out.display()));
    built(make.arg(format!("PKG_CONFIG={pkg_config}")))?;
    for program in ["shared", "archive", "static"] {
        report.check(&mut prepared(&out.join(program).to_string_lossy(), prefix))?;
    }
    Ok(())
}

/// A program built against Debian packages that were unpacked below `root`, and run.
pub(in crate::stages) fn consumer_of(report: &mut Report, out: &Path, root: &Path) -> Result<()> {
    let triplet = host::capture(Command::new("dpkg-architecture").arg("-qDEB_HOST_MULTIARCH"))?;
    let library = root.join("usr/lib").join(String::from_utf8_lossy(&triplet.stdout).trim());
    let mut flags = Command::new("pkg-config");
    flags.args(["--cflags", "--libs", "lvs"]).env("PKG_CONFIG_PATH", library.join("pkgconfig"));
    let flags = host::capture(flags.env("PKG_CONFIG_SYSROOT_DIR", root))?;
    let program = out.join("consumer");
    let mut cc = project::command("cc");
    cc.arg(project::root().join(TESTS).join("consumers/main.c")).arg("-o").arg(&program);
    cc.args(String::from_utf8_lossy(&flags.stdout).split_whitespace()).arg("-L").arg(&library);
    built(cc.arg("-I").arg(root.join("usr/include")))?;
    report.check(Command::new(&program).env("LD_LIBRARY_PATH", library))
}

/// A project that uses the library.
fn consumer(name: &str) -> PathBuf {
    project::root().join(TESTS).join("consumers").join(name)
}

/// A program that finds what is installed below a prefix.
pub(super) fn prepared(command: &str, prefix: &Path) -> Command {
    let library = prefix.join("lib");
    let mut command = project::command(command);
    command.env("PKG_CONFIG_PATH", library.join("pkgconfig")).env("LD_LIBRARY_PATH", library);
    command.env("CMAKE_PREFIX_PATH", prefix);
    command
}

pub(super) fn built(command: &mut Command) -> Result<()> {
    host::capture(command).map(drop).map_err(|error| Error::new(format!("a project that uses liblvs: {error}")))
}
