//! Directors: what the kernel director and the embedded director have in common.

use lvs_core::{AnyDirector, Director};

use crate::batch::{self, lvs_batch, lvs_report};
use crate::boundary::{call, infallible};
use crate::daemon::{self, lvs_daemon};
use crate::destination::{self, lvs_destination, lvs_destination_key, lvs_destination_state};
use crate::error::{Failure, lvs_error};
use crate::handle::{hand_over, place, required};
use crate::info::lvs_info;
use crate::list::{lvs_destination_list, lvs_service_list};
use crate::lock::{Guard, Lock};
use crate::record;
use crate::service::{self, lvs_service, lvs_service_key, lvs_service_state};
use crate::snapshot::lvs_snapshot;
use crate::status::lvs_status;
use crate::timeouts::lvs_timeouts;

/// A holder of an IPVS table: the running kernel, or an embedded director in this process. Both
/// answer the same calls with the same errors.
///
/// Made by lvs_director_open_kernel() or lvs_director_open_embedded(), released by
/// lvs_director_free(). Any number of threads may use one director: their calls take turns. What is
/// under way on a director is not waited for by lvs_director_free(): nobody may be in a call when
/// it is released.
pub struct lvs_director(pub(crate) Lock<AnyDirector>);

/// The director behind a handle, for as long as the guard lives.
#[inline]
pub(crate) fn locked(director: Option<&lvs_director>) -> Result<Guard<'_, AnyDirector>, Failure> {
    required(director, "director")?.0.lock()
}

/// Reads version and size of the connection table. A kernel without IPVS says so here.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_info(
    director: Option<&lvs_director>,
    info: *mut lvs_info,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        record::check(info)?;
        record::write(info, locked(director)?.info()?.into())
    })
}

/// Reads all services, without their destinations. Release `services` with lvs_service_list_free().
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_services(
    director: Option<&lvs_director>,
    services: *mut *mut lvs_service_list,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let services = place(services, "services")?;
        let list = locked(director)?.services()?;
        hand_over(services, lvs_service_list(list))
    })
}

/// Reads one service. Each of `service` and `state` may be NULL if it is not wanted.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_service(
    director: Option<&lvs_director>,
    key: *const lvs_service_key,
    service: *mut lvs_service,
    state: *mut lvs_service_state,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let entry = locked(director)?.service(&service::key(key)?)?;
        service::write_entry(&entry, service, state)
    })
}

/// Reads the destinations of a service, the one added last first. A service that is not there is an
/// error. Release `destinations` with lvs_destination_list_free().
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_destinations(
    director: Option<&lvs_director>,
    key: *const lvs_service_key,
    destinations: *mut *mut lvs_destination_list,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let destinations = place(destinations, "destinations")?;
        let list = locked(director)?.destinations(&service::key(key)?)?;
        hand_over(destinations, lvs_destination_list(list))
    })
}

/// Reads one destination of a service. Each of `destination` and `state` may be NULL if it is not
/// wanted. The director has to list the service's destinations for it: for several,
/// lvs_director_destinations() costs no more. LVS_STATUS_NOT_FOUND, with
/// LVS_CAUSE_SERVICE_NOT_FOUND if it is the service that is missing.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_destination(
    director: Option<&lvs_director>,
    service: *const lvs_service_key,
    key: *const lvs_destination_key,
    destination: *mut lvs_destination,
    state: *mut lvs_destination_state,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let (service, key) = (service::key(service)?, destination::key(key)?);
        let list = locked(director)?.destinations(&service)?;
        let entry = list.iter().find(|entry| entry.destination.key == key);
        let entry = entry.ok_or_else(|| {
            Failure::own(
                lvs_status::NotFound,
                format!("cannot read destination {key} of {service}: no such destination"),
            )
        })?;
        destination::write_entry(entry, destination, state)
    })
}

/// Reads everything in one call: services, destinations, statistics, timeouts, daemons. Release
/// `snapshot` with lvs_snapshot_free().
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_snapshot(
    director: Option<&lvs_director>,
    snapshot: *mut *mut lvs_snapshot,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let snapshot = place(snapshot, "snapshot")?;
        let taken = locked(director)?.snapshot()?;
        hand_over(snapshot, lvs_snapshot(taken))
    })
}

/// Reads the timeouts.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_timeouts(
    director: Option<&lvs_director>,
    timeouts: *mut lvs_timeouts,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        record::check(timeouts)?;
        record::write(timeouts, locked(director)?.timeouts()?.into())
    })
}

/// Reads the running sync daemons, the master first, into `daemons`, an array of `capacity` records
/// that each state their size, and writes how many run to `count`. There are never more than 2.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_daemons(
    director: Option<&lvs_director>,
    daemons: *mut lvs_daemon,
    capacity: usize,
    count: *mut usize,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let count = place(count, "count")?;
        if capacity > 0 {
            record::check(place(daemons, "daemons")?)?;
        }
        let running = locked(director)?.daemons()?;
        // The records of the array lie as far apart as the first one says that they are large.
        let stride = if capacity > 0 { daemons.cast::<u32>().read_unaligned() as usize } else { 0 };
        for (index, daemon) in running.iter().take(capacity).enumerate() {
            record::write(daemons.byte_add(index * stride), daemon.into())?;
        }
        count.write(running.len());
        Ok(())
    })
}

/// Adds a virtual service.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_add_service(
    director: Option<&lvs_director>,
    service: *const lvs_service,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let service = service::read(service)?;
        Ok(locked(director)?.add_service(&service)?)
    })
}

/// Replaces scheduler, flags, timeout, netmask and engine of a service.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_update_service(
    director: Option<&lvs_director>,
    service: *const lvs_service,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let service = service::read(service)?;
        Ok(locked(director)?.update_service(&service)?)
    })
}

/// Removes a service and its destinations.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_remove_service(
    director: Option<&lvs_director>,
    key: *const lvs_service_key,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let key = service::key(key)?;
        Ok(locked(director)?.remove_service(&key)?)
    })
}

/// Adds a destination to a service.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_add_destination(
    director: Option<&lvs_director>,
    key: *const lvs_service_key,
    destination: *const lvs_destination,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let (key, destination) = (service::key(key)?, destination::read(destination)?);
        Ok(locked(director)?.add_destination(&key, &destination)?)
    })
}

/// Replaces everything of a destination but its key.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_update_destination(
    director: Option<&lvs_director>,
    key: *const lvs_service_key,
    destination: *const lvs_destination,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let (key, destination) = (service::key(key)?, destination::read(destination)?);
        Ok(locked(director)?.update_destination(&key, &destination)?)
    })
}

/// Removes a destination from a service.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_remove_destination(
    director: Option<&lvs_director>,
    key: *const lvs_service_key,
    destination: *const lvs_destination_key,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let (key, destination) = (service::key(key)?, destination::key(destination)?);
        Ok(locked(director)?.remove_destination(&key, &destination)?)
    })
}

/// Sets timeouts; 0 leaves one as it is.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_set_timeouts(
    director: Option<&lvs_director>,
    timeouts: *const lvs_timeouts,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let timeouts = record::read(timeouts)?;
        Ok(locked(director)?.set_timeouts(timeouts.into())?)
    })
}

/// Starts a sync daemon.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_start_daemon(
    director: Option<&lvs_director>,
    daemon: *const lvs_daemon,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let daemon = daemon::read(daemon)?;
        Ok(locked(director)?.start_daemon(&daemon)?)
    })
}

/// Stops a sync daemon; `role` is one of enum lvs_role.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_stop_daemon(
    director: Option<&lvs_director>,
    role: u32,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let role = daemon::role(role)?;
        Ok(locked(director)?.stop_daemon(role)?)
    })
}

/// Zeroes the counters of a service and its destinations, or all counters if `key` is NULL.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_zero(
    director: Option<&lvs_director>,
    key: *const lvs_service_key,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let key = if key.is_null() { None } else { Some(service::key(key)?) };
        Ok(locked(director)?.zero(key.as_ref())?)
    })
}

/// Removes all services.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_flush(director: Option<&lvs_director>, err: *mut *mut lvs_error) -> lvs_status {
    call!(err, { Ok(locked(director)?.flush()?) })
}

/// Carries out a batch in order; `on_refusal` is one of enum lvs_on_refusal. The batch stays as it
/// is.
///
/// Returns LVS_STATUS_OK if every operation took effect, else the status of the first thing that
/// went wrong. `report` may be NULL; otherwise it is written whenever the batch was begun, which is
/// whenever the arguments were valid, even if the call fails: set it to NULL before. Release it
/// with lvs_report_free().
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_apply(
    director: Option<&lvs_director>,
    batch: Option<&lvs_batch>,
    on_refusal: u32,
    report: *mut *mut lvs_report,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let batch = required(batch, "batch")?;
        let on_refusal = batch::on_refusal(on_refusal)?;
        let done = locked(director)?.apply(&batch.0, on_refusal);
        batch::conclude(done, report)
    })
}

/// Closes a director. The embedded one forgets its table, the kernel keeps its own. NULL does
/// nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_director_free(director: Option<Box<lvs_director>>) {
    infallible!((), { drop(director) });
}
