//! Errors that speak of this host and not of the server.

use std::io;

use nix::errno::Errno;

/// Whether an error means that this host lacks something: descriptors, memory, processes, local ports,
/// or the permission to send. (`connect(2)`, `socket(2)`, `fork(2)`.)
pub fn is_own_shortage(error: &io::Error) -> bool {
    let Some(errno) = error.raw_os_error() else { return error.kind() == io::ErrorKind::OutOfMemory };
    matches!(
        Errno::from_raw(errno),
        Errno::EMFILE
            | Errno::ENFILE
            | Errno::ENOMEM
            | Errno::ENOBUFS
            | Errno::ENOSPC
            | Errno::EAGAIN
            | Errno::EADDRNOTAVAIL
            | Errno::EADDRINUSE
            | Errno::EPERM
            | Errno::EACCES
            | Errno::ENETDOWN
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_connection_is_the_servers_and_a_missing_descriptor_is_ours() {
        let of = |errno: Errno| is_own_shortage(&io::Error::from_raw_os_error(errno as i32));
        assert!(of(Errno::EMFILE) && of(Errno::EADDRNOTAVAIL) && of(Errno::EAGAIN));
        assert!(!of(Errno::ECONNREFUSED) && !of(Errno::EHOSTUNREACH) && !of(Errno::ETIMEDOUT));
    }
}
