//! Version of the loaded library.

use std::ffi::c_char;

use crate::boundary::infallible;

/// The version of the library that is loaded, such as "0.1.0"; LVS_VERSION is that of the header.
/// The string is static. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn lvs_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

/// The version of the library that is loaded as a number to compare with LVS_VERSION_NUMBER: major * 1000000 +
/// minor * 1000 + patch. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn lvs_version_number() -> u32 {
    infallible!(0, {
        let part = |text: &str| text.parse::<u32>().unwrap_or(0);
        part(env!("CARGO_PKG_VERSION_MAJOR")) * 1_000_000
            + part(env!("CARGO_PKG_VERSION_MINOR")) * 1000
            + part(env!("CARGO_PKG_VERSION_PATCH"))
    })
}
