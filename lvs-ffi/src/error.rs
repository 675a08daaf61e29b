//! Errors.

use std::borrow::Cow;
use std::collections::TryReserveError;
use std::ffi::{CStr, CString, c_char};
use std::ops::Range;

use lvs_core::Error;
use lvs_core::director::{Cause, OperationError};
use lvs_core::health::HealthError;
use lvs_core::model::ModelError;
use lvs_core::rules::SyntaxError;

use crate::boundary::infallible;
use crate::exports::{init, len};
use crate::record::{self, record, zeroed};
use crate::status::lvs_status;

/// Why a call failed: a status, an errno where one stands behind it, and a message for people.
///
/// Made by the call that fails, released by lvs_error_free(). It never changes: any number of
/// threads may read it.
#[derive(Debug)]
pub struct lvs_error {
    status: lvs_status,
    cause: lvs_cause,
    errno: i32,
    message: Cow<'static, CStr>,
    kernel_message: Option<CString>,
    diagnostics: Vec<Diagnostic>,
}

/// One error in a text, in C's strings.
#[derive(Debug)]
struct Diagnostic {
    line: usize,
    column: usize,
    span: Range<usize>,
    message: CString,
    shown: CString,
}

/// One error in a text. Initialise it with LVS_DIAGNOSTIC_INIT. Its strings live as long as the
/// error.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_diagnostic {
    /// The size of this record as the program was compiled.
    pub struct_size: u32,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in characters.
    pub column: u32,
    /// Reserved: always 0.
    pub reserved: u32,
    /// Where the place begins, in bytes from the start of the text.
    pub start: usize,
    /// Where it ends; equal to `start` where something is missing.
    pub end: usize,
    /// What is wrong, and what was expected.
    pub message: *const c_char,
    /// The same with line, column, and the line itself with a caret below the place.
    pub shown: *const c_char,
}

record! { lvs_diagnostic: 48; }

init!(lvs_diagnostic_init, diagnostic: lvs_diagnostic, zeroed());

/// What a director's refusal means, more finely than the status. Numbers are never reused; a later
/// release may add some.
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum lvs_cause {
    /// Not a director's refusal: see the status.
    None = 0,
    /// There is no such service.
    ServiceNotFound = 1,
    /// The service is there already.
    ServiceExists = 2,
    /// The service has no such destination.
    DestinationNotFound = 3,
    /// The service has that destination already.
    DestinationExists = 4,
    /// No such scheduler, and no module brings it.
    SchedulerNotFound = 5,
    /// No such persistence engine, and no module brings it.
    EngineNotFound = 6,
    /// The scheduler or the persistence engine is missing; the kernel does not say which.
    SchedulerOrEngineNotFound = 7,
    /// A sync daemon of that role runs already.
    DaemonRunning = 8,
    /// No sync daemon of that role runs.
    DaemonNotRunning = 9,
    /// There is no such network interface.
    InterfaceNotFound = 10,
    /// The caller lacks CAP_NET_ADMIN.
    PermissionDenied = 11,
    /// The kernel has no IPVS, or its module is not loaded.
    ModuleMissing = 12,
    /// A weight or a threshold is out of range.
    OutOfRange = 13,
    /// The address family is not supported.
    FamilyUnsupported = 14,
    /// This director, transport or kernel cannot do that at all.
    Unsupported = 15,
    /// The kernel refuses the values; it does not say which.
    Invalid = 16,
    /// Anything else: see lvs_error_errno().
    Other = 17,
    /// The list changed each time it was read; asking again may help.
    Changing = 18,
}

/// The name of a cause, such as "service not found". Never NULL: an unknown number gives "unknown
/// cause". The string is static. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn lvs_cause_name(cause: u32) -> *const c_char {
    let name = match cause {
        0 => c"none",
        1 => c"service not found",
        2 => c"service exists",
        3 => c"destination not found",
        4 => c"destination exists",
        5 => c"scheduler not found",
        6 => c"engine not found",
        7 => c"scheduler or engine not found",
        8 => c"daemon running",
        9 => c"daemon not running",
        10 => c"interface not found",
        11 => c"permission denied",
        12 => c"module missing",
        13 => c"out of range",
        14 => c"family unsupported",
        15 => c"unsupported",
        16 => c"invalid",
        17 => c"other",
        18 => c"changing",
        _ => c"unknown cause",
    };
    name.as_ptr()
}

impl From<&Cause> for lvs_cause {
    fn from(cause: &Cause) -> Self {
        match cause {
            Cause::ServiceNotFound => Self::ServiceNotFound,
            Cause::ServiceExists => Self::ServiceExists,
            Cause::DestinationNotFound => Self::DestinationNotFound,
            Cause::DestinationExists => Self::DestinationExists,
            Cause::SchedulerNotFound(_) => Self::SchedulerNotFound,
            Cause::EngineNotFound(_) => Self::EngineNotFound,
            Cause::SchedulerOrEngineNotFound(..) => Self::SchedulerOrEngineNotFound,
            Cause::DaemonRunning => Self::DaemonRunning,
            Cause::DaemonNotRunning => Self::DaemonNotRunning,
            Cause::InterfaceNotFound => Self::InterfaceNotFound,
            Cause::PermissionDenied => Self::PermissionDenied,
            Cause::ModuleMissing => Self::ModuleMissing,
            Cause::OutOfRange => Self::OutOfRange,
            Cause::FamilyUnsupported => Self::FamilyUnsupported,
            Cause::Unsupported => Self::Unsupported,
            Cause::Invalid => Self::Invalid,
            Cause::Changing => Self::Changing,
            _ => Self::Other,
        }
    }
}

/// What goes wrong inside an exported function, before anybody asked for its words.
///
/// Boxed: what succeeds returns no more than a pointer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// There is not enough memory, not even for words.
    NoMemory,
    /// Anything else.
    Because(Box<Reason>),
}

impl From<TryReserveError> for Failure {
    #[cold]
    fn from(_: TryReserveError) -> Self {
        Self::NoMemory
    }
}

#[derive(Debug)]
pub(crate) enum Reason {
    /// The core's own error.
    Core(Error),
    /// A refused operation of a batch.
    Refused(OperationError),
    /// An invalid argument that only C can pass.
    Own(lvs_status, String),
    /// An error that is formatted already.
    Recorded(lvs_error),
}

impl Failure {
    fn because(reason: Reason) -> Self {
        crate::handle::boxed(reason).map_or(Self::NoMemory, Self::Because)
    }

    #[cold]
    pub(crate) fn own(status: lvs_status, message: String) -> Self {
        Self::because(Reason::Own(status, message))
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::own(lvs_status::InvalidInput, message.into())
    }

    pub(crate) fn panic(message: &str) -> Self {
        Self::own(lvs_status::Panic, format!("internal error in liblvs: {message}"))
    }

    pub(crate) fn refused(error: OperationError) -> Self {
        Self::because(Reason::Refused(error))
    }

    pub(crate) fn recorded(error: lvs_error) -> Self {
        Self::because(Reason::Recorded(error))
    }

    pub(crate) fn status(&self) -> lvs_status {
        let Self::Because(reason) = self else { return lvs_status::NoMemory };
        match &**reason {
            Reason::Core(error) => error.kind().into(),
            Reason::Refused(error) => error.kind().into(),
            Reason::Own(status, _) => *status,
            Reason::Recorded(error) => error.status,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        if error.kind() == lvs_core::ErrorKind::OutOfMemory {
            return Self::NoMemory;
        }
        Self::because(Reason::Core(error))
    }
}

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Self {
        Error::from(error).into()
    }
}

impl From<HealthError> for Failure {
    fn from(error: HealthError) -> Self {
        Error::from(error).into()
    }
}

/// A C string of any text: a NUL byte inside becomes U+FFFD.
pub(crate) fn c_string(text: String) -> CString {
    CString::new(text).unwrap_or_else(|error| {
        let text = String::from_utf8_lossy(&error.into_vec()).replace('\0', "\u{fffd}");
        CString::new(text).unwrap_or_default()
    })
}

impl From<&SyntaxError> for Diagnostic {
    fn from(error: &SyntaxError) -> Self {
        Self {
            line: error.line(),
            column: error.column(),
            span: error.span(),
            message: c_string(error.message()),
            shown: c_string(error.to_string()),
        }
    }
}

/// The error of a call for which there was not enough memory. It takes none, and is released by
/// nobody.
static OUT_OF_MEMORY: lvs_error = lvs_error::OUT_OF_MEMORY;

impl lvs_error {
    const OUT_OF_MEMORY: Self = Self {
        status: lvs_status::NoMemory,
        cause: lvs_cause::None,
        errno: libc::ENOMEM,
        message: Cow::Borrowed(c"out of memory"),
        kernel_message: None,
        diagnostics: Vec::new(),
    };

    /// An error for the caller, to be released by `release`.
    pub(crate) fn make(failure: Failure) -> *mut Self {
        if matches!(failure, Failure::NoMemory) {
            return (&raw const OUT_OF_MEMORY).cast_mut();
        }
        let made = crate::handle::boxed(Self::new(failure));
        made.map_or((&raw const OUT_OF_MEMORY).cast_mut(), Box::into_raw)
    }

    /// Releases what `make` has made.
    pub(crate) unsafe fn release(error: *mut Self) {
        if !error.is_null() && !std::ptr::eq(error, &OUT_OF_MEMORY) {
            // SAFETY: made by `make`, in memory of its own, and used no more.
            drop(unsafe { Box::from_raw(error) });
        }
    }

    pub(crate) fn new(failure: Failure) -> Self {
        let status = failure.status();
        let Failure::Because(reason) = failure else { return Self::OUT_OF_MEMORY };
        match *reason {
            Reason::Refused(error) => Self::refused(&error),
            Reason::Core(error) => Self::copy_of(&error),
            Reason::Recorded(error) => error,
            Reason::Own(_, message) => Self {
                status,
                cause: lvs_cause::None,
                errno: 0,
                message: c_string(message).into(),
                kernel_message: None,
                diagnostics: Vec::new(),
            },
        }
    }

    /// The words and numbers of an error that somebody else keeps.
    pub(crate) fn copy_of(error: &Error) -> Self {
        if let Error::Refused(error) = error {
            return Self::refused(error);
        }
        Self {
            status: error.kind().into(),
            cause: lvs_cause::None,
            errno: error.errno().map_or(0, |errno| errno.0),
            message: c_string(error.to_string()).into(),
            kernel_message: None,
            diagnostics: match error {
                Error::Rules(errors) => errors.iter().map(Diagnostic::from).collect(),
                _ => Vec::new(),
            },
        }
    }

    pub(crate) fn refused(error: &OperationError) -> Self {
        Self {
            status: error.kind().into(),
            cause: (&error.cause).into(),
            errno: error.errno.map_or(0, |errno| errno.0),
            message: c_string(error.to_string()).into(),
            kernel_message: error.message.as_deref().map(|text| c_string(text.to_owned())),
            diagnostics: Vec::new(),
        }
    }

    #[cfg(test)]
    pub(crate) fn message(&self) -> &CStr {
        &self.message
    }
}

/// The status that the failed call returned; LVS_STATUS_OK if `error` is NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_error_status(error: Option<&lvs_error>) -> lvs_status {
    infallible!(lvs_status::Panic, { error.map_or(lvs_status::Ok, |error| error.status) })
}

/// What the director's refusal means, one of enum lvs_cause. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_error_cause(error: Option<&lvs_error>) -> lvs_cause {
    infallible!(lvs_cause::None, { error.map_or(lvs_cause::None, |error| error.cause) })
}

/// The errno behind the failure, as Linux numbers them; 0 if there is none or `error` is NULL. The
/// embedded director answers with the kernel's numbers, too. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_error_errno(error: Option<&lvs_error>) -> i32 {
    infallible!(0, { error.map_or(0, |error| error.errno) })
}

/// One sentence: what was attempted, on what, what went wrong. UTF-8, without a newline at the end
/// (a syntax error has several lines). Never NULL; it lives as long as `error`. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_error_message(error: Option<&lvs_error>) -> *const c_char {
    infallible!(c"".as_ptr(), { error.map_or(c"no error".as_ptr(), |error| error.message.as_ptr()) })
}

/// The kernel's own words (netlink's extended acknowledgement), or NULL if it sent none. They live
/// as long as `error`. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_error_kernel_message(error: Option<&lvs_error>) -> *const c_char {
    infallible!(std::ptr::null(), {
        let text: Option<&CStr> = error.and_then(|error| error.kernel_message.as_deref());
        text.map_or(std::ptr::null(), CStr::as_ptr)
    })
}

len!(
    lvs_error_diagnostics_len, error: lvs_error, error.diagnostics.len(),
    "How many errors in a text are reported, with LVS_STATUS_SYNTAX; else 0. Any thread."
);

/// Reads error `index`, in the order of the text. False, and `diagnostic` is left alone, if there
/// is none, if `error` is NULL, or if `diagnostic` is not initialised. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_error_diagnostic_get(
    error: Option<&lvs_error>,
    index: usize,
    diagnostic: *mut lvs_diagnostic,
) -> bool {
    infallible!(false, {
        let Some(found) = error.and_then(|error| error.diagnostics.get(index)) else { return false };
        let value = lvs_diagnostic {
            struct_size: size_of::<lvs_diagnostic>() as u32,
            line: u32::try_from(found.line).unwrap_or(u32::MAX),
            column: u32::try_from(found.column).unwrap_or(u32::MAX),
            reserved: 0,
            start: found.span.start,
            end: found.span.end,
            message: found.message.as_ptr(),
            shown: found.shown.as_ptr(),
        };
        record::write(diagnostic, value).is_ok()
    })
}

/// Releases an error. NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_error_free(error: *mut lvs_error) {
    infallible!((), { lvs_error::release(error) });
}
