//! Watching: what changed since the previous snapshot.

use std::ffi::c_char;
use std::time::Duration;

use lvs_core::model::{Counters, DestinationKey, ServiceKey};
use lvs_core::watch::{Event, Watcher, Window};

use crate::address::lvs_address;
use crate::boundary::call;
use crate::daemon::lvs_daemon;
use crate::destination::{lvs_destination, lvs_destination_key};
use crate::director::{locked, lvs_director};
use crate::error::{Failure, lvs_error};
use crate::exports::{free, get, init, len, new};
use crate::handle::required;
use crate::list::nth;
use crate::record::{self, record, zeroed};
use crate::service::{lvs_service, lvs_service_key};
use crate::snapshot::lvs_snapshot;
use crate::stats::lvs_counters;
use crate::status::lvs_status;

/// A difference between two looks at a director. A later release may add some.
#[repr(u32)]
pub enum lvs_event_kind {
    /// A service is new. At the first look all are.
    ServiceAppeared = 1,
    /// The configuration of a service is another.
    ServiceChanged = 2,
    /// A service is gone, and its destinations with it.
    ServiceVanished = 3,
    /// A destination is new.
    DestinationAppeared = 4,
    /// The configuration of a destination is another: its weight, for instance.
    DestinationChanged = 5,
    /// A destination is gone from a service that is still there.
    DestinationVanished = 6,
    /// Something was counted since the last look.
    Counted = 7,
    /// Counters are lower than at the last look: zeroed, or what they belong to was removed and
    /// added again.
    CountersReset = 8,
    /// The timeouts are others.
    TimeoutsChanged = 9,
    /// A sync daemon runs that did not, or not so.
    DaemonStarted = 10,
    /// A sync daemon does not run any more, or not so.
    DaemonStopped = 11,
}

/// The name of a kind of event as JSON has it, such as "service_appeared". Never NULL: an unknown
/// number gives "unknown". The string is static. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn lvs_event_kind_name(kind: u32) -> *const c_char {
    let name = match kind {
        1 => c"service_appeared",
        2 => c"service_changed",
        3 => c"service_vanished",
        4 => c"destination_appeared",
        5 => c"destination_changed",
        6 => c"destination_vanished",
        7 => c"counted",
        8 => c"counters_reset",
        9 => c"timeouts_changed",
        10 => c"daemon_started",
        11 => c"daemon_stopped",
        _ => c"unknown",
    };
    name.as_ptr()
}

/// What is different, and about what. Initialise it with LVS_EVENT_INIT.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_event {
    /// The size of this record as the program was compiled.
    pub struct_size: u32,
    /// What is different: enum lvs_event_kind; 0 for something that this release has no number for.
    pub kind: u32,
    /// The service that it is about; without a family if it is about none.
    pub service: lvs_service_key,
    /// The destination that it is about; without a family if it is about none.
    pub destination: lvs_destination_key,
    /// Counted: how much.
    pub delta: lvs_counters,
    /// Counted: the time between the looks, in nanoseconds. Counters move every two seconds, so
    /// `delta` a second is not `delta / elapsed`.
    pub elapsed: u64,
    /// Counted: what rates are to be taken from: this much ...
    pub window_delta: lvs_counters,
    /// ... in this time, in nanoseconds: whole ticks of the kernel's estimator. 0 as long as there
    /// is no such time.
    pub window: u64,
}

record! { lvs_event: 112; }

init!(lvs_event_init, event: lvs_event, zeroed());

/// Compares each look at a director with the one before. It has no clock: snapshots are given to
/// lvs_watcher_observe(), or read by lvs_watcher_look().
///
/// Made by lvs_watcher_new(), released by lvs_watcher_free(). One thread at a time.
#[derive(Default)]
pub struct lvs_watcher {
    watcher: Watcher,
    pub(crate) events: Vec<Event>,
}

impl lvs_event {
    fn new(kind: lvs_event_kind, service: Option<ServiceKey>, destination: Option<DestinationKey>) -> Self {
        let nothing = lvs_service_key { addr: lvs_address::NONE, port: 0, protocol: 0, fwmark: 0, reserved: 0 };
        let nowhere = lvs_destination_key { addr: lvs_address::NONE, port: 0, reserved: 0 };
        Self {
            struct_size: size_of::<Self>() as u32,
            kind: kind as u32,
            service: service.map_or(nothing, Into::into),
            destination: destination.map_or(nowhere, Into::into),
            delta: lvs_counters::default(),
            elapsed: 0,
            window_delta: lvs_counters::default(),
            window: 0,
        }
    }
}

const fn counters(counters: Counters) -> lvs_counters {
    let Counters { connections, packets_in, packets_out, bytes_in, bytes_out } = counters;
    lvs_counters { connections, packets_in, packets_out, bytes_in, bytes_out }
}

impl From<&Event> for lvs_event {
    fn from(event: &Event) -> Self {
        use lvs_event_kind as Kind;
        match event {
            Event::ServiceAppeared(entry) => Self::new(Kind::ServiceAppeared, Some(entry.service.key()), None),
            Event::ServiceChanged { after, .. } => Self::new(Kind::ServiceChanged, Some(after.key()), None),
            Event::ServiceVanished(service) => Self::new(Kind::ServiceVanished, Some(service.key()), None),
            Event::DestinationAppeared(key, entry) => {
                Self::new(Kind::DestinationAppeared, Some(*key), Some(entry.destination.key))
            }
            Event::DestinationChanged { service, after, .. } => {
                Self::new(Kind::DestinationChanged, Some(*service), Some(after.key))
            }
            Event::DestinationVanished(key, destination) => {
                Self::new(Kind::DestinationVanished, Some(*key), Some(destination.key))
            }
            Event::Counted(count) => {
                let window = count.window.unwrap_or(Window { counters: Counters::default(), elapsed: Duration::ZERO });
                Self {
                    delta: counters(count.delta),
                    window_delta: counters(window.counters),
                    window: u64::try_from(window.elapsed.as_nanos()).unwrap_or(u64::MAX),
                    elapsed: u64::try_from(count.elapsed.as_nanos()).unwrap_or(u64::MAX),
                    ..Self::new(Kind::Counted, Some(count.service), count.destination)
                }
            }
            Event::CountersReset(service, destination) => Self::new(Kind::CountersReset, Some(*service), *destination),
            Event::TimeoutsChanged { .. } => Self::new(Kind::TimeoutsChanged, None, None),
            Event::DaemonStarted(_) => Self::new(Kind::DaemonStarted, None, None),
            Event::DaemonStopped(_) => Self::new(Kind::DaemonStopped, None, None),
            _ => Self { kind: 0, ..Self::new(Kind::Counted, None, None) },
        }
    }
}

new!(
    lvs_watcher_new, watcher: lvs_watcher, lvs_watcher::default(),
    "Makes a watcher that has seen nothing yet."
);

/// Takes in a look at a time, in nanoseconds of any clock that does not run backwards. What is
/// different since the one before can be read with lvs_watcher_event_get(). The snapshot is copied:
/// it stays the caller's. Ends the process if there is no memory for it.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_watcher_observe(
    watcher: Option<&mut lvs_watcher>,
    snapshot: Option<&lvs_snapshot>,
    now: u64,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let (watcher, snapshot) = (required(watcher, "watcher")?, required(snapshot, "snapshot")?);
        watcher.events = watcher.watcher.observe(snapshot.0.clone(), Duration::from_nanos(now));
        Ok(())
    })
}

/// Reads a director and takes in what it shows, as lvs_watcher_observe() does of a snapshot, at the
/// least cost that the director offers: of a kernel over netlink, IPv4 services by the old socket
/// options, and over netlink what these do not show and may have changed. Such a look misses a
/// change of nothing but a service's persistence engine, one of nothing but a tunnel's parameters,
/// and, where there was no IPv6 service before, IPv6 services. They are seen at the next whole
/// look: the first, each after a failure, and every tenth.
///
/// If it fails, what was seen before is kept, and the differences of the look before with it.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_watcher_look(
    watcher: Option<&mut lvs_watcher>,
    director: Option<&lvs_director>,
    now: u64,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let watcher = required(watcher, "watcher")?;
        watcher.events = watcher.watcher.look(&mut *locked(director)?, Duration::from_nanos(now))?;
        Ok(())
    })
}

len!(
    lvs_watcher_events_len, watcher: lvs_watcher, watcher.events.len(),
    "How many differences the last look has brought; 0 if `watcher` is NULL."
);

get!(lvs_watcher_event_get, watcher: lvs_watcher, event: lvs_event, watcher.events, "Reads a difference.");

/// Reads what a service was and is. `before` is left alone if it is new, `after` if it is gone;
/// each may be NULL. LVS_STATUS_NOT_FOUND if the difference is not about the configuration of a
/// service.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_watcher_event_service(
    watcher: Option<&lvs_watcher>,
    index: usize,
    before: *mut lvs_service,
    after: *mut lvs_service,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let (old, new) = match nth(&required(watcher, "watcher")?.events, index)? {
            Event::ServiceAppeared(entry) => (None, Some(&entry.service)),
            Event::ServiceChanged { before, after } => (Some(before), Some(after)),
            Event::ServiceVanished(service) => (Some(service), None),
            _ => return Err(not_about("a service")),
        };
        if let Some(old) = old {
            record::write_optional(before, || old.into())?;
        }
        if let Some(new) = new {
            record::write_optional(after, || new.into())?;
        }
        Ok(())
    })
}

/// Reads what a destination was and is. `before` is left alone if it is new, `after` if it is gone;
/// each may be NULL. LVS_STATUS_NOT_FOUND if the difference is not about the configuration of a
/// destination.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_watcher_event_destination(
    watcher: Option<&lvs_watcher>,
    index: usize,
    before: *mut lvs_destination,
    after: *mut lvs_destination,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let (old, new) = match nth(&required(watcher, "watcher")?.events, index)? {
            Event::DestinationAppeared(_, entry) => (None, Some(&entry.destination)),
            Event::DestinationChanged { before, after, .. } => (Some(before), Some(after)),
            Event::DestinationVanished(_, destination) => (Some(destination), None),
            _ => return Err(not_about("a destination")),
        };
        if let Some(old) = old {
            record::write_optional(before, || old.into())?;
        }
        if let Some(new) = new {
            record::write_optional(after, || new.into())?;
        }
        Ok(())
    })
}

/// Reads the sync daemon that started or stopped. LVS_STATUS_NOT_FOUND if the difference is not
/// about one.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_watcher_event_daemon(
    watcher: Option<&lvs_watcher>,
    index: usize,
    daemon: *mut lvs_daemon,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        match nth(&required(watcher, "watcher")?.events, index)? {
            Event::DaemonStarted(value) | Event::DaemonStopped(value) => record::write(daemon, value.into()),
            _ => Err(not_about("a sync daemon")),
        }
    })
}

fn not_about(what: &str) -> Failure {
    Failure::own(lvs_status::NotFound, format!("the difference is not about the configuration of {what}"))
}

free!(lvs_watcher_free, watcher: lvs_watcher, "a watcher");
