//! What comes in with the dependencies: their licences, their sources, no crate twice. `deny.toml`
//! says what may, and cargo-deny reads it, too; a check with its own parts takes no minutes to
//! build.

use super::Report;
use crate::error::{Context, Result};
use crate::project;
use fs_err as fs;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const POLICY: &str = "deny.toml";

/// The keys of cargo-deny that are used here. One that nothing here reads would be a promise that
/// nobody keeps.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Policy {
    #[allow(dead_code, reason = "for cargo-deny")]
    graph: toml::Table,
    licenses: Licenses,
    bans: Bans,
    sources: Sources,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Licenses {
    allow: Vec<String>,
    exceptions: Vec<Exception>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    #[serde(rename = "crate")]
    name: String,
    allow: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Bans {
    multiple_versions: Deny,
    wildcards: Deny,
    /// Members of the workspace that are never published may name each other so.
    #[allow(dead_code, reason = "for cargo-deny")]
    allow_wildcard_paths: bool,
    skip: Vec<Skip>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Skip {
    /// `name@version`, where the version may be its beginning.
    #[serde(rename = "crate")]
    spec: String,
    #[allow(dead_code, reason = "for people")]
    reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Sources {
    unknown_registry: Deny,
    unknown_git: Deny,
    allow_registry: Vec<String>,
}

/// Anything milder is not understood here.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Deny {
    Deny,
}

/// A package as `cargo metadata` tells of it.
struct Package<'a> {
    name: &'a str,
    version: &'a str,
    license: &'a str,
    source: Option<&'a str>,
    /// Names of dependencies without any version.
    wildcards: Vec<&'a str>,
}

pub(super) fn check(metadata: &Value, report: &mut Report) -> Result<()> {
    eprintln!("-> licences, sources and duplicates of all dependencies, by {POLICY}");
    let text = fs::read_to_string(project::root().join(POLICY))?;
    let policy: Policy = toml::from_str(&text).context(|| format!("cannot read {POLICY}"))?;
    let packages = packages(metadata)?;
    let findings = findings(&policy, &packages);
    if findings.is_empty() {
        report.pass(1);
    }
    for finding in findings {
        report.fail(finding);
    }
    Ok(())
}

/// The packages that are built for the platform that the metadata were asked for.
fn packages(metadata: &Value) -> Result<Vec<Package<'_>>> {
    let nodes = metadata["resolve"]["nodes"].as_array().context(|| "cargo metadata resolves nothing".into())?;
    let used: BTreeSet<&str> = nodes.iter().filter_map(|node| node["id"].as_str()).collect();
    let all = metadata["packages"].as_array().context(|| "cargo metadata lists no packages".into())?;
    let package = |package: &'_ Value| -> bool { package["id"].as_str().is_some_and(|id| used.contains(id)) };
    Ok(all
        .iter()
        .filter(|value| package(value))
        .map(|value| Package {
            name: value["name"].as_str().unwrap_or_default(),
            version: value["version"].as_str().unwrap_or_default(),
            license: value["license"].as_str().unwrap_or_default(),
            source: value["source"].as_str(),
            wildcards: value["dependencies"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|dependency| dependency["req"] == "*" && dependency["path"].is_null())
                .filter_map(|dependency| dependency["name"].as_str())
                .collect(),
        })
        .collect())
}

fn findings(policy: &Policy, packages: &[Package<'_>]) -> Vec<String> {
    let mut findings = Vec::new();
    for package in packages {
        let Package { name, version, license, .. } = package;
        let exceptions = policy.licenses.exceptions.iter().filter(|exception| exception.name == *name);
        let allowed: Vec<&str> = exceptions
            .flat_map(|exception| &exception.allow)
            .chain(&policy.licenses.allow)
            .map(String::as_str)
            .collect();
        match spdx::Expression::parse_mode(license, spdx::ParseMode::LAX) {
            Ok(expression) if expression.evaluate(|requirement| is_allowed(requirement, &allowed)) => {}
            Ok(_) => findings.push(format!("{name} {version}: its licence is not allowed: {license}")),
            Err(error) => findings.push(format!("{name} {version}: what is its licence? {license:?}: {error}")),
        }
        if let Some(source) = package.source {
            let Deny::Deny = policy.sources.unknown_registry;
            let Deny::Deny = policy.sources.unknown_git;
            let from = |registry: &String| source.strip_prefix("registry+") == Some(registry);
            if !policy.sources.allow_registry.iter().any(from) {
                findings.push(format!("{name} {version}: its source is not allowed: {source}"));
            }
        }
        let Deny::Deny = policy.bans.wildcards;
        if package.source.is_none() && !package.wildcards.is_empty() {
            findings.push(format!("{name}: any version would do of {}", package.wildcards.join(", ")));
        }
    }
    let Deny::Deny = policy.bans.multiple_versions;
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut unused: BTreeSet<&str> = policy.bans.skip.iter().map(|skip| skip.spec.as_str()).collect();
    for package in packages {
        match policy.bans.skip.iter().find(|skip| skip.names(package)) {
            Some(skip) => drop(unused.remove(skip.spec.as_str())),
            None => versions.entry(package.name).or_default().push(package.version),
        }
    }
    findings.extend(unused.iter().map(|spec| format!("{POLICY} skips {spec}, which is not there")));
    let twice = versions.iter().filter(|(_, versions)| versions.len() > 1);
    findings.extend(twice.map(|(name, versions)| format!("more than one {name}: {}", versions.join(", "))));
    findings
}

fn is_allowed(requirement: &spdx::LicenseReq, allowed: &[&str]) -> bool {
    requirement.license.id().is_some_and(|license| {
        // An exception of a licence only adds to what it allows.
        allowed.contains(&license.name)
    })
}

impl Skip {
    fn names(&self, package: &Package<'_>) -> bool {
        let Some((name, start)) = self.spec.split_once('@') else { return self.spec == package.name };
        let rest = package.version.strip_prefix(start);
        name == package.name && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGISTRY: &str = "registry+https://example.org/index";

    fn found(packages: &[Package<'_>]) -> Vec<String> {
        let policy = r#"
            [graph]
            [licenses]
            allow = ["MIT", "Apache-2.0"]
            exceptions = [{ crate = "tool", allow = ["MPL-2.0"] }]
            [bans]
            multiple-versions = "deny"
            wildcards = "deny"
            allow-wildcard-paths = true
            skip = [{ crate = "old@0.3", reason = "for this test" }]
            [sources]
            unknown-registry = "deny"
            unknown-git = "deny"
            allow-registry = ["https://example.org/index"]
        "#;
        findings(&toml::from_str(policy).unwrap(), packages)
    }

    fn package<'a>(name: &'a str, version: &'a str, license: &'a str) -> Package<'a> {
        Package { name, version, license, source: Some(REGISTRY), wildcards: Vec::new() }
    }

    #[test]
    fn what_the_policy_allows_is_not_found() {
        let packages = [
            package("one", "1.0.0", "GPL-2.0 OR MIT"),
            package("two", "1.0.0", "MIT/Apache-2.0"),
            package("three", "1.0.0", "Apache-2.0 WITH LLVM-exception"),
            package("tool", "1.0.0", "MPL-2.0"),
            package("old", "0.3.1", "MIT"),
            package("old", "0.4.0", "MIT"),
        ];
        assert_eq!(found(&packages), Vec::<String>::new());
    }

    #[test]
    fn everything_else_is() {
        let old = || package("old", "0.3.1", "MIT");
        assert!(found(&[old(), package("one", "1.0.0", "MIT AND GPL-2.0")])[0].contains("not allowed"));
        assert!(found(&[old(), package("one", "1.0.0", "")])[0].contains("what is its licence"));
        assert!(found(&[old(), package("one", "1.0.0", "MPL-2.0")])[0].contains("MPL"));
        assert!(
            found(&[old(), package("old", "0.4.0", "MIT"), package("old", "0.5.0", "MIT")])[0].contains("0.4.0, 0.5.0")
        );
        assert!(found(&[])[0].contains("old@0.3"));
        let git = Package { source: Some("git+https://example.org/x"), ..package("one", "1.0.0", "MIT") };
        assert!(found(&[old(), git])[0].contains("its source"));
        let ours = Package { source: None, wildcards: vec!["two"], ..package("one", "1.0.0", "MIT") };
        assert!(found(&[old(), ours])[0].contains("any version would do of two"));
    }
}
