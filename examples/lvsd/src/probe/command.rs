//! A command: exit status 0 is up and 1 is down; with `dynamic`, 2..=255 is a weight of one less
//! than the status, as in keepalived's `MISC_CHECK`.

use std::io;
use std::process::Stdio;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Context, Outcome, Probe, Target};
use crate::process::{command, finish};

/// What is run. `{address}` and `{port}` stand for the server's, `{service}` for the service.
///
/// No shell is involved. The command gets `PATH` and no other variable of the daemon's environment,
/// none of its capabilities, and ends with everything that it has started when its time is over.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandCheck {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Whether exit statuses from 2 on are weights.
    #[serde(default)]
    pub dynamic: bool,
}

impl Probe for CommandCheck {
    async fn run(&self, target: &Target, _: &Context) -> Outcome {
        let mut words = self.argv.iter().map(|word| {
            word.replace("{address}", &target.address.ip().to_string())
                .replace("{port}", &target.address.port().to_string())
                .replace("{service}", &target.service.to_string())
        });
        let Some(program) = words.next() else { return Outcome::NotRun("an empty command".to_owned()) };
        let mut command = command(&program);
        command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        // Whatever keeps a program from being started is a matter of this host.
        let not_run = |error: io::Error| Outcome::NotRun(format!("cannot run {program}: {error}"));
        let child = match command.spawn() {
            Ok(child) => child,
            Err(error) => return not_run(error),
        };
        let (status, said) = match finish(child, &[]).await {
            Ok(ended) => ended,
            Err(error) => return not_run(error),
        };
        let said = if said.is_empty() { said } else { format!(": {said}") };
        match status.code() {
            Some(0) => Outcome::Up,
            Some(code @ 2..) if self.dynamic => Outcome::UpWithWeight(code.unsigned_abs() - 1),
            Some(code) => Outcome::Down(format!("{program} exited with {code}{said}")),
            None => Outcome::Down(format!("{program} was killed{said}")),
        }
    }

    fn validate(&self) -> Result<(), String> {
        if self.argv.first().is_none_or(String::is_empty) {
            return Err("a command check names a program (argv = [\"/usr/lib/...\", ...])".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Check;
    use super::super::tests_support::{context, target};
    use super::*;

    fn sh(script: &str, dynamic: bool) -> CommandCheck {
        CommandCheck { argv: ["sh", "-c", script].map(str::to_owned).to_vec(), dynamic }
    }

    async fn run(check: &CommandCheck) -> Outcome {
        check.run(&target("192.0.2.7:80".parse().unwrap()), &context()).await
    }

    #[tokio::test]
    async fn the_exit_status_decides() {
        assert_eq!(run(&sh("exit 0", false)).await, Outcome::Up);
        assert!(matches!(run(&sh("exit 5", false)).await, Outcome::Down(_)));
        assert_eq!(run(&sh("exit 5", true)).await, Outcome::UpWithWeight(4));
        let check = CommandCheck {
            argv: vec!["test".into(), "{address}".into(), "=".into(), "192.0.2.7".into()],
            dynamic: false,
        };
        assert_eq!(run(&check).await, Outcome::Up);
    }

    #[tokio::test]
    async fn the_reason_of_a_failure_has_what_the_command_wrote_to_its_standard_error() {
        let reason = async |script| match run(&sh(script, false)).await {
            Outcome::Down(reason) => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(reason("echo replica lags >&2; echo noise; exit 5").await, "sh exited with 5: replica lags");
        assert_eq!(reason("exit 5").await, "sh exited with 5");
        assert_eq!(reason("echo killed >&2; kill -9 $$").await, "sh was killed: killed");
        let long = reason("head -c 300000 /dev/zero | tr '\\0' x >&2; exit 5").await;
        assert_eq!(long.len(), "sh exited with 5: ".len() + 1024);
    }

    #[tokio::test]
    async fn a_missing_check_program_does_not_mark_the_server_down() {
        let check = CommandCheck { argv: vec!["/nonexistent/check".to_owned()], dynamic: false };
        assert!(matches!(run(&check).await, Outcome::NotRun(_)));
    }

    #[tokio::test]
    async fn a_command_that_takes_too_long_ends_with_all_that_it_started() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("pid");
        let script = format!("sleep 7777 & echo $! > {}; wait", file.display());
        let mut pid = String::new();
        // On a loaded machine a short time may be over before the shell has begun.
        for timeout in [1, 10, 60].map(Duration::from_secs) {
            let check = Check::Command(sh(&script, false));
            let outcome = check.run(&target("192.0.2.7:80".parse().unwrap()), &Context { timeout }).await;
            assert_ne!(outcome, Outcome::Up);
            pid = std::fs::read_to_string(&file).unwrap_or_default();
            if pid.ends_with('\n') {
                break;
            }
        }
        let status = std::path::PathBuf::from(format!("/proc/{}/status", pid.trim()));
        // A killed process may stay as a zombie until its new parent takes notice.
        let is_gone = || std::fs::read_to_string(&status).map_or(true, |text| text.contains("State:\tZ"));
        for _ in 0..200 {
            if is_gone() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("sleep {pid} still runs");
    }

    #[tokio::test]
    async fn the_environment_of_the_daemon_stays_with_it() {
        assert_eq!(run(&sh("test -z \"$CARGO_MANIFEST_DIR\" && test -n \"$PATH\"", false)).await, Outcome::Up);
    }
}
