//! Stages that are one or a few calls of cargo: `format`, `lint`, `docs`, `features`.

use super::report::libtest;
use super::rust::{FUZZ_MANIFEST, cargo_fuzz};
use super::{Report, supply};
use crate::error::{Context, Result};
use crate::host;
use crate::project::{self, cargo};
use serde_json::Value;
use std::collections::BTreeSet;

pub(crate) fn format(report: &mut Report) -> Result<()> {
    report.check(&mut cargo(&["fmt", "--all", "--check"]))?;
    report.check(&mut cargo(&["fmt", "--manifest-path", FUZZ_MANIFEST, "--check"]))
}

pub(crate) fn lint(report: &mut Report) -> Result<()> {
    report.check(&mut cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]))?;
    report.check(cargo_fuzz("clippy").args(["--all-targets", "--", "-D", "warnings"]))?;
    let mut metadata = cargo(&["metadata", "--format-version", "1", "--all-features"]);
    // What other systems would need is neither built nor looked at.
    metadata.args(["--filter-platform", "x86_64-unknown-linux-gnu"]);
    let output = host::capture(&mut metadata)?;
    let metadata = serde_json::from_slice(&output.stdout).context(|| "cargo metadata".into())?;
    supply::check(&metadata, report)?;
    rust_version(&metadata, report)
}

/// No dependency asks for a newer Rust than this project. Clippy looks at what is used of the
/// standard library (`incompatible_msrv`); together this is what `rust-version` rests on where no
/// such toolchain is at hand.
fn rust_version(metadata: &Value, report: &mut Report) -> Result<()> {
    eprintln!("-> rust-version of all dependencies");
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
    report.check(doc.env("RUSTDOCFLAGS", "-D warnings"))?;
    // As docs.rs has it, and as those have it who take least: a link leads nowhere without its
    // feature.
    for features in ["--all-features", "--no-default-features"] {
        let mut doc = cargo(&["doc", "--package", "lvs-core", "--no-deps", "--quiet", features]);
        report.check(doc.env("RUSTDOCFLAGS", "-D warnings"))?;
    }
    Ok(())
}

/// How many crates a program gets with lvs-core, itself included, by features. Who adds one raises
/// the number, here and under "Features" in `lib.rs`, and says in the commit what it is worth.
const CRATES: [(&[&str], usize); 4] =
    [(&["--no-default-features"], 8), (&[], 21), (&["--features", "serde"], 24), (&["--all-features"], 42)];

fn crates(report: &mut Report) -> Result<()> {
    for (features, most) in CRATES {
        let mut tree =
            cargo(&["tree", "--package", "lvs-core", "--edges", "normal", "--prefix", "none", "--no-dedupe"]);
        tree.args(["--target", "x86_64-unknown-linux-gnu"]).args(features);
        let output = host::capture(&mut tree)?;
        let found: BTreeSet<_> = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
        eprintln!("-> {} crates with {features:?}", found.len());
        if found.len() <= most {
            report.pass(1);
        } else {
            report.fail(format!("lvs-core has {} crates with {features:?}, {most} were agreed upon", found.len()));
        }
    }
    Ok(())
}

/// Building a whole workspace unites the features that its members ask for, which hides what is
/// missing in each set.
pub(crate) fn features(report: &mut Report) -> Result<()> {
    crates(report)?;
    // What a set leaves unused is seen nowhere else.
    let check = |features: &[&str]| {
        let mut clippy = cargo(&["clippy", "--package", "lvs-core", "--quiet"]);
        clippy.args(features).args(["--", "-D", "warnings"]);
        clippy
    };
    report.check(&mut check(&["--no-default-features", "--all-targets"]))?;
    let members = project::members()?;
    let core = members.iter().find(|m| m.name == "lvs-core").context(|| "no package lvs-core".into())?;
    for feature in &core.features {
        report.check(&mut check(&["--no-default-features", "--features", feature]))?;
    }
    report.check(&mut check(&["--all-features", "--all-targets"]))?;
    let test = ["test", "--package", "lvs-core", "--quiet", "--no-fail-fast"];
    report.tests(cargo(&test).args(["--no-default-features", "--lib", "--test", "natural_guesses"]), libtest)?;
    // With all features, the stage `package` runs the tests that are in the crate.
    report.tests(cargo(&test).args(["--all-features", "--test", "tracing", "--test", "json"]), libtest)?;
    Ok(())
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
