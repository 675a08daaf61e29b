//! The C library: its header, its symbols, C programs under valgrind and AddressSanitizer, and
//! projects that install it.

mod abi;
mod agents;
mod examples;
mod go;
mod install;
mod programs;

pub(super) use install::consumer_of;

use fs_err as fs;
use fs_err::os::unix::fs::symlink;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Report;
use crate::error::{Context, Result};
use crate::{c_abi, c_header, host, project};

/// Where the C tests are.
const TESTS: &str = "lvs-ffi/tests";
/// Where those are that need a kernel with IPVS.
const LAB_TESTS: &str = "lvs-ffi/tests/lab";

pub(crate) fn run(report: &mut Report) -> Result<()> {
    host::ensure_programs(
        &[
            ("gcc", "gcc"),
            ("g++", "g++"),
            ("clang", "clang"),
            ("make", "make"),
            ("nm", "binutils"),
            ("valgrind", "valgrind"),
            ("pkg-config", "pkg-config"),
            ("cmake", "cmake"),
            ("meson", "meson"),
            ("man", "man-db"),
        ],
        "the C tests need them",
    )?;
    header(report)?;
    abi::run(report)?;
    // The variant that panics on purpose first: the plain one is what everything else uses.
    let hooks = build(report, "hooks", &["--features", "test-hooks"])?;
    let plain = build(report, "plain", &[])?;
    let (Some(hooks), Some(plain)) = (hooks, plain) else { return Ok(()) };
    symbols(report, &plain)?;
    footprint(report, &plain)?;
    programs::run(report, &plain, &hooks)?;
    install::run(report)
}

/// The header in every language that it promises, with two compilers.
fn header(report: &mut Report) -> Result<()> {
    let source = format!("{TESTS}/header.c");
    let strict =
        ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror", "-fsyntax-only", "-Iinclude"];
    let matrix = [("gcc", "g++"), ("clang", "clang++")].into_iter().flat_map(|(c, cxx)| {
        let c_standards = ["c99", "c11", "c17", "c2x"].map(|standard| (c, "c", standard));
        c_standards.into_iter().chain(["c++17", "c++20"].map(|standard| (cxx, "c++", standard)))
    });
    for (compiler, language, standard) in matrix {
        let standard = format!("-std={standard}");
        report.check(project::command(compiler).args(strict).args(["-x", language, &standard, &source]))?;
    }
    Ok(())
}

/// Builds the library and puts it, with the name that programs look for, into a directory of its
/// own.
fn build(report: &mut Report, name: &str, features: &[&str]) -> Result<Option<PathBuf>> {
    let mut cargo = project::cargo(&["build", "--package", "lvs-ffi"]);
    let before = report.counts().failed;
    report.check(cargo.args(features))?;
    if report.counts().failed > before {
        return Ok(None);
    }
    let directory = project::target_directory().join("c").join(name);
    fs::create_dir_all(&directory)?;
    for file in ["liblvs.so", "liblvs.a"] {
        let to = directory.join(file);
        // A program that still runs keeps the old file.
        let _ = fs::remove_file(&to);
        fs::copy(project::target_directory().join("debug").join(file), to).context(|| format!("cannot copy {file}"))?;
    }
    link_soname(&directory)?;
    Ok(Some(directory))
}

/// Gives the library in a directory the name that programs look for, too.
pub(super) fn link_soname(directory: &Path) -> Result<()> {
    let link = directory.join(soname(&directory.join("liblvs.so"))?);
    let _ = fs::remove_file(&link);
    symlink("liblvs.so", &link).context(|| format!("cannot link {}", link.display()))
}

/// The name under which programs will look for the library.
fn soname(library: &Path) -> Result<String> {
    let output = host::capture(Command::new("objdump").arg("-p").arg(library))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.trim().strip_prefix("SONAME"));
    line.map(|name| name.trim().to_owned()).context(|| "liblvs.so has no soname".to_owned())
}

/// The library exports what the header declares, and a C test calls each function.
fn symbols(report: &mut Report, directory: &Path) -> Result<()> {
    let header = fs::read_to_string(project::root().join(c_header::FILE))?;
    let declared: BTreeSet<String> = c_abi::parse(&header).functions.into_iter().map(|(name, _)| name).collect();
    let nm = host::capture(Command::new("nm").args(["-D", "--defined-only"]).arg(directory.join("liblvs.so")))?;
    let exported: BTreeSet<String> = String::from_utf8_lossy(&nm.stdout)
        .lines()
        .filter_map(|line| line.split_whitespace().last())
        .map(str::to_owned)
        .collect();
    let mut check = |what: &str, wrong: Vec<&String>| {
        if wrong.is_empty() { report.pass(1) } else { report.fail(format!("{what}: {wrong:?}")) }
    };
    check("exported, but not in the header", exported.difference(&declared).collect());
    check("in the header, but not exported", declared.difference(&exported).collect());
    let mut tests = String::new();
    // Those of the lab are run by the lab's stage.
    for source in programs::sources(TESTS)?.into_iter().chain(programs::sources(LAB_TESTS)?) {
        tests.push_str(&fs::read_to_string(source)?);
    }
    // By its name, or by a macro that is given its name.
    let called = |name: &&String| ['(', ','].iter().any(|after| tests.contains(&format!("{name}{after}")));
    check("functions that no C test calls", declared.iter().filter(|name| !called(name)).collect());
    eprintln!("   {} functions, each called by a C test", declared.len());
    Ok(())
}

/// What a library must not do to the process that it is in, by name.
const INTRUSIONS: [&str; 19] = [
    "sigaction",
    "signal",
    "sigprocmask",
    "pthread_sigmask",
    "setitimer",
    "timer_create",
    "alarm",
    "atexit",
    "fork",
    "vfork",
    "clone",
    "posix_spawn",
    "posix_spawnp",
    "execve",
    "system",
    "popen",
    "setenv",
    "setlocale",
    "exit",
];

/// The library has no variables of its own beside those of Rust's runtime, and calls nothing that
/// changes the process.
fn footprint(report: &mut Report, directory: &Path) -> Result<()> {
    let library = directory.join("liblvs.so");
    let objdump = |flag: &str| -> Result<String> {
        let output = host::capture(Command::new("objdump").args(["--demangle", flag]).arg(&library))?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let symbols = objdump("--syms")?;
    let is_writable = |line: &&str| {
        // Address, flags, section, size, name. What relocation alone writes (.data.rel.ro) is
        // constant.
        [".data", ".bss", ".tdata", ".tbss"].into_iter().any(|section| line.contains(&format!(" {section}\t")))
    };
    let writable: Vec<&str> = symbols.lines().filter(is_writable).collect();
    if !writable.iter().any(|line| line.contains("std::")) {
        report.fail("objdump shows not even the variables of Rust's runtime".to_owned());
    }
    let own: Vec<_> = writable.iter().filter(|line| line.contains("lvs::") || line.contains("lvs_core::")).collect();
    if own.is_empty() {
        report.pass(1)
    } else {
        report.fail(format!("the library holds global state: {own:?}"))
    }

    let imports = objdump("--dynamic-syms")?;
    let called = |name: &&&str| {
        let imported = imports.lines().filter(|line| line.contains("*UND*"));
        imported.filter_map(|line| line.split_whitespace().last()).any(|symbol| symbol == **name)
    };
    let intrusions: Vec<_> = INTRUSIONS.iter().filter(called).collect();
    if intrusions.is_empty() {
        report.pass(1)
    } else {
        report.fail(format!("the library calls {intrusions:?}"))
    }
    Ok(())
}
