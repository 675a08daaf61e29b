//! `lvs-core/public-api.txt`: what a Rust program that uses `lvs-core` relies on.
//!
//! Every public item with its signature, with the default features and `serde`; `unstable-wire` is without a promise. A
//! line that changes or disappears is a breaking change, a new line an addition.
//!
//! The items come from rustdoc's JSON, which a released compiler writes only on `RUSTC_BOOTSTRAP`, in a format that
//! changes from release to release.

use std::fmt::Write as _;

use crate::error::{Context, Error, Result};
use crate::{host, project};

pub(crate) const FILE: &str = "lvs-core/public-api.txt";

const HEAD: &str = "\
# The public items of lvs-core with the features `kernel` and `serde`.
# Made by `cargo xtask generate`. A line that changes or disappears is a breaking change.
";

/// The compiler whose rustdoc writes the format that the pinned `public-api` reads.
const RELEASE: &str = "1.95.";

/// Why this toolchain cannot make the file, if it cannot.
pub(crate) fn obstacle() -> Result<Option<String>> {
    let version = host::capture(project::command("rustdoc").args(["--version", "--verbose"]))?;
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let release = version.lines().find_map(|line| line.strip_prefix("release: ")).unwrap_or_default();
    let other = !release.starts_with(RELEASE);
    Ok(other.then(|| format!("{FILE} is not compared: its format is that of Rust {RELEASE}x, here is {release}")))
}

pub(crate) fn make() -> Result<Vec<u8>> {
    // A directory of its own: what is compiled with RUSTC_BOOTSTRAP is nobody else's.
    let target = project::target_directory().join("api");
    let mut cargo = project::cargo(&["rustdoc", "--quiet", "--package", "lvs-core", "--lib", "--features", "serde"]);
    cargo.arg("--target-dir").arg(&target).env("RUSTC_BOOTSTRAP", "1");
    cargo.args(["--", "-Z", "unstable-options", "--output-format", "json", "--cap-lints", "allow"]);
    host::capture(&mut cargo)?;
    let api = public_api::Builder::from_rustdoc_json(target.join("doc/lvs_core.json"))
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()
        .map_err(|error| Error::new(error.to_string()))
        .context(|| "cannot read rustdoc's JSON".to_owned())?;
    let mut text = HEAD.to_owned();
    for item in api.items() {
        let _ = writeln!(text, "{item}");
    }
    Ok(text.into_bytes())
}
