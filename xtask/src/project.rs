//! Where things lie in this project, and how cargo is called.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The workspace's directory.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// Where cargo builds the workspace (this program is built elsewhere, see `.cargo/config.toml`).
pub(crate) fn target_directory() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(directory) if !directory.is_empty() => root().join(directory),
        _ => root().join("target"),
    }
}

/// A program started in the workspace's directory, without what `cargo run` adds to the environment: another cargo
/// would take part of it for changes, and build again.
pub(crate) fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    for (name, _) in std::env::vars_os() {
        let added = name.to_str().is_some_and(|n| {
            n.starts_with("CARGO_PKG_")
                || matches!(n, "CARGO" | "CARGO_MANIFEST_DIR" | "CARGO_MANIFEST_PATH" | "LD_LIBRARY_PATH")
        });
        if added {
            command.env_remove(name);
        }
    }
    command
}

/// `cargo ...` in the workspace's directory.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = command("cargo");
    cargo.args(arguments);
    cargo
}
