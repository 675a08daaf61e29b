//! Snapshots: everything that a director held at one moment.

use lvs_core::model::{ServiceSnapshot, Snapshot};

use crate::boundary::{call, infallible};
use crate::daemon::lvs_daemon;
use crate::destination::{self, lvs_destination, lvs_destination_state};
use crate::error::{Failure, lvs_error};
use crate::exports::{free, get, len};
use crate::handle::{hand_over, place, required};
use crate::info::lvs_info;
use crate::list::nth;
use crate::record;
use crate::service::{self, lvs_service, lvs_service_key, lvs_service_state};
use crate::stats::lvs_stats;
use crate::status::lvs_status;
use crate::table::lvs_table;
use crate::timeouts::lvs_timeouts;

/// The snapshot could see IPv6 services and destinations.
pub const LVS_COVERAGE_IPV6: u32 = 0x1;
/// The snapshot could see the encapsulation of tunnels.
pub const LVS_COVERAGE_TUNNELS: u32 = 0x2;
/// The snapshot could see persistence engines.
pub const LVS_COVERAGE_ENGINES: u32 = 0x4;
/// The snapshot could see 64-bit statistics.
pub const LVS_COVERAGE_STATS64: u32 = 0x8;
/// The snapshot could see all attributes of sync daemons.
pub const LVS_COVERAGE_DAEMON_DETAILS: u32 = 0x10;

/// Nothing of IPv4 is missing; see lvs_snapshot_complete().
pub const LVS_COMPLETE_IPV4: u32 = 0x1;
/// Nothing of IPv6 is missing.
pub const LVS_COMPLETE_IPV6: u32 = 0x2;

/// All that a director held at one moment: services with their destinations and statistics,
/// timeouts, daemons.
///
/// Made by lvs_director_snapshot(), released by lvs_snapshot_free(). Any number of threads may read
/// it while nobody sorts it, and it may outlive its director.
pub struct lvs_snapshot(pub(crate) Snapshot);

#[inline]
fn service_of(snapshot: Option<&lvs_snapshot>, index: usize) -> Result<&ServiceSnapshot, Failure> {
    nth(&required(snapshot, "snapshot")?.0.services, index)
}

len!(
    lvs_snapshot_services_len, snapshot: lvs_snapshot, snapshot.0.services.len(),
    "How many services there are; 0 if `snapshot` is NULL."
);

/// Reads service `index`. Each of `service` and `state` may be NULL if it is not wanted. Allocates
/// nothing.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_snapshot_service_get(
    snapshot: Option<&lvs_snapshot>,
    index: usize,
    service: *mut lvs_service,
    state: *mut lvs_service_state,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, { service::write_entry(&service_of(snapshot, index)?.entry, service, state) })
}

/// How many destinations service `index` has; 0 if there is no such service or `snapshot` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_snapshot_destinations_len(snapshot: Option<&lvs_snapshot>, index: usize) -> usize {
    infallible!(0, {
        let service = snapshot.and_then(|snapshot| snapshot.0.services.get(index));
        service.map_or(0, |service| service.destinations.len())
    })
}

/// Reads destination `destination_index` of service `service_index`; the one added last comes
/// first. Each of `destination` and `state` may be NULL if it is not wanted. Allocates nothing.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_snapshot_destination_get(
    snapshot: Option<&lvs_snapshot>,
    service_index: usize,
    destination_index: usize,
    destination: *mut lvs_destination,
    state: *mut lvs_destination_state,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let entry = nth(&service_of(snapshot, service_index)?.destinations, destination_index)?;
        destination::write_entry(entry, destination, state)
    })
}

/// Reads what the director reported of service `index` in 32 bits (bytes in 64), as old tools show
/// it; all 0 if it reported none.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_snapshot_service_stats32(
    snapshot: Option<&lvs_snapshot>,
    index: usize,
    stats: *mut lvs_stats,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let entry = &service_of(snapshot, index)?.entry;
        place(stats, "stats")?.write(entry.stats.as_ref().into());
        Ok(())
    })
}

/// Reads what the director reported of a destination in 32 bits (bytes in 64), as old tools show
/// it; all 0 if it reported none.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_snapshot_destination_stats32(
    snapshot: Option<&lvs_snapshot>,
    service_index: usize,
    destination_index: usize,
    stats: *mut lvs_stats,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let entry = nth(&service_of(snapshot, service_index)?.destinations, destination_index)?;
        place(stats, "stats")?.write(entry.stats.as_ref().into());
        Ok(())
    })
}

/// Finds the service of a key and writes its index. LVS_STATUS_NOT_FOUND if the snapshot has none.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_snapshot_find(
    snapshot: Option<&lvs_snapshot>,
    key: *const lvs_service_key,
    index: *mut usize,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let snapshot = required(snapshot, "snapshot")?;
        let index = place(index, "index")?;
        let key = service::key(key)?;
        let found = snapshot.0.services.iter().position(|service| service.entry.service.key() == key);
        index.write(found.ok_or_else(|| {
            Failure::own(lvs_status::NotFound, format!("cannot find service {key}: the snapshot has none"))
        })?);
        Ok(())
    })
}

/// Reads version and size of the director.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_snapshot_info(
    snapshot: Option<&lvs_snapshot>,
    info: *mut lvs_info,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, { record::write(info, required(snapshot, "snapshot")?.0.info.into()) })
}

/// Reads the timeouts.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_snapshot_timeouts(
    snapshot: Option<&lvs_snapshot>,
    timeouts: *mut lvs_timeouts,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, { record::write(timeouts, required(snapshot, "snapshot")?.0.timeouts.into()) })
}

len!(
    lvs_snapshot_daemons_len, snapshot: lvs_snapshot, snapshot.0.daemons.len(),
    "How many sync daemons run: 0 to 2; 0 if `snapshot` is NULL."
);

get!(
    lvs_snapshot_daemon_get, snapshot: lvs_snapshot, daemon: lvs_daemon, snapshot.0.daemons,
    "Reads sync daemon `index`; the master comes first."
);

/// What the snapshot could see, as LVS_COVERAGE_... bits. A bit that is clear means: not looked at,
/// not: not there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_snapshot_coverage(snapshot: Option<&lvs_snapshot>) -> u32 {
    infallible!(0, {
        let Some(coverage) = snapshot.map(|snapshot| snapshot.0.coverage) else { return 0 };
        [
            (coverage.ipv6, LVS_COVERAGE_IPV6),
            (coverage.tunnels, LVS_COVERAGE_TUNNELS),
            (coverage.engines, LVS_COVERAGE_ENGINES),
            (coverage.stats64, LVS_COVERAGE_STATS64),
            (coverage.daemon_details, LVS_COVERAGE_DAEMON_DETAILS),
        ]
        .iter()
        .fold(0, |bits, (seen, bit)| if *seen { bits | bit } else { bits })
    })
}

/// Of which families the snapshot is known to hold everything, as LVS_COMPLETE_... bits. Nothing
/// may be concluded from the absence of a service or destination of another family: the kernel's
/// list changed each time it was read. 0 if `snapshot` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_snapshot_complete(snapshot: Option<&lvs_snapshot>) -> u32 {
    infallible!(0, {
        let Some(complete) = snapshot.map(|snapshot| snapshot.0.complete) else { return 0 };
        [(complete.ipv4, LVS_COMPLETE_IPV4), (complete.ipv6, LVS_COMPLETE_IPV6)]
            .iter()
            .fold(0, |bits, (whole, bit)| if *whole { bits | bit } else { bits })
    })
}

/// Sorts services and destinations by their keys. The director's own order means nothing in the
/// kernel. Nobody else may read the snapshot meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_snapshot_sort(snapshot: Option<&mut lvs_snapshot>) {
    infallible!((), {
        if let Some(snapshot) = snapshot {
            snapshot.0.sort();
        }
    });
}

/// Makes a table of the snapshot's configuration: what a rules file that restores it says.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_snapshot_to_table(
    snapshot: Option<&lvs_snapshot>,
    table: *mut *mut lvs_table,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let snapshot = required(snapshot, "snapshot")?;
        hand_over(place(table, "table")?, lvs_table(snapshot.0.try_to_table()?))
    })
}

free!(lvs_snapshot_free, snapshot: lvs_snapshot, "a snapshot");
