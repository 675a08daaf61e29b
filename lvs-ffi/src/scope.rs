//! Scopes: which services a plan may touch.

use std::ffi::c_void;

use lvs_core::model::ServiceKey;
use lvs_core::plan::Scope;

use crate::address::lvs_address;
use crate::boundary::{call, infallible};
use crate::error::{Failure, lvs_error};
use crate::exports::free;
use crate::handle::{hand_over, place, required};
use crate::service::{self, lvs_service_key};
use crate::status::lvs_status;
use crate::table::lvs_table;

/// What a plan may touch; everything else stays as it is. Timeouts and sync daemons are the whole
/// table's: no scope owns them but NULL, which owns everything, and those made by lvs_scope_with().
///
/// Made by lvs_scope_marks() and the others below, released by lvs_scope_free(). It never changes:
/// any number of threads may use it.
pub struct lvs_scope(Scope);

/// Says whether a service is in the scope; `user` is what the caller passed. The key lives as long
/// as the call.
pub type lvs_scope_predicate = Option<unsafe extern "C" fn(key: *const lvs_service_key, user: *mut c_void) -> bool>;

/// The scope of a call: everything if there is none.
pub(crate) fn of(scope: Option<&lvs_scope>) -> Scope {
    scope.map_or_else(Scope::all, |scope| scope.0.clone())
}

unsafe fn made(out: *mut *mut lvs_scope, scope: Scope) -> Result<(), Failure> {
    // SAFETY: `place` checks it.
    unsafe { hand_over(place(out, "scope")?, lvs_scope(scope)) }
}

/// Makes a scope of the firewall-mark services, of either family, with marks from `first` to
/// `last`, both included.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_scope_marks(
    first: u32,
    last: u32,
    scope: *mut *mut lvs_scope,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, { made(scope, Scope::marks(first..=last)) })
}

/// Makes a scope of the services with ports from `first` to `last`, both included.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_scope_ports(
    first: u16,
    last: u16,
    scope: *mut *mut lvs_scope,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, { made(scope, Scope::ports(first..=last)) })
}

/// Makes a scope of the services whose virtual address lies in a network; prefix length 0 is the
/// whole family.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_scope_network(
    network: *const lvs_address,
    prefix_length: u32,
    scope: *mut *mut lvs_scope,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let network = place(network.cast_mut(), "network")?.read().to_addr("the network")?;
        let length =
            u8::try_from(prefix_length).map_err(|_| Failure::invalid(format!("no prefix has {prefix_length} bits")))?;
        made(scope, Scope::network(network, length)?)
    })
}

/// What a C predicate needs to be called from Rust.
struct Predicate {
    function: unsafe extern "C" fn(key: *const lvs_service_key, user: *mut c_void) -> bool,
    user: *mut c_void,
}

// SAFETY: who gives a predicate to a scope that threads share answers for its being callable by
// them; lvs.h says so.
unsafe impl Send for Predicate {}
// SAFETY: as above.
unsafe impl Sync for Predicate {}

impl Predicate {
    fn holds(&self, key: &ServiceKey) -> bool {
        let key = lvs_service_key::from(*key);
        // SAFETY: the function and what `user` points to are alive as long as the scope, by the
        // promise of the caller.
        unsafe { (self.function)(&key, self.user) }
    }
}

/// Makes a scope of the services for which a function says true. The function and what `user`
/// points to must live as long as the scope and all that are made from it; if threads share the
/// scope, they must be able to share these.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_scope_matching(
    predicate: lvs_scope_predicate,
    user: *mut c_void,
    scope: *mut *mut lvs_scope,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let predicate = Predicate { function: required(predicate, "predicate")?, user };
        made(scope, Scope::matching(move |key| predicate.holds(key)))
    })
}

/// Makes a scope of the services of a table, there or not.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_scope_services(
    table: Option<&lvs_table>,
    scope: *mut *mut lvs_scope,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let keys = required(table, "table")?.0.services.iter().map(|entry| entry.service.key());
        made(scope, Scope::services(keys))
    })
}

/// Makes a scope of what another owns and, where these are not 0, of the timeouts and the sync
/// daemons. The other may be released.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_scope_with(
    of: Option<&lvs_scope>,
    timeouts: bool,
    daemons: bool,
    scope: *mut *mut lvs_scope,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let mut wider = required(of, "of")?.0.clone();
        if timeouts {
            wider = wider.with_timeouts();
        }
        if daemons {
            wider = wider.with_daemons();
        }
        made(scope, wider)
    })
}

/// Makes a scope of what either of two owns. The two may be released.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_scope_or(
    a: Option<&lvs_scope>,
    b: Option<&lvs_scope>,
    scope: *mut *mut lvs_scope,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, { made(scope, required(a, "a")?.0.clone().or(required(b, "b")?.0.clone())) })
}

/// Makes a scope of what both of two own. The two may be released.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_scope_and(
    a: Option<&lvs_scope>,
    b: Option<&lvs_scope>,
    scope: *mut *mut lvs_scope,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, { made(scope, required(a, "a")?.0.clone().and(required(b, "b")?.0.clone())) })
}

/// Makes a scope of what another does not own. The other may be released.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_scope_inverted(
    of: Option<&lvs_scope>,
    scope: *mut *mut lvs_scope,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, { made(scope, required(of, "of")?.0.clone().inverted()) })
}

/// Whether a service is in the scope. NULL owns every service; false if `key` is NULL or no key.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_scope_owns(scope: Option<&lvs_scope>, key: *const lvs_service_key) -> bool {
    infallible!(false, { service::key(key).is_ok_and(|key| scope.is_none_or(|scope| scope.0.owns(&key))) })
}

free!(lvs_scope_free, scope: lvs_scope, "a scope");
