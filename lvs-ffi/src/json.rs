//! JSON of what can be stored and sent, in the one schema of all languages.

use std::ffi::c_char;

use lvs_core::json;

use crate::batch::{lvs_batch, lvs_report};
use crate::boundary::call;
use crate::connection::lvs_connections;
use crate::error::{Failure, lvs_error};
use crate::exports::{from_json, to_json};
use crate::handle::{self, required};
use crate::plan::{lvs_outcome, lvs_plan};
use crate::snapshot::lvs_snapshot;
use crate::status::lvs_status;
use crate::table::lvs_table;
use crate::text::lvs_text;
use crate::watch::lvs_watcher;

pub(crate) unsafe fn read<T: serde::de::DeserializeOwned>(text: *const c_char) -> Result<T, Failure> {
    // SAFETY: NULL or a text with its NUL byte, by the promise of the caller.
    let text = unsafe { handle::text(text, "text")? };
    json::from_str(text).map_err(|error| Failure::invalid(format!("invalid JSON: {error}")))
}

pub(crate) fn write(value: &impl serde::Serialize, text: Option<&mut lvs_text>) -> Result<(), Failure> {
    required(text, "text")?.set(json::to_string(value));
    Ok(())
}

to_json!(
    lvs_snapshot_to_json, snapshot: lvs_snapshot, &snapshot.0,
    "Writes a snapshot as JSON, services and destinations in its order; lvs_snapshot_sort() puts them in \
     another one. The schema is that of all languages: lvs-core/schema/lvs.schema.json of the sources."
);

from_json!(
    lvs_snapshot_from_json, snapshot: lvs_snapshot,
    "Reads a snapshot from JSON. Unknown fields are refused: LVS_STATUS_INVALID_INPUT, and the message says \
     where."
);

to_json!(lvs_table_to_json, table: lvs_table, &table.0, "Writes a table as JSON.");

from_json!(
    lvs_table_from_json, table: lvs_table,
    "Reads a table from JSON. What has a default may be left out; unknown fields are refused."
);

to_json!(
    lvs_plan_to_json, plan: lvs_plan, &plan.0,
    "Writes a plan as JSON: its steps, each with what undoes it."
);

from_json!(lvs_plan_from_json, plan: lvs_plan, "Reads a plan from JSON.");

to_json!(lvs_batch_to_json, batch: lvs_batch, &batch.0, "Writes the operations of a batch as a JSON array.");

from_json!(lvs_batch_from_json, batch: lvs_batch, "Makes a batch of the operations of a JSON array.");

to_json!(
    lvs_watcher_events_to_json, watcher: lvs_watcher, &watcher.events,
    "Writes the events of a watcher as a JSON array."
);

/// Replaces the events of a watcher by those of a JSON array; what it compares the next snapshot
/// with stays. Ends the process if there is no memory for it.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_watcher_events_from_json(
    watcher: Option<&mut lvs_watcher>,
    text: *const c_char,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        required(watcher, "watcher")?.events = read(text)?;
        Ok(())
    })
}

/// Writes the connections of a list as JSON, one object a line.
/// Ends the process if there is no memory for it.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_connections_to_json(
    connections: Option<&lvs_connections>,
    text: Option<&mut lvs_text>,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let connections = required(connections, "connections")?;
        required(text, "text")?.replace_bytes(|out| {
            let written = connections.each(|connection| json::write(out, connection));
            written.map_err(|error| lvs_core::Error::io("write connections", error).into())
        })
    })
}

to_json!(
    lvs_report_to_json, report: lvs_report, &report.report,
    "Writes what came of a batch as JSON, as Rust and Python write it; it is not read back."
);

to_json!(
    lvs_outcome_to_json, outcome: lvs_outcome, &outcome.outcome,
    "Writes what came of a plan as JSON, as Rust and Python write it; it is not read back."
);
