//! The C tests as programs: plain and under valgrind, threads under helgrind, all of them with
//! AddressSanitizer.

use fs_err as fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::TESTS;
use crate::error::{Context, Result};
use crate::stages::Report;
use crate::{host, project};

const STRICT: [&str; 7] = ["-std=c11", "-g", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Iinclude"];

/// What a program that links the static library needs besides; see lvs.pc.
const STATIC_LIBRARIES: [&str; 6] = ["-lgcc_s", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl"];

/// Every C test of a directory, in the order of the names.
pub(super) fn sources(directory: &str) -> Result<Vec<PathBuf>> {
    let directory = project::root().join(directory);
    let entries = fs::read_dir(&directory).context(|| format!("cannot read {}", directory.display()))?;
    let mut found: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    found.retain(|file| file.extension().is_some_and(|extension| extension == "c"));
    found.sort();
    Ok(found)
}

fn stem(source: &Path) -> String {
    source.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

pub(super) fn run(report: &mut Report, plain: &Path, hooks: &Path) -> Result<()> {
    let sources = sources(TESTS)?;
    for source in &sources {
        let name = stem(source);
        let library = if name == "panic" { hooks } else { plain };
        let program = shared(source, library)?;
        report.check(&mut under_valgrind(&program))?;
        if name == "threads" {
            let helgrind = ["--tool=helgrind", "-q", "--error-exitcode=9"];
            report.check(project::command("valgrind").args(helgrind).arg(program))?;
        }
    }
    without_memory(report, plain)?;
    sanitized(report, &sources)
}

/// A program that is the allocator itself, and therefore runs under no tool that is one.
fn without_memory(report: &mut Report, library: &Path) -> Result<()> {
    let source = project::root().join(TESTS).join("plain/memory.c");
    let program = library.join("memory");
    let mut compiler = project::command("gcc");
    compiler.args(["-std=gnu11", "-fno-builtin"]).args(&STRICT[1..]).arg(source).arg("-o").arg(&program);
    let path = format!("-Wl,-rpath,{}", library.display());
    host::capture(compiler.arg("-L").arg(library).args(["-llvs", &path]))?;
    report.check(&mut project::command(&program.to_string_lossy()))
}

/// A program that finds the shared library where it was put.
fn shared(source: &Path, library: &Path) -> Result<PathBuf> {
    let program = library.join(stem(source));
    let path = format!("-Wl,-rpath,{}", library.display());
    let mut compiler = project::command("gcc");
    compiler.args(STRICT).arg(source).arg("-o").arg(&program).arg("-L").arg(library);
    host::capture(compiler.args(["-llvs", "-pthread", &path]))?;
    Ok(program)
}

pub(super) fn under_valgrind(program: &Path) -> Command {
    let mut valgrind = project::command("valgrind");
    valgrind.args(["-q", "--error-exitcode=9", "--leak-check=full", "--show-leak-kinds=all"]);
    // Backtraces of panics are slow here and nobody reads them.
    valgrind.arg("--errors-for-leak-kinds=all").arg(program).env("RUST_BACKTRACE", "0");
    valgrind
}

/// The library itself and the programs instrumented. Rust's instrumentation is not stable yet: its
/// switch is opened for this build, which lives in a directory of its own.
fn sanitized(report: &mut Report, sources: &[PathBuf]) -> Result<()> {
    let Some(target) = target()? else {
        report.note("AddressSanitizer: not on this machine's architecture");
        return Ok(());
    };
    let directory = project::target_directory().join("c").join("asan");
    let mut cargo = project::cargo(&["build", "--package", "lvs-ffi", "--features", "test-hooks", "--target", target]);
    cargo.arg("--target-dir").arg(&directory);
    cargo.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", "-Zsanitizer=address").env_remove("CARGO_TARGET_DIR");
    let before = report.counts().failed;
    report.check(&mut cargo)?;
    if report.counts().failed > before {
        return Ok(());
    }
    let library = directory.join(target).join("debug/liblvs.a");
    for source in sources {
        let program = directory.join(stem(source));
        let mut compiler = project::command("gcc");
        compiler.args(STRICT).args(["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]);
        compiler.arg(source).arg(&library).args(STATIC_LIBRARIES).arg("-o").arg(&program);
        host::capture(&mut compiler)?;
        let mut program = project::command(&program.to_string_lossy());
        report.check(program.env("RUST_BACKTRACE", "0").env("ASAN_OPTIONS", "detect_leaks=1"))?;
    }
    Ok(())
}

/// The targets on which Rust has AddressSanitizer and C's can be mixed in.
fn target() -> Result<Option<&'static str>> {
    let output = host::capture(project::command("rustc").arg("-vV"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let known = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];
    Ok(known.into_iter().find(|target| text.contains(&format!("host: {target}"))))
}
