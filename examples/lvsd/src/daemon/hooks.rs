//! Commands that are run on events: one after the other, each with its time, and never in the daemon's way.

use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;

use crate::config::Hook;
use crate::event::Event;
use crate::process::{Group, command};

/// How many events wait for a hook; more are lost, and logged.
const QUEUE: usize = 256;

/// The hooks of the file in force.
#[derive(Debug, Default)]
pub(super) struct Hooks(Vec<Queue>);

#[derive(Debug)]
struct Queue {
    hook: Hook,
    sender: Sender<Event>,
    worker: JoinHandle<()>,
}

impl Hooks {
    /// Runs these hooks from now on; those that stay keep their queues.
    pub(super) fn follow(&mut self, hooks: &[Hook]) {
        let mut old = std::mem::take(&mut self.0);
        for hook in hooks {
            let kept = old.iter().position(|queue| queue.hook == *hook).map(|index| old.swap_remove(index));
            self.0.push(kept.unwrap_or_else(|| {
                let (sender, receiver) = channel(QUEUE);
                let worker = tokio::task::spawn_local(work(hook.clone(), receiver));
                Queue { hook: hook.clone(), sender, worker }
            }));
        }
    }

    pub(super) fn run(&self, event: &Event) {
        for queue in self.0.iter().filter(|queue| queue.hook.on.contains(&event.kind)) {
            if queue.sender.try_send(event.clone()).is_err() {
                tracing::error!(
                    event = event.id,
                    "the queue of the hook {:?} is full: it misses this",
                    queue.hook.argv
                );
            }
        }
    }

    /// Waits for what is queued, as long as one hook may take.
    pub(super) async fn finish(self) {
        for Queue { hook, sender, worker } in self.0 {
            drop(sender);
            let _ = tokio::time::timeout(hook.timeout, worker).await;
        }
    }
}

async fn work(hook: Hook, mut events: Receiver<Event>) {
    while let Some(event) = events.recv().await {
        let run = tokio::time::timeout(hook.timeout, run(&hook, &event)).await;
        let problem = match run {
            Ok(Ok(status)) if status.success() => continue,
            Ok(Ok(status)) => status.to_string(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("not done in {:?}", hook.timeout),
        };
        tracing::error!(event = event.id, "hook {:?}: {problem}", hook.argv);
    }
}

async fn run(hook: &Hook, event: &Event) -> std::io::Result<std::process::ExitStatus> {
    let (program, arguments) = hook.argv.split_first().ok_or(std::io::ErrorKind::InvalidInput)?;
    let mut command = command(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    command.env("LVS_EVENT", event.kind.name());
    command.env("LVS_SERVICE", event.service.as_deref().unwrap_or_default());
    command.env("LVS_SERVER", event.server.as_deref().unwrap_or_default());
    let mut child = command.spawn()?;
    let group = Group::of(&child);
    if let Some(mut input) = child.stdin.take() {
        // A hook that does not read is none the worse for it.
        let _ = input.write_all(&serde_json::to_vec(event)?).await;
    }
    let status = child.wait().await;
    drop(group);
    status
}
