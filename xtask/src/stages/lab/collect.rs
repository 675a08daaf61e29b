//! Builds, and finds, what is to be run in the lab.

use super::libipvs;
use crate::error::{Context, Error, Result};
use crate::host;
use crate::project::{self, cargo};
use crate::stages::python;
use fs_err as fs;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// One program to run in the guest.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// What people call it.
    pub(super) name: String,
    /// The program and its arguments.
    pub(super) command: Vec<String>,
    /// Where it is started.
    pub(super) directory: PathBuf,
    /// The tests inside it, if it is a Rust test program; otherwise it is one test itself.
    pub(super) tests: Option<usize>,
}

/// How the name of a test program for the lab begins.
const PREFIX: &str = "kernel_";
/// How many tests of a program are run in one machine; the rest of a larger program is dealt out like
/// another program's.
const MOST: usize = 8;
/// Everything but this program, and the Python module, which only Python can load.
pub(super) const PACKAGES: [&str; 5] = ["--workspace", "--exclude", "xtask", "--exclude", "lvs-py"];

pub(super) fn all() -> Result<Vec<Item>> {
    // Programs under test, and the C library for programs that use it.
    host::capture(cargo(&["build", "--quiet"]).args(PACKAGES)).context(|| "building for the lab".into())?;
    python::prepare().context(|| "building the Python package for the lab".into())?;
    let mut items = rust_tests()?;
    for member in project::members()? {
        programs(&member.directory.join("tests/lab"), &member.name, &mut items)?;
    }
    items.push(libipvs::item()?);
    let tests: usize = items.iter().map(|i| i.tests.unwrap_or(1)).sum();
    eprintln!("   {tests} tests in {} parts, in each kernel", items.len());
    Ok(items)
}

/// What is run in one machine and, once that is off, in another.
pub(super) struct Reboots {
    pub(super) before: Vec<Item>,
    pub(super) after: Vec<Item>,
}

/// The programs in `tests/lab/reboot` of each member: run with `before` or `after` as their
/// argument.
pub(super) fn reboots() -> Result<Reboots> {
    let mut items = Vec::new();
    for member in project::members()? {
        programs(&member.directory.join("tests/lab/reboot"), &member.name, &mut items)?;
    }
    let with = |word: &str| {
        let mut items = items.clone();
        for item in &mut items {
            item.name = format!("{}, {word} the reboot", item.name);
            item.command.push(word.into());
        }
        items
    };
    Ok(Reboots { before: with("before"), after: with("after") })
}

/// Rust test programs for the lab.
fn rust_tests() -> Result<Vec<Item>> {
    let mut build = cargo(&["test", "--no-run", "--quiet", "--message-format", "json-render-diagnostics"]);
    let output = build.args(PACKAGES).stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(Error::new("the test programs do not build"));
    }
    let mut items = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let message: Value = serde_json::from_str(line).context(|| format!("cargo said {line}"))?;
        let Some(program) = test_program(&message) else { continue };
        let tests = ignored_tests(&program)?;
        let manifest = Path::new(message["manifest_path"].as_str().unwrap_or_default());
        let directory = manifest.parent().unwrap_or(project::root()).to_owned();
        let member = directory.strip_prefix(project::root()).unwrap_or(&directory).display().to_string();
        let name = format!("{member} {}", message["target"]["name"].as_str().unwrap_or_default());
        let groups = tests.len().div_ceil(MOST);
        for group in 0..groups {
            let name = if groups == 1 { name.clone() } else { format!("{name}, {} of {groups}", group + 1) };
            let mut command = vec![program.clone(), "--ignored".into(), "--test-threads=1".into(), "--exact".into()];
            // Neighbours are of one module, and often equally slow.
            let own: Vec<String> = tests.iter().skip(group).step_by(groups).cloned().collect();
            let count = own.len();
            command.extend(own);
            items.push(Item { name, command, directory: directory.clone(), tests: Some(count) });
        }
    }
    items.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(items)
}

/// The file of a test program for the lab, if that is what cargo's message is about.
fn test_program(message: &Value) -> Option<String> {
    let is_test = message["reason"] == "compiler-artifact" && message["profile"]["test"] == true;
    let in_lab = message["target"]["name"].as_str().is_some_and(|name| name.starts_with(PREFIX));
    (is_test && in_lab).then(|| message["executable"].as_str().map(str::to_owned)).flatten()
}

/// The tests of a program that are left out unless asked for: those of programs for the lab need a
/// kernel with IPVS.
fn ignored_tests(program: &str) -> Result<Vec<String>> {
    let output = host::capture(Command::new(program).args(["--list", "--ignored", "--format", "terse"]))?;
    let list = String::from_utf8_lossy(&output.stdout);
    Ok(list.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect())
}

/// Programs of a directory: shell and Python scripts, C programs (built here against the library),
/// and whatever else may be executed. Other files are their data.
fn programs(directory: &Path, member: &str, items: &mut Vec<Item>) -> Result<()> {
    let Ok(entries) = fs::read_dir(directory) else { return Ok(()) };
    let mut files: Vec<PathBuf> = entries.flatten().map(|e| e.path()).filter(|p| p.is_file()).collect();
    files.sort();
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let path = file.to_string_lossy().into_owned();
        let command = match file.extension().and_then(|e| e.to_str()) {
            Some("sh") => vec!["bash".into(), path],
            Some("py") => vec!["python3".into(), path],
            Some("c") => vec![compiled(&file)?],
            Some("rs") => continue,
            _ if is_executable(&file) => vec![path],
            _ => continue,
        };
        items.push(Item { name: format!("{member}/{name}"), command, directory: project::root().into(), tests: None });
    }
    Ok(())
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(file).is_ok_and(|m| m.permissions().mode() & 0o111 != 0)
}

/// Builds a C program against the library; the guest finds the shared one in LD_LIBRARY_PATH.
fn compiled(source: &Path) -> Result<String> {
    host::ensure_programs(&[("cc", "gcc")], "C tests are built with it")?;
    let directory = project::target_directory().join("lab");
    fs::create_dir_all(&directory)?;
    let program = directory.join(source.file_stem().unwrap_or_default());
    let mut cc = project::command("cc");
    cc.args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-g", "-I", "include", "-o"]).arg(&program).arg(source);
    cc.arg("-L").arg(project::target_directory().join("debug")).arg("-llvs");
    host::capture(&mut cc).context(|| format!("{}", source.display()))?;
    crate::stages::c::link_soname(&project::target_directory().join("debug"))?;
    Ok(program.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_test_programs_for_the_lab_are_taken_from_what_cargo_says() {
        let message = |reason: &str, name: &str, test: bool| json!({ "reason": reason, "target": { "name": name }, "profile": { "test": test }, "executable": "/t/1" });
        assert_eq!(test_program(&message("compiler-artifact", "kernel_plan", true)), Some("/t/1".into()));
        assert_eq!(test_program(&message("compiler-artifact", "plan", true)), None);
        assert_eq!(test_program(&message("compiler-artifact", "kernel_plan", false)), None);
        assert_eq!(test_program(&message("build-finished", "kernel_plan", true)), None);
        assert_eq!(test_program(&json!({ "reason": "compiler-artifact", "profile": { "test": true } })), None);
    }

    #[test]
    #[ignore = "the test below looks for it"]
    fn this_test_is_ignored() {}

    #[test]
    fn ignored_tests_of_a_program_are_found() {
        // This very program.
        let program = std::env::current_exe().unwrap();
        let name = "stages::lab::collect::tests::this_test_is_ignored";
        assert_eq!(ignored_tests(program.to_str().unwrap()).unwrap(), [name]);
    }
}
