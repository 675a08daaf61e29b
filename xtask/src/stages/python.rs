//! The Python package: built into an environment of its own, then tested.

use super::Report;
use super::report::pytest;
use crate::error::{Context, Result};
use crate::project::cargo;
use crate::{host, project};
use fs_err as fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the environment holds beside the package: pinned versions of maturin, pytest and what the tests need.
const REQUIREMENTS: &str = "lvs-py/requirements-dev.txt";
const TESTS: &str = "lvs-py/tests";
/// The settings of the tools.
const CONFIG: &str = "lvs-py/pyproject.toml";
/// What the stubs leave out, with reasons.
const ALLOWED: &str = "lvs-py/tests/stubtest-allowlist.txt";
/// An interpreter without the global lock as pyo3's build script would find it: enough to compile for one that is not here.
const FREE_THREADED: &str = "lvs-py/free-threaded.cfg";
/// The oldest Python that the package runs on.
const OLDEST: &str = "3.11";
/// What is checked for types and style.
const SOURCES: [&str; 3] = ["lvs-py/python/lvs", TESTS, "examples/python"];

pub(crate) fn run(report: &mut Report) -> Result<()> {
    let python = environment()?;
    report.check(&mut develop(&python))?;
    report.tests(inside(&python, "pytest").args(["-q", "-c", CONFIG, TESTS]), pytest)?;
    // What is handed out: builds once more, from the source distribution.
    report.tests(inside(&python, "pytest").args(["-q", "-c", CONFIG, "-m", "dist", TESTS]), pytest)?;
    report.check(inside(&python, "ruff").args(["check", "--quiet"]).args(SOURCES))?;
    report.check(inside(&python, "ruff").args(["format", "--quiet", "--check"]).args(SOURCES))?;
    let mut types = inside(&python, "mypy");
    types.args(["--config-file", CONFIG, "--python-version", OLDEST]);
    report.check(types.args(SOURCES))?;
    let mut stubs = inside(&python, "python");
    stubs.args(["-m", "mypy.stubtest", "lvs", "--mypy-config-file", CONFIG, "--allowlist", ALLOWED]);
    report.check(stubs.env("MYPYPATH", "lvs-py/python"))?;
    report.check(inside(&python, "python").args(["lvs-py/docs/make.py", "target/python-docs"]))?;
    let mut check = cargo(&["check", "--quiet", "--package", "lvs-py", "--target-dir", "target/free-threaded"]);
    report.check(check.env("PYO3_CONFIG_FILE", project::root().join(FREE_THREADED)))?;
    Ok(())
}

/// Makes the environment with the package in it, for tests that run elsewhere.
pub(super) fn prepare() -> Result<()> {
    host::capture(&mut develop(&environment()?)).map(drop)
}

/// Builds the package into the environment.
fn develop(programs: &Path) -> Command {
    // maturin and cargo set different variables for pyo3: in one target directory they would undo each other's work.
    let mut maturin = inside(programs, "maturin");
    maturin.args(["develop", "--quiet", "--profile", "dev", "--target-dir", "target/maturin"]);
    maturin.args(["--manifest-path", "lvs-py/Cargo.toml"]);
    maturin
}

/// A virtual environment with the requirements, made anew when these change. Answers its directory of programs.
fn environment() -> Result<PathBuf> {
    let directory = project::root().join(".venv");
    let programs = directory.join("bin");
    let wanted = fs::read_to_string(project::root().join(REQUIREMENTS))?;
    let stamp = directory.join("requirements-installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(programs);
    }
    eprintln!("xtask: making the Python environment .venv with what {REQUIREMENTS} names");
    host::ensure_programs(&[("python3", "python3")], "the Python tests run with it")?;
    let make = || host::capture(project::command("python3").args(["-m", "venv", "--clear"]).arg(&directory));
    if make().is_err() {
        host::install(&["python3-venv"], "the Python tests have an environment of their own")?;
        make()?;
    }
    let mut pip = inside(&programs, "pip");
    host::capture(pip.args(["install", "--quiet", "--disable-pip-version-check", "-r", REQUIREMENTS]))
        .context(|| format!("cannot install what {REQUIREMENTS} names"))?;
    fs::write(stamp, wanted)?;
    Ok(programs)
}

/// A program of the environment, which believes the environment to be active.
fn inside(programs: &Path, name: &str) -> Command {
    let mut command = project::command(&programs.join(name).to_string_lossy());
    command.env("VIRTUAL_ENV", programs.parent().unwrap_or(programs));
    command
}
