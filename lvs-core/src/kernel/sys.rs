//! The only unsafe code of this crate: the system calls that `std` does not have.
#![allow(unsafe_code)]

use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;
use std::time::Duration;

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn socket(domain: libc::c_int, kind: libc::c_int, protocol: libc::c_int) -> io::Result<OwnedFd> {
    // SAFETY: socket(2) takes three numbers and touches no memory of ours.
    let fd = check(unsafe { libc::socket(domain, kind | libc::SOCK_CLOEXEC, protocol) })?;
    // SAFETY: the descriptor is new and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// A generic netlink socket, connected to the kernel: it gets a port of its own and hears nobody else.
pub(super) fn netlink_socket() -> io::Result<OwnedFd> {
    let fd = socket(libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_GENERIC)?;
    // SAFETY: sockaddr_nl is plain numbers; all zero is a valid one, and means the kernel.
    let mut kernel: libc::sockaddr_nl = unsafe { zeroed() };
    kernel.nl_family = libc::AF_NETLINK as libc::sa_family_t;
    // SAFETY: the pointer and the length describe `kernel`, which outlives the call.
    check(unsafe {
        libc::connect(fd.as_raw_fd(), ptr::from_ref(&kernel).cast(), size_of::<libc::sockaddr_nl>() as libc::socklen_t)
    })?;
    Ok(fd)
}

/// Any IPv4 socket: the way to the old socket options. A datagram socket needs no privilege.
pub(super) fn inet_socket() -> io::Result<OwnedFd> {
    socket(libc::AF_INET, libc::SOCK_DGRAM, 0)
}

pub(super) fn set_option(fd: BorrowedFd<'_>, level: i32, option: i32, value: &[u8]) -> io::Result<()> {
    let length = libc::socklen_t::try_from(value.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: the pointer and the length describe `value`, which the kernel only reads.
    check(unsafe { libc::setsockopt(fd.as_raw_fd(), level, option, value.as_ptr().cast(), length) })?;
    Ok(())
}

/// Reads an option that is also a question: the kernel reads the buffer before it fills it. Gives the bytes filled.
pub(super) fn get_option(fd: BorrowedFd<'_>, level: i32, option: i32, buf: &mut [u8]) -> io::Result<usize> {
    let mut length = libc::socklen_t::try_from(buf.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: the pointer and the length describe `buf`, to which the kernel writes at most that many bytes; `length`
    // outlives the call.
    check(unsafe { libc::getsockopt(fd.as_raw_fd(), level, option, buf.as_mut_ptr().cast(), &mut length) })?;
    Ok(usize::try_from(length).unwrap_or(usize::MAX).min(buf.len()))
}

/// Limits how long a receive waits.
pub(super) fn set_receive_timeout(fd: BorrowedFd<'_>, timeout: Duration) -> io::Result<()> {
    // SAFETY: timeval is two numbers; all zero is a valid one.
    let mut value: libc::timeval = unsafe { zeroed() };
    // Zero would mean for ever: wait at least a microsecond. Seconds above an i32 are for ever in practice.
    value.tv_sec = timeout.as_secs().min(i32::MAX as u64) as libc::time_t;
    value.tv_usec = timeout.subsec_micros().max(u32::from(timeout.as_secs() == 0)) as libc::suseconds_t;
    // SAFETY: the pointer and the length describe `value`, which outlives the call.
    check(unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_RCVTIMEO,
            ptr::from_ref(&value).cast(),
            size_of::<libc::timeval>() as libc::socklen_t,
        )
    })?;
    Ok(())
}

pub(super) fn send(fd: BorrowedFd<'_>, datagram: &[u8]) -> io::Result<usize> {
    // SAFETY: the pointer and the length describe `datagram`, which the kernel only reads.
    let sent = unsafe { libc::send(fd.as_raw_fd(), datagram.as_ptr().cast(), datagram.len(), libc::MSG_NOSIGNAL) };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// The most datagrams that one [`receive`] takes.
pub(super) const MAX_DATAGRAMS: usize = 8;

/// Receives datagrams, one into each chunk of `buf`: waits for the first unless told not to, and takes as many as are
/// there. Pushes the whole length of each, which is above `chunk` for one that was cut.
pub(super) fn receive(
    fd: BorrowedFd<'_>,
    buf: &mut [u8],
    chunk: usize,
    wait: bool,
    lengths: &mut Vec<usize>,
) -> io::Result<()> {
    // MSG_TRUNC asks for the whole length of a datagram that is cut.
    let flags = libc::MSG_TRUNC | if wait { 0 } else { libc::MSG_DONTWAIT };
    if buf.len() / chunk == 1 {
        // SAFETY: the pointer and the length describe `buf`, to which the kernel writes at most that many bytes.
        let received = unsafe { libc::recv(fd.as_raw_fd(), buf.as_mut_ptr().cast(), chunk, flags) };
        lengths.push(usize::try_from(received).map_err(|_| io::Error::last_os_error())?);
        return Ok(());
    }
    // SAFETY: iovec and mmsghdr are numbers and pointers; all zero (null) is a valid value of both.
    let (mut vectors, mut headers): ([libc::iovec; MAX_DATAGRAMS], [libc::mmsghdr; MAX_DATAGRAMS]) =
        unsafe { (zeroed(), zeroed()) };
    let mut count = 0;
    for (part, (vector, header)) in buf.chunks_exact_mut(chunk).zip(vectors.iter_mut().zip(headers.iter_mut())) {
        vector.iov_base = part.as_mut_ptr().cast();
        vector.iov_len = part.len();
        header.msg_hdr.msg_iov = vector;
        header.msg_hdr.msg_iovlen = 1;
        count += 1;
    }
    let flags = flags | libc::MSG_WAITFORONE;
    // SAFETY: `count` headers are set up; each points to one vector, and that to its own part of `buf`. All outlive the
    // call; names and control data are null with length zero.
    let received =
        check(unsafe { libc::recvmmsg(fd.as_raw_fd(), headers.as_mut_ptr(), count, flags as _, ptr::null_mut()) })?;
    let received = usize::try_from(received).unwrap_or(0);
    lengths.extend(headers.iter().take(received).map(|header| header.msg_len as usize));
    Ok(())
}

/// Moves the calling thread, and only it, into a network namespace.
pub(super) fn enter_network_namespace(namespace: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: setns(2) takes two numbers. It changes the calling thread's view of the network, nothing in memory.
    check(unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) })?;
    Ok(())
}
