//! What the programs and libraries are made of, as CycloneDX 1.5: the crates of Cargo.lock that are
//! built on Linux, with licence, checksum and what each depends on.

use super::source::Source;
use crate::error::{Context, Result};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

pub(super) fn make(source: &Source, out: &Path) -> Result<()> {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let metadata = source.metadata(&["--filter-platform", &target])?;
    let lock: toml::Table =
        fs_err::read_to_string(source.path("Cargo.lock"))?.parse().context(|| "Cargo.lock".into())?;
    let bom = document(source, &metadata, &checksums(&lock))?;
    let text = serde_json::to_string_pretty(&bom).context(|| "the list of components".into())?;
    Ok(fs_err::write(out.join(format!("lvs-{}.cdx.json", source.version)), text + "\n")?)
}

/// Name and version of a package, with the SHA-256 that Cargo.lock has of it.
type Checksums<'a> = BTreeMap<(&'a str, &'a str), &'a str>;

fn checksums(lock: &toml::Table) -> Checksums<'_> {
    let packages = lock.get("package").and_then(toml::Value::as_array).into_iter().flatten();
    packages
        .filter_map(|package| {
            let field = |key| package.get(key).and_then(toml::Value::as_str);
            Some(((field("name")?, field("version")?), field("checksum")?))
        })
        .collect()
}

fn document(source: &Source, metadata: &Value, checksums: &Checksums<'_>) -> Result<Value> {
    let packages = metadata["packages"].as_array().context(|| "cargo metadata lists no packages".into())?;
    let graph = needed(metadata);
    let by_id: BTreeMap<&str, &Value> =
        packages.iter().filter_map(|package| Some((package["id"].as_str()?, package))).collect();
    let package = |id: &str| by_id.get(id).copied().unwrap_or(&Value::Null);
    let components: BTreeMap<String, Value> =
        graph.keys().map(|id| (reference(package(id)), component(package(id), checksums))).collect();
    let dependencies: BTreeMap<String, Value> = graph
        .iter()
        .map(|(id, on)| {
            let on: BTreeSet<String> = on.iter().map(|id| reference(package(id))).collect();
            let name = reference(package(id));
            (name.clone(), json!({ "ref": name, "dependsOn": on }))
        })
        .collect();
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": "lvs",
                "name": "lvs",
                "version": source.version,
                "properties": [{ "name": "git:commit", "value": source.commit }],
            },
        },
        "components": components.into_values().collect::<Vec<_>>(),
        "dependencies": dependencies.into_values().collect::<Vec<_>>(),
    }))
}

/// What is handed out, and what it is linked with: no tests, nothing that only builds.
fn needed(metadata: &Value) -> BTreeMap<&str, Vec<&str>> {
    let nodes = metadata["resolve"]["nodes"].as_array().into_iter().flatten();
    let edges: BTreeMap<&str, Vec<&str>> =
        nodes.filter_map(|node| Some((node["id"].as_str()?, linked(node)))).collect();
    let members = metadata["workspace_members"].as_array().into_iter().flatten();
    // The task runner stays here.
    let mut left: Vec<&str> = members.filter_map(Value::as_str).filter(|id| !id.contains("/xtask#")).collect();
    let mut found = BTreeMap::new();
    while let Some(id) = left.pop() {
        if !found.contains_key(id) {
            let on = edges.get(id).cloned().unwrap_or_default();
            left.extend(&on);
            found.insert(id, on);
        }
    }
    found
}

fn linked(node: &Value) -> Vec<&str> {
    let dependencies = node["deps"].as_array().into_iter().flatten();
    let normal =
        dependencies.filter(|d| d["dep_kinds"].as_array().is_some_and(|k| k.iter().any(|k| k["kind"].is_null())));
    normal.filter_map(|d| d["pkg"].as_str()).collect()
}

/// The package's URL, which is its name in the document.
fn reference(package: &Value) -> String {
    let text = |key: &str| package[key].as_str().unwrap_or_default();
    format!("pkg:cargo/{}@{}", text("name"), text("version"))
}

fn component(package: &Value, checksums: &Checksums<'_>) -> Value {
    let text = |key: &str| package[key].as_str().unwrap_or_default();
    let mut component = Map::new();
    component.insert("type".into(), "library".into());
    component.insert("bom-ref".into(), reference(package).into());
    component.insert("name".into(), text("name").into());
    component.insert("version".into(), text("version").into());
    component.insert("purl".into(), reference(package).into());
    if let Some(licence) = package["license"].as_str() {
        // Some crates write the slash of old; SPDX has only OR.
        component.insert("licenses".into(), json!([{ "expression": licence.replace('/', " OR ") }]));
    }
    if let Some(sum) = checksums.get(&(text("name"), text("version"))) {
        component.insert("hashes".into(), json!([{ "alg": "SHA-256", "content": sum }]));
    }
    component.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_builds_or_tests_is_no_component() {
        let metadata = json!({
            "workspace_members": ["path+file:///x/lvs#1", "path+file:///x/xtask#1"],
            "resolve": { "nodes": [
                { "id": "path+file:///x/lvs#1", "deps": [
                    { "pkg": "linked", "dep_kinds": [{ "kind": "dev" }, { "kind": null }] },
                    { "pkg": "builds", "dep_kinds": [{ "kind": "build" }] },
                ] },
                { "id": "linked", "deps": [{ "pkg": "deeper", "dep_kinds": [{ "kind": null }] }] },
                { "id": "deeper", "deps": [] },
                { "id": "path+file:///x/xtask#1", "deps": [{ "pkg": "other", "dep_kinds": [{ "kind": null }] }] },
            ] },
        });
        let found: Vec<_> = needed(&metadata).into_keys().collect();
        assert_eq!(found, ["deeper", "linked", "path+file:///x/lvs#1"]);
    }
}
