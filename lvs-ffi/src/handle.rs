//! Pointers to handles, strings and buffers, checked where they come in.

use std::ffi::{CStr, c_char};

use crate::error::Failure;

/// A handle that must be there.
#[inline]
pub(crate) fn required<T>(handle: Option<T>, what: &str) -> Result<T, Failure> {
    handle.ok_or_else(|| null(what))
}

#[cold]
pub(crate) fn null(what: &str) -> Failure {
    Failure::invalid(format!("{what} is NULL"))
}

/// A place for an output, checked before anything is done.
#[inline]
pub(crate) fn place<T>(out: *mut T, what: &str) -> Result<*mut T, Failure> {
    if out.is_null() { Err(null(what)) } else { Ok(out) }
}

/// What a number from C stands for: the values of its enum count from 0.
pub(crate) fn choice<T: Copy>(number: u32, what: &str, choices: &[T]) -> Result<T, Failure> {
    let chosen = usize::try_from(number).ok().and_then(|index| choices.get(index));
    chosen.copied().ok_or_else(|| Failure::invalid(format!("unknown {what}: {number}")))
}

/// Hands a new handle to the caller.
#[inline]
pub(crate) unsafe fn hand_over<T>(out: *mut *mut T, handle: T) -> Result<(), Failure> {
    // SAFETY: `out` has come through `place`.
    unsafe { out.write(Box::into_raw(boxed(handle)?)) };
    Ok(())
}

/// A value in memory of its own, or the error that there is none.
pub(crate) fn boxed<T>(value: T) -> Result<Box<T>, Failure> {
    // A vector of one is the way of the standard library to ask for memory that may not be there.
    let mut place = Vec::new();
    place.try_reserve_exact(1)?;
    place.push(value);
    let place: Box<[T; 1]> = place.try_into().map_err(|_| Failure::NoMemory)?;
    // SAFETY: an array of one has the layout of what it holds.
    Ok(unsafe { Box::from_raw(Box::into_raw(place).cast()) })
}

/// Text that ends with a NUL byte.
pub(crate) unsafe fn text<'a>(text: *const c_char, what: &str) -> Result<&'a str, Failure> {
    if text.is_null() {
        return Err(null(what));
    }
    // SAFETY: not NULL, and ends with a NUL byte by the promise of the caller.
    let bytes = unsafe { CStr::from_ptr(text) };
    bytes.to_str().map_err(|error| Failure::invalid(format!("{what} is not UTF-8: {error}")))
}

/// An array with a length; NULL only if it is empty.
pub(crate) unsafe fn slice<'a, T>(first: *const T, len: usize, what: &str) -> Result<&'a [T], Failure> {
    match (first.is_null(), len) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(null(what)),
        // Nothing is longer than half of the address space, and slices must not claim to be.
        (false, len) if len > isize::MAX as usize / size_of::<T>().max(1) => {
            Err(Failure::invalid(format!("{what} has {len} entries")))
        }
        // SAFETY: as long as the caller says.
        (false, len) => Ok(unsafe { std::slice::from_raw_parts(first, len) }),
    }
}

/// A name held in a field of a record: up to the first NUL byte, which must be there.
pub(crate) fn field<'a>(field: &'a [c_char], what: &str) -> Result<&'a str, Failure> {
    // SAFETY: c_char and u8 have one size and alignment, and any bytes make both.
    let bytes: &'a [u8] = unsafe { std::slice::from_raw_parts(field.as_ptr().cast(), field.len()) };
    let name = CStr::from_bytes_until_nul(bytes)
        .map_err(|_| Failure::invalid(format!("{what} has no NUL byte in its {} bytes", field.len())))?;
    name.to_str().map_err(|error| Failure::invalid(format!("{what} is not UTF-8: {error}")))
}

/// A name into a field of a record; every name of the core is shorter than its field.
pub(crate) fn to_field<const N: usize>(name: &str) -> [c_char; N] {
    let mut field = [0; N];
    for (to, from) in field[..N - 1].iter_mut().zip(name.bytes()) {
        *to = from as c_char;
    }
    field
}

/// The same for a name that the core keeps in a field of its own.
#[inline]
pub(crate) fn padded<const N: usize, const M: usize>(name: &[u8; M]) -> [c_char; N] {
    const { assert!(M < N, "room for the NUL byte") };
    let mut field = [0; N];
    for (to, from) in field.iter_mut().zip(name) {
        *to = *from as c_char;
    }
    field
}

/// Writes text and a NUL byte into a caller's buffer as snprintf does, and returns the length of
/// the whole text.
pub(crate) unsafe fn print(buffer: *mut c_char, size: usize, text: &str) -> usize {
    if !buffer.is_null() && size > 0 {
        // Cut between characters, so that what is there is UTF-8.
        let mut end = text.len().min(size - 1);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        // SAFETY: `end` < `size`, and the buffer has `size` bytes by the promise of the caller.
        unsafe {
            std::ptr::copy_nonoverlapping(text.as_ptr().cast(), buffer, end);
            buffer.add(end).write(0);
        }
    }
    text.len()
}
