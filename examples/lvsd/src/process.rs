//! Programs of others that the daemon runs.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, Command};

/// How much of a command's standard error is kept, in bytes; more is read and forgotten.
const STDERR_KEPT: u64 = 1024;

/// How long the standard error of a command that has ended is waited for: a process that has left
/// the command's group may hold it open.
const STDERR_WAIT: Duration = Duration::from_millis(200);

/// A command for a program: nothing of the daemon's environment but `PATH`, and a process group of
/// its own, so that all that it starts can be ended with it.
pub(crate) fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()));
    command.process_group(0).kill_on_drop(true);
    command
}

/// Gives a child of [`command`] its input and waits until it has ended: how, and what it wrote to
/// its standard error where that is a pipe. All that it has left running ends, too.
pub(crate) async fn finish(mut child: Child, input: &[u8]) -> io::Result<(ExitStatus, String)> {
    let group = Group::of(&child);
    let (stdin, output) = (child.stdin.take(), child.stderr.take());
    let mut stderr = Vec::new();
    let status = {
        let mut reading = std::pin::pin!(read(output, &mut stderr));
        let ending = async {
            if let Some(mut stdin) = stdin {
                // A program that does not read is none the worse for it.
                let _ = stdin.write_all(input).await;
            }
            child.wait().await
        };
        let mut ending = std::pin::pin!(ending);
        // It may close its standard error long before it ends, or leave it to others when it ends.
        let (status, is_read) = tokio::select! {
            status = &mut ending => (status, false),
            () = &mut reading => (ending.await, true),
        };
        drop(group);
        if !is_read {
            let _ = tokio::time::timeout(STDERR_WAIT, reading).await;
        }
        status?
    };
    Ok((status, String::from_utf8_lossy(&stderr).trim().to_owned()))
}

/// Reads all, so that the writer never waits, and keeps the beginning.
async fn read(output: Option<ChildStderr>, stderr: &mut Vec<u8>) {
    let Some(mut output) = output else { return };
    let _ = (&mut output).take(STDERR_KEPT).read_to_end(stderr).await;
    let _ = tokio::io::copy(&mut output, &mut tokio::io::sink()).await;
}

/// The process group of a child of [`command`]; it is killed when this is dropped.
#[derive(Debug)]
struct Group(u32);

impl Group {
    fn of(child: &Child) -> Option<Self> {
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
