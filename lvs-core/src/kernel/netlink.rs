use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use super::namespace::inside;
use super::sys;
use super::transport::{Inbox, Transport};

// <linux/netlink.h>
const SOL_NETLINK: i32 = 270;
const NETLINK_CAP_ACK: i32 = 10;
const NETLINK_EXT_ACK: i32 = 11;

/// Room for the answers that one datagram of requests can cause, should every one of them be refused: each takes less
/// than a kilobyte of the socket's account.
const RECEIVE_BUFFER: i32 = 256 << 10;

/// The kernel's socket.
#[derive(Debug)]
pub(super) struct NetlinkSocket {
    fd: OwnedFd,
    namespace: Option<Arc<File>>,
    timeout: Option<Duration>,
}

impl NetlinkSocket {
    pub(super) fn open(namespace: Option<Arc<File>>, timeout: Option<Duration>) -> io::Result<Self> {
        let fd = inside(namespace.as_deref(), || connect(timeout))?;
        Ok(Self { fd, namespace, timeout })
    }
}

fn connect(timeout: Option<Duration>) -> io::Result<OwnedFd> {
    let fd = sys::netlink_socket()?;
    // Short errors, and the kernel's words. Kernels before 4.12 have neither and do without.
    let _ = sys::set_option(fd.as_fd(), SOL_NETLINK, NETLINK_CAP_ACK, &1i32.to_ne_bytes());
    let _ = sys::set_option(fd.as_fd(), SOL_NETLINK, NETLINK_EXT_ACK, &1i32.to_ne_bytes());
    // With the privilege to ask for it; otherwise whatever the system allows.
    let size = RECEIVE_BUFFER.to_ne_bytes();
    if sys::set_option(fd.as_fd(), libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, &size).is_err() {
        let _ = sys::set_option(fd.as_fd(), libc::SOL_SOCKET, libc::SO_RCVBUF, &size);
    }
    if let Some(timeout) = timeout {
        sys::set_receive_timeout(fd.as_fd(), timeout)?;
    }
    Ok(fd)
}

impl Transport for NetlinkSocket {
    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        let sent = sys::send(self.fd.as_fd(), datagram)?;
        if sent == datagram.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }

    fn receive(&mut self, inbox: &mut Inbox, wait: bool) -> io::Result<()> {
        let (bytes, chunk, lengths) = inbox.parts();
        sys::receive(self.fd.as_fd(), bytes, chunk, wait, lengths)
    }

    fn reset(&mut self) -> io::Result<()> {
        let timeout = self.timeout;
        self.fd = inside(self.namespace.as_deref(), || connect(timeout))?;
        Ok(())
    }
}
