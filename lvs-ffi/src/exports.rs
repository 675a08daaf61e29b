//! Exported functions that differ in their names only: initialisers, lengths and entries of lists,
//! JSON, `_free`.
//!
//! `cargo xtask generate` reads these macros, too: cbindgen sees what they expand to. It
//! understands one arm a macro, whose parts are fragments separated by commas and colons.

/// Initialises a record of the caller's with the value that its `_INIT` macro has.
macro_rules! init {
    ($name:ident, $record:ident: $type:ident, $value:expr) => {
        #[doc = concat!("Initialises a record for programs that cannot use the macro: `struct_size` is the size that the program gives it.")]
        #[unsafe(no_mangle)]
        #[must_use]
        pub unsafe extern "C" fn $name(
            $record: *mut $type,
            struct_size: u32,
            err: *mut *mut $crate::error::lvs_error,
        ) -> $crate::status::lvs_status {
            $crate::boundary::call!(err, { $crate::record::initialise($record, struct_size, $value) })
        }
    };
}

/// How many entries there are; 0 for a handle that is NULL.
macro_rules! len {
    ($name:ident, $handle:ident: $type:ident, $len:expr, $doc:literal) => {
        #[doc = $doc]
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name($handle: Option<&$type>) -> usize {
            $crate::boundary::infallible!(0, { $handle.map_or(0, |$handle| $len) })
        }
    };
}

/// Reads an entry of a list into a record.
macro_rules! get {
    ($name:ident, $handle:ident: $type:ident, $out:ident: $record:ident, $list:expr, $doc:literal) => {
        #[doc = $doc]
        #[unsafe(no_mangle)]
        #[must_use]
        pub unsafe extern "C" fn $name(
            $handle: Option<&$type>,
            index: usize,
            $out: *mut $record,
            err: *mut *mut $crate::error::lvs_error,
        ) -> $crate::status::lvs_status {
            $crate::boundary::call!(err, {
                let $handle = $crate::handle::required($handle, stringify!($handle))?;
                $crate::record::write($out, $crate::list::nth(&$list, index)?.into())
            })
        }
    };
}

/// Writes a value as JSON.
macro_rules! to_json {
    ($name:ident, $handle:ident: $type:ident, $value:expr, $doc:literal) => {
        #[doc = concat!($doc, " Ends the process if there is no memory for it.")]
        #[unsafe(no_mangle)]
        #[must_use]
        pub unsafe extern "C" fn $name(
            $handle: Option<&$type>,
            text: Option<&mut $crate::text::lvs_text>,
            err: *mut *mut $crate::error::lvs_error,
        ) -> $crate::status::lvs_status {
            $crate::boundary::call!(err, {
                let $handle = $crate::handle::required($handle, stringify!($handle))?;
                $crate::json::write($value, text)
            })
        }
    };
}

/// Reads a value from JSON into a new handle.
macro_rules! from_json {
    ($name:ident, $handle:ident: $type:ident, $doc:literal) => {
        #[doc = concat!($doc, " Ends the process if there is no memory for it.")]
        #[unsafe(no_mangle)]
        #[must_use]
        pub unsafe extern "C" fn $name(
            text: *const std::ffi::c_char,
            $handle: *mut *mut $type,
            err: *mut *mut $crate::error::lvs_error,
        ) -> $crate::status::lvs_status {
            $crate::boundary::call!(err, {
                let $handle = $crate::handle::place($handle, stringify!($handle))?;
                $crate::handle::hand_over($handle, $type($crate::json::read(text)?))
            })
        }
    };
}

/// Makes an empty handle.
macro_rules! new {
    ($name:ident, $handle:ident: $type:ident, $value:expr, $doc:literal) => {
        #[doc = $doc]
        #[unsafe(no_mangle)]
        #[must_use]
        pub unsafe extern "C" fn $name(
            $handle: *mut *mut $type,
            err: *mut *mut $crate::error::lvs_error,
        ) -> $crate::status::lvs_status {
            $crate::boundary::call!(err, {
                $crate::handle::hand_over($crate::handle::place($handle, stringify!($handle))?, $value)
            })
        }
    };
}

/// Releases a handle.
macro_rules! free {
    ($name:ident, $handle:ident: $type:ident, $what:literal) => {
        #[doc = concat!("Releases ", $what, ". NULL does nothing.")]
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name($handle: Option<Box<$type>>) {
            $crate::boundary::infallible!((), { drop($handle) });
        }
    };
}

pub(crate) use {free, from_json, get, init, len, new, to_json};
