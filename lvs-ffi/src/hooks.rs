//! Panics on purpose, for the tests of the panic boundary.

use crate::boundary::call;
use crate::director::{locked, lvs_director};
use crate::error::lvs_error;
use crate::status::lvs_status;

/// cbindgen:ignore
/// Panics.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_test_panic(err: *mut *mut lvs_error) -> lvs_status {
    call!(err, { panic!("as the test asked") })
}

/// cbindgen:ignore
/// Panics in the middle of a director's call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_test_panic_inside(
    director: Option<&lvs_director>,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, { Ok(locked(director)?.with_embedded("panic", |_| panic!("in the middle of a change"))?) })
}
