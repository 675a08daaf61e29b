//! Plans: from what a director holds to what it should hold.

use lvs_core::plan::{OnFailure, Outcome, Phase, Plan, PlanError, ReconcileError, reconcile};

use crate::boundary::{call, infallible};
use crate::destination::lvs_destination;
use crate::director::{held, lvs_director};
use crate::error::{Failure, lvs_error};
use crate::handle::{give, needed, place};
use crate::list::nth;
use crate::operation::{self, Values, lvs_operation};
use crate::scope::{self, lvs_scope};
use crate::service::lvs_service;
use crate::status::lvs_status;
use crate::table::lvs_table;
use crate::text::lvs_text;

/// The order of things in a plan. A phase begins only when every step of those before it has succeeded.
#[repr(u32)]
pub enum lvs_phase {
    /// Daemons that are not wanted, or not so, stop.
    StopDaemons = 0,
    /// Services and destinations appear, weights rise from 0.
    Add = 1,
    /// Everything else of services and destinations changes.
    Change = 2,
    /// Destinations are quiesced, destinations and services disappear.
    Remove = 3,
    /// Timeouts are set and daemons start.
    Settle = 4,
}

/// What happens to the steps already done when a director refuses one.
#[repr(u32)]
pub enum lvs_on_failure {
    /// They stay; the outcome names them.
    Keep = 0,
    /// They are undone, last first.
    Undo = 1,
}

/// The ordered operations that turn one table into another.
///
/// Made by lvs_plan_between() or lvs_director_reconcile(), released by lvs_plan_free(). It never changes: any number of
/// threads may use it.
pub struct lvs_plan(pub(crate) Plan);

/// What came of a plan.
///
/// Made by lvs_director_apply_plan() or lvs_director_reconcile(), released by lvs_outcome_free(). It never changes: any number
/// of threads may read it.
pub struct lvs_outcome {
    done: Vec<usize>,
    refused: Vec<(usize, lvs_error)>,
    interrupted: Option<lvs_error>,
    undone: bool,
    undo_failures: Vec<lvs_error>,
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        Self::invalid(error.to_string())
    }
}

impl From<ReconcileError> for Failure {
    fn from(error: ReconcileError) -> Self {
        match error {
            ReconcileError::Read(error) => error.into(),
            ReconcileError::Plan(error) => error.into(),
            other => Self::invalid(other.to_string()),
        }
    }
}

/// Hands out the outcome, if anybody wants it, and the first thing that went wrong.
unsafe fn conclude(outcome: Outcome, out: *mut *mut lvs_outcome) -> Result<(), Failure> {
    let first = match (outcome.refused.first(), &outcome.interrupted) {
        (Some(refusal), _) => Some(Failure::refused(refusal.error.clone())),
        (None, Some(error)) => Some(Failure::told(lvs_error::told(error))),
        (None, None) => None,
    };
    if !out.is_null() {
        let told = lvs_outcome {
            refused: outcome.refused.iter().map(|refusal| (refusal.step, lvs_error::refused(&refusal.error))).collect(),
            done: outcome.done,
            interrupted: outcome.interrupted.map(|error| lvs_error::told(&error)),
            undone: outcome.undone,
            undo_failures: outcome.undo_failures.iter().map(lvs_error::refused).collect(),
        };
        // SAFETY: not NULL, and valid by the promise of the caller.
        unsafe { give(out, told) };
    }
    first.map_or(Ok(()), Err)
}

fn on_failure(number: u32) -> Result<OnFailure, Failure> {
    match number {
        0 => Ok(OnFailure::Keep),
        1 => Ok(OnFailure::Undo),
        _ => Err(Failure::invalid(format!("unknown number {number} of what to do on a failure"))),
    }
}

/// Makes the smallest plan from what is there to what is wanted, within a scope (everything if it is NULL), in an order that
/// keeps serving. LVS_STATUS_INVALID_INPUT if the wanted table names a service outside of the scope.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_plan_between(
    current: Option<&lvs_table>,
    wanted: Option<&lvs_table>,
    scope: Option<&lvs_scope>,
    plan: *mut *mut lvs_plan,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let plan = place(plan, "plan")?;
        let (current, wanted) = (needed(current, "current")?, needed(wanted, "wanted")?);
        give(plan, lvs_plan(Plan::between(&current.0, &wanted.0, &scope::of(scope))?));
        Ok(())
    })
}

/// How many steps the plan has; 0 if it is NULL or there is nothing to do.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_plan_len(plan: Option<&lvs_plan>) -> usize {
    infallible!(0, { plan.map_or(0, |plan| plan.0.len()) })
}

/// Reads step `index`: when it runs, one of enum lvs_phase, and what it does. `service` is written if it adds or updates
/// one, `destination` likewise. Each of the four may be NULL if it is not wanted.
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
        let step = nth(needed(plan, "plan")?.0.steps(), index)?;
        operation::write(&step.operation, operation, Values { service, destination })?;
        if !phase.is_null() {
            phase.write(match step.phase {
                Phase::StopDaemons => lvs_phase::StopDaemons,
                Phase::Add => lvs_phase::Add,
                Phase::Change => lvs_phase::Change,
                Phase::Remove => lvs_phase::Remove,
                Phase::Settle => lvs_phase::Settle,
            } as u32);
        }
        Ok(())
    })
}

/// Writes the steps as sentences, a line each, for a dry run.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_plan_describe(
    plan: Option<&lvs_plan>,
    text: Option<&mut lvs_text>,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, { operation::describe(needed(plan, "plan")?.0.operations(), text) })
}

/// Releases a plan. NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_plan_free(plan: Option<Box<lvs_plan>>) {
    infallible!((), { drop(plan) });
}

/// Carries out a plan; `on_failure` is one of enum lvs_on_failure. After a refusal the rest of that phase still runs, and
/// no further phase is begun.
///
/// Returns LVS_STATUS_OK if the wanted table is in force, else the status of the first thing that went wrong. `outcome` may
/// be NULL; otherwise it is written whenever the plan was begun, even if the call fails: set it to NULL before. Release it with
/// lvs_outcome_free().
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
        let plan = needed(plan, "plan")?;
        let on_failure = self::on_failure(on_failure)?;
        let done = plan.0.apply(held(director)?.as_dyn(), on_failure);
        conclude(done, outcome)
    })
}

/// Puts a table in force: reads what the director holds now, plans the difference within a scope (everything if it is
/// NULL) and applies it. Running it again after any interruption goes on from wherever the table is.
///
/// Returns and writes `outcome` as lvs_director_apply_plan() does. `plan` gets the plan along with it; it may be NULL, too.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_reconcile(
    director: Option<&lvs_director>,
    wanted: Option<&lvs_table>,
    scope: Option<&lvs_scope>,
    on_failure: u32,
    plan: *mut *mut lvs_plan,
    outcome: *mut *mut lvs_outcome,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let wanted = needed(wanted, "wanted")?;
        let on_failure = self::on_failure(on_failure)?;
        let (made, done) = reconcile(held(director)?.as_dyn(), &wanted.0, &scope::of(scope), on_failure)?;
        if !plan.is_null() {
            give(plan, lvs_plan(made));
        }
        conclude(done, outcome)
    })
}

/// Whether the wanted table is in force. False if `outcome` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_outcome_is_complete(outcome: Option<&lvs_outcome>) -> bool {
    infallible!(false, { outcome.is_some_and(|outcome| outcome.refused.is_empty() && outcome.interrupted.is_none()) })
}

/// How many steps took effect; 0 if `outcome` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_outcome_done_len(outcome: Option<&lvs_outcome>) -> usize {
    infallible!(0, { outcome.map_or(0, |outcome| outcome.done.len()) })
}

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
        place(step, "step")?.write(*nth(&needed(outcome, "outcome")?.done, index)?);
        Ok(())
    })
}

/// How many steps were refused; 0 if `outcome` is NULL. Steps neither done nor refused were never begun.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_outcome_refused_len(outcome: Option<&lvs_outcome>) -> usize {
    infallible!(0, { outcome.map_or(0, |outcome| outcome.refused.len()) })
}

/// Reads refusal `index`: which step of the plan, and `why`, an error that belongs to the outcome: do not release it. Each
/// may be NULL if it is not wanted.
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
        let (place, error) = nth(&needed(outcome, "outcome")?.refused, index)?;
        if !step.is_null() {
            step.write(*place);
        }
        if !why.is_null() {
            why.write(error);
        }
        Ok(())
    })
}

/// What broke the way to the director, or NULL if nothing did: steps of that batch may or may not have taken effect. It
/// belongs to the outcome: do not release it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_outcome_interrupted(outcome: Option<&lvs_outcome>) -> *const lvs_error {
    infallible!(std::ptr::null(), {
        outcome.and_then(|outcome| outcome.interrupted.as_ref()).map_or(std::ptr::null(), std::ptr::from_ref)
    })
}

/// Whether the steps done were undone again, completely. False if `outcome` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_outcome_undone(outcome: Option<&lvs_outcome>) -> bool {
    infallible!(false, { outcome.is_some_and(|outcome| outcome.undone) })
}

/// How many steps the director refused to undo; 0 if `outcome` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_outcome_undo_failures_len(outcome: Option<&lvs_outcome>) -> usize {
    infallible!(0, { outcome.map_or(0, |outcome| outcome.undo_failures.len()) })
}

/// Reads what the director refused to undo: an error that belongs to the outcome, do not release it.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_outcome_undo_failure_get(
    outcome: Option<&lvs_outcome>,
    index: usize,
    why: *mut *const lvs_error,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        place(why, "why")?.write(nth(&needed(outcome, "outcome")?.undo_failures, index)?);
        Ok(())
    })
}

/// Releases an outcome. NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_outcome_free(outcome: Option<Box<lvs_outcome>>) {
    infallible!((), { drop(outcome) });
}
