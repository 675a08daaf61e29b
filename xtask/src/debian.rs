//! The Debian packages: how they are built, and `debian/liblvs0.1.symbols`, the functions of the
//! shared library, each with the version that first had it.

use fs_err as fs;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use crate::error::{Context, Result};
use crate::{c_abi, c_header, host, project};

pub(crate) const SYMBOLS: &str = "debian/liblvs0.1.symbols";
/// The part of the version in the name of the library and of the version of its symbols.
const ABI: &str = "0.1";

/// What leaves out the programs: the profile in `debian/control`.
pub(crate) const LIBRARY_ALONE: &str = "pkg.lvs.library";

/// The programs that build packages are there.
pub(crate) fn ensure_programs() -> Result<()> {
    host::ensure_programs(
        &[("dpkg-buildpackage", "dpkg-dev"), ("dh", "debhelper"), ("lintian", "lintian")],
        "Debian packages are built with them",
    )
}

/// `dpkg-buildpackage`, in the directory of the command. Nothing about Rust is in Build-Depends,
/// and what is there, `ensure_programs` has installed.
pub(crate) fn build(dpkg_buildpackage: &mut Command) -> &mut Command {
    dpkg_buildpackage.args(["--build=binary", "--no-sign", "--no-check-builddeps"])
}

/// `lintian` on what was built; its warnings differ from release to release.
pub(crate) fn lint(changes: &Path) -> Command {
    let mut lintian = Command::new("lintian");
    lintian.args(["--fail-on", "error", "--allow-root"]).arg(changes);
    lintian
}

/// A function that is there already keeps its version; new ones get today's.
pub(crate) fn symbols() -> Result<Vec<u8>> {
    let file = project::root().join(SYMBOLS);
    let before = fs::read_to_string(&file).unwrap_or_default();
    let header = fs::read_to_string(project::root().join(c_header::FILE))
        .context(|| format!("cannot read {}", c_header::FILE))?;
    let functions = c_abi::parse(&header).functions;
    Ok(make(&before, functions.iter().map(|(name, _)| name.as_str())).into_bytes())
}

fn make<'a>(before: &str, functions: impl Iterator<Item = &'a str>) -> String {
    let known: BTreeMap<&str, &str> = before
        .lines()
        .filter_map(|line| line.strip_prefix(' ')?.split_once(' '))
        .filter_map(|(symbol, version)| Some((symbol.split_once('@')?.0, version)))
        .collect();
    let version = env!("CARGO_PKG_VERSION");
    let mut names: Vec<&str> = functions.collect();
    names.sort_unstable();
    let mut text = format!("liblvs.so.{ABI} liblvs{ABI} #MINVER#\n LVS_{ABI}@LVS_{ABI} {ABI}.0\n");
    for name in names {
        let _ = writeln!(text, " {name}@LVS_{ABI} {}", known.get(name).unwrap_or(&version));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_keeps_the_version_that_first_had_it() {
        let before = "liblvs.so.0.1 liblvs0.1 #MINVER#\n lvs_old@LVS_0.1 0.0.9\n lvs_gone@LVS_0.1 0.0.9\n";
        let now = make(before, ["lvs_old", "lvs_new"].into_iter());
        assert!(now.contains(" lvs_old@LVS_0.1 0.0.9\n"), "{now}");
        assert!(now.contains(&format!(" lvs_new@LVS_0.1 {}\n", env!("CARGO_PKG_VERSION"))), "{now}");
        assert!(!now.contains("lvs_gone"), "{now}");
    }
}
