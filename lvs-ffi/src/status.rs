//! Status codes.

use lvs_core::ErrorKind;

/// What came of a call. Numbers are never reused, and a later release may add some: treat an
/// unknown one as a failure.
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum lvs_status {
    /// It worked.
    Ok = 0,
    /// The value cannot be said to any director, or a pointer, size or enumerator is wrong.
    InvalidInput = 1,
    /// Rules text that does not parse; lvs_error_diagnostics_len() says how many errors there are.
    Syntax = 2,
    /// No such service, destination, daemon or file.
    NotFound = 3,
    /// The service, destination or daemon is there already.
    AlreadyExists = 4,
    /// The caller lacks a privilege, for the kernel CAP_NET_ADMIN.
    PermissionDenied = 5,
    /// The kernel, the transport or the director lacks IPVS, a scheduler, an address family, a
    /// function.
    Unsupported = 6,
    /// The kernel's answer makes no sense.
    Decode = 7,
    /// Any other answer of the kernel; lvs_error_errno() has it.
    Kernel = 8,
    /// A file, a socket or a namespace failed; lvs_error_errno() has the reason.
    Io = 9,
    /// A fault of this library: it was caught, and a director that was in a call then refuses
    /// further calls.
    Panic = 10,
    /// The director is in a call of this very thread, that is, this is a call from inside a
    /// visitor.
    Busy = 11,
    /// There is not enough memory for that many entries; the handles are as they were.
    NoMemory = 12,
}

impl From<ErrorKind> for lvs_status {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::InvalidInput => Self::InvalidInput,
            ErrorKind::Syntax => Self::Syntax,
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::AlreadyExists => Self::AlreadyExists,
            ErrorKind::PermissionDenied => Self::PermissionDenied,
            ErrorKind::Unsupported => Self::Unsupported,
            ErrorKind::Decode => Self::Decode,
            ErrorKind::Kernel => Self::Kernel,
            ErrorKind::Internal => Self::Panic,
            ErrorKind::OutOfMemory => Self::NoMemory,
            // A kind that the core has and this library does not know is still a failure of the way
            // there.
            _ => Self::Io,
        }
    }
}

/// The name of a status, such as "not found". Never NULL: an unknown number gives "unknown status".
/// The string is static. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn lvs_status_name(status: u32) -> *const std::ffi::c_char {
    let name = match status {
        0 => c"ok",
        1 => c"invalid input",
        2 => c"syntax error",
        3 => c"not found",
        4 => c"already exists",
        5 => c"permission denied",
        6 => c"unsupported",
        7 => c"unintelligible answer",
        8 => c"kernel error",
        9 => c"input/output error",
        10 => c"internal error",
        11 => c"busy",
        12 => c"out of memory",
        _ => c"unknown status",
    };
    name.as_ptr()
}
