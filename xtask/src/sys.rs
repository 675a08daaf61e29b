//! The system calls that the standard library has no name for. All `unsafe` of this crate is here.

use nix::fcntl::{Flock, FlockArg};
use nix::mount::{MsFlags, mount};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{SigSet, Signal, killpg};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::{prctl, statvfs};
use nix::unistd::{Pid, Uid};
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// An advisory lock on a whole file, held until the value is dropped (or the process ends in any
/// way).
pub(crate) struct Lock(#[allow(dead_code)] Flock<File>);

impl Lock {
    /// Takes the lock, calling `waiting` once if somebody else holds it.
    pub(crate) fn take(file: File, waiting: impl FnOnce()) -> io::Result<Self> {
        let mut file = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Err((file, nix::Error::EWOULDBLOCK)) => file,
            done => return Self::taken(done),
        };
        waiting();
        loop {
            file = match Flock::lock(file, FlockArg::LockExclusive) {
                Err((file, nix::Error::EINTR)) => file,
                done => return Self::taken(done),
            };
        }
    }

    /// Takes the lock if it is free.
    pub(crate) fn try_take(file: File) -> io::Result<Option<Self>> {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Err((_, nix::Error::EWOULDBLOCK)) => Ok(None),
            done => Self::taken(done).map(Some),
        }
    }

    /// Shares the lock with others that share it, once whoever holds it alone has let go.
    pub(crate) fn share(mut file: File) -> io::Result<Self> {
        loop {
            file = match Flock::lock(file, FlockArg::LockShared) {
                Err((file, nix::Error::EINTR)) => file,
                done => return Self::taken(done),
            };
        }
    }

    fn taken(done: Result<Flock<File>, (File, nix::Error)>) -> io::Result<Self> {
        done.map(Self).map_err(|(_, error)| error.into())
    }
}

/// Waits until one of `fds` can be read (or was closed at its other end). Answers which; all
/// `false` on a timeout, and for those that are not there.
pub(crate) fn readable<const N: usize>(fds: [Option<BorrowedFd<'_>>; N], timeout: Duration) -> io::Result<[bool; N]> {
    let mut set: Vec<PollFd<'_>> = fds.iter().flatten().map(|fd| PollFd::new(*fd, PollFlags::POLLIN)).collect();
    // One millisecond more, so that a wait never ends just before its deadline.
    let timeout = i32::try_from(timeout.as_millis().saturating_add(1)).unwrap_or(i32::MAX);
    let ready = match poll(&mut set, PollTimeout::try_from(timeout).unwrap_or(PollTimeout::MAX)) {
        Err(nix::Error::EINTR) => 0,
        done => done?,
    };
    let mut answers = set.iter().map(|fd| ready > 0 && fd.any().unwrap_or(true));
    Ok(fds.map(|fd| fd.is_some() && answers.next().unwrap_or(false)))
}

/// Ends a whole process group at once. That it has gone already is fine.
pub(crate) fn kill_group(leader: u32) {
    if let Ok(leader) = i32::try_from(leader) {
        let _ = killpg(Pid::from_raw(leader), Signal::SIGKILL);
    }
}

/// Lets the child keep these descriptors, and has the kernel end it when the calling thread ends.
pub(crate) fn hand_over(command: &mut Command, fds: Vec<RawFd>) {
    let action = move || {
        prctl::set_pdeathsig(Signal::SIGKILL)?;
        for &fd in &fds {
            // SAFETY: fcntl with F_SETFD takes no pointer. Clears close-on-exec, in the child
            // alone.
            if unsafe { libc::fcntl(fd, libc::F_SETFD, 0) } != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(())
    };
    // SAFETY: between fork and exec, `action` makes plain system calls only: it allocates nothing
    // and takes no lock.
    unsafe { command.pre_exec(action) };
}

/// Gives the child a view of the file system in which nothing but `writable` can be written, if the
/// kernel and this process's rights allow that (root, Linux 5.12, no chroot). Without them the
/// child keeps the view, and the rights, of its user.
pub(crate) fn protect_files(command: &mut Command, writable: &[&Path]) -> io::Result<()> {
    let root = c"/";
    let writable: Vec<CString> =
        writable.iter().map(|p| CString::new(p.as_os_str().as_bytes())).collect::<Result<_, _>>()?;
    let action = move || {
        let none = None::<&CStr>;
        if unshare(CloneFlags::CLONE_NEWNS).is_err() {
            return Ok(());
        }
        // What is mounted here must not show outside. The root of a chroot is no mount of which
        // that could be said.
        match mount(none, root, none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none) {
            Err(nix::Error::EINVAL) => return Ok(()),
            done => done?,
        }
        for path in &writable {
            // A mount of its own can differ from what lies around it.
            mount(Some(path.as_c_str()), path.as_c_str(), none, MsFlags::MS_BIND, none)?;
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
    // SAFETY: between fork and exec, `action` makes plain system calls only: it allocates nothing
    // and takes no lock.
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
    let answer = statvfs::statvfs(path)?;
    Ok(answer.blocks_available() * answer.fragment_size())
}

/// Turns SIGINT, SIGTERM and SIGHUP into something to wait for: the descriptor is readable once one
/// has arrived. Children start with the signals as they were.
pub(crate) fn signals() -> io::Result<SignalFd> {
    let set = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP]);
    set.thread_block()?;
    Ok(SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?)
}

/// Whether this process runs as root.
pub(crate) fn is_root() -> bool {
    Uid::effective().is_root()
}
