//! What is told of events: for each hook one after the other, each with its time, and never in the
//! daemon's way.

use std::process::{ExitStatus, Stdio};

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;

use super::webhook;
use crate::config::{Hook, HookAction};
use crate::event::Event;
use crate::process::{command, finish};

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
                    "the queue of the hook {} is full: it misses this",
                    queue.hook.action
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
        let told = async {
            match &hook.action {
                HookAction::Command(argv) => match run(argv, &event).await {
                    Ok((status, _)) if status.success() => Ok(()),
                    Ok((status, stderr)) if stderr.is_empty() => Err(status.to_string()),
                    Ok((status, stderr)) => Err(format!("{status}: {stderr}")),
                    Err(error) => Err(error.to_string()),
                },
                HookAction::Webhook(hook) => webhook::post(hook, &event).await,
            }
        };
        let told = tokio::time::timeout(hook.timeout, told).await;
        if let Err(problem) = told.unwrap_or_else(|_| Err(format!("not done in {:?}", hook.timeout))) {
            tracing::error!(event = event.id, "hook {}: {problem}", hook.action);
        }
    }
}

/// Runs a command: how it ended, and what it wrote to its standard error.
async fn run(argv: &[String], event: &Event) -> std::io::Result<(ExitStatus, String)> {
    let (program, arguments) = argv.split_first().ok_or(std::io::ErrorKind::InvalidInput)?;
    let mut command = command(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.env("LVS_EVENT", event.kind.name());
    command.env("LVS_SERVICE", event.service.as_deref().unwrap_or_default());
    command.env("LVS_SERVER", event.server.as_deref().unwrap_or_default());
    finish(command.spawn()?, &serde_json::to_vec(event)?).await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::task::LocalSet;

    use super::*;
    use crate::event::EventKind;

    fn event(kind: EventKind) -> Event {
        Event {
            id: 7,
            time: 1,
            kind,
            service: Some("tcp://192.0.2.1:80".to_owned()),
            server: None,
            message: "all \"servers\" are down".to_owned(),
        }
    }

    fn hooks(text: &str) -> Vec<Hook> {
        crate::config::Cluster::parse(text).unwrap().hooks
    }

    #[tokio::test]
    async fn a_webhook_gets_the_event_as_json() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let text =
            format!("[[hook]]\non = [\"quorum_lost\"]\nurl = \"http://{}/lvs?key=1\"", listener.local_addr().unwrap());
        let work = async {
            let mut all = Hooks::default();
            all.follow(&hooks(&text));
            all.run(&event(EventKind::ServerUp));
            all.run(&event(EventKind::QuorumLost));
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let mut length = 0;
            while !request[..length].ends_with(b"}") {
                length += stream.read(&mut request[length..]).await.unwrap();
            }
            stream.write_all(b"HTTP/1.1 204 Thanks\r\n\r\n").await.unwrap();
            all.finish().await;
            String::from_utf8(request[..length].to_vec()).unwrap()
        };
        let request = LocalSet::new().run_until(work).await;
        assert!(request.starts_with("POST /lvs?key=1 HTTP/1.1\r\n"), "{request}");
        let body = request.split_once("\r\n\r\n").unwrap().1;
        assert_eq!(serde_json::from_str::<Event>(body).unwrap(), event(EventKind::QuorumLost));
    }

    #[tokio::test]
    async fn a_command_gets_the_event_and_ends_with_all_that_it_started_when_its_time_is_over() {
        let directory = tempfile::tempdir().unwrap();
        let (got, pid) = (directory.path().join("got"), directory.path().join("pid"));
        let script =
            format!("cat > {}; echo $LVS_EVENT >> {0}; sleep 7777 & echo $! > {}; wait", got.display(), pid.display());
        let text = format!("[[hook]]\non = [\"quorum_lost\"]\ntimeout = 1.0\nargv = [\"sh\", \"-c\", {script:?}]");
        let work = async {
            let mut all = Hooks::default();
            all.follow(&hooks(&text));
            all.run(&event(EventKind::QuorumLost));
            let started = || std::fs::read_to_string(&pid).is_ok_and(|text| text.ends_with('\n'));
            while !started() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            // It is killed before this ends.
            let Queue { sender, worker, .. } = all.0.pop().unwrap();
            drop(sender);
            worker.await.unwrap();
        };
        LocalSet::new().run_until(work).await;
        let got = std::fs::read_to_string(got).unwrap();
        let (json, rest) = got.split_at(got.rfind('}').unwrap() + 1);
        assert_eq!(serde_json::from_str::<Event>(json).unwrap(), event(EventKind::QuorumLost));
        assert_eq!(rest.trim(), "quorum_lost");
        let status = format!("/proc/{}/status", std::fs::read_to_string(pid).unwrap().trim());
        // A killed process may stay as a zombie until its new parent takes notice.
        let is_gone = || std::fs::read_to_string(&status).map_or(true, |text| text.contains("State:\tZ"));
        while !is_gone() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    #[tokio::test]
    async fn what_a_command_writes_to_its_standard_error_is_kept() {
        let said = async |script: &str| {
            let argv = ["sh", "-c", script].map(str::to_owned);
            let (status, stderr) = run(&argv, &event(EventKind::QuorumLost)).await.unwrap();
            (status.code(), stderr)
        };
        assert_eq!(said("echo nobody reads >&2; exit 3").await, (Some(3), "nobody reads".to_owned()));
        assert_eq!(said("exec 2>&-; exit 4").await, (Some(4), String::new()));
        // It is not held up by the length, nor by what it leaves behind.
        let (status, stderr) = said("head -c 300000 /dev/zero | tr '\\0' x >&2; exit 5").await;
        assert_eq!((status, stderr.len()), (Some(5), 1024));
        assert_eq!(said("setsid sleep 5 & echo left >&2; exit 6").await, (Some(6), "left".to_owned()));
    }

    #[test]
    fn a_hook_is_a_program_or_a_url() {
        let error = |hook: &str| {
            let text = format!("[[hook]]\non = [\"server_down\"]\n{hook}\n");
            crate::config::Cluster::parse(&text).unwrap_err().to_string()
        };
        assert!(error("").contains("either"));
        assert!(error("argv = []").contains("names a program"));
        assert!(error("argv = [\"a\"]\nurl = \"http://a\"").contains("either"));
        assert!(error("url = \"ftp://a\"").contains(":3:7:"));
        assert!(error("url = \"http://a/\"\ntls = {}").contains("https"));
        assert!(error("url = \"/path\"").contains("not a URL"));
    }
}
