//! `lvs-core/public-api.txt`: what a Rust program that uses `lvs-core` relies on.
//!
//! Every public item with its signature, with all features but two kinds: what those called
//! `unstable-` add is without a promise, and `schema` adds one trait of another crate to every
//! type. A line that changes or disappears is a breaking change, a new line an addition.
//!
//! The items come from rustdoc's JSON, which a released compiler writes only on `RUSTC_BOOTSTRAP`,
//! in a format that changes from release to release.

use std::collections::HashSet;
use std::fmt::Write as _;

use fs_err as fs;

use crate::error::{Context, Error, Result};
use crate::{host, project};

pub(crate) const FILE: &str = "lvs-core/public-api.txt";

/// The same as of the last release, or of the day when the record began.
const BASELINE: &str = "lvs-core/public-api-baseline.txt";

const CHANGELOG: &str = "lvs-core/CHANGELOG.md";

/// Where the changelog names what breaks.
const BREAKING: &str = "### Rust, breaking";

const HEAD: &str = concat!(
    "# lvs-core ",
    env!("CARGO_PKG_VERSION"),
    ": the public items, with the features `kernel`, `json`, `probes` and `tracing`.\n\
     # Made by `cargo xtask generate`. A line that changes or disappears is a breaking change.\n"
);

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
    let mut cargo = project::cargo(&["rustdoc", "--quiet", "--package", "lvs-core", "--lib"]);
    cargo.args(["--features", "json,probes,tracing"]).arg("--target-dir").arg(&target).env("RUSTC_BOOTSTRAP", "1");
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

/// What is wrong with the changes since the baseline: those that break programs have to be named in
/// the changelog, and need a version that says so.
pub(crate) fn unannounced_breaks() -> Result<Vec<String>> {
    let read = |file: &str| fs::read_to_string(project::root().join(file)).context(|| format!("cannot read {file}"));
    Ok(unannounced(&read(BASELINE)?, &read(FILE)?, &read(CHANGELOG)?))
}

fn unannounced(baseline: &str, current: &str, changelog: &str) -> Vec<String> {
    let current_items: HashSet<&str> = current.lines().collect();
    let gone: Vec<&str> =
        baseline.lines().filter(|line| !line.starts_with('#') && !current_items.contains(line)).collect();
    let gone_paths: HashSet<String> = gone.iter().map(|line| path(line)).collect();
    let section = breaking(changelog);
    let is_named = |line: &str| {
        let path = path(line);
        let owners = path.match_indices("::").map(|(end, _)| &path[..end]).filter(|owner| gone_paths.contains(*owner));
        owners.chain([&*path]).any(|path| mentions(section, path.rsplit("::").next().unwrap_or(path)))
    };
    let mut faults: Vec<String> = gone
        .iter()
        .filter(|line| !is_named(line))
        .map(|line| format!("not under `{BREAKING}` in the newest part of {CHANGELOG}: {line}"))
        .collect();
    let (before, now) = (version(baseline), version(current));
    let is_released = !changelog.contains(&format!("## {before} (unreleased)"));
    if !gone.is_empty() && is_released && promise(before) == promise(now) {
        faults.push(format!("version {now} promises what {before} had, and breaks it: {}", gone[0]));
    }
    faults
}

/// The item of a line, without generics: `lvs_core::rules::Script::to_table`. Of an implementation
/// the type.
fn path(line: &str) -> String {
    let item = match line.strip_prefix("impl") {
        Some(rest) => rest.rsplit_once(" for ").map_or(rest, |(_, item)| item),
        None => line,
    };
    let item = item.find("lvs_core").map_or(item, |start| &item[start..]);
    let (mut path, mut depth) = (String::new(), 0u32);
    for (index, c) in item.char_indices() {
        match c {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            ':' if item[index..].starts_with(": ") => break,
            c if c.is_alphanumeric() || c == '_' || c == ':' || c == '!' => path.push(c),
            _ => break,
        }
    }
    path.trim_end_matches(':').to_owned()
}

/// What the newest part of a changelog says about what breaks.
fn breaking(changelog: &str) -> &str {
    let newest = changelog.split("\n## ").nth(1).unwrap_or_default();
    let section = newest.split_once(BREAKING).map_or("", |(_, rest)| rest);
    section.split("\n### ").next().unwrap_or_default()
}

fn mentions(text: &str, name: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name)
}

/// The version in the first line of a record.
fn version(record: &str) -> &str {
    record.split_whitespace().nth(2).unwrap_or_default().trim_end_matches(':')
}

/// The part of a version that changes when something breaks: `1` of 1.4.2, `0.3` of 0.3.7.
fn promise(version: &str) -> Vec<&str> {
    let parts: Vec<&str> = version.split('.').collect();
    let length = if parts.first() == Some(&"0") { 2 } else { 1 };
    parts.into_iter().take(length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "\
# lvs-core 0.3.0: the public items
pub struct lvs_core::plan::Scope<T>
impl<T> core::clone::Clone for lvs_core::plan::Scope<T>
pub fn lvs_core::plan::Scope<T>::marks(range: impl core::ops::RangeBounds<u32>) -> Self
pub lvs_core::ErrorKind::Io
pub const lvs_core::Errno::EIO: lvs_core::Errno
";

    fn after(version: &str, gone: &[&str]) -> String {
        let head = format!("# lvs-core {version}: the public items\n");
        let kept = BEFORE.lines().skip(1).filter(|line| !gone.iter().any(|gone| line.contains(gone)));
        kept.fold(head, |text, line| text + line + "\n")
    }

    fn changelog(version: &str, breaking: &str) -> String {
        format!(
            "# Changelog\n\n## {version}\n\n### Rust\n\n- `marks` is fast.\n\n{breaking}\n\n### C ABI\n\n- `Io`.\n\n## 0.2.0\n"
        )
    }

    #[test]
    fn items_are_named_without_generics() {
        let paths: Vec<String> = BEFORE.lines().skip(1).map(path).collect();
        let scope = "lvs_core::plan::Scope";
        assert_eq!(
            paths,
            [scope, scope, "lvs_core::plan::Scope::marks", "lvs_core::ErrorKind::Io", "lvs_core::Errno::EIO"]
        );
        assert_eq!(path("pub macro lvs_core::delegate_director!"), "lvs_core::delegate_director!");
    }

    #[test]
    fn what_is_added_needs_no_word() {
        let more = after("0.3.1", &[]) + "pub fn lvs_core::more()\n";
        assert_eq!(unannounced(BEFORE, &more, &changelog("0.3.1", "")), [""; 0]);
    }

    #[test]
    fn breaking_changes_need_a_changelog_line_and_a_new_version() {
        let less = after("0.4.0", &["marks", "ErrorKind"]);
        let faults = unannounced(BEFORE, &less, &changelog("0.4.0 (unreleased)", ""));
        assert_eq!(faults.len(), 2, "other parts of the changelog do not count: {faults:?}");
        let named =
            changelog("0.4.0 (unreleased)", "### Rust, breaking\n\n- `Scope::marks`, `ErrorKind::Io` are gone.");
        assert_eq!(unannounced(BEFORE, &less, &named), [""; 0]);
        let same_promise = unannounced(BEFORE, &after("0.3.1", &["marks", "ErrorKind"]), &named);
        assert!(same_promise[0].starts_with("version 0.3.1 promises what 0.3.0 had"), "{same_promise:?}");
        let unreleased = named.replace("## 0.4.0", "## 0.3.0");
        assert_eq!(unannounced(BEFORE, &after("0.3.0", &["marks", "ErrorKind"]), &unreleased), [""; 0]);
    }

    #[test]
    fn a_type_that_is_gone_takes_what_it_has_with_it() {
        let named = changelog("0.4.0", "### Rust, breaking\n\n- `Scope` is gone.");
        assert_eq!(unannounced(BEFORE, &after("0.4.0", &["Scope"]), &named), [""; 0]);
        assert_eq!(unannounced(BEFORE, &after("0.4.0", &["marks"]), &named).len(), 1, "its method alone is gone");
    }
}
