//! Tables, plans and snapshots as text.

use lvs_core::listing::{self, ListingOptions};
use lvs_core::model::{Snapshot, Table};
use lvs_core::plan::Plan;
use lvs_core::rules::{Dialect, Emitter};

/// A table as rules that `ipvsadm --restore` takes.
pub fn rules(table: &Table) -> String {
    Emitter::new(Dialect::Lossless).table(table).text
}

/// A plan as `ipvsadm` lines.
pub fn plan(plan: &Plan) -> String {
    let emitter = Emitter::new(Dialect::Lossless);
    plan.operations().map(|operation| emitter.command(&(*operation).into()).text).collect()
}

/// A snapshot as `ipvsadm -Ln` lists it.
///
/// # Errors
/// Never in practice: writing to memory does not fail.
pub fn listing(snapshot: &Snapshot) -> std::io::Result<String> {
    let mut text = Vec::new();
    listing::write_table(&mut text, snapshot, &ListingOptions::new())?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
