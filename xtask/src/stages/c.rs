//! The C library: its header and programs that use it.

use super::Report;
use crate::error::Result;
use crate::{host, project};

const HEADER: &str = "include/lvs.h";

pub(crate) fn run(report: &mut Report) -> Result<()> {
    if !project::root().join(HEADER).exists() {
        report.note(format!("{HEADER} does not exist yet"));
        return Ok(());
    }
    host::ensure_programs(&[("cc", "gcc"), ("c++", "g++")], "the C tests are built with them")?;
    let strict = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"];
    for (compiler, language) in [("cc", ["-x", "c", "-std=c99"]), ("c++", ["-x", "c++", "-std=c++11"])] {
        report.check(project::command(compiler).args(strict).args(language).arg(HEADER))?;
    }
    Ok(())
}
