//! `cargo xtask docs`: the documentation site, static, and whole without a network.
//!
//! The pages are in `docs/pages`, or beside what they describe (see `docs/hooks.py`). Generated are
//! pictures, the help of `lvsctl` and the schema. Python's reference is made on the way, those of Rust
//! and C are put beside the pages.

use crate::error::{Error, Result};
use crate::project::cargo;
use crate::venv::Venv;
use crate::{host, project};
use fs_err as fs;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

const ENVIRONMENT: Venv = Venv { directory: "target/site-venv", requirements: "docs/requirements.txt" };
/// The pages as MkDocs reads them, see `docs/mkdocs.yml`.
const INPUTS: &str = "target/site-inputs";
/// Where MkDocs puts the site, see `docs/mkdocs.yml`.
const SITE: &str = "target/site";
/// In the target directory: without the documentation of the other packages, which `target/doc` has
/// as well.
const RUSTDOC: &str = "site-rustdoc";
/// Generated from the header, as are the manual pages beside it.
const C_REFERENCE: &str = "lvs-ffi/man/lvs.html";
const SCHEMA: &str = "lvs-core/schema/lvs.schema.json";

/// `cargo xtask docs`
pub(crate) fn main(arguments: Vec<OsString>) -> ExitCode {
    if !arguments.is_empty() {
        eprintln!("xtask: cargo xtask docs");
        return ExitCode::from(2);
    }
    match build() {
        Ok(()) => {
            println!("{SITE}/index.html");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Builds the site; a broken link is an error.
pub(crate) fn build() -> Result<()> {
    let root = project::root();
    let python = ENVIRONMENT.programs()?;
    for directory in [INPUTS, SITE] {
        project::remove(&root.join(directory))?;
    }
    inputs(&root.join(INPUTS))?;
    let mut mkdocs = python.command("mkdocs");
    // An advertisement for its successor.
    mkdocs.env("NO_MKDOCS_2_WARNING", "1");
    host::capture(mkdocs.args(["build", "--strict", "--config-file", "docs/mkdocs.yml"]))?;

    let rustdoc = ["doc", "--quiet", "--package", "lvs-core", "--all-features", "--no-deps"];
    host::capture(&mut project::cargo_into(RUSTDOC, &rustdoc))?;
    let rustdoc = project::target_directory().join(RUSTDOC).join("doc");
    project::copy(&rustdoc, &root.join(SITE).join("rust"), &[])?;
    fs::create_dir_all(root.join(SITE).join("c"))?;
    fs::copy(root.join(C_REFERENCE), root.join(SITE).join("c/index.html"))?;
    // MkDocs checks the links between pages; these are the only ones from pages to those references.
    for start in ["rust/lvs_core/index.html", "c/index.html"] {
        fs::metadata(root.join(SITE).join(start))?;
    }
    Ok(())
}

/// What is generated of the pages.
fn inputs(to: &Path) -> Result<()> {
    let pictures = to.join("concepts/schedulers");
    fs::create_dir_all(&pictures)?;
    host::capture(cargo(&["run", "--quiet", "--package", "lvs-sim", "--bin", "picks", "--"]).arg(&pictures))?;
    let reference = to.join("reference");
    fs::create_dir_all(&reference)?;
    fs::copy(project::root().join(SCHEMA), reference.join("lvs.schema.json"))?;
    fs::write(reference.join("lvsctl.md"), programs()?)?;
    Ok(())
}

/// A page with the help of each program and each of its commands, as they print it.
fn programs() -> Result<String> {
    let mut page = "# lvsctl and lvsd\n".to_owned();
    for program in ["lvsctl", "lvsd"] {
        let path = project::executable(&["build", "--package", "lvsd", "--bin", program], program)?;
        let help = |arguments: &[&str]| {
            let output = host::capture(std::process::Command::new(&path).args(arguments).arg("--help"))?;
            String::from_utf8(output.stdout).map_err(|_| Error::new(format!("{program} --help is not UTF-8")))
        };
        let text = help(&[])?;
        let mut section = |name: &str, text: &str| {
            let _ = write!(page, "\n## {name}\n\n```text\n{}\n```\n", text.trim_end());
        };
        section(program, &text);
        let commands = text.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
        for command in commands.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help") {
            section(&format!("{program} {command}"), &help(&[command])?);
        }
    }
    Ok(page)
}
