//! Where things lie in this project, and how cargo is called.

use crate::error::{Context, Result};
use crate::host;
use fs_err as fs;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The workspace's directory.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// Where this user keeps what can be fetched again, for one purpose: named by a variable, or among
/// all such directories.
pub(crate) fn cache(variable: &str, name: &str) -> Result<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    set(variable)
        .or_else(|| set("XDG_CACHE_HOME").map(|directory| directory.join(name)))
        .or_else(|| set("HOME").map(|home| home.join(".cache").join(name)))
        .context(|| format!("no place for a cache: set {variable} or HOME"))
}

/// Where cargo keeps what it has downloaded, and its settings.
pub(crate) fn cargo_home() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    set("CARGO_HOME").or_else(|| set("HOME").map(|home| home.join(".cargo"))).unwrap_or_default()
}

/// Where cargo builds the workspace (this program is built elsewhere, see `.cargo/config.toml`).
pub(crate) fn target_directory() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(directory) if !directory.is_empty() => root().join(directory),
        _ => root().join("target"),
    }
}

/// A program started in the workspace's directory, without what `cargo run` adds to the
/// environment: another cargo would take part of it for changes, and build again.
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

/// `cargo ...` with a directory of its own for what it makes. Intermediate files, such as built
/// dependencies, are shared with the other builds.
pub(crate) fn cargo_into(directory: &str, arguments: &[&str]) -> Command {
    let mut cargo = cargo(arguments);
    let target = target_directory();
    // Before Rust 1.91, cargo does not know the second one, and builds everything once more.
    cargo.env("CARGO_TARGET_DIR", target.join(directory)).env("CARGO_BUILD_BUILD_DIR", target);
    cargo
}

/// Removes a directory, if it is there.
pub(crate) fn remove(directory: &Path) -> Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// Copies a directory with what is in it, but for the names to leave out. What links lead to is
/// copied, not the link.
pub(crate) fn copy(from: &Path, to: &Path, leave_out: &[&str]) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (name, path) = (entry.file_name(), entry.path());
        if leave_out.iter().any(|left| name == *left) {
            continue;
        }
        match path.is_dir() {
            true => copy(&path, &to.join(name), leave_out)?,
            false => drop(fs::copy(&path, to.join(name))?),
        }
    }
    Ok(())
}

/// A member of the workspace.
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) directory: PathBuf,
    /// The features it declares, but for `default`.
    pub(crate) features: Vec<String>,
    /// The names of its benchmark programs.
    pub(crate) benches: Vec<String>,
    /// The names of its programs.
    pub(crate) programs: Vec<String>,
}

/// All members of the workspace, as cargo sees them.
pub(crate) fn members() -> Result<Vec<Member>> {
    let output = host::capture(&mut cargo(&["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context(|| "cargo metadata".into())?;
    let packages = metadata["packages"].as_array().context(|| "cargo metadata lists no packages".into())?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let member = |package: &Value| {
        let manifest = PathBuf::from(text(&package["manifest_path"]));
        let targets = |kind: &str| {
            let all = package["targets"].as_array().into_iter().flatten();
            all.filter(|t| t["kind"][0] == kind).map(|t| text(&t["name"])).collect()
        };
        let features = package["features"].as_object().into_iter().flatten();
        Member {
            name: text(&package["name"]),
            directory: manifest.parent().unwrap_or(root()).to_owned(),
            features: features.map(|(name, _)| name.clone()).filter(|name| name != "default").collect(),
            benches: targets("bench"),
            programs: targets("bin"),
        }
    };
    Ok(packages.iter().map(member).collect())
}

/// Builds a target, and answers the program that came out.
pub(crate) fn executable(arguments: &[&str], target: &str) -> Result<PathBuf> {
    let output = host::capture(cargo(arguments).args(["--quiet", "--message-format", "json-render-diagnostics"]))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    messages
        .filter(|m| m["reason"] == "compiler-artifact" && m["target"]["name"] == target)
        .find_map(|m| m["executable"].as_str().map(PathBuf::from))
        .context(|| format!("cargo {} made no program {target}", arguments.join(" ")))
}
