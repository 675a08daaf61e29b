//! Unit, integration and documentation tests: plain `cargo test`, and nothing that cargo would have
//! to be extended with.

use super::Report;
use super::report::libtest;
use crate::error::Result;
use crate::project::cargo;
use std::process::Command;

pub(crate) fn run(report: &mut Report) -> Result<()> {
    // No selection of targets: `--lib` would link the Python module as a test although its manifest
    // says that it is none.
    let test = ["test", "--quiet", "--no-fail-fast"];
    report.tests(cargo(&test).args(["--workspace", "--exclude", "xtask"]), libtest)?;
    // This program's own tests are built where it was built itself.
    report.tests(cargo(&test).args(["--package", "xtask", "--target-dir", "target/xtask"]), libtest)?;
    Ok(())
}

/// The manifest of the fuzz targets: a workspace of its own, which `--workspace` and `--all` do not
/// reach.
pub(super) const FUZZ_MANIFEST: &str = "lvs-core/fuzz/Cargo.toml";

/// `cargo COMMAND` for the fuzz targets.
pub(super) fn cargo_fuzz(command: &str) -> Command {
    cargo(&[command, "--quiet", "--locked", "--manifest-path", FUZZ_MANIFEST, "--target-dir", "target/fuzz"])
}

/// The fuzz targets' replay, on stable Rust. libFuzzer is for who has `cargo fuzz`, see
/// `lvs-core/fuzz/src/lib.rs`.
pub(crate) fn fuzz(report: &mut Report) -> Result<()> {
    report.tests(cargo_fuzz("test").arg("--no-fail-fast"), libtest)?;
    Ok(())
}
