//! Stages that are one or a few calls of cargo: `format`, `lint`, `docs`, `features`.

use super::Report;
use crate::error::{Context, Result};
use crate::project::{self, cargo};

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
    let members = project::members()?;
    let core = members.iter().find(|m| m.name == "lvs-core").context(|| "no package lvs-core".into())?;
    for feature in &core.features {
        report.check(cargo(&check).args(["--no-default-features", "--features", feature]))?;
    }
    report.check(cargo(&check).args(["--all-features", "--all-targets"]))
}
