//! The Python package: built into an environment of its own, then tested.

use super::Report;
use super::report::{libtest, pytest};
use crate::error::Result;
use crate::project::cargo;
use crate::venv::{Programs, Venv};
use crate::{host, project};
use std::process::Command;

/// The environment: the package, and pinned versions of maturin, pytest and what the tests need.
pub(crate) const ENVIRONMENT: Venv = Venv { directory: ".venv", requirements: "lvs-py/requirements-dev.txt" };
const TESTS: &str = "lvs-py/tests";
/// The settings of the tools.
const CONFIG: &str = "lvs-py/pyproject.toml";
/// What the stubs leave out, with reasons.
const ALLOWED: &str = "lvs-py/tests/stubtest-allowlist.txt";
/// An interpreter without the global lock as pyo3's build script would find it: enough to compile
/// for one that is not here.
const FREE_THREADED: &str = "lvs-py/free-threaded.cfg";
/// The oldest Python that the package runs on.
const OLDEST: &str = "3.11";
/// What is checked for types and style.
const SOURCES: [&str; 3] = ["lvs-py/python/lvs_py", TESTS, "examples/python"];
/// What is checked for style alone: Ansible has no types.
const ANSIBLE: &str = "examples/ansible";

pub(crate) fn run(report: &mut Report) -> Result<()> {
    let python = ENVIRONMENT.programs()?;
    report.check(&mut develop(&python))?;
    report.tests(python.command("pytest").args(["-q", "-c", CONFIG, TESTS]), pytest)?;
    // What is handed out: builds once more, from the source distribution.
    report.tests(python.command("pytest").args(["-q", "-c", CONFIG, "-m", "dist", TESTS]), pytest)?;
    let mut exchange = project::cargo(&["test", "--workspace", "--exclude", "xtask"]);
    // As the stage `rust` has built it: a package by itself would have its dependencies built once
    // more, with fewer features.
    exchange.args(["--test", "exchange", "--", "--ignored"]);
    report.tests(exchange.env("LVS_PYTHON", python.command("python").get_program()), libtest)?;
    for arguments in [&["check", "--quiet"][..], &["format", "--quiet", "--check"]] {
        report.check(python.command("ruff").args(arguments).args(SOURCES).arg(ANSIBLE))?;
    }
    let mut types = python.command("mypy");
    types.args(["--config-file", CONFIG, "--python-version", OLDEST]);
    report.check(types.args(SOURCES))?;
    let mut stubs = python.command("python");
    stubs.args(["-m", "mypy.stubtest", "lvs_py", "--mypy-config-file", CONFIG, "--allowlist", ALLOWED]);
    report.check(stubs.env("MYPYPATH", "lvs-py/python"))?;
    let mut check = cargo(&["check", "--quiet", "--package", "lvs-py", "--target-dir", "target/free-threaded"]);
    report.check(check.env("PYO3_CONFIG_FILE", project::root().join(FREE_THREADED)))?;
    Ok(())
}

/// Makes the environment with the package in it, for tests that run elsewhere.
pub(super) fn prepare() -> Result<()> {
    host::capture(&mut develop(&ENVIRONMENT.programs()?)).map(drop)
}

/// Builds the package into the environment.
fn develop(programs: &Programs) -> Command {
    // maturin and cargo set different variables for pyo3: in one target directory they would undo
    // each other's work.
    let mut maturin = programs.command("maturin");
    maturin.args(["develop", "--quiet", "--profile", "dev", "--target-dir", "target/maturin"]);
    maturin.args(["--manifest-path", "lvs-py/Cargo.toml"]);
    maturin
}
