//! The wheel and the source distribution for PyPI.

use super::source::Source;
use crate::error::{Context, Result};
use crate::host;
use crate::stages::python;
use std::path::Path;

pub(super) fn make(source: &Source, out: &Path) -> Result<()> {
    let python = python::ENVIRONMENT.programs()?;
    let maturin = |verb: &str| {
        let mut maturin = source.settle(python.command("maturin"));
        maturin.args([verb, "--manifest-path", "lvs-py/Cargo.toml", "--out"]).arg(out);
        maturin
    };
    host::capture(&mut maturin("sdist"))?;
    // Not from the unpacked source distribution: it is unpacked in another place each time.
    let mut build = maturin("build");
    build.args(["--locked", "--target-dir"]).arg(source.target());
    host::capture(source.build(&mut build, ""))?;
    let mut check = python.command("twine");
    check.args(["check", "--strict"]).args(super::ending(out, ".whl")?);
    check.args(super::ending(out, &format!("lvs_py-{}.tar.gz", source.version))?);
    host::capture(&mut check).map(drop).context(|| "what PyPI would refuse".into())
}
