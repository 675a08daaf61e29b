//! What the process may do, and how much of it.

use std::path::Path;

use anyhow::{Context, Result, bail};
use caps::{CapSet, Capability, CapsHashSet};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::{User, chown, setgid, setgroups, setuid};

/// Descriptors that are no checks: sockets, the journal, state.
const RESERVED: u64 = 64;
/// More checks at once than this help nobody.
const MOST_CHECKS: u64 = 4096;

/// Raises the limit of descriptors as far as it goes, and says how many checks may run at once.
pub fn raise_limits() -> usize {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap_or((1024, 1024));
    let limit = match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => hard,
        Err(error) => {
            tracing::warn!(%error, "cannot raise the limit of {soft} descriptors");
            soft
        }
    };
    // Two for each: a connection, and a pipe or a second socket.
    let checks = (limit.saturating_sub(RESERVED) / 2).clamp(4, MOST_CHECKS);
    tracing::info!("{limit} descriptors: up to {checks} checks at once");
    usize::try_from(checks).unwrap_or(usize::MAX)
}

/// Becomes another user, if one is named, and keeps `CAP_NET_ADMIN` of all capabilities, if it is
/// there, and `CAP_NET_RAW` if that is asked for. Programs that are run get none.
///
/// # Errors
/// There is no such user, or this process may not become it.
pub fn drop_privileges(user: Option<&str>, keep_raw: bool) -> Result<()> {
    let kept: CapsHashSet = caps::read(None, CapSet::Permitted)?
        .into_iter()
        .filter(|capability| match capability {
            Capability::CAP_NET_ADMIN => true,
            Capability::CAP_NET_RAW => keep_raw,
            _ => false,
        })
        .collect();
    if keep_raw && !kept.contains(&Capability::CAP_NET_RAW) {
        bail!("--keep-raw: this process has no CAP_NET_RAW to keep");
    }
    // What is executed as root would get what is in the bounding set. Without CAP_SETPCAP this
    // process is not root, or cannot change it.
    for capability in caps::all() {
        let _ = caps::drop(None, CapSet::Bounding, capability);
    }
    if let Some(name) = user {
        let user = find(name)?;
        caps::securebits::set_keepcaps(true)?;
        setgroups(&[user.gid])
            .and_then(|()| setgid(user.gid))
            .and_then(|()| setuid(user.uid))
            .with_context(|| format!("cannot become the user {name}"))?;
    }
    let _ = caps::clear(None, CapSet::Ambient);
    caps::set(None, CapSet::Effective, &kept)?;
    caps::set(None, CapSet::Permitted, &kept)?;
    caps::set(None, CapSet::Inheritable, &CapsHashSet::new())?;
    Ok(())
}

/// Gives files to the user that this process is to become.
///
/// # Errors
/// There is no such user, or a file cannot be given away.
pub fn give(user: Option<&str>, paths: &[&Path]) -> Result<()> {
    let Some(name) = user else { return Ok(()) };
    let user = find(name)?;
    for path in paths {
        chown(*path, Some(user.uid), Some(user.gid))
            .with_context(|| format!("cannot give {} to the user {name}", path.display()))?;
    }
    Ok(())
}

fn find(name: &str) -> Result<User> {
    User::from_name(name)?.with_context(|| format!("there is no user {name:?}"))
}
