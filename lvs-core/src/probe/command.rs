use std::io;
use std::process::Stdio;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::Command;

use super::{ProbeOutcome, Prober, Target};

/// A program says so: exit status 0 is up, 1 is down; with `weights`, 2 to 255 is up with a weight
/// of one less than the status, as in keepalived's `MISC_CHECK`.
///
/// `{address}` and `{port}` stand for the server's, `{service}` for the service. No shell is
/// involved. The program gets `PATH` and no other variable of this process's environment, and ends
/// with everything that it has started when the future is dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct CommandProber {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Whether exit statuses from 2 on are weights.
    #[cfg_attr(feature = "serde", serde(default))]
    pub weights: bool,
}

impl CommandProber {
    /// A program with its arguments.
    pub fn new(argv: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { argv: argv.into_iter().map(Into::into).collect(), weights: false }
    }

    /// With exit statuses that are weights.
    #[must_use]
    pub const fn with_weights(mut self) -> Self {
        self.weights = true;
        self
    }
}

impl Prober for CommandProber {
    async fn probe(&self, target: &Target) -> ProbeOutcome {
        let mut words = self.argv.iter().map(|word| {
            word.replace("{address}", &target.address.ip().to_string())
                .replace("{port}", &target.address.port().to_string())
                .replace("{service}", &target.service.to_string())
        });
        let Some(program) = words.next() else { return ProbeOutcome::NotRun("an empty command".to_owned()) };
        let mut command = Command::new(&program);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()));
        command.process_group(0).kill_on_drop(true);
        command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // Whatever keeps a program from being started is a matter of this host.
        let not_run = |error: io::Error| ProbeOutcome::NotRun(format!("cannot run {program}: {error}"));
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => return not_run(error),
        };
        let group = child.id().map(Group);
        let status = child.wait().await;
        // What the program has left running goes as well.
        drop(group);
        match status.map(|status| status.code()) {
            Ok(Some(0)) => ProbeOutcome::Up,
            Ok(Some(code @ 2..)) if self.weights => ProbeOutcome::UpWithWeight(code.unsigned_abs() - 1),
            Ok(Some(code)) => ProbeOutcome::Down(format!("{program} exited with {code}")),
            Ok(None) => ProbeOutcome::Down(format!("{program} was killed")),
            Err(error) => not_run(error),
        }
    }
}

/// A process group; it is killed when this is dropped.
struct Group(u32);

impl Drop for Group {
    fn drop(&mut self) {
        if let Ok(id) = i32::try_from(self.0) {
            // It may have ended already.
            let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Destination, ServiceKey};

    async fn run(prober: CommandProber) -> ProbeOutcome {
        let server = Destination::new("192.0.2.7".parse().unwrap(), 80);
        prober.probe(&Target::new(ServiceKey::tcp("192.0.2.1", 80).unwrap(), server)).await
    }

    fn sh(script: &str) -> CommandProber {
        CommandProber::new(["sh", "-c", script])
    }

    #[tokio::test]
    async fn the_exit_status_decides() {
        assert_eq!(run(sh("exit 0")).await, ProbeOutcome::Up);
        assert!(matches!(run(sh("exit 5")).await, ProbeOutcome::Down(_)));
        assert_eq!(run(sh("exit 5").with_weights()).await, ProbeOutcome::UpWithWeight(4));
        assert_eq!(run(CommandProber::new(["test", "{address}:{port}", "=", "192.0.2.7:80"])).await, ProbeOutcome::Up);
        assert_eq!(run(sh("test -z \"$CARGO_MANIFEST_DIR\" && test -n \"$PATH\"")).await, ProbeOutcome::Up);
    }

    #[tokio::test]
    async fn a_missing_check_program_does_not_mark_the_server_down() {
        assert!(matches!(run(CommandProber::new(["/nonexistent/check"])).await, ProbeOutcome::NotRun(_)));
        assert!(matches!(run(CommandProber::new([""; 0])).await, ProbeOutcome::NotRun(_)));
    }
}
