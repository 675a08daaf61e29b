//! Answers that the kernel could not deliver, because the receive buffer was full: `ENOBUFS`, for
//! real.

use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use lvs_core::kernel::{Inbox, Transport};

use super::*;

/// A socket with a small receive buffer: it holds some ten answers.
struct TightSocket(OwnedFd);

impl TightSocket {
    fn open() -> io::Result<Self> {
        // SAFETY: the pointers and lengths are those of local values, which outlive the calls; the
        // descriptor is new.
        unsafe {
            let fd = libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, libc::NETLINK_GENERIC);
            let socket = if fd < 0 { return Err(io::Error::last_os_error()) } else { OwnedFd::from_raw_fd(fd) };
            let room = 4096i32;
            let length = size_of::<i32>() as libc::socklen_t;
            assert_eq!(libc::setsockopt(fd, libc::SOL_SOCKET, libc::SO_RCVBUF, (&raw const room).cast(), length), 0);
            let mut kernel: libc::sockaddr_nl = std::mem::zeroed();
            kernel.nl_family = libc::AF_NETLINK as libc::sa_family_t;
            let length = size_of::<libc::sockaddr_nl>() as libc::socklen_t;
            assert_eq!(libc::connect(fd, (&raw const kernel).cast(), length), 0);
            Ok(Self(socket))
        }
    }
}

impl Transport for TightSocket {
    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        // SAFETY: the pointer and the length are those of `datagram`.
        let sent = unsafe { libc::send(self.0.as_raw_fd(), datagram.as_ptr().cast(), datagram.len(), 0) };
        if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    fn receive(&mut self, inbox: &mut Inbox, wait: bool) -> io::Result<()> {
        let mut datagram = vec![0u8; inbox.chunk()];
        let flags = libc::MSG_TRUNC | if wait { 0 } else { libc::MSG_DONTWAIT };
        // SAFETY: the pointer and the length are those of `datagram`.
        let got = unsafe { libc::recv(self.0.as_raw_fd(), datagram.as_mut_ptr().cast(), datagram.len(), flags) };
        datagram.resize(usize::try_from(got).map_err(|_| io::Error::last_os_error())?, 0);
        assert!(inbox.push(&datagram));
        Ok(())
    }

    fn reset(&mut self) -> io::Result<()> {
        *self = Self::open()?;
        Ok(())
    }
}

/// A hundred changes, of which every second is refused.
fn half_refused() -> Vec<Operation> {
    let pair = |number| {
        [
            Operation::AddDestination(v4(1), server(number)),
            Operation::RemoveDestination(v4(1), server(200 + number).key),
        ]
    };
    (0..50).flat_map(pair).collect()
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn lost_replies_are_reported_and_the_director_stays_usable() {
    fresh();
    let mut director = KernelDirector::with_transport(TightSocket::open().unwrap()).unwrap();
    director.add_service(&Service::new(v4(1))).unwrap();
    let operations = half_refused();
    let report = director.apply(&operations, OnRefusal::Continue);
    let error = report.interrupted.as_ref().expect("a hundred answers do not fit");
    assert_eq!(error.errno(), Some(Errno::ENOBUFS), "{error}");
    assert_eq!(
        error.to_string(),
        "cannot receive all replies from the netlink socket: No buffer space available (os error 105)"
    );
    // All were sent, in one datagram; the first answers came, and are those of the first refusals.
    assert_eq!(report.sent, operations.len());
    assert!((2..60).contains(&report.answered), "{report:?}");
    let told: Vec<usize> = report.refused.iter().map(|failure| failure.index).collect();
    assert_eq!(told, (1..report.answered).step_by(2).collect::<Vec<_>>());
    for failure in &report.refused {
        assert_eq!((failure.error.errno, &failure.error.cause), (Some(Errno::ENOENT), &Cause::DestinationNotFound));
    }
    // The kernel did all of it nevertheless; the same director sees that, on a fresh socket.
    assert_eq!(director.destinations(&v4(1)).unwrap().len(), 50);
    refused(director.remove_service(&v4(2)), Errno::ESRCH, Cause::ServiceNotFound);
    let snapshot = director.snapshot().unwrap();
    assert_eq!(snapshot.services[0].destinations.len(), 50);
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn the_director_s_own_socket_has_room_for_the_refusal_of_everything() {
    let mut director = open();
    let operations: Vec<Operation> = (0..5000u32).map(|number| Operation::RemoveService(numbered(number))).collect();
    let report = director.apply(&operations, OnRefusal::Continue);
    assert!(report.interrupted.is_none(), "{report:?}");
    assert_eq!((report.answered, report.refused.len()), (5000, 5000));
    assert!(report.refused.iter().enumerate().all(|(index, failure)| failure.index == index));
}
