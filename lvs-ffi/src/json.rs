//! JSON of what can be stored and sent, in the one schema of all languages.

use std::ffi::c_char;

use lvs_core::json;

use crate::batch::lvs_batch;
use crate::boundary::call;
use crate::connection::lvs_connections;
use crate::error::{Failure, lvs_error};
use crate::handle::{self, give, needed, place};
use crate::plan::lvs_plan;
use crate::snapshot::lvs_snapshot;
use crate::status::lvs_status;
use crate::table::lvs_table;
use crate::text::lvs_text;
use crate::watch::lvs_watcher;

unsafe fn read<T: serde::de::DeserializeOwned>(text: *const c_char) -> Result<T, Failure> {
    // SAFETY: NULL or a text with its NUL byte, by the promise of the caller.
    let text = unsafe { handle::text(text, "text")? };
    json::from_str(text).map_err(|error| Failure::invalid(format!("invalid JSON: {error}")))
}

fn write(value: &impl serde::Serialize, text: Option<&mut lvs_text>) -> Result<(), Failure> {
    needed(text, "text")?.take(json::to_string(value));
    Ok(())
}

/// Writes a snapshot as JSON, services and destinations in its order; lvs_snapshot_sort() puts them in another one. The
/// schema is that of all languages: lvs-core/schema/lvs.schema.json of the sources.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_snapshot_to_json(
    snapshot: Option<&lvs_snapshot>,
    text: Option<&mut lvs_text>,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, { write(&needed(snapshot, "snapshot")?.0, text) })
}

/// Reads a snapshot from JSON. Unknown fields are refused: LVS_STATUS_INVALID_INPUT, and the message says where.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_snapshot_from_json(
    text: *const c_char,
    snapshot: *mut *mut lvs_snapshot,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let snapshot = place(snapshot, "snapshot")?;
        give(snapshot, lvs_snapshot(read(text)?));
        Ok(())
    })
}

/// Writes a table as JSON.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_table_to_json(
    table: Option<&lvs_table>,
    text: Option<&mut lvs_text>,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, { write(&needed(table, "table")?.0, text) })
}

/// Reads a table from JSON. What has a default may be left out; unknown fields are refused.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_table_from_json(
    text: *const c_char,
    table: *mut *mut lvs_table,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let table = place(table, "table")?;
        give(table, lvs_table(read(text)?));
        Ok(())
    })
}

/// Writes a plan as JSON: its steps, each with what undoes it.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_plan_to_json(
    plan: Option<&lvs_plan>,
    text: Option<&mut lvs_text>,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, { write(&needed(plan, "plan")?.0, text) })
}

/// Reads a plan from JSON.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_plan_from_json(
    text: *const c_char,
    plan: *mut *mut lvs_plan,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let plan = place(plan, "plan")?;
        give(plan, lvs_plan(read(text)?));
        Ok(())
    })
}

/// Writes the operations of a batch as a JSON array.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_batch_to_json(
    batch: Option<&lvs_batch>,
    text: Option<&mut lvs_text>,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, { write(&needed(batch, "batch")?.0, text) })
}

/// Makes a batch of the operations of a JSON array.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_batch_from_json(
    text: *const c_char,
    batch: *mut *mut lvs_batch,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let batch = place(batch, "batch")?;
        give(batch, lvs_batch(read(text)?));
        Ok(())
    })
}

/// Writes the events of a watcher as a JSON array.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_watcher_events_to_json(
    watcher: Option<&lvs_watcher>,
    text: Option<&mut lvs_text>,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, { write(&needed(watcher, "watcher")?.events, text) })
}

/// Replaces the events of a watcher by those of a JSON array; what it compares the next snapshot with stays.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_watcher_events_from_json(
    watcher: Option<&mut lvs_watcher>,
    text: *const c_char,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        needed(watcher, "watcher")?.events = read(text)?;
        Ok(())
    })
}

/// Writes the connections of a list as JSON, one object a line.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_connections_to_json(
    connections: Option<&lvs_connections>,
    text: Option<&mut lvs_text>,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let connections = needed(connections, "connections")?;
        needed(text, "text")?.replace_bytes(|out| {
            let written = connections.each(|connection| json::write(out, connection));
            written.map_err(|error| lvs_core::Error::io("write connections", error).into())
        })
    })
}
