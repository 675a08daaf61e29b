//! Schedulers without a director.

use std::ffi::c_char;
use std::net::SocketAddr;

use lvs_core::schedulers::{
    Balancer, DestinationId, Family, NewDestination, Pool, Request, SCHEDULERS, SchedulerOptions, by_name,
};

use crate::address::{LVS_FAMILY_IPV4, LVS_FAMILY_IPV6, lvs_address};
use crate::boundary::{call, infallible};
use crate::destination::{self, lvs_destination, lvs_destination_key};
use crate::drain::LVS_NEVER;
use crate::embedded::profile;
use crate::error::{Failure, lvs_error};
use crate::exports::{free, init, len};
use crate::handle::{hand_over, place, required, text, to_field};
use crate::list::nth;
use crate::record::{self, record, zeroed};
use crate::service::LVS_PROTOCOL_TCP;
use crate::status::lvs_status;

/// What there is to know about a scheduler before using it. Initialise it with LVS_SCHEDULER_INIT.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_scheduler {
    /// The size of this record as the program was compiled.
    pub struct_size: u32,
    /// Not 0: its choices follow from the history alone (not so for twos, which draws).
    pub deterministic: u32,
    /// Its name, as in `ipvsadm -s`.
    pub name: [c_char; 16],
    /// Its name in full.
    pub title: [c_char; 64],
}

/// Settings of a balancer; each scheduler reads its own and ignores the others. Initialise it with
/// LVS_BALANCER_OPTIONS_INIT: IPv4, a current kernel of Debian's.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_balancer_options {
    /// The size of this record as the program was compiled.
    pub struct_size: u32,
    /// Which behaviour to follow: enum lvs_profile.
    pub profile: u32,
    /// The family of the destinations: LVS_FAMILY_IPV4 or LVS_FAMILY_IPV6.
    pub family: u32,
    /// LVS_SERVICE_SCHED1 and LVS_SERVICE_SCHED2, read by sh and mh.
    pub flags: u32,
    /// sh: slots of the table as a power of two, 4 to 20.
    pub sh_table_bits: u32,
    /// mh: size of the table, 8 (251 slots) to 17 (131071 slots).
    pub mh_table_index: u32,
    /// lblc: idle time after which an entry is dropped, in milliseconds.
    pub lblc_expiration: u64,
    /// lblcr: idle time after which an entry is dropped, and time after which an unchanged set
    /// shrinks, in milliseconds.
    pub lblcr_expiration: u64,
    /// twos: the seed of its draws.
    pub seed: u64,
}

/// The packet that opens a connection. Initialise it with LVS_REQUEST_INIT: TCP, at time 0.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_request {
    /// The size of this record as the program was compiled.
    pub struct_size: u32,
    /// LVS_PROTOCOL_...
    pub protocol: u32,
    /// The client's address.
    pub client: lvs_address,
    /// What the client asked for: the virtual service's address, or any if the service is a
    /// firewall mark.
    pub target: lvs_address,
    /// The client's port in host order.
    pub client_port: u16,
    /// The port that the client asked for, in host order.
    pub target_port: u16,
    /// Reserved: must be 0.
    pub reserved: u32,
    /// When, in milliseconds since any fixed moment. Only lblc and lblcr look at it.
    pub now: u64,
}

/// What happens to a connection or a persistence template of a destination.
#[repr(u32)]
pub enum lvs_balancer_event {
    /// A new connection. It begins inactive.
    ConnectionAdded = 0,
    /// A connection entered an active state.
    ConnectionActivated = 1,
    /// A connection left the active states.
    ConnectionDeactivated = 2,
    /// A connection in an active state is gone.
    ActiveRemoved = 3,
    /// A connection in no active state is gone.
    InactiveRemoved = 4,
    /// A new persistence template.
    TemplateAdded = 5,
    /// A persistence template is gone.
    TemplateRemoved = 6,
}

/// A destination of a balancer. Initialise it with LVS_BALANCER_DESTINATION_INIT.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_balancer_destination {
    /// The size of this record as the program was compiled.
    pub struct_size: u32,
    /// Its weight.
    pub weight: u32,
    /// Address and port.
    pub key: lvs_destination_key,
    /// Active connections.
    pub active: i32,
    /// Inactive connections.
    pub inactive: i32,
    /// Persistence templates.
    pub persistent: i32,
    /// Not 0: on the list; 0: removed, but not forgotten.
    pub listed: u32,
    /// Not 0: it has reached its upper threshold.
    pub overloaded: u32,
}

record! {
    lvs_scheduler: 88;
    lvs_balancer_options: 48;
    lvs_request: 64;
    lvs_balancer_destination: 52;
}

init!(lvs_scheduler_init, scheduler: lvs_scheduler, zeroed());

init!(lvs_balancer_options_init, options: lvs_balancer_options, lvs_balancer_options {
    family: LVS_FAMILY_IPV4.into(),
    sh_table_bits: 8,
    mh_table_index: 12,
    lblc_expiration: 86_400_000,
    lblcr_expiration: 86_400_000,
    ..zeroed()
});

init!(lvs_request_init, request: lvs_request, lvs_request { protocol: LVS_PROTOCOL_TCP.into(), ..zeroed() });

init!(lvs_balancer_destination_init, destination: lvs_balancer_destination, zeroed());

/// The destinations of one virtual service with the scheduler that chooses among them, just as the
/// kernel's would. It knows no connections: the caller counts them.
///
/// Made by lvs_balancer_new(), released by lvs_balancer_free(). One thread at a time.
pub struct lvs_balancer(Balancer);

impl lvs_balancer_options {
    const DEFAULT: Self = Self {
        struct_size: size_of::<Self>() as u32,
        profile: 0,
        family: LVS_FAMILY_IPV4 as u32,
        flags: 0,
        sh_table_bits: 8,
        mh_table_index: 12,
        lblc_expiration: 86_400_000,
        lblcr_expiration: 86_400_000,
        seed: 0,
    };

    fn to_pool(self) -> Result<Pool, Failure> {
        const INET: u32 = LVS_FAMILY_IPV4 as u32;
        const INET6: u32 = LVS_FAMILY_IPV6 as u32;
        let profile = profile(self.profile)?;
        match self.family {
            INET => Ok(Pool::new(profile, Family::V4)),
            INET6 => Ok(Pool::new(profile, Family::V6)),
            other => Err(Failure::invalid(format!("unknown address family {other}"))),
        }
    }

    fn to_options(self) -> Result<SchedulerOptions, Failure> {
        if !(4..=20).contains(&self.sh_table_bits) || !(8..=17).contains(&self.mh_table_index) {
            return Err(Failure::invalid("sh_table_bits is 4 to 20, mh_table_index 8 to 17"));
        }
        let mut options = SchedulerOptions::default().with_flags(self.flags).with_seed(self.seed);
        options.sh_table_bits = self.sh_table_bits;
        options.mh_table_index = self.mh_table_index;
        options.lblc_expiration = self.lblc_expiration;
        options.lblcr_expiration = self.lblcr_expiration;
        Ok(options)
    }
}

impl lvs_request {
    fn to_request(self) -> Result<Request, Failure> {
        let protocol = u8::try_from(self.protocol)
            .map_err(|_| Failure::invalid(format!("no protocol has the number {}", self.protocol)))?;
        let client = SocketAddr::new(self.client.to_addr("the client")?, self.client_port);
        let target = SocketAddr::new(self.target.to_addr("the target")?, self.target_port);
        Ok(Request::new(protocol, client, target).at(self.now))
    }
}

/// A destination's number that came from C.
fn known(balancer: &Balancer, destination: u32) -> Result<DestinationId, Failure> {
    let id = DestinationId::new(destination);
    if balancer.pool().contains(id) {
        return Ok(id);
    }
    Err(Failure::own(lvs_status::NotFound, format!("the balancer has no destination of number {destination}")))
}

fn weight(weight: u32) -> Result<i32, Failure> {
    i32::try_from(weight).map_err(|_| Failure::invalid(format!("weight {weight} is above 2147483647")))
}

/// How many schedulers there are.
#[unsafe(no_mangle)]
pub extern "C" fn lvs_schedulers_len() -> usize {
    SCHEDULERS.len()
}

/// Reads scheduler `index`, in the order of ipvsadm's manual.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_schedulers_get(
    index: usize,
    scheduler: *mut lvs_scheduler,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let info = nth(&SCHEDULERS, index)?;
        let value = lvs_scheduler {
            struct_size: size_of::<lvs_scheduler>() as u32,
            deterministic: info.deterministic.into(),
            name: to_field(info.name),
            title: to_field(info.title),
        };
        record::write(scheduler, value)
    })
}

/// Makes a balancer without destinations, with the scheduler of that name. LVS_STATUS_UNSUPPORTED
/// if there is none. `options` may be NULL.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_balancer_new(
    scheduler: *const c_char,
    options: *const lvs_balancer_options,
    balancer: *mut *mut lvs_balancer,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let out = place(balancer, "balancer")?;
        let name = text(scheduler, "scheduler")?;
        let options = record::read_optional(options)?.unwrap_or(lvs_balancer_options::DEFAULT);
        let scheduler = by_name(name, &options.to_options()?)
            .ok_or_else(|| Failure::own(lvs_status::Unsupported, format!("no scheduler {name:?}")))?;
        let made = Balancer::new(options.to_pool()?, scheduler, 0).map_err(|error| Failure::invalid(error.to_string()));
        hand_over(out, lvs_balancer(made?))
    })
}

/// Adds a destination at the head of the list and writes its number; a removed one that is still in
/// use comes back with its counters. Of `destination` address, port, weight and thresholds count.
/// LVS_STATUS_ALREADY_EXISTS if it is on the list.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_balancer_add(
    balancer: Option<&mut lvs_balancer>,
    destination: *const lvs_destination,
    number: *mut u32,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let balancer = required(balancer, "balancer")?;
        let number = place(number, "number")?;
        let given = destination::read(destination)?;
        let new = NewDestination::new(given.key.addr, given.key.port, weight(given.weight)?)
            .with_thresholds(given.upper_threshold, given.lower_threshold);
        let added = balancer.0.add(new).map_err(|error| Failure::own(lvs_status::AlreadyExists, error.to_string()))?;
        number.write(added.index());
        Ok(())
    })
}

/// Sets weight and thresholds of a destination, as an edit does in the kernel even if nothing
/// changes by it.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_balancer_edit(
    balancer: Option<&mut lvs_balancer>,
    number: u32,
    weight: u32,
    upper_threshold: u32,
    lower_threshold: u32,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let balancer = required(balancer, "balancer")?;
        let id = known(&balancer.0, number)?;
        balancer.0.edit(id, self::weight(weight)?, upper_threshold, lower_threshold);
        Ok(())
    })
}

/// Takes a destination off the list. Its number, counters and connections stay until it is
/// released.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_balancer_remove(
    balancer: Option<&mut lvs_balancer>,
    number: u32,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let balancer = required(balancer, "balancer")?;
        let id = known(&balancer.0, number)?;
        balancer.0.remove(id);
        Ok(())
    })
}

/// Forgets a removed destination, unless it is listed, the scheduler still refers to it, or it has
/// connections or templates; `released` says whether it is forgotten.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_balancer_release(
    balancer: Option<&mut lvs_balancer>,
    number: u32,
    released: *mut bool,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let balancer = required(balancer, "balancer")?;
        let released = place(released, "released")?;
        let id = known(&balancer.0, number)?;
        released.write(balancer.0.release(id));
        Ok(())
    })
}

/// Chooses the destination of a new connection and writes its number. `found` says whether one may
/// have it; it is false, and `number` left alone, if all are quiesced or overloaded. Nothing is
/// counted: see lvs_balancer_count().
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_balancer_pick(
    balancer: Option<&mut lvs_balancer>,
    request: *const lvs_request,
    number: *mut u32,
    found: *mut bool,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let balancer = required(balancer, "balancer")?;
        let (number, found) = (place(number, "number")?, place(found, "found")?);
        let request = record::read(request)?.to_request()?;
        let picked = balancer.0.pick(&request);
        if let Some(id) = picked {
            number.write(id.index());
        }
        found.write(picked.is_some());
        Ok(())
    })
}

/// Counts a connection or template of a destination; `event` is one of enum lvs_balancer_event.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_balancer_count(
    balancer: Option<&mut lvs_balancer>,
    number: u32,
    event: u32,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let balancer = &mut required(balancer, "balancer")?.0;
        let id = known(balancer, number)?;
        match event {
            0 => balancer.connection_added(id),
            1 => balancer.connection_activated(id),
            2 => balancer.connection_deactivated(id),
            3 => balancer.connection_removed(id, true),
            4 => balancer.connection_removed(id, false),
            5 => balancer.template_added(id),
            6 => balancer.template_removed(id),
            other => return Err(Failure::invalid(format!("unknown event {other} of a connection"))),
        }
        Ok(())
    })
}

len!(
    lvs_balancer_len, balancer: lvs_balancer, balancer.0.pool().len(),
    "How many destinations are on the list; 0 if `balancer` is NULL."
);

/// Reads a destination.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_balancer_get(
    balancer: Option<&lvs_balancer>,
    number: u32,
    destination: *mut lvs_balancer_destination,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let balancer = &required(balancer, "balancer")?.0;
        let id = known(balancer, number)?;
        let pool = balancer.pool();
        let value = lvs_balancer_destination {
            struct_size: size_of::<lvs_balancer_destination>() as u32,
            weight: u32::try_from(pool.weight(id)).unwrap_or(0),
            key: lvs_destination_key { addr: pool.addr(id).into(), port: pool.port(id), reserved: 0 },
            active: pool.active(id),
            inactive: pool.inactive(id),
            persistent: pool.persistent(id),
            listed: pool.available(id).into(),
            overloaded: pool.overloaded(id).into(),
        };
        record::write(destination, value)
    })
}

/// When lvs_balancer_tick() wants to be called next, in milliseconds; LVS_NEVER if never, or if
/// `balancer` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_balancer_next_tick(balancer: Option<&lvs_balancer>) -> u64 {
    infallible!(LVS_NEVER, { balancer.and_then(|balancer| balancer.0.next_tick()).unwrap_or(LVS_NEVER) })
}

/// Does what is due at `now`, in milliseconds: lblc and lblcr drop old entries once a minute.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_balancer_tick(
    balancer: Option<&mut lvs_balancer>,
    now: u64,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        required(balancer, "balancer")?.0.tick(now);
        Ok(())
    })
}

free!(lvs_balancer_free, balancer: lvs_balancer, "a balancer");
