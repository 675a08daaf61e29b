//! Health: from probe results to weights.

use std::ffi::c_char;
use std::time::Duration;

use lvs_core::health::{Change, Changes, Damping, Forced, Health, HealthPolicy, OnDown, Override, Probe, StartAs};

use crate::address::lvs_address;
use crate::boundary::{call, infallible};
use crate::destination::{self, lvs_destination, lvs_destination_key};
use crate::error::{Failure, lvs_error};
use crate::exports::{free, get, init, len, new};
use crate::handle::{self, hand_over, place, required};
use crate::list::nth;
use crate::record::{self, record, zeroed};
use crate::service::{self, lvs_service_key};
use crate::status::lvs_status;
use crate::table::lvs_table;
use crate::text::lvs_text;

/// What a probe found out.
#[repr(u32)]
pub enum lvs_probe {
    /// The server does not answer, or not as it should.
    Down = 0,
    /// The server answers.
    Up = 1,
    /// The server answers and says which weight it wants from now on; 0 asks to be quiesced.
    UpWithWeight = 2,
    /// The probe could not be run: the shortage is the program's own. Nothing changes.
    Unknown = 3,
}

/// What an operator wants of a server, whatever probes say.
#[repr(u32)]
pub enum lvs_forced {
    /// Out of use, even if its probes succeed.
    Down = 0,
    /// In use with its usual weight, even if its probes fail.
    Up = 1,
    /// This weight while its probes succeed; 0 quiesces it.
    Weight = 2,
}

/// What a report, or the time, has changed.
#[repr(u32)]
pub enum lvs_change_kind {
    /// A server is in use again.
    ServerUp = 1,
    /// A server is out of use.
    ServerDown = 2,
    /// A server has changed too often and stays down for the time that its damping says.
    ServerDamped = 3,
    /// The service has too little weight left: its sorry server serves, if it has one.
    QuorumLost = 4,
    /// The service has enough weight again.
    QuorumRegained = 5,
    /// An override has ended by itself.
    OverrideExpired = 6,
    /// A server's probes ask for more weight than it may have.
    WeightLimited = 7,
}

/// The name of a kind of change, such as "server_up". Never NULL: an unknown number gives
/// "unknown". The string is static. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn lvs_change_kind_name(kind: u32) -> *const c_char {
    let name = match kind {
        1 => c"server_up",
        2 => c"server_down",
        3 => c"server_damped",
        4 => c"quorum_lost",
        5 => c"quorum_regained",
        6 => c"override_expired",
        7 => c"weight_limited",
        _ => c"unknown",
    };
    name.as_ptr()
}

/// When servers come and go, and what a service does when too few are left. Initialise it with
/// LVS_HEALTH_POLICY_INIT: one success brings a server back, three failures in a row inhibit it;
/// quorum 1 without hysteresis.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_health_policy {
    /// The size of this record as the program was compiled.
    pub struct_size: u32,
    /// Successes in a row that bring a server back; at least 1.
    pub rise: u32,
    /// Failures in a row that take a server out; at least 1.
    pub fall: u32,
    /// Not 0: a server that is down is removed. 0: it stays with weight 0.
    pub remove: u32,
    /// Not 0: servers are out of use until a first probe succeeds.
    pub start_down: u32,
    /// The weight of the servers in use below which the service has lost its quorum.
    pub quorum: u32,
    /// By how much the weight must pass the quorum, downwards to lose it and upwards to have it
    /// back.
    pub hysteresis: u32,
    /// Damping: so many times down within `damping_window` hold a server down; 0 for no damping.
    pub damping_falls: u32,
    /// Damping: the time in which falls count, in nanoseconds.
    pub damping_window: u64,
    /// Damping: how long the server is held down, in nanoseconds.
    pub damping_hold: u64,
    /// How long a server that comes back takes to reach its weight, in nanoseconds; 0 for at once.
    pub slow_start: u64,
    /// Who serves while the quorum is lost, or NULL. Copied.
    pub sorry_server: *const lvs_destination,
    /// The largest weight that a probe gets by asking for it, unless the server was given more; 0
    /// for 256.
    pub max_asked_weight: u32,
    /// Reserved: must be 0.
    pub reserved: u32,
}

/// A change of a server or a service. Initialise it with LVS_CHANGE_INIT.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_change {
    /// The size of this record as the program was compiled.
    pub struct_size: u32,
    /// What has changed: enum lvs_change_kind; 0 for something that this release has no number for.
    pub kind: u32,
    /// The service.
    pub service: lvs_service_key,
    /// The server; without a family if it is about the service.
    pub destination: lvs_destination_key,
    /// LVS_CHANGE_KIND_WEIGHT_LIMITED: the weight asked for.
    pub asked: u32,
}

record! {
    lvs_health_policy: 64;
    lvs_change: 64;
}

init!(
    lvs_health_policy_init, policy: lvs_health_policy,
    lvs_health_policy { rise: 1, fall: 3, quorum: 1, ..zeroed() }
);

init!(lvs_change_init, change: lvs_change, zeroed());

/// The health of services and their servers: a state machine without probes, clock or director.
///
/// Made by lvs_health_new(), released by lvs_health_free(). One thread at a time.
#[derive(Default)]
pub struct lvs_health {
    health: Health,
    changes: Changes,
}

impl lvs_health_policy {
    unsafe fn to_policy(self) -> Result<HealthPolicy, Failure> {
        let mut policy =
            HealthPolicy::default().with_rise(self.rise).with_fall(self.fall).with_quorum(self.quorum, self.hysteresis);
        policy.on_down = if self.remove == 0 { OnDown::Inhibit } else { OnDown::Remove };
        policy.start_as = if self.start_down == 0 { StartAs::Up } else { StartAs::Down };
        policy.slow_start = (self.slow_start != 0).then_some(Duration::from_nanos(self.slow_start));
        policy.damping = (self.damping_falls != 0).then_some(Damping {
            falls: self.damping_falls,
            window: Duration::from_nanos(self.damping_window),
            hold: Duration::from_nanos(self.damping_hold),
        });
        record::zero("lvs_health_policy.reserved", self.reserved)?;
        if self.max_asked_weight != 0 {
            policy.max_asked_weight = self.max_asked_weight;
        }
        if !self.sorry_server.is_null() {
            // SAFETY: not NULL, and as large as it says, by the promise of the caller.
            policy.sorry_server = Some(unsafe { destination::read(self.sorry_server)? });
        }
        Ok(policy)
    }
}

fn probe(number: u32, weight: u32) -> Result<Probe, Failure> {
    match number {
        0 => Ok(Probe::Down),
        1 => Ok(Probe::Up),
        2 => Ok(Probe::UpWithWeight(weight)),
        3 => Ok(Probe::Unknown),
        _ => Err(Failure::invalid(format!("unknown result {number} of a probe"))),
    }
}

impl From<&Change> for lvs_change {
    fn from(change: &Change) -> Self {
        use lvs_change_kind as Kind;
        let nowhere = lvs_destination_key { addr: lvs_address::NONE, port: 0, reserved: 0 };
        let nothing = lvs_service_key { addr: lvs_address::NONE, port: 0, protocol: 0, fwmark: 0, reserved: 0 };
        let (kind, service, destination) = match *change {
            Change::ServerUp(service, server) => (Kind::ServerUp as u32, service.into(), server.into()),
            Change::ServerDown(service, server) => (Kind::ServerDown as u32, service.into(), server.into()),
            Change::ServerDamped(service, server) => (Kind::ServerDamped as u32, service.into(), server.into()),
            Change::QuorumLost(service) => (Kind::QuorumLost as u32, service.into(), nowhere),
            Change::QuorumRegained(service) => (Kind::QuorumRegained as u32, service.into(), nowhere),
            Change::OverrideExpired(service, server) => (Kind::OverrideExpired as u32, service.into(), server.into()),
            Change::WeightLimited { service, server, .. } => {
                (Kind::WeightLimited as u32, service.into(), server.into())
            }
            _ => (0, nothing, nowhere),
        };
        let asked = match *change {
            Change::WeightLimited { asked, .. } => asked,
            _ => 0,
        };
        Self { struct_size: size_of::<Self>() as u32, kind, service, destination, asked }
    }
}

new!(lvs_health_new, health: lvs_health, lvs_health::default(), "Makes a health that watches nothing yet.");

/// Watches service `index` of a table with its destinations, whose weights are those for when they
/// are well. `policy` may be NULL. A service that is watched already gets this configuration
/// instead of the one it had: servers that stay keep their states and overrides, others are
/// forgotten. What that changes can be read with lvs_health_change_get(). Ends the process if there
/// is no memory for it.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_health_watch(
    health: Option<&mut lvs_health>,
    table: Option<&lvs_table>,
    index: usize,
    policy: *const lvs_health_policy,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let health = required(health, "health")?;
        let entry = nth(&required(table, "table")?.0.services, index)?;
        let policy = match record::read_optional(policy)? {
            Some(policy) => policy.to_policy()?,
            None => HealthPolicy::default(),
        };
        health.changes = health.health.watch(entry.service, entry.destinations.iter().copied(), policy)?;
        Ok(())
    })
}

/// Forgets a service. LVS_STATUS_NOT_FOUND if it is not watched.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_health_unwatch(
    health: Option<&mut lvs_health>,
    service: *const lvs_service_key,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let service = service::key(service)?;
        match required(health, "health")?.health.unwatch(&service) {
            true => Ok(()),
            false => Err(not_watched(format!("service {service}"))),
        }
    })
}

/// Sets the weight of a server for when it is well. What that changes can be read with
/// lvs_health_change_get().
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_health_set_weight(
    health: Option<&mut lvs_health>,
    service: *const lvs_service_key,
    server: *const lvs_destination_key,
    weight: u32,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let health = required(health, "health")?;
        let (service, server) = (service::key(service)?, destination::key(server)?);
        health.changes = health.health.set_weight(&service, &server, weight)?;
        Ok(())
    })
}

/// Learns from what a director holds which servers were out of use, for a start without a saved
/// state: those with weight 0, and if `absent_down` those that are missing from a service that is
/// there.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_health_start_from(
    health: Option<&mut lvs_health>,
    held: Option<&lvs_table>,
    absent_down: bool,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let absent = if absent_down { StartAs::Down } else { StartAs::Up };
        required(health, "health")?.health.start_from(&required(held, "held")?.0, absent);
        Ok(())
    })
}

/// Writes what is known of all servers as JSON, to be kept over a restart.
/// Ends the process if there is no memory for it.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_health_save(
    health: Option<&lvs_health>,
    now: u64,
    text: Option<&mut lvs_text>,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let state = required(health, "health")?.health.save(Duration::from_nanos(now));
        let json = serde_json::to_string(&state).map_err(|error| Failure::invalid(error.to_string()))?;
        required(text, "text")?.set(json);
        Ok(())
    })
}

/// Goes on from what lvs_health_save() wrote: servers that are watched and were saved are as they
/// were. `away` is the time in nanoseconds that has passed since, as far as it is known. Call
/// lvs_health_tick() afterwards. LVS_STATUS_DECODE for text that is no such state.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_health_restore(
    health: Option<&mut lvs_health>,
    json: *const c_char,
    now: u64,
    away: u64,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let health = required(health, "health")?;
        let state = serde_json::from_str(handle::text(json, "json")?)
            .map_err(|error| Failure::own(lvs_status::Decode, format!("malformed health state: {error}")))?;
        Ok(health.health.restore(&state, Duration::from_nanos(now), Duration::from_nanos(away))?)
    })
}

/// Holds a server to what an operator has decided, whatever its probes say, until a time
/// (LVS_NEVER: until it is cleared). `forced` is one of enum lvs_forced, `weight` counts with
/// LVS_FORCED_WEIGHT. What that changes can be read with lvs_health_change_get().
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_health_set_override(
    health: Option<&mut lvs_health>,
    service: *const lvs_service_key,
    server: *const lvs_destination_key,
    forced: u32,
    weight: u32,
    reason: *const c_char,
    until: u64,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let health = required(health, "health")?;
        let (service, server) = (service::key(service)?, destination::key(server)?);
        let forced = match forced {
            0 => Forced::Down,
            1 => Forced::Up,
            2 => Forced::Weight(weight),
            _ => return Err(Failure::invalid(format!("unknown number {forced} of an override"))),
        };
        let mut decision = Override::new(forced, handle::text(reason, "reason")?);
        decision.until = (until != crate::drain::LVS_NEVER).then_some(Duration::from_nanos(until));
        health.changes = health.health.set_override(&service, &server, decision)?;
        Ok(())
    })
}

/// Ends an override; without one nothing changes. What that changes can be read with
/// lvs_health_change_get().
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_health_clear_override(
    health: Option<&mut lvs_health>,
    service: *const lvs_service_key,
    server: *const lvs_destination_key,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let health = required(health, "health")?;
        let (service, server) = (service::key(service)?, destination::key(server)?);
        health.changes = health.health.clear_override(&service, &server)?;
        Ok(())
    })
}

/// Writes what is odd about the policies, such as a quorum that all servers together do not reach:
/// a line each, nothing if all is well. Ends the process if there is no memory for it.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_health_warnings(
    health: Option<&lvs_health>,
    text: Option<&mut lvs_text>,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let warnings = required(health, "health")?.health.warnings();
        required(text, "text")?.set(warnings.map(|(key, warning)| format!("service {key}: {warning}\n")).collect());
        Ok(())
    })
}

/// Takes in what a probe of one server of one service says, at a time in nanoseconds of any clock
/// that does not run backwards. `probe` is one of enum lvs_probe, `weight` counts with
/// LVS_PROBE_UP_WITH_WEIGHT. LVS_STATUS_NOT_FOUND if the server is not watched (any more). What has
/// changed by it can be read with lvs_health_change_get().
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_health_report(
    health: Option<&mut lvs_health>,
    service: *const lvs_service_key,
    server: *const lvs_destination_key,
    probe: u32,
    weight: u32,
    now: u64,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let health = required(health, "health")?;
        let (service, server) = (service::key(service)?, destination::key(server)?);
        let probe = self::probe(probe, weight)?;
        health.changes = health.health.report(&service, &server, probe, Duration::from_nanos(now))?;
        Ok(())
    })
}

/// Takes in what a probe of a whole host says: of all its servers in all services. Otherwise as
/// lvs_health_report().
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_health_report_host(
    health: Option<&mut lvs_health>,
    host: *const lvs_address,
    probe: u32,
    weight: u32,
    now: u64,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let health = required(health, "health")?;
        let host = place(host.cast_mut(), "host")?.read().to_addr("the host")?;
        let probe = self::probe(probe, weight)?;
        health.changes = health.health.report_host(host, probe, Duration::from_nanos(now));
        Ok(())
    })
}

/// Takes in that time has passed: a hold may be over. Call it when lvs_health_next_change() says
/// so. Otherwise as lvs_health_report().
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_health_tick(
    health: Option<&mut lvs_health>,
    now: u64,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let health = required(health, "health")?;
        health.changes = health.health.tick(Duration::from_nanos(now));
        Ok(())
    })
}

len!(
    lvs_health_changes_len, health: lvs_health, health.changes.len(),
    "How many changes the last report or tick has brought; 0 if `health` is NULL."
);

get!(
    lvs_health_change_get, health: lvs_health, change: lvs_change, health.changes,
    "Reads a change of the last report or tick."
);

/// Makes the table that is wanted at a time; put it in force with lvs_director_reconcile().
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_health_wanted(
    health: Option<&lvs_health>,
    now: u64,
    table: *mut *mut lvs_table,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let table = place(table, "table")?;
        hand_over(table, lvs_table(required(health, "health")?.health.wanted(Duration::from_nanos(now))))
    })
}

/// When the wanted table changes next without any report, in nanoseconds of the same clock;
/// LVS_NEVER if it does not, or if `health` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_health_next_change(health: Option<&lvs_health>, now: u64) -> u64 {
    infallible!(crate::drain::LVS_NEVER, {
        let next = health.and_then(|health| health.health.next_change(Duration::from_nanos(now)));
        next.and_then(|next| u64::try_from(next.as_nanos()).ok()).unwrap_or(crate::drain::LVS_NEVER)
    })
}

/// Reads whether a server is in use. LVS_STATUS_NOT_FOUND if it is not watched.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_health_is_up(
    health: Option<&lvs_health>,
    service: *const lvs_service_key,
    server: *const lvs_destination_key,
    up: *mut bool,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let up = place(up, "up")?;
        let (service, server) = (service::key(service)?, destination::key(server)?);
        let known = required(health, "health")?.health.is_up(&service, &server);
        up.write(known.ok_or_else(|| not_watched(format!("destination {server} of {service}")))?);
        Ok(())
    })
}

/// Reads whether a service has its quorum. LVS_STATUS_NOT_FOUND if it is not watched.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_health_has_quorum(
    health: Option<&lvs_health>,
    service: *const lvs_service_key,
    quorum: *mut bool,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let quorum = place(quorum, "quorum")?;
        let service = service::key(service)?;
        let known = required(health, "health")?.health.has_quorum(&service);
        quorum.write(known.ok_or_else(|| not_watched(format!("service {service}")))?);
        Ok(())
    })
}

fn not_watched(what: String) -> Failure {
    Failure::own(lvs_status::NotFound, format!("{what} is not watched"))
}

free!(lvs_health_free, health: lvs_health, "a health");
