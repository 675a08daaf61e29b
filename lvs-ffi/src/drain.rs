//! Draining servers without cutting a connection.

use std::time::Duration;

use lvs_core::drain::{Drain, DrainPolicy, DrainProgress, DrainTarget, Remaining, WaitFor};

use crate::batch::lvs_batch;
use crate::boundary::call;
use crate::destination::lvs_destination_key;
use crate::error::{Failure, lvs_error};
use crate::exports::{free, get, init, len};
use crate::handle::{choice, hand_over, place, required};
use crate::record::{self, record, zeroed};
use crate::service::lvs_service_key;
use crate::snapshot::lvs_snapshot;
use crate::status::lvs_status;
use crate::table::lvs_table;

/// What is taken out.
#[repr(u32)]
pub enum lvs_drain_target {
    /// One destination of one service.
    Destination = 0,
    /// Every destination with this address, whatever its port, in every service.
    RealServer = 1,
    /// A service with all its destinations, and then the service itself.
    Service = 2,
}

/// Which connections of a quiesced destination are waited for. Each includes the one before.
#[repr(u32)]
pub enum lvs_wait_for {
    /// None: it goes at once.
    Nothing = 0,
    /// Active ones: established or on the way there.
    Active = 1,
    /// Inactive ones as well: closing ones, and everything of UDP.
    Inactive = 2,
    /// Persistence templates as well.
    Persistent = 3,
}

/// What to drain, and how. Initialise it with LVS_DRAIN_OPTIONS_INIT: one destination; waits for
/// active connections of TCP and SCTP without a deadline, not for UDP, then removes.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_drain_options {
    /// The size of this record as the program was compiled.
    pub struct_size: u32,
    /// What is taken out: enum lvs_drain_target.
    pub target: u32,
    /// The service, unless the target is a real server.
    pub service: lvs_service_key,
    /// The destination. Of a real server only the address counts, of a service nothing.
    pub destination: lvs_destination_key,
    /// What to wait for with TCP and firewall marks: enum lvs_wait_for.
    pub tcp: u32,
    /// What to wait for with UDP: enum lvs_wait_for.
    pub udp: u32,
    /// What to wait for with SCTP: enum lvs_wait_for.
    pub sctp: u32,
    /// Not 0: what is drained stays in the table, quiesced.
    pub keep: u32,
    /// When the waiting ends and what is left is cut, in nanoseconds from the first step; LVS_NEVER
    /// waits for ever.
    pub deadline: u64,
}

/// No time at all: nothing is waited for until then, nothing changes then.
pub const LVS_NEVER: u64 = u64::MAX;

/// What a destination still holds. Initialise it with LVS_REMAINING_INIT.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_remaining {
    /// The size of this record as the program was compiled.
    pub struct_size: u32,
    /// Active connections.
    pub active: u32,
    /// Inactive connections.
    pub inactive: u32,
    /// Persistence templates.
    pub persistent: u32,
    /// The service.
    pub service: lvs_service_key,
    /// The destination.
    pub destination: lvs_destination_key,
}

record! {
    lvs_drain_options: 88;
    lvs_remaining: 72;
}

init!(lvs_drain_options_init, options: lvs_drain_options, lvs_drain_options {
    tcp: lvs_wait_for::Active as u32,
    sctp: lvs_wait_for::Active as u32,
    deadline: LVS_NEVER,
    ..zeroed()
});

init!(lvs_remaining_init, remaining: lvs_remaining, zeroed());

/// A drain under way: a state machine without a clock. Show it a snapshot and the time, and it says
/// which operations are due.
///
/// Made by lvs_drain_new(), released by lvs_drain_free(). One thread at a time.
pub struct lvs_drain {
    drain: Drain,
    progress: DrainProgress,
}

fn wait_for(number: u32) -> Result<WaitFor, Failure> {
    let choices = [WaitFor::Nothing, WaitFor::Active, WaitFor::Inactive, WaitFor::Persistent];
    choice(number, "number of what to wait for", &choices)
}

impl lvs_drain_options {
    fn to_drain(self) -> Result<Drain, Failure> {
        let target = match self.target {
            0 => DrainTarget::Destination(self.service.to_key()?, self.destination.to_key()?),
            1 => DrainTarget::RealServer(self.destination.to_key()?.addr),
            2 => DrainTarget::Service(self.service.to_key()?),
            other => return Err(Failure::invalid(format!("unknown target {other} of a drain"))),
        };
        let mut policy = DrainPolicy::default();
        policy.tcp = wait_for(self.tcp)?;
        policy.udp = wait_for(self.udp)?;
        policy.sctp = wait_for(self.sctp)?;
        policy.remove = self.keep == 0;
        policy.deadline = (self.deadline != LVS_NEVER).then_some(Duration::from_nanos(self.deadline));
        Ok(Drain::new(target, policy))
    }
}

impl From<&Remaining> for lvs_remaining {
    fn from(remaining: &Remaining) -> Self {
        Self {
            struct_size: size_of::<Self>() as u32,
            active: remaining.active,
            inactive: remaining.inactive,
            persistent: remaining.persistent,
            service: remaining.service.into(),
            destination: remaining.destination.into(),
        }
    }
}

/// Makes a drain that has not begun.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_drain_new(
    options: *const lvs_drain_options,
    drain: *mut *mut lvs_drain,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let out = place(drain, "drain")?;
        let drain = record::read(options)?.to_drain()?;
        hand_over(out, lvs_drain { drain, progress: DrainProgress::default() })
    })
}

/// Tells a drain that it goes on after a restart: the weights that lvs_drain_cancel() goes back to
/// are those of this table, where the director holds 0.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_drain_resume(
    drain: Option<&mut lvs_drain>,
    table: Option<&lvs_table>,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let (drain, table) = (required(drain, "drain")?, required(table, "table")?);
        drain.drain = drain.drain.clone().resuming(&table.0);
        Ok(())
    })
}

/// Looks at a snapshot at a time, in nanoseconds of any clock that does not run backwards.
/// `operations` gets what is due now in place of what it held: apply it, in whatever rhythm; what
/// was refused or lost comes again. `done` says whether the drain is over.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_drain_step(
    drain: Option<&mut lvs_drain>,
    snapshot: Option<&lvs_snapshot>,
    now: u64,
    operations: Option<&mut lvs_batch>,
    done: *mut bool,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let (drain, snapshot) = (required(drain, "drain")?, required(snapshot, "snapshot")?);
        let (operations, done) = (required(operations, "operations")?, place(done, "done")?);
        drain.progress = drain.drain.step(&snapshot.0, Duration::from_nanos(now));
        operations.0.clone_from(&drain.progress.operations);
        done.write(drain.progress.done);
        Ok(())
    })
}

len!(
    lvs_drain_waiting_len, drain: lvs_drain, drain.progress.waiting.len(),
    "How many destinations the last step waits for; 0 if `drain` is NULL."
);

get!(
    lvs_drain_waiting_get, drain: lvs_drain, remaining: lvs_remaining, drain.progress.waiting,
    "Reads what the last step waits for."
);

len!(
    lvs_drain_cut_len, drain: lvs_drain, drain.progress.cut.len(),
    "How many destinations the last step cut because the deadline passed; 0 if `drain` is NULL."
);

get!(
    lvs_drain_cut_get, drain: lvs_drain, remaining: lvs_remaining, drain.progress.cut,
    "Reads what the last step cut, with what it still held."
);

/// Gives up: `operations` gets what puts the weights back, as far as it is still there, in place of
/// what it held.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_drain_cancel(
    drain: Option<&mut lvs_drain>,
    snapshot: Option<&lvs_snapshot>,
    operations: Option<&mut lvs_batch>,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let (drain, snapshot) = (required(drain, "drain")?, required(snapshot, "snapshot")?);
        required(operations, "operations")?.0 = drain.drain.cancel(&snapshot.0);
        Ok(())
    })
}

free!(lvs_drain_free, drain: lvs_drain, "a drain");
