//! Plans: from what a director holds to what it should hold.

use lvs_core::Error;
use lvs_core::model::OperationKind;
use lvs_core::plan::{Applied, Incomplete, OnFailure, Outcome, Phase, Plan, PlanError, Planner};

use crate::batch;
use crate::boundary::{call, infallible};
use crate::destination::lvs_destination;
use crate::director::{locked, lvs_director};
use crate::error::{Failure, lvs_error};
use crate::exports::{free, len};
use crate::handle::{choice, hand_over, place, required};
use crate::list::nth;
use crate::operation::{self, Values, lvs_operation};
use crate::scope::{self, lvs_scope};
use crate::service::lvs_service;
use crate::status::lvs_status;
use crate::table::lvs_table;
use crate::text::lvs_text;

/// The order of things in a plan, inside a service and in the whole.
#[repr(u32)]
pub enum lvs_phase {
    /// Daemons that are not wanted, or not so, stop.
    StopDaemons = 0,
    /// Services and destinations appear, weights rise from 0.
    Add = 1,
    /// Everything else of services and destinations changes.
    Change = 2,
    /// Other destinations are quiesced, destinations and services disappear.
    Remove = 3,
    /// Timeouts are set and daemons start.
    Settle = 4,
    /// After LVS_PHASE_CHANGE: destinations are quiesced where others go on serving.
    Quiesce = 5,
}

/// What happens to the steps already done when a director refuses one.
#[repr(u32)]
pub enum lvs_on_failure {
    /// They stay, and everything that does not depend on the refused step is still done.
    Keep = 0,
    /// All are undone, last first, and nothing further is begun.
    Undo = 1,
    /// Those of the same service are undone, last first; other services are brought to what is
    /// wanted.
    UndoService = 2,
}

/// For lvs_plan_between() and those below: a wanted table without services may remove
/// all that is in the scope.
pub const LVS_PLAN_REMOVE_ALL: u32 = 1;
/// For lvs_plan_between() and those below: what cannot work is not looked for, see
/// lvs_table_lint().
pub const LVS_PLAN_UNCHECKED: u32 = 2;
/// For lvs_plan_between() and those below: the plan may add services. Once one LVS_PLAN_ALLOW_...
/// is given, a plan holds nothing but what is allowed; the rest is withheld, see
/// lvs_plan_withheld_get(). Servers of a service that may not be added are withheld with it.
pub const LVS_PLAN_ALLOW_ADD_SERVICE: u32 = 0x100;
/// The plan may change services.
pub const LVS_PLAN_ALLOW_UPDATE_SERVICE: u32 = 0x200;
/// The plan may remove services.
pub const LVS_PLAN_ALLOW_REMOVE_SERVICE: u32 = 0x400;
/// The plan may add destinations.
pub const LVS_PLAN_ALLOW_ADD_DESTINATION: u32 = 0x800;
/// The plan may change destinations.
pub const LVS_PLAN_ALLOW_UPDATE_DESTINATION: u32 = 0x1000;
/// The plan may remove destinations.
pub const LVS_PLAN_ALLOW_REMOVE_DESTINATION: u32 = 0x2000;
/// The plan may set timeouts.
pub const LVS_PLAN_ALLOW_SET_TIMEOUTS: u32 = 0x4000;
/// The plan may start sync daemons.
pub const LVS_PLAN_ALLOW_START_DAEMON: u32 = 0x8000;
/// The plan may stop sync daemons.
pub const LVS_PLAN_ALLOW_STOP_DAEMON: u32 = 0x10000;

/// The kinds of operations that flags allow.
const ALLOWED: [(u32, OperationKind); 9] = [
    (LVS_PLAN_ALLOW_ADD_SERVICE, OperationKind::AddService),
    (LVS_PLAN_ALLOW_UPDATE_SERVICE, OperationKind::UpdateService),
    (LVS_PLAN_ALLOW_REMOVE_SERVICE, OperationKind::RemoveService),
    (LVS_PLAN_ALLOW_ADD_DESTINATION, OperationKind::AddDestination),
    (LVS_PLAN_ALLOW_UPDATE_DESTINATION, OperationKind::UpdateDestination),
    (LVS_PLAN_ALLOW_REMOVE_DESTINATION, OperationKind::RemoveDestination),
    (LVS_PLAN_ALLOW_SET_TIMEOUTS, OperationKind::SetTimeouts),
    (LVS_PLAN_ALLOW_START_DAEMON, OperationKind::StartDaemon),
    (LVS_PLAN_ALLOW_STOP_DAEMON, OperationKind::StopDaemon),
];

/// The ordered operations that turn one table into another.
///
/// Made by lvs_plan_between(), lvs_director_plan() or lvs_director_reconcile(), released by
/// lvs_plan_free(). It never changes: any number of threads may use it.
pub struct lvs_plan(pub(crate) Plan);

/// What came of a plan.
///
/// Made by lvs_director_apply_plan() or lvs_director_reconcile(), released by lvs_outcome_free().
/// It never changes: any number of threads may read it.
pub struct lvs_outcome {
    pub(crate) outcome: Outcome,
    refused: Vec<(usize, lvs_error)>,
    interrupted: Option<lvs_error>,
    undo_refused: Vec<lvs_error>,
}

impl lvs_outcome {
    fn new(outcome: Outcome) -> Self {
        Self {
            refused: batch::refusals(&outcome.refused),
            interrupted: outcome.interrupted.as_ref().map(lvs_error::copy_of),
            undo_refused: outcome.undo_refused.iter().map(lvs_error::refused).collect(),
            outcome,
        }
    }
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        Error::from(error).into()
    }
}

/// Hands out the outcome, if it is wanted, and the first thing that went wrong.
unsafe fn conclude(outcome: Outcome, out: *mut *mut lvs_outcome) -> Result<(), Failure> {
    let first = batch::first_failure(&outcome.refused, outcome.interrupted.as_ref());
    if !out.is_null() {
        // SAFETY: not NULL, and valid by the promise of the caller.
        unsafe { hand_over(out, lvs_outcome::new(outcome))? };
    }
    first
}

fn on_failure(number: u32) -> Result<OnFailure, Failure> {
    choice(number, "number of what to do on a failure", &[OnFailure::Keep, OnFailure::Undo, OnFailure::UndoService])
}

fn planner(scope: Option<&lvs_scope>, flags: u32) -> Result<Planner, Failure> {
    let mut unknown = flags & !(LVS_PLAN_REMOVE_ALL | LVS_PLAN_UNCHECKED);
    let mut allowed = Vec::new();
    for (flag, kind) in ALLOWED.into_iter().filter(|(flag, _)| flags & flag != 0) {
        unknown &= !flag;
        allowed.push(kind);
    }
    if unknown != 0 {
        return Err(Failure::invalid(format!("unknown flags {unknown:#x} of a plan")));
    }
    let mut planner = Planner::new(&scope::of(scope));
    if flags & LVS_PLAN_REMOVE_ALL != 0 {
        planner = planner.removing_all();
    }
    if flags & LVS_PLAN_UNCHECKED != 0 {
        planner = planner.unchecked();
    }
    if !allowed.is_empty() {
        planner = planner.allowing(allowed);
    }
    Ok(planner)
}

/// Makes the smallest plan from what is there to what is wanted, within a scope (everything if it
/// is NULL), in an order that keeps serving. `flags` are LVS_PLAN_... or 0.
///
/// LVS_STATUS_INVALID_INPUT, with the reason in the message, if the wanted table names something
/// outside of the scope, if something that would be added or changed cannot work, and if it has no
/// services and all would go.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_plan_between(
    current: Option<&lvs_table>,
    wanted: Option<&lvs_table>,
    scope: Option<&lvs_scope>,
    flags: u32,
    plan: *mut *mut lvs_plan,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let plan = place(plan, "plan")?;
        let (current, wanted) = (required(current, "current")?, required(wanted, "wanted")?);
        hand_over(plan, lvs_plan(planner(scope, flags)?.plan(&current.0, &wanted.0)?))
    })
}

/// Makes the plan from what a director holds now, and changes nothing. Like lvs_plan_between(), but
/// what the director alone knows is checked, too: a scheduler that it does not have is
/// LVS_STATUS_INVALID_INPUT.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_plan(
    director: Option<&lvs_director>,
    wanted: Option<&lvs_table>,
    scope: Option<&lvs_scope>,
    flags: u32,
    plan: *mut *mut lvs_plan,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let (plan, wanted) = (place(plan, "plan")?, required(wanted, "wanted")?);
        let planner = planner(scope, flags)?;
        let made = planner.plan_for(&mut *locked(director)?, &wanted.0)?;
        hand_over(plan, lvs_plan(made))
    })
}

/// Makes the plan that brings back, within a scope (everything if it is NULL), what was there
/// before: whatever that was, and whatever else others have put there.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_plan_rollback(
    current: Option<&lvs_table>,
    before: Option<&lvs_table>,
    scope: Option<&lvs_scope>,
    plan: *mut *mut lvs_plan,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let plan = place(plan, "plan")?;
        let (current, before) = (required(current, "current")?, required(before, "before")?);
        hand_over(plan, lvs_plan(Plan::rollback(&current.0, &before.0, &scope::of(scope))?))
    })
}

len!(
    lvs_plan_len, plan: lvs_plan, plan.0.len(),
    "How many steps the plan has; 0 if it is NULL or there is nothing to do."
);

/// Reads step `index`: when it runs, one of enum lvs_phase, and what it does. `service` is written
/// if it adds or updates one, `destination` likewise. Each of the four may be NULL if it is not
/// wanted.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_plan_step_get(
    plan: Option<&lvs_plan>,
    index: usize,
    phase: *mut u32,
    operation: *mut lvs_operation,
    service: *mut lvs_service,
    destination: *mut lvs_destination,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let step = nth(required(plan, "plan")?.0.steps(), index)?;
        operation::write(&step.operation, operation, Values { service, destination })?;
        if !phase.is_null() {
            phase.write(match step.phase {
                Phase::StopDaemons => lvs_phase::StopDaemons,
                Phase::Add => lvs_phase::Add,
                Phase::Change => lvs_phase::Change,
                Phase::Quiesce => lvs_phase::Quiesce,
                Phase::Remove => lvs_phase::Remove,
                Phase::Settle => lvs_phase::Settle,
            } as u32);
        }
        Ok(())
    })
}

len!(
    lvs_plan_withheld_len, plan: lvs_plan, plan.0.withheld().len(),
    "How many operations the plan would have beside its steps if they were allowed; 0 if it is NULL."
);

/// Reads operation `index` of those that are withheld. `service` is written if it adds or updates
/// one, `destination` likewise. Each of the three may be NULL if it is not wanted.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_plan_withheld_get(
    plan: Option<&lvs_plan>,
    index: usize,
    operation: *mut lvs_operation,
    service: *mut lvs_service,
    destination: *mut lvs_destination,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let withheld = nth(required(plan, "plan")?.0.withheld(), index)?;
        operation::write(withheld, operation, Values { service, destination })
    })
}

/// Writes what the plan adds (+), changes (~, with what it was) and removes (-), a line each, for a
/// dry run. Ends the process if there is no memory for it.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_plan_describe(
    plan: Option<&lvs_plan>,
    text: Option<&mut lvs_text>,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let steps = required(plan, "plan")?.0.steps();
        required(text, "text")?.set(steps.iter().map(|step| format!("{step}\n")).collect());
        Ok(())
    })
}

free!(lvs_plan_free, plan: lvs_plan, "a plan");

/// Carries out a plan; `on_failure` is one of enum lvs_on_failure. A refused step holds up what
/// depends on it and nothing else: in its service nothing is removed when something could not be
/// added, other services go on.
///
/// Returns LVS_STATUS_OK if the wanted table is in force, else the status of the first thing that
/// went wrong. `outcome` may be NULL; otherwise it is written whenever the plan was begun, even if
/// the call fails: set it to NULL before. Release it with lvs_outcome_free().
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_apply_plan(
    director: Option<&lvs_director>,
    plan: Option<&lvs_plan>,
    on_failure: u32,
    outcome: *mut *mut lvs_outcome,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let plan = required(plan, "plan")?;
        let on_failure = self::on_failure(on_failure)?;
        let done = plan.0.apply(&mut *locked(director)?, on_failure);
        conclude(done, outcome)
    })
}

/// Puts a table in force: reads what the director holds now, plans the difference as
/// lvs_director_plan() does and applies it. Running it again after any interruption goes on from
/// wherever the table is.
///
/// Returns and writes `outcome` as lvs_director_apply_plan() does. `plan` gets the plan along with
/// it; it may be NULL, too.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_reconcile(
    director: Option<&lvs_director>,
    wanted: Option<&lvs_table>,
    scope: Option<&lvs_scope>,
    flags: u32,
    on_failure: u32,
    plan: *mut *mut lvs_plan,
    outcome: *mut *mut lvs_outcome,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let wanted = required(wanted, "wanted")?;
        let on_failure = self::on_failure(on_failure)?;
        let planner = planner(scope, flags)?;
        let (made, done) = match planner.reconcile(&mut *locked(director)?, &wanted.0, on_failure) {
            Ok(Applied { plan, .. }) => {
                let done = Outcome::complete(&plan);
                (plan, done)
            }
            Err(Error::Incomplete(incomplete)) => {
                let Incomplete { plan, outcome, .. } = *incomplete;
                (plan, outcome)
            }
            Err(error) => return Err(error.into()),
        };
        if !plan.is_null() {
            hand_over(plan, lvs_plan(made))?;
        }
        conclude(done, outcome)
    })
}

/// Whether the wanted table is in force. False if `outcome` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_outcome_is_complete(outcome: Option<&lvs_outcome>) -> bool {
    infallible!(false, { outcome.is_some_and(|outcome| outcome.outcome.is_complete()) })
}

len!(
    lvs_outcome_done_len, outcome: lvs_outcome, outcome.outcome.done.len(),
    "How many steps took effect; 0 if `outcome` is NULL."
);

/// Reads which step of the plan was the `index`th that took effect.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_outcome_done_get(
    outcome: Option<&lvs_outcome>,
    index: usize,
    step: *mut usize,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        place(step, "step")?.write(*nth(&required(outcome, "outcome")?.outcome.done, index)?);
        Ok(())
    })
}

len!(
    lvs_outcome_refused_len, outcome: lvs_outcome, outcome.refused.len(),
    "How many steps were refused; 0 if `outcome` is NULL. Steps neither done nor refused nor held up were \
     never begun."
);

/// Reads refusal `index`: which step of the plan, and `why`, an error that belongs to the outcome:
/// do not release it. Each may be NULL if it is not wanted.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_outcome_refused_get(
    outcome: Option<&lvs_outcome>,
    index: usize,
    step: *mut usize,
    why: *mut *const lvs_error,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let (place, error) = nth(&required(outcome, "outcome")?.refused, index)?;
        if !step.is_null() {
            step.write(*place);
        }
        if !why.is_null() {
            why.write(error);
        }
        Ok(())
    })
}

len!(
    lvs_outcome_held_len, outcome: lvs_outcome, outcome.outcome.held.len(),
    "How many steps were not carried out because of a refused one; 0 if `outcome` is NULL."
);

/// Reads which step of the plan was held up, and `because` of which refused step. Each may be NULL
/// if it is not wanted.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_outcome_held_get(
    outcome: Option<&lvs_outcome>,
    index: usize,
    step: *mut usize,
    because: *mut usize,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let held = nth(&required(outcome, "outcome")?.outcome.held, index)?;
        if !step.is_null() {
            step.write(held.step);
        }
        if !because.is_null() {
            because.write(held.because);
        }
        Ok(())
    })
}

/// What broke the way to the director, or NULL if nothing did: steps of that batch may or may not
/// have taken effect. It belongs to the outcome: do not release it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_outcome_interrupted(outcome: Option<&lvs_outcome>) -> *const lvs_error {
    infallible!(std::ptr::null(), {
        outcome.and_then(|outcome| outcome.interrupted.as_ref()).map_or(std::ptr::null(), std::ptr::from_ref)
    })
}

/// Whether the table is as it was before: something went wrong, and every step done was undone
/// again. False if `outcome` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_outcome_undone(outcome: Option<&lvs_outcome>) -> bool {
    infallible!(false, { outcome.is_some_and(|outcome| outcome.outcome.is_undone()) })
}

len!(
    lvs_outcome_undo_refused_len, outcome: lvs_outcome, outcome.undo_refused.len(),
    "How many steps the director refused to undo; 0 if `outcome` is NULL."
);

/// Reads what the director refused to undo: an error that belongs to the outcome, do not release
/// it.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_outcome_undo_refused_get(
    outcome: Option<&lvs_outcome>,
    index: usize,
    why: *mut *const lvs_error,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        place(why, "why")?.write(nth(&required(outcome, "outcome")?.undo_refused, index)?);
        Ok(())
    })
}

free!(lvs_outcome_free, outcome: lvs_outcome, "an outcome");
