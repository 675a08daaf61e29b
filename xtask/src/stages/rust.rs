//! Unit, integration and documentation tests: plain `cargo test`, and nothing that cargo would have
//! to be extended with.

use super::Report;
use super::report::libtest;
use crate::error::Result;
use crate::project::cargo;

pub(crate) fn run(report: &mut Report) -> Result<()> {
    // No selection of targets: `--lib` would link the Python module as a test although its manifest
    // says that it is none.
    let test = ["test", "--quiet", "--no-fail-fast"];
    report.tests(cargo(&test).args(["--workspace", "--exclude", "xtask"]), libtest)?;
    // This program's own tests are built where it was built itself.
    report.tests(cargo(&test).args(["--package", "xtask", "--target-dir", "target/xtask"]), libtest)?;
    Ok(())
}

/// The fuzz targets' replay: a workspace of its own, on stable Rust. libFuzzer is for who has
/// `cargo fuzz`, see `lvs-core/fuzz/src/lib.rs`.
pub(crate) fn fuzz(report: &mut Report) -> Result<()> {
    let mut test =
        cargo(&["test", "--quiet", "--locked", "--no-fail-fast", "--manifest-path", "lvs-core/fuzz/Cargo.toml"]);
    report.tests(test.args(["--target-dir", "target/fuzz"]), libtest)?;
    Ok(())
}
