//! What is read rather than installed: the changelog's section, the sums.

use super::source::Source;
use crate::error::{Context, Result};
use crate::host;
use fs_err as fs;
use std::path::Path;
use std::process::Command;

/// The file of sums, as `sha256sum --check` reads it.
const SUMS: &str = "SHA256SUMS";

pub(super) fn changelog(source: &Source, out: &Path) -> Result<()> {
    let text = fs::read_to_string(source.path("lvs-core/CHANGELOG.md"))?;
    let section = section(&text, &source.version)
        .context(|| format!("the changelog has no section of version {}", source.version))?;
    Ok(fs::write(out.join(format!("lvs-{}-changes.md", source.version)), section)?)
}

/// The section of a version: from its heading to the next one's.
fn section(text: &str, version: &str) -> Option<String> {
    let of = |line: &str| line.strip_prefix("## ").and_then(|heading| heading.split(' ').next()) == Some(version);
    let mut lines = text.lines().skip_while(|line| !of(line));
    let heading = lines.next()?;
    let body: Vec<&str> = lines.take_while(|line| !line.starts_with("## ")).collect();
    Some(format!("{heading}\n{}\n", body.join("\n").trim_end()))
}

pub(super) fn sums(out: &Path) -> Result<()> {
    let files = super::files(out)?;
    let names: Vec<_> = files.iter().filter_map(|file| file.file_name()).collect();
    let sums = host::capture(Command::new("sha256sum").arg("--").args(names).current_dir(out))?;
    Ok(fs::write(out.join(SUMS), sums.stdout)?)
}

/// The files that an earlier run has made in a directory, as its sums name them.
pub(super) fn summed(out: &Path) -> Result<Vec<String>> {
    let file = out.join(SUMS);
    if !file.exists() {
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(file)?;
    let names = text.lines().filter_map(|line| Some(line.split_once("  ")?.1.to_owned()));
    Ok(names.chain([SUMS.to_owned()]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_ends_where_the_next_begins() {
        let text = "# Changelog\n\n## 0.2.0 (unreleased)\n\n### Rust\n\n- new\n\n## 0.1.0\n\n- old\n";
        assert_eq!(section(text, "0.2.0").unwrap(), "## 0.2.0 (unreleased)\n\n### Rust\n\n- new\n");
        assert_eq!(section(text, "0.1.0").unwrap(), "## 0.1.0\n\n- old\n");
        assert_eq!(section(text, "0.1"), None);
    }
}
