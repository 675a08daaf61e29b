//! Debian packages.

use super::source::Source;
use crate::error::{Error, Result};
use crate::{debian, host};
use std::path::{Path, PathBuf};

pub(super) fn make(source: &Source, out: &Path) -> Result<()> {
    let changelog = fs_err::read_to_string(source.path("debian/changelog"))?;
    if !changelog.starts_with(&format!("lvs ({}", source.version)) {
        return Err(Error::new(format!("debian/changelog does not begin with version {}", source.version)));
    }
    // Packages appear beside the directory in which they are built; those of an earlier run may
    // have other names.
    let made = |file: &PathBuf| file.extension().is_some_and(|e| e == "deb" || e == "changes");
    for file in super::files(&source.base)?.into_iter().filter(made) {
        fs_err::remove_file(file)?;
    }
    debian::ensure_programs()?;
    host::ensure_programs(&[("help2man", "help2man")], "it makes the manual page of lvsd")?;
    host::capture(debian::build(&mut source.command("dpkg-buildpackage")))?;
    for changes in super::ending(&source.base, ".changes")? {
        host::capture(&mut debian::lint(&changes))?;
    }
    super::take(&source.base, ".deb", out)
}
