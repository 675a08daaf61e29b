//! The system calls that the standard library has no name for. All `unsafe` of this crate is here.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// An advisory lock on a whole file, held until the value is dropped (or the process ends in any way).
pub(crate) struct Lock(#[allow(dead_code)] File);

impl Lock {
    /// Takes the lock, calling `waiting` once if somebody else holds it.
    pub(crate) fn take(file: File, waiting: impl FnOnce()) -> io::Result<Self> {
        if !Self::flock(&file, libc::LOCK_EX | libc::LOCK_NB)? {
            waiting();
            while !Self::flock(&file, libc::LOCK_EX)? {}
        }
        Ok(Self(file))
    }

    /// Takes the lock if it is free.
    pub(crate) fn try_take(file: File) -> io::Result<Option<Self>> {
        Ok(Self::flock(&file, libc::LOCK_EX | libc::LOCK_NB)?.then_some(Self(file)))
    }

    fn flock(file: &File, how: i32) -> io::Result<bool> {
        // SAFETY: flock takes no pointer, and `file` keeps the descriptor open.
        if unsafe { libc::flock(file.as_raw_fd(), how) } == 0 {
            return Ok(true);
        }
        let error = io::Error::last_os_error();
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(false),
            _ => Err(error),
        }
    }
}

/// Waits until one of `fds` can be read (or was closed at its other end). Answers which; all `false` on a timeout.
pub(crate) fn readable(fds: &[RawFd], timeout: Duration) -> io::Result<Vec<bool>> {
    let mut poll: Vec<libc::pollfd> =
        fds.iter().map(|&fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 }).collect();
    // One millisecond more, so that a wait never ends just before its deadline.
    let timeout = i32::try_from(timeout.as_millis().saturating_add(1)).unwrap_or(i32::MAX);
    // SAFETY: the pointer and the length describe `poll`, which lives until the call returns.
    let ready = unsafe { libc::poll(poll.as_mut_ptr(), poll.len() as libc::nfds_t, timeout) };
    if ready < 0 {
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    Ok(poll.iter().map(|p| ready > 0 && p.revents != 0).collect())
}

/// Ends a whole process group at once. That it has gone already is fine.
pub(crate) fn kill_group(leader: u32) {
    let Ok(leader) = i32::try_from(leader) else {
        return;
    };
    // SAFETY: killpg takes no pointer.
    unsafe { libc::killpg(leader, libc::SIGKILL) };
}

/// Lets the child keep these descriptors, and has the kernel end it when the calling thread ends.
pub(crate) fn hand_over(command: &mut Command, fds: Vec<RawFd>) {
    let action = move || {
        // SAFETY: prctl with these arguments takes no pointer.
        if unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) } != 0 {
            return Err(io::Error::last_os_error());
        }
        for &fd in &fds {
            // SAFETY: fcntl with F_SETFD takes no pointer. Clears close-on-exec, in the child alone.
            if unsafe { libc::fcntl(fd, libc::F_SETFD, 0) } != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(())
    };
    // SAFETY: between fork and exec, `action` makes plain system calls only: it allocates nothing and takes no lock.
    unsafe { command.pre_exec(action) };
}

/// Gives the child a view of the file system in which nothing but `writable` can be written, if the kernel and this
/// process's rights allow that (root, Linux 5.12). Without them the child keeps the view, and the rights, of its user.
pub(crate) fn protect_files(command: &mut Command, writable: &[&Path]) -> io::Result<()> {
    let root = c"/";
    let writable: Vec<CString> =
        writable.iter().map(|p| CString::new(p.as_os_str().as_bytes())).collect::<Result<_, _>>()?;
    let action = move || {
        let null = std::ptr::null();
        // SAFETY: every pointer is null or to a C string that the closure owns or that is static.
        unsafe {
            if libc::unshare(libc::CLONE_NEWNS) != 0 {
                return Ok(());
            }
            // What is mounted here must not show outside.
            if libc::mount(null, root.as_ptr(), null, libc::MS_REC | libc::MS_PRIVATE, null.cast()) != 0 {
                return Err(io::Error::last_os_error());
            }
            for path in &writable {
                // A mount of its own can differ from what lies around it.
                if libc::mount(path.as_ptr(), path.as_ptr(), null, libc::MS_BIND, null.cast()) != 0 {
                    return Err(io::Error::last_os_error());
                }
            }
        }
        if mount_attributes(root, libc::AT_RECURSIVE as u32, libc::MOUNT_ATTR_RDONLY, 0) {
            for path in &writable {
                if !mount_attributes(path, 0, 0, libc::MOUNT_ATTR_RDONLY) {
                    return Err(io::Error::last_os_error());
                }
            }
        }
        Ok(())
    };
    // SAFETY: between fork and exec, `action` makes plain system calls only: it allocates nothing and takes no lock.
    unsafe { command.pre_exec(action) };
    Ok(())
}

/// Sets and clears attributes of the mount at `path`; false if that failed.
fn mount_attributes(path: &CStr, flags: u32, set: u64, clear: u64) -> bool {
    let attributes = libc::mount_attr { attr_set: set, attr_clr: clear, propagation: 0, userns_fd: 0 };
    // SAFETY: the path is a C string, and the size is that of the live structure pointed to.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            path.as_ptr(),
            flags,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    };
    result == 0
}

/// How many bytes the file system at `path` has left for this user.
pub(crate) fn room(path: &Path) -> io::Result<u64> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: an all-zero statvfs is a valid value, and both pointers are to live values.
    unsafe {
        let mut answer: libc::statvfs = std::mem::zeroed();
        if libc::statvfs(path.as_ptr(), &mut answer) != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(answer.f_bavail * answer.f_frsize)
    }
}

/// Turns SIGINT, SIGTERM and SIGHUP into something to wait for: the descriptor is readable once one has arrived.
/// Children start with the signals as they were.
pub(crate) fn signals() -> io::Result<OwnedFd> {
    // SAFETY: an all-zero sigset_t is a valid value, and sigemptyset then initialises it; the other calls get
    // pointers to that live value. signalfd returns a new descriptor that nobody else owns.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
            libc::sigaddset(&mut set, signal);
        }
        if libc::pthread_sigmask(libc::SIG_BLOCK, &set, std::ptr::null_mut()) != 0 {
            return Err(io::Error::last_os_error());
        }
        match libc::signalfd(-1, &set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) {
            -1 => Err(io::Error::last_os_error()),
            fd => Ok(OwnedFd::from_raw_fd(fd)),
        }
    }
}

/// Whether this process runs as root.
pub(crate) fn is_root() -> bool {
    // SAFETY: geteuid takes nothing and cannot fail.
    unsafe { libc::geteuid() == 0 }
}

/// Reads what is there, up to the buffer's length.
pub(crate) fn read(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        // SAFETY: the pointer and the length describe `buffer`.
        let n = unsafe { libc::read(fd.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) };
        match usize::try_from(n) {
            Ok(n) => return Ok(n),
            Err(_) => {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
        }
    }
}
