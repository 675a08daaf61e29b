//! The only unsafe code of this crate: socket options whose value is of any length. netlink-sys and
//! nix offer those of fixed types alone, and no way to read an option whose buffer the kernel reads
//! first.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use nix::errno::Errno;
use nix::libc;

/// Sets an option of level `IPPROTO_IP`.
pub(super) fn set_option(fd: BorrowedFd<'_>, option: i32, value: &[u8]) -> io::Result<()> {
    let length = libc::socklen_t::try_from(value.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: the pointer and the length describe `value`, which the kernel only reads.
    let result = unsafe { libc::setsockopt(fd.as_raw_fd(), libc::IPPROTO_IP, option, value.as_ptr().cast(), length) };
    Errno::result(result)?;
    Ok(())
}

/// Reads an option of level `IPPROTO_IP` that is also a request: the kernel reads the buffer before
/// it fills it.
pub(super) fn get_option(fd: BorrowedFd<'_>, option: i32, buf: &mut [u8]) -> io::Result<()> {
    let mut length = libc::socklen_t::try_from(buf.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: the pointer and the length describe `buf`, to which the kernel writes at most that
    // many bytes; `length` outlives the call.
    let result =
        unsafe { libc::getsockopt(fd.as_raw_fd(), libc::IPPROTO_IP, option, buf.as_mut_ptr().cast(), &raw mut length) };
    Errno::result(result)?;
    Ok(())
}
