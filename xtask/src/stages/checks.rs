//! Stages that are one or a few calls of cargo: `format`, `lint`, `docs`, `features`.

use super::Report;
use crate::error::{Context, Result};
use crate::host;
use crate::project::cargo;
use serde_json::Value;

pub(crate) fn format(report: &mut Report) -> Result<()> {
    report.check(&mut cargo(&["fmt", "--all", "--check"]))
}

pub(crate) fn lint(report: &mut Report) -> Result<()> {
    report.check(&mut cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]))
}

pub(crate) fn docs(report: &mut Report) -> Result<()> {
    let mut doc = cargo(&["doc", "--workspace", "--no-deps", "--quiet"]);
    report.check(doc.env("RUSTDOCFLAGS", "-D warnings"))
}

/// Building a whole workspace unites the features that its members ask for, which hides what is missing in each set.
pub(crate) fn features(report: &mut Report) -> Result<()> {
    let check = ["check", "--package", "lvs-core", "--quiet"];
    report.check(cargo(&check).arg("--no-default-features"))?;
    for feature in features_of("lvs-core")? {
        report.check(cargo(&check).args(["--no-default-features", "--features", &feature]))?;
    }
    report.check(cargo(&check).args(["--all-features", "--all-targets"]))
}

/// The features that a package declares, but for `default`.
fn features_of(package: &str) -> Result<Vec<String>> {
    let output = host::capture(&mut cargo(&["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context(|| "cargo metadata".into())?;
    let packages = metadata["packages"].as_array().context(|| "cargo metadata lists no packages".into())?;
    let found = packages.iter().find(|p| p["name"] == package).context(|| format!("no package {package}"))?;
    let features = found["features"].as_object().context(|| "cargo metadata lists no features".into())?;
    Ok(features.keys().filter(|f| *f != "default").cloned().collect())
}
