//! Committed files that are generated must be what their generators make today.

use super::Report;
use crate::error::Result;
use crate::generate::GENERATORS;
use crate::{c_reference, rust_api};

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
    eprintln!("-> what breaks programs that use lvs-core is in the changelog");
    match rust_api::unannounced_breaks()?.as_slice() {
        [] => report.pass(1),
        faults => report.fail(faults.join("\n")),
    }
    eprintln!("-> cargo xtask generate --check ({})", c_reference::PAGES);
    match c_reference::write(true)?.as_slice() {
        [] => report.pass(1),
        files => report.fail(format!("{files:?} are not what `cargo xtask generate` makes")),
    }
    Ok(())
}
