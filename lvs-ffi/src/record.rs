//! Sized records: plain structs of the caller's, which say themselves how large they are.
//!
//! A program compiled against an older header passes smaller records: what they lack reads as zero,
//! and is not written. One compiled against a newer header passes larger ones: their tail must be
//! zero when read, and is zeroed when written.

use std::mem::{MaybeUninit, size_of};
use std::ptr;

use crate::error::Failure;

/// No record is ever this large: a larger size is a variable that nobody initialised.
const LARGEST: usize = 4096;

/// A record.
///
/// # Safety
/// `repr(C)`, begins with `struct_size: u32`, and any bytes make a valid value.
pub(crate) unsafe trait Record: Copy {
    /// The C name, and that of its initialiser.
    const NAME: &'static str;
    /// The size in the first release that had the record.
    const SMALLEST: usize;
}

macro_rules! record {
    ($($type:ident: $smallest:literal;)*) => {
        $(
            // SAFETY: repr(C), `struct_size` comes first, and the fields are integers, arrays of
            // integers and raw pointers, which any bytes make.
            unsafe impl $crate::record::Record for $type {
                const NAME: &'static str = stringify!($type);
                const SMALLEST: usize = $smallest;
            }
            const _: () = assert!(std::mem::offset_of!($type, struct_size) == 0);
            const _: () = assert!(size_of::<$type>() >= $smallest);
        )*
    };
}
pub(crate) use record;

#[cold]
fn bad<T: Record>(what: std::fmt::Arguments<'_>) -> Failure {
    let upper = T::NAME.to_ascii_uppercase();
    Failure::invalid(format!("{} {what}: initialise it with {upper}_INIT", T::NAME))
}

/// The size that a record claims, checked.
unsafe fn claimed_size<T: Record>(record: *const T) -> Result<usize, Failure> {
    if record.is_null() {
        return Err(Failure::invalid(format!("{} is NULL", T::NAME)));
    }
    // SAFETY: not NULL, and every record begins with its size.
    let size = unsafe { record.cast::<u32>().read_unaligned() } as usize;
    if size < T::SMALLEST || size > LARGEST {
        return Err(bad::<T>(format_args!("says that it has {size} bytes")));
    }
    Ok(size)
}

/// Reads a record.
#[inline]
pub(crate) unsafe fn read<T: Record>(record: *const T) -> Result<T, Failure> {
    // SAFETY: the record has as many bytes as it says, by the promise of its caller.
    unsafe {
        let size = claimed_size(record)?;
        if size == size_of::<T>() {
            return Ok(record.read_unaligned());
        }
        let mut value = MaybeUninit::<T>::zeroed();
        let known = size.min(size_of::<T>());
        ptr::copy_nonoverlapping(record.cast::<u8>(), value.as_mut_ptr().cast(), known);
        let tail = std::slice::from_raw_parts(record.cast::<u8>().add(known), size - known);
        if tail.iter().any(|byte| *byte != 0) {
            return Err(bad::<T>(format_args!("uses fields that this release does not know")));
        }
        Ok(value.assume_init())
    }
}

/// Reads a record that may be absent.
#[inline]
pub(crate) unsafe fn read_optional<T: Record>(record: *const T) -> Result<Option<T>, Failure> {
    // SAFETY: as for `read`.
    if record.is_null() { Ok(None) } else { unsafe { read(record).map(Some) } }
}

/// Gives a record, of the size that its program knows, the value that it begins with.
pub(crate) unsafe fn initialise<T: Record>(record: *mut T, size: u32, value: T) -> Result<(), Failure> {
    if record.is_null() {
        return Err(Failure::invalid(format!("{} is NULL", T::NAME)));
    }
    if (size as usize) < T::SMALLEST || size as usize > LARGEST {
        return Err(Failure::invalid(format!(
            "no {} has {size} bytes: struct_size is its size as the program was compiled",
            T::NAME
        )));
    }
    // SAFETY: the record has `size` bytes, by the promise of the caller.
    unsafe {
        record.cast::<u32>().write_unaligned(size);
        write(record, value)
    }
}

/// A record without a value: all 0.
pub(crate) fn zeroed<T: Record>() -> T {
    // SAFETY: any bytes make a valid value, by the promise of the trait.
    unsafe { MaybeUninit::zeroed().assume_init() }
}

/// Checks a record that is to be written later, so that a call can fail before it does anything.
#[inline]
pub(crate) unsafe fn check<T: Record>(record: *mut T) -> Result<(), Failure> {
    // SAFETY: as for `read`.
    unsafe { claimed_size(record).map(drop) }
}

/// Writes a record of any size; its own size stays as the caller set it.
#[inline]
pub(crate) unsafe fn write<T: Record>(record: *mut T, value: T) -> Result<(), Failure> {
    // SAFETY: as for `write_with`.
    unsafe { write_with(record, || value) }
}

/// Writes what is made for it.
///
/// The value is made where it is needed: one that had to lie in memory for both ways would be
/// stored field by field and read back in larger pieces at once, which processors are slow at.
#[inline]
pub(crate) unsafe fn write_with<T: Record>(record: *mut T, value: impl FnOnce() -> T) -> Result<(), Failure> {
    // SAFETY: the record has as many bytes as it says, by the promise of its caller.
    unsafe {
        if record.is_null() || record.cast::<u32>().read_unaligned() as usize != size_of::<T>() {
            return write_other_size(record, value);
        }
        record.write_unaligned(value());
        record.cast::<u32>().write_unaligned(size_of::<T>() as u32);
    }
    Ok(())
}

/// A record of another release's, or one that is refused. It stands apart from the usual way, which
/// has registers and code to itself so.
#[cold]
#[inline(never)]
unsafe fn write_other_size<T: Record>(record: *mut T, value: impl FnOnce() -> T) -> Result<(), Failure> {
    // SAFETY: as for `write_with`; `known` is at most what the record has.
    unsafe {
        let size = claimed_size(record)?;
        let known = size.min(size_of::<T>());
        let bytes = record.cast::<u8>();
        ptr::copy_nonoverlapping(ptr::from_ref(&value()).cast(), bytes, known);
        ptr::write_bytes(bytes.add(known), 0, size - known);
        record.cast::<u32>().write_unaligned(size as u32);
    }
    Ok(())
}

/// Writes a record that may be absent.
#[inline]
pub(crate) unsafe fn write_optional<T: Record>(record: *mut T, value: impl FnOnce() -> T) -> Result<(), Failure> {
    // SAFETY: as for `write_with`.
    if record.is_null() { Ok(()) } else { unsafe { write_with(record, value) } }
}

/// The records of an array, checked: they lie as far apart as the first one says that it is large,
/// and all say the same.
pub(crate) unsafe fn array<T: Record>(first: *const T, len: usize) -> Result<impl Iterator<Item = *const T>, Failure> {
    // SAFETY: as for `read`, for each of the records.
    unsafe {
        let size = if len == 0 { 0 } else { claimed_size(first)? };
        if len > isize::MAX as usize / size.max(1) {
            return Err(Failure::invalid(format!("an array of {len} {}", T::NAME)));
        }
        let at = move |index: usize| first.wrapping_byte_add(index * size);
        for index in 1..len {
            if claimed_size(at(index))? != size {
                return Err(bad::<T>(format_args!("number {index} of an array has another size than the first")));
            }
        }
        Ok((0..len).map(at))
    }
}

/// Refuses a reserved field that is not zero.
pub(crate) fn zero(what: &str, value: impl Into<u64>) -> Result<(), Failure> {
    match value.into() {
        0 => Ok(()),
        other => Err(Failure::invalid(format!("{what} is reserved and must be 0, not {other}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(C)]
    #[derive(Debug, Clone, Copy, PartialEq)]
    struct lvs_sample {
        struct_size: u32,
        old: u32,
        new: u32,
    }
    record! { lvs_sample: 8; }

    fn sample(bytes: &[u32]) -> Result<lvs_sample, Failure> {
        // SAFETY: the slice is as long as its first word says, or shorter only where the size is
        // refused.
        unsafe { read(bytes.as_ptr().cast()) }
    }

    #[test]
    fn an_older_record_reads_as_zero_where_it_ends() {
        assert_eq!(sample(&[8, 5]).unwrap(), lvs_sample { struct_size: 8, old: 5, new: 0 });
    }

    #[test]
    fn a_newer_record_is_taken_while_its_tail_is_zero() {
        assert_eq!(sample(&[20, 5, 6, 0, 0]).unwrap().new, 6);
        assert!(sample(&[20, 5, 6, 0, 1]).is_err());
    }

    #[test]
    fn sizes_that_no_release_had_are_refused() {
        for size in [0, 1, 7, 4097, u32::MAX] {
            assert!(sample(&[size, 1, 2]).is_err(), "{size}");
        }
    }

    #[test]
    fn an_array_is_laid_out_as_its_program_was_compiled() {
        let read_all = |words: &[u32], len| {
            // SAFETY: the slice is as long as its records say, or shorter only where they are
            // refused.
            let records = unsafe { array(words.as_ptr().cast::<lvs_sample>(), len)? };
            // SAFETY: as above.
            records.map(|record| unsafe { read(record) }).collect::<Result<Vec<_>, _>>()
        };
        assert_eq!(read_all(&[8, 5, 8, 6], 2).unwrap()[1].old, 6);
        assert_eq!(read_all(&[16, 5, 6, 0, 16, 7, 8, 0], 2).unwrap()[1].new, 8);
        assert!(read_all(&[8, 5, 12, 6, 1], 2).is_err());
        assert!(read_all(&[8, 5], usize::MAX).is_err());
        assert!(read_all(&[], 0).unwrap().is_empty());
    }

    #[test]
    fn writing_keeps_to_the_size_of_the_caller() {
        let value = lvs_sample { struct_size: 0, old: 1, new: 2 };
        let mut old = [8u32, 0, 77];
        // SAFETY: as large as it says.
        unsafe { write(old.as_mut_ptr().cast(), value).unwrap() };
        assert_eq!(old, [8, 1, 77]);
        let mut new = [16u32, 9, 9, 9];
        // SAFETY: as large as it says.
        unsafe { write(new.as_mut_ptr().cast(), value).unwrap() };
        assert_eq!(new, [16, 1, 2, 0]);
    }
}
