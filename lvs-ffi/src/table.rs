//! Tables: configurations to be put in force.

use lvs_core::lint;
use lvs_core::model::{DestinationKey, ServiceKey, Table, TableService};

use crate::boundary::{call, infallible};
use crate::daemon::{self, lvs_daemon};
use crate::destination::{self, lvs_destination, lvs_destination_key};
use crate::error::{Failure, lvs_error};
use crate::exports::{free, get, len, new};
use crate::handle::{hand_over, null, place, required};
use crate::list::nth;
use crate::record;
use crate::scope::{self, lvs_scope};
use crate::service::{self, lvs_service, lvs_service_key};
use crate::status::lvs_status;
use crate::text::lvs_text;
use crate::timeouts::lvs_timeouts;

/// A whole configuration: what a rules file says, what a director is to hold. It belongs to no
/// director.
///
/// Made by lvs_table_new() and others, released by lvs_table_free(). Any number of threads may read
/// it while nobody changes it.
pub struct lvs_table(pub(crate) Table);

new!(lvs_table_new, table: lvs_table, lvs_table(Table::new()), "Makes an empty table.");

/// Adds a service at the end. LVS_STATUS_ALREADY_EXISTS if the table has one of that key.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_table_add_service(
    table: Option<&mut lvs_table>,
    service: *const lvs_service,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let table = required(table, "table")?;
        let service = service::read(service)?;
        if table.0.service(&service.key()).is_some() {
            let message = format!("cannot add service {}: the table has it already", service.key());
            return Err(Failure::own(lvs_status::AlreadyExists, message));
        }
        table.0.services.try_reserve(1)?;
        table.0.services.push(TableService::new(service));
        Ok(())
    })
}

/// Adds a destination at the end of a service's. LVS_STATUS_NOT_FOUND if the table has no such
/// service, LVS_STATUS_ALREADY_EXISTS if the service has that destination.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_table_add_destination(
    table: Option<&mut lvs_table>,
    key: *const lvs_service_key,
    destination: *const lvs_destination,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let table = required(table, "table")?;
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
        entry.destinations.try_reserve(1)?;
        entry.destinations.push(destination);
        Ok(())
    })
}

/// The place of a service in the table, or the error that says what could not be done for lack of
/// it.
fn at(table: &Table, key: &ServiceKey, what: impl FnOnce() -> String) -> Result<usize, Failure> {
    let found = table.services.iter().position(|entry| entry.service.key() == *key);
    found.ok_or_else(|| Failure::own(lvs_status::NotFound, format!("cannot {}: the table has no such service", what())))
}

/// The place of a destination in a service's, or the error that says what could not be done for
/// lack of it.
fn destination_at(service: &TableService, key: &DestinationKey, what: &str) -> Result<usize, Failure> {
    let found = service.destinations.iter().position(|existing| existing.key == *key);
    found.ok_or_else(|| {
        let message = format!("cannot {what} {key} of {}: the service has no such destination", service.service.key());
        Failure::own(lvs_status::NotFound, message)
    })
}

/// Finds the service of a key and writes its index. LVS_STATUS_NOT_FOUND if the table has none.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_table_find(
    table: Option<&lvs_table>,
    key: *const lvs_service_key,
    index: *mut usize,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let index = place(index, "index")?;
        let key = service::key(key)?;
        index.write(at(&required(table, "table")?.0, &key, || format!("find service {key}"))?);
        Ok(())
    })
}

/// Replaces everything of a service but its key; its place and its destinations stay.
/// LVS_STATUS_NOT_FOUND if the table has none of that key.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_table_update_service(
    table: Option<&mut lvs_table>,
    service: *const lvs_service,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let table = &mut required(table, "table")?.0;
        let service = service::read(service)?;
        let index = at(table, &service.key(), || format!("update service {}", service.key()))?;
        table.services[index].service = service;
        Ok(())
    })
}

/// Removes a service and its destinations; those behind it move up. LVS_STATUS_NOT_FOUND if the
/// table has none of that key.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_table_remove_service(
    table: Option<&mut lvs_table>,
    key: *const lvs_service_key,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let table = &mut required(table, "table")?.0;
        let key = service::key(key)?;
        let index = at(table, &key, || format!("remove service {key}"))?;
        table.services.remove(index);
        Ok(())
    })
}

/// Replaces everything of a destination but its key. LVS_STATUS_NOT_FOUND if the table has no such
/// service, or the service no such destination.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_table_update_destination(
    table: Option<&mut lvs_table>,
    key: *const lvs_service_key,
    destination: *const lvs_destination,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let table = &mut required(table, "table")?.0;
        let (key, destination) = (service::key(key)?, destination::read(destination)?);
        let index = at(table, &key, || format!("update destination {} of {key}", destination.key))?;
        let service = &mut table.services[index];
        let index = destination_at(service, &destination.key, "update destination")?;
        service.destinations[index] = destination;
        Ok(())
    })
}

/// Removes a destination of a service; those behind it move up. LVS_STATUS_NOT_FOUND as in
/// lvs_table_update_destination().
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_table_remove_destination(
    table: Option<&mut lvs_table>,
    key: *const lvs_service_key,
    destination: *const lvs_destination_key,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let table = &mut required(table, "table")?.0;
        let (key, destination) = (service::key(key)?, destination::key(destination)?);
        let index = at(table, &key, || format!("remove destination {destination} of {key}"))?;
        let service = &mut table.services[index];
        let index = destination_at(service, &destination, "remove destination")?;
        service.destinations.remove(index);
        Ok(())
    })
}

/// Removes the sync daemon of a role, one of enum lvs_role. LVS_STATUS_NOT_FOUND if the table has
/// none.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_table_remove_daemon(
    table: Option<&mut lvs_table>,
    role: u32,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let table = &mut required(table, "table")?.0;
        let role = daemon::role(role)?;
        let found = table.daemons.iter().position(|daemon| daemon.role == role);
        let index = found.ok_or_else(|| {
            Failure::own(lvs_status::NotFound, format!("cannot remove the {role} sync daemon: the table has none"))
        })?;
        table.daemons.remove(index);
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
        let table = required(table, "table")?;
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
        let table = required(table, "table")?;
        let daemon = daemon::read(daemon)?;
        if table.0.daemons.iter().any(|existing| existing.role == daemon.role) {
            let message = format!("cannot add the {} sync daemon: the table has one already", daemon.role);
            return Err(Failure::own(lvs_status::AlreadyExists, message));
        }
        table.0.daemons.try_reserve(1)?;
        table.0.daemons.push(daemon);
        Ok(())
    })
}

/// Makes a table of what of another is in a scope (everything if it is NULL): what a plan within
/// that scope may want.
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
        hand_over(restricted, lvs_table(required(table, "table")?.0.try_restricted_to(&scope::of(scope))?))
    })
}

/// Writes what in the table cannot work, refused by the kernel or taken by it without effect: a
/// line each, with the way out; nothing if all is well. Ends the process if there is no memory for
/// it.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_table_lint(
    table: Option<&lvs_table>,
    text: Option<&mut lvs_text>,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let findings = lint::table(&required(table, "table")?.0);
        let text = required(text, "text")?;
        text.set(findings.iter().map(|finding| format!("{finding}\n")).collect());
        Ok(())
    })
}

len!(
    lvs_table_services_len, table: lvs_table, table.0.services.len(),
    "How many services there are; 0 if `table` is NULL."
);

/// Reads service `index`. Allocates nothing.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_table_service_get(
    table: Option<&lvs_table>,
    index: usize,
    service: *mut lvs_service,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, { record::write(service, (&nth(&required(table, "table")?.0.services, index)?.service).into()) })
}

/// How many destinations service `index` has; 0 if there is no such service or `table` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_table_destinations_len(table: Option<&lvs_table>, index: usize) -> usize {
    infallible!(0, {
        let service = table.and_then(|table| table.0.services.get(index));
        service.map_or(0, |service| service.destinations.len())
    })
}

/// Reads destination `destination_index` of service `service_index`, in the order in which they
/// were added. Allocates nothing.
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
        let service = nth(&required(table, "table")?.0.services, service_index)?;
        record::write(destination, nth(&service.destinations, destination_index)?.into())
    })
}

/// Reads the timeouts that the table asks for; `present` becomes false, and `timeouts` stays as it
/// is, if the table says nothing of them.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_table_timeouts(
    table: Option<&lvs_table>,
    timeouts: *mut lvs_timeouts,
    present: *mut bool,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let table = required(table, "table")?;
        record::check(timeouts)?;
        let present = place(present, "present")?;
        if let Some(value) = table.0.timeouts {
            record::write(timeouts, value.into())?;
        }
        present.write(table.0.timeouts.is_some());
        Ok(())
    })
}

len!(
    lvs_table_daemons_len, table: lvs_table, table.0.daemons.len(),
    "How many sync daemons the table asks for; 0 if `table` is NULL."
);

get!(
    lvs_table_daemon_get, table: lvs_table, daemon: lvs_daemon, table.0.daemons,
    "Reads sync daemon `index`."
);

/// Sorts services and destinations by their keys, so that equal tables compare equal: a director
/// reports them in an order of its own.
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
        hand_over(place(copy, "copy")?, lvs_table(table.0.try_clone()?))
    })
}

free!(lvs_table_free, table: lvs_table, "a table");
