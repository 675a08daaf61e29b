//! Stages that are one or a few calls of cargo: `format`, `lint`, `docs`, `features`.

use super::Report;
use crate::error::{Context, Result};
use crate::host;
use crate::project::{self, cargo};
use serde_json::Value;

pub(crate) fn format(report: &mut Report) -> Result<()> {
    report.check(&mut cargo(&["fmt", "--all", "--check"]))
}

pub(crate) fn lint(report: &mut Report) -> Result<()> {
    report.check(&mut cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]))?;
    rust_version(report)
}

/// No dependency asks for a newer Rust than this project. Clippy looks at what is used of the standard library
/// (`incompatible_msrv`); together this is what `rust-version` rests on where no such toolchain is at hand.
fn rust_version(report: &mut Report) -> Result<()> {
    eprintln!("-> rust-version of all dependencies");
    let output = host::capture(&mut cargo(&["metadata", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context(|| "cargo metadata".into())?;
    let packages = metadata["packages"].as_array().context(|| "cargo metadata lists no packages".into())?;
    let ours = packages.iter().find(|package| package["name"] == "lvs-core").and_then(needed);
    let ours = ours.context(|| "lvs-core says no rust-version".into())?;
    let newer: Vec<String> = packages
        .iter()
        .filter(|package| needed(package).is_some_and(|theirs| theirs > ours))
        .map(|package| format!("{} {}", package["name"], package["rust_version"]))
        .collect();
    if newer.is_empty() {
        report.pass(1)
    } else {
        report.fail(format!("need a newer Rust: {}", newer.join(", ")))
    }
    Ok(())
}

/// The oldest Rust that a package declares: `1.88` or `1.88.0`.
fn needed(package: &Value) -> Option<(u64, u64)> {
    let mut parts = package["rust_version"].as_str()?.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

pub(crate) fn docs(report: &mut Report) -> Result<()> {
    let mut doc = cargo(&["doc", "--workspace", "--no-deps", "--quiet"]);
    report.check(doc.env("RUSTDOCFLAGS", "-D warnings"))
}

/// Building a whole workspace unites the features that its members ask for, which hides what is missing in each set.
pub(crate) fn features(report: &mut Report) -> Result<()> {
    let check = ["check", "--package", "lvs-core", "--quiet"];
    report.check(cargo(&check).arg("--no-default-features"))?;
    let members = project::members()?;
    let core = members.iter().find(|m| m.name == "lvs-core").context(|| "no package lvs-core".into())?;
    for feature in &core.features {
        report.check(cargo(&check).args(["--no-default-features", "--features", feature]))?;
    }
    report.check(cargo(&check).args(["--all-features", "--all-targets"]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn versions_are_compared_as_numbers() {
        let needs = |version: &str| needed(&json!({ "rust_version": version }));
        assert_eq!(needs("1.88"), needs("1.88.0"));
        assert!(needs("1.100") > needs("1.88"));
        assert_eq!(needed(&json!({ "rust_version": null })), None);
    }
}
