//! The packages for crates.io.

use super::source::Source;
use crate::error::{Error, Result};
use crate::host;
use std::path::Path;

/// The members that may be published. Cargo packs them in the order of their dependencies; that
/// they build where they are unpacked is a stage of the tests.
pub(super) fn make(source: &Source, out: &Path) -> Result<()> {
    let metadata = source.metadata(&["--no-deps"])?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    // `publish = false` is a list without a registry.
    let published = packages.filter(|p| p["publish"].as_array().is_none_or(|registries| !registries.is_empty()));
    let names: Vec<&str> = published.filter_map(|p| p["name"].as_str()).collect();
    if names.is_empty() {
        return Err(Error::new("no member of the workspace may be published"));
    }
    let mut cargo = source.command("cargo");
    cargo.env("CARGO_TARGET_DIR", source.target());
    cargo.args(["package", "--quiet", "--locked", "--no-verify"]);
    for name in &names {
        cargo.args(["--package", name]);
    }
    host::capture(&mut cargo)?;
    for name in &names {
        // What crates.io would refuse of the manifest, and whether the version is free.
        let mut publish = source.command("cargo");
        publish.env("CARGO_TARGET_DIR", source.target());
        publish.args(["publish", "--dry-run", "--quiet", "--locked", "--no-verify", "--package", name]);
        host::capture(&mut publish)?;
    }
    for name in names {
        let file = format!("{name}-{}.crate", source.version);
        fs_err::copy(source.target().join("package").join(&file), out.join(file))?;
    }
    Ok(())
}
