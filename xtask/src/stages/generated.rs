//! Committed files that are generated must be what their generators make today.

use super::Report;
use crate::error::Result;
use crate::generate::GENERATORS;

pub(crate) fn run(report: &mut Report) -> Result<()> {
    if GENERATORS.is_empty() {
        report.note("no file is generated yet");
    }
    for generator in GENERATORS {
        eprintln!("-> cargo xtask generate --check ({})", generator.file);
        match generator.check() {
            Ok(None) => report.pass(1),
            Ok(Some(obstacle)) => report.note(obstacle),
            Err(error) => report.fail(error.to_string()),
        }
    }
    Ok(())
}
