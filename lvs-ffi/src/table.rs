//! Tables: configurations to be put in force.

use lvs_core::lint;
use lvs_core::model::{Table, TableService};

use crate::boundary::{call, infallible};
use crate::daemon::{self, lvs_daemon};
use crate::destination::{self, lvs_destination};
use crate::error::{Failure, lvs_error};
use crate::handle::{give, needed, null, place};
use crate::list::nth;
use crate::record;
use crate::scope::{self, lvs_scope};
use crate::service::{self, lvs_service, lvs_service_key};
use crate::status::lvs_status;
use crate::text::lvs_text;
use crate::timeouts::lvs_timeouts;

/// A whole configuration: what a rules file says, what a director is to hold. It belongs to no director.
///
/// Made by lvs_table_new() and others, released by lvs_table_free(). Any number of threads may read it while nobody
/// changes it.
pub struct lvs_table(pub(crate) Table);

/// Makes an empty table.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_table_new(table: *mut *mut lvs_table, err: *mut *mut lvs_error) -> lvs_status {
    call!(err, {
        give(place(table, "table")?, lvs_table(Table::new()));
        Ok(())
    })
}

/// Adds a service at the end. LVS_STATUS_ALREADY_EXISTS if the table has one of that key.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_table_add_service(
    table: Option<&mut lvs_table>,
    service: *const lvs_service,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let table = needed(table, "table")?;
        let service = service::read(service)?;
        if table.0.service(&service.key()).is_some() {
            let message = format!("cannot add service {}: the table has it already", service.key());
            return Err(Failure::own(lvs_status::AlreadyExists, message));
        }
        table.0.services.push(TableService::new(service));
        Ok(())
    })
}

/// Adds a destination at the end of a service's. LVS_STATUS_NOT_FOUND if the table has no such service,
/// LVS_STATUS_ALREADY_EXISTS if the service has that destination.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_table_add_destination(
    table: Option<&mut lvs_table>,
    key: *const lvs_service_key,
    destination: *const lvs_destination,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let table = needed(table, "table")?;
        let key = service::key(key)?;
        let destination = destination::read(destination)?;
        let refuse =
            |status, why| Failure::own(status, format!("cannot add destination {} to {key}: {why}", destination.key));
        // The service added last is the one that destinations are usually added to.
        let entry = table.0.services.iter_mut().rev().find(|entry| entry.service.key() == key);
        let entry = entry.ok_or_else(|| refuse(lvs_status::NotFound, "the table has no such service"))?;
        if entry.destinations.iter().any(|existing| existing.key == destination.key) {
            return Err(refuse(lvs_status::AlreadyExists, "the service has it already"));
        }
        entry.destinations.push(destination);
        Ok(())
    })
}

/// Sets the timeouts that the table asks for; NULL if it is to say nothing of them.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_table_set_timeouts(
    table: Option<&mut lvs_table>,
    timeouts: *const lvs_timeouts,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let table = needed(table, "table")?;
        table.0.timeouts = record::read_optional(timeouts)?.map(Into::into);
        Ok(())
    })
}

/// Adds a sync daemon. LVS_STATUS_ALREADY_EXISTS if the table has one of that role.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_table_add_daemon(
    table: Option<&mut lvs_table>,
    daemon: *const lvs_daemon,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let table = needed(table, "table")?;
        let daemon = daemon::read(daemon)?;
        if table.0.daemons.iter().any(|existing| existing.role == daemon.role) {
            let message = format!("cannot add the {} sync daemon: the table has one already", daemon.role);
            return Err(Failure::own(lvs_status::AlreadyExists, message));
        }
        table.0.daemons.push(daemon);
        Ok(())
    })
}

/// Makes a table of what of another is in a scope (everything if it is NULL): what a plan within that scope may want.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_table_restricted_to(
    table: Option<&lvs_table>,
    scope: Option<&lvs_scope>,
    restricted: *mut *mut lvs_table,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let restricted = place(restricted, "restricted")?;
        give(restricted, lvs_table(needed(table, "table")?.0.restricted_to(&scope::of(scope))));
        Ok(())
    })
}

/// Writes what in the table cannot work, refused by the kernel or taken by it without effect: a line each, with the way
/// out; nothing if all is well.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_table_lint(
    table: Option<&lvs_table>,
    text: Option<&mut lvs_text>,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let findings = lint::table(&needed(table, "table")?.0);
        let text = needed(text, "text")?;
        text.take(findings.iter().map(|finding| format!("{finding}\n")).collect());
        Ok(())
    })
}

/// How many services there are; 0 if `table` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_table_services_len(table: Option<&lvs_table>) -> usize {
    infallible!(0, { table.map_or(0, |table| table.0.services.len()) })
}

/// Reads service `index`. Allocates nothing.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_table_service_get(
    table: Option<&lvs_table>,
    index: usize,
    service: *mut lvs_service,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, { record::write(service, (&nth(&needed(table, "table")?.0.services, index)?.service).into()) })
}

/// How many destinations service `index` has; 0 if there is no such service or `table` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_table_destinations_len(table: Option<&lvs_table>, index: usize) -> usize {
    infallible!(0, {
        let service = table.and_then(|table| table.0.services.get(index));
        service.map_or(0, |service| service.destinations.len())
    })
}

/// Reads destination `destination_index` of service `service_index`, in the order in which they were added. Allocates
/// nothing.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_table_destination_get(
    table: Option<&lvs_table>,
    service_index: usize,
    destination_index: usize,
    destination: *mut lvs_destination,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let service = nth(&needed(table, "table")?.0.services, service_index)?;
        record::write(destination, nth(&service.destinations, destination_index)?.into())
    })
}

/// Reads the timeouts that the table asks for; `present` becomes false, and `timeouts` stays as it is, if the table says
/// nothing of them.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_table_timeouts(
    table: Option<&lvs_table>,
    timeouts: *mut lvs_timeouts,
    present: *mut bool,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let table = needed(table, "table")?;
        record::check(timeouts)?;
        let present = place(present, "present")?;
        if let Some(value) = table.0.timeouts {
            record::write(timeouts, value.into())?;
        }
        present.write(table.0.timeouts.is_some());
        Ok(())
    })
}

/// How many sync daemons the table asks for; 0 if `table` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_table_daemons_len(table: Option<&lvs_table>) -> usize {
    infallible!(0, { table.map_or(0, |table| table.0.daemons.len()) })
}

/// Reads sync daemon `index`.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_table_daemon_get(
    table: Option<&lvs_table>,
    index: usize,
    daemon: *mut lvs_daemon,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, { record::write(daemon, nth(&needed(table, "table")?.0.daemons, index)?.into()) })
}

/// Sorts services and destinations by their keys, so that equal tables compare equal: a director reports them in an
/// order of its own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_table_sort(table: Option<&mut lvs_table>) {
    infallible!((), {
        if let Some(table) = table {
            table.0.sort();
        }
    });
}

/// Whether two tables say the same, in the same order. False if one of them is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_table_equal(a: Option<&lvs_table>, b: Option<&lvs_table>) -> bool {
    infallible!(false, { matches!((a, b), (Some(a), Some(b)) if a.0 == b.0) })
}

/// Makes a copy of a table.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_table_clone(
    table: Option<&lvs_table>,
    copy: *mut *mut lvs_table,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let table = table.ok_or_else(|| null("table"))?;
        give(place(copy, "copy")?, lvs_table(table.0.clone()));
        Ok(())
    })
}

/// Releases a table. NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_table_free(table: Option<Box<lvs_table>>) {
    infallible!((), { drop(table) });
}
