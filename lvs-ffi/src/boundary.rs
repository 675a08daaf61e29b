//! What every exported function stands in: a panic becomes a status, an error becomes a status and
//! a handle.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::{Failure, lvs_error};
use crate::status::lvs_status;

/// The body of an exported function that can fail.
///
/// The body may do what is unsafe: every function of this library is called under the promises that
/// `lvs.h` states in its introduction (pointers are NULL or valid, handles are alive, records are
/// as large as they say), and the helpers check what can be checked.
macro_rules! call {
    ($err:expr, $body:block) => {
        // SAFETY: the caller keeps the promises of lvs.h.
        $crate::boundary::run($err, || unsafe { $body })
    };
}

/// The body of an exported function that cannot fail, with what it returns should it panic all the
/// same.
macro_rules! infallible {
    ($otherwise:expr, $body:block) => {
        // SAFETY: the caller keeps the promises of lvs.h.
        $crate::boundary::run_or($otherwise, || unsafe { $body })
    };
}

pub(crate) use {call, infallible};

#[inline]
pub(crate) fn run(err: *mut *mut lvs_error, body: impl FnOnce() -> Result<(), Failure>) -> lvs_status {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => lvs_status::Ok,
        Ok(Err(failure)) => report(err, failure),
        Err(payload) => report(err, Failure::panic(&message(payload))),
    }
}

#[inline]
pub(crate) fn run_or<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| {
        message(payload);
        otherwise
    })
}

/// Hands the error out, or just its status if nobody wants it.
#[cold]
fn report(err: *mut *mut lvs_error, failure: Failure) -> lvs_status {
    let status = failure.status();
    if !err.is_null() {
        // Formatting runs foreign code once more; should that panic, the status still says enough.
        let made = catch_unwind(AssertUnwindSafe(|| lvs_error::make(failure)));
        if let Ok(made) = made {
            // SAFETY: `err` is the address of the caller's variable, which holds NULL or an error
            // of ours.
            unsafe {
                lvs_error::release(err.replace(made));
            }
        }
    }
    status
}

/// The words of a panic. Dropping the payload may panic in turn, which is caught, too.
#[cold]
fn message(payload: Box<dyn Any + Send>) -> String {
    let text = match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (_, Some(text)) => text.clone(),
        _ => "no message".to_owned(),
    };
    let _ = catch_unwind(AssertUnwindSafe(|| drop(payload)));
    text
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;

    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }

    #[test]
    fn a_panic_comes_out_as_a_status_with_its_words() {
        let mut err = ptr::null_mut();
        let status = run(&mut err, || panic!("number {}", 7));
        assert_eq!(status, lvs_status::Panic);
        // SAFETY: set by the call above.
        let error = unsafe { Box::from_raw(err) };
        assert!(error.message().to_str().unwrap().contains("number 7"), "{:?}", error.message());
    }

    #[test]
    fn a_payload_that_panics_when_dropped_does_not_get_through() {
        let status = run(ptr::null_mut(), || std::panic::panic_any(Bomb));
        assert_eq!(status, lvs_status::Panic);
        assert_eq!(run_or(3, || std::panic::panic_any(Bomb)), 3);
    }

    #[test]
    fn a_second_error_releases_the_first() {
        let mut err = ptr::null_mut();
        for _ in 0..3 {
            assert_eq!(run(&mut err, || Err(Failure::invalid("no"))), lvs_status::InvalidInput);
        }
        // SAFETY: the last of the three; valgrind sees the other two go.
        drop(unsafe { Box::from_raw(err) });
    }
}
