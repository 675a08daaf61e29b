//! A command: 0 is well, 2..=255 is a weight of one less (as keepalived's MISC_CHECK has it), 1 is a failure.

use std::net::SocketAddr;
use std::process::Stdio;

use lvs_core::health::Probe;
use tokio::process::Command;

/// What is run. `{address}` and `{port}` stand for the server's.
#[derive(Debug, Clone)]
pub struct CommandCheck {
    /// Program and arguments.
    pub command: Vec<String>,
    /// Whether exit statuses from 2 on are weights.
    pub dynamic: bool,
}

impl CommandCheck {
    pub(super) async fn run(&self, server: SocketAddr) -> Result<Probe, String> {
        let mut words = self.command.iter().map(|word| {
            word.replace("{address}", &server.ip().to_string()).replace("{port}", &server.port().to_string())
        });
        let program = words.next().ok_or("an empty command")?;
        let mut command = Command::new(&program);
        command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let status = command.status().await.map_err(|error| format!("cannot run {program}: {error}"))?;
        match status.code() {
            Some(0) => Ok(Probe::Up),
            Some(code @ 2..) if self.dynamic => Ok(Probe::UpWithWeight(code as u32 - 1)),
            Some(code) => Err(format!("{program} exited with {code}")),
            None => Err(format!("{program} was killed")),
        }
    }
}
