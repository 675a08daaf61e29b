//! Runs an example of this crate.

use std::path::PathBuf;
use std::process::Command;

/// What it prints. It must succeed and say nothing else.
pub(crate) fn run(name: &str, arguments: &[&str]) -> String {
    let program = path(name);
    let output = Command::new(&program).args(arguments).output();
    let output = output
        .unwrap_or_else(|error| panic!("{}: {error} (cargo build -p lvs-core --examples makes it)", program.display()));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{name} {arguments:?}: {}\n{errors}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// `cargo test` builds the examples beside the directory of the test programs.
fn path(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().and_then(|deps| deps.parent()).unwrap().join("examples").join(name)
}
