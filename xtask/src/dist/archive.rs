//! Archives: of the sources, and of the programs for machines whose packages are not Debian's.

use super::source::Source;
use crate::error::{Context, Result};
use crate::{host, project};
use fs_err as fs;
use std::path::Path;
use std::process::Command;

/// What the programs are built for. Their C library is linked in: glibc, as that is there with the
/// compiler, while musl needs a standard library of Rust's that few have. What glibc would load
/// when it runs (name services) the programs do without: `lvsd` asks name servers itself.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// What git has of HEAD.
pub(super) fn sources(source: &Source, out: &Path) -> Result<()> {
    let name = format!("lvs-{}", source.version);
    let tar = out.join(format!("{name}.tar"));
    let mut archive = source.command("git");
    archive.args(["archive", "--format=tar"]).arg(format!("--prefix={name}/")).arg("--output").arg(&tar).arg("HEAD");
    host::capture(&mut archive)?;
    compress(&tar)
}

/// The programs with manual pages, completions, unit and guides, as `make install` puts them below
/// a prefix.
pub(super) fn programs(source: &Source, out: &Path) -> Result<()> {
    host::ensure_programs(&[("make", "make"), ("help2man", "help2man")], "the programs are installed with them")?;
    let root = source.base.join("programs");
    project::remove(&root)?;
    let mut make = source.command("make");
    make.args(["-C", "examples", "all", "install"]).arg(format!("DESTDIR={}", root.display()));
    make.env("CARGO_BUILD_TARGET", TARGET);
    host::capture(source.build(&mut make, "-C target-feature=+crt-static"))?;
    for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
        fs::copy(source.path(licence), root.join("usr/local/share/doc/lvs").join(licence))?;
    }
    let name = format!("lvs-{}-linux-{}", source.version, std::env::consts::ARCH);
    let file = out.join(format!("{name}.tar"));
    let mut tar = Command::new("tar");
    tar.args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mode=u=rwX,go=rX", "--format=gnu"]);
    tar.arg(format!("--mtime=@{}", source.epoch)).arg(format!("--transform=s,^\\.,{name},"));
    tar.arg("-C").arg(root.join("usr/local")).arg("-cf").arg(&file).arg(".");
    host::capture(&mut tar).context(|| format!("cannot pack {name}"))?;
    compress(&file)
}

/// Replaces a file by its compressed form, in which there is no time.
fn compress(file: &Path) -> Result<()> {
    host::capture(Command::new("gzip").args(["--best", "--no-name", "--force"]).arg(file)).map(drop)
}
