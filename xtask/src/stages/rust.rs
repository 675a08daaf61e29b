//! Unit, integration and documentation tests, with nextest if this machine has it.

use super::Report;
use super::report::{libtest, nextest};
use crate::error::Result;
use crate::host;
use crate::project::cargo;

pub(crate) fn run(report: &mut Report) -> Result<()> {
    // This program's own tests are built where it was built itself.
    let workspace = ["--workspace", "--exclude", "xtask"];
    let runner = ["--package", "xtask", "--target-dir", "target/xtask"];
    for which in [&workspace[..], &runner] {
        if host::which("cargo-nextest").is_some() {
            let mut run = cargo(&["nextest", "run", "--no-fail-fast", "--status-level", "fail"]);
            // The summary alone tells the result; each test that passed would be a line more.
            report.tests(run.args(["--final-status-level", "fail", "--no-tests", "pass"]).args(which), nextest)?;
        } else {
            let mut test = cargo(&["test", "--no-fail-fast", "--quiet", "--lib", "--bins", "--tests", "--examples"]);
            report.tests(test.args(which), libtest)?;
        }
    }
    report.tests(cargo(&["test", "--doc", "--quiet", "--no-fail-fast"]).args(workspace), libtest)?;
    Ok(())
}
