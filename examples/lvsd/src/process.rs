//! Programs of others that the daemon runs.

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, Command};

/// A command for a program: nothing of the daemon's environment but `PATH`, and a process group of its own,
/// so that all that it starts can be ended with it.
pub(crate) fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()));
    command.process_group(0).kill_on_drop(true);
    command
}

/// The process group of a child of [`command`]; it is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Group(u32);

impl Group {
    pub(crate) fn of(child: &Child) -> Option<Self> {
        child.id().map(Self)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Ok(id) = i32::try_from(self.0) {
            // It may have ended already.
            let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
        }
    }
}
