//! Strings that the library returns.

use std::ffi::c_char;

use crate::boundary::infallible;
use crate::error::Failure;
use crate::exports::{free, len, new};

/// Text that the library writes: rules, listings, plans. Keep one and use it again, it keeps its
/// memory.
///
/// Made by lvs_text_new(), released by lvs_text_free(). One thread at a time.
pub struct lvs_text {
    /// Ends with a NUL byte, unless nothing has been written yet.
    bytes: Vec<u8>,
}

impl lvs_text {
    /// Replaces the text by one that is made already.
    pub(crate) fn set(&mut self, text: String) {
        self.bytes = text.into_bytes();
        self.bytes.push(0);
    }

    /// Replaces the text by what is written as bytes. What a writer leaves behind when it fails is
    /// thrown away.
    pub(crate) fn replace_bytes<T>(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.bytes.clear();
        let result = write(&mut self.bytes);
        if result.is_err() {
            self.bytes.clear();
        }
        self.bytes.push(0);
        result
    }

    /// Replaces the text. What a writer leaves behind when it fails is thrown away.
    pub(crate) fn replace<T>(&mut self, write: impl FnOnce(&mut String) -> Result<T, Failure>) -> Result<T, Failure> {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        let mut text = String::from_utf8(bytes).unwrap_or_default();
        let result = write(&mut text);
        if result.is_err() {
            text.clear();
        }
        self.bytes = text.into_bytes();
        self.bytes.push(0);
        result
    }
}

new!(lvs_text_new, text: lvs_text, lvs_text { bytes: Vec::new() }, "Makes an empty text.");

/// The text, UTF-8 and with a NUL byte at its end. Never NULL. It is valid until `text` is written
/// or released.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_text_data(text: Option<&lvs_text>) -> *const c_char {
    infallible!(c"".as_ptr(), {
        // Empty, without even the NUL byte, is a new text, and one after a panic in `replace`.
        text.filter(|text| !text.bytes.is_empty()).map_or(c"".as_ptr(), |text| text.bytes.as_ptr().cast())
    })
}

len!(
    lvs_text_len, text: lvs_text, text.bytes.len().saturating_sub(1),
    "The length of the text in bytes, without the NUL byte."
);

free!(lvs_text_free, text: lvs_text, "a text");
