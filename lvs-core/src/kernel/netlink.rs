use std::fs::File;
use std::io::{self, IoSliceMut};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::Duration;

use netlink_sys::protocols::NETLINK_GENERIC;
use netlink_sys::{Socket, SocketAddr};
use nix::sys::socket::{MsgFlags, MultiHeaders, recvmmsg, setsockopt, sockopt};
use nix::sys::time::TimeVal;

use super::namespace::inside;
use super::transport::{Inbox, MAX_DATAGRAMS, Transport};

/// Room for the replies that one datagram of requests can cause if every one of them is refused:
/// each takes less than a kilobyte of the socket's account.
const RECEIVE_BUFFER: i32 = 256 << 10;

/// The kernel's socket.
///
/// It never clones the [`Socket`]: a clone closes the descriptor of both. Nor does it use
/// `Socket::recv_from`, which loses the sender on big-endian machines: a connected socket receives
/// from the kernel alone.
#[derive(Debug)]
pub(super) struct NetlinkSocket {
    socket: Socket,
    namespace: Option<Arc<File>>,
    timeout: Option<Duration>,
}

impl NetlinkSocket {
    pub(super) fn open(namespace: Option<Arc<File>>, timeout: Option<Duration>) -> io::Result<Self> {
        let socket = inside(namespace.as_deref(), || connect(timeout))?;
        Ok(Self { socket, namespace, timeout })
    }
}

/// A socket that is connected to the kernel: it gets a port of its own.
fn connect(timeout: Option<Duration>) -> io::Result<Socket> {
    let socket = Socket::new(NETLINK_GENERIC)?;
    socket.connect(&SocketAddr::new(0, 0))?;
    // Short errors, and the kernel's explanations. Kernels before 4.12 have neither and do without.
    let _ = socket.set_cap_ack(true);
    let _ = socket.set_ext_ack(true);
    // With the privilege to ask for it; otherwise whatever the system allows.
    if setsockopt(&socket, sockopt::RcvBufForce, &(RECEIVE_BUFFER as usize)).is_err() {
        let _ = socket.set_rx_buf_sz(RECEIVE_BUFFER);
    }
    if let Some(timeout) = timeout {
        setsockopt(&socket, sockopt::ReceiveTimeout, &timeval(timeout))?;
    }
    Ok(socket)
}

/// Zero would mean forever: it waits at least a microsecond. More seconds than an `i32` holds are
/// forever in practice.
fn timeval(timeout: Duration) -> TimeVal {
    let seconds = timeout.as_secs().min(i32::MAX as u64);
    TimeVal::new(seconds as _, timeout.subsec_micros().max(u32::from(seconds == 0)) as _)
}

impl Transport for NetlinkSocket {
    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        let sent = self.socket.send(datagram, MsgFlags::MSG_NOSIGNAL.bits())?;
        if sent == datagram.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }

    fn receive(&mut self, inbox: &mut Inbox, wait: bool) -> io::Result<()> {
        // MSG_TRUNC asks for the whole length of a datagram that is cut.
        let mut flags = MsgFlags::MSG_TRUNC;
        flags.set(MsgFlags::MSG_DONTWAIT, !wait);
        let (bytes, chunk, lengths) = inbox.parts();
        if bytes.len() == chunk {
            let mut buffer = bytes;
            lengths.push(self.socket.recv(&mut buffer, flags.bits())?);
            return Ok(());
        }
        // Waits for the first datagram, and takes as many more as are there.
        flags |= MsgFlags::MSG_WAITFORONE;
        let mut parts = bytes.chunks_exact_mut(chunk);
        let count = parts.len();
        let mut buffers: [_; MAX_DATAGRAMS] =
            std::array::from_fn(|_| [IoSliceMut::new(parts.next().unwrap_or_default())]);
        let mut headers = MultiHeaders::<()>::preallocate(count, None);
        let received = recvmmsg(self.socket.as_raw_fd(), &mut headers, &mut buffers[..count], flags, None)?;
        lengths.extend(received.map(|datagram| datagram.bytes));
        Ok(())
    }

    fn reset(&mut self) -> io::Result<()> {
        let timeout = self.timeout;
        self.socket = inside(self.namespace.as_deref(), || connect(timeout))?;
        Ok(())
    }
}
