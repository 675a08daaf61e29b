//! Programs of the system that need `CAP_NET_ADMIN`: `nft` and `conntrack`.
//!
//! lvsd gives its capabilities to no program that it runs. These are run by a thread of their own,
//! which is started before privileges are dropped and keeps that one capability for its children.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use caps::{CapSet, Capability, CapsHashSet};

/// None of them takes longer unless something is wrong.
const TIMEOUT: Duration = Duration::from_secs(10);

struct Job {
    argv: Vec<String>,
    input: String,
    answer: Answer,
}

/// What becomes of an outcome.
enum Answer {
    /// Somebody waits for it.
    Wanted(Sender<Result<String, String>>),
    /// A failure is logged, unless the program says this.
    UnlessSaid(&'static str),
}

/// Runs them, one after the other.
#[derive(Debug, Clone)]
pub struct Tools(Sender<Job>);

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").field("argv", &self.argv).finish_non_exhaustive()
    }
}

impl Tools {
    /// Starts the thread. Call [`Tools::settle`] once the process has dropped its privileges.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start() -> Result<Self> {
        let (sender, jobs) = channel::<Job>();
        let (ready, started) = channel();
        std::thread::Builder::new()
            .name("tools".to_owned())
            .spawn(move || {
                // Permitted capabilities stay when all threads become another user.
                let _ = caps::securebits::set_keepcaps(true);
                for capability in caps::all() {
                    if capability != Capability::CAP_NET_ADMIN {
                        let _ = caps::drop(None, CapSet::Bounding, capability);
                    }
                }
                let _ = ready.send(());
                work(&jobs);
            })
            .context("cannot start a thread")?;
        // It has to be there before the process becomes another user.
        let _ = started.recv();
        Ok(Self(sender))
    }

    /// Gives up what the thread does not need.
    ///
    /// # Errors
    /// It cannot; or the thread has ended.
    pub fn settle(&self) -> Result<(), String> {
        self.ask(Vec::new(), String::new()).map(drop)
    }

    /// Runs a program with this on its standard input and returns what it prints. It may take some
    /// seconds.
    ///
    /// # Errors
    /// It cannot be run, fails, or takes too long; in words.
    pub fn run(&self, argv: &[&str], input: &str) -> Result<String, String> {
        self.ask(argv.iter().map(ToString::to_string).collect(), input.to_owned())
    }

    /// Runs a program after those that wait already, without waiting for it. Its failure is
    /// logged, unless the program says that it is none.
    pub fn run_later(&self, argv: Vec<String>, harmless: &'static str) {
        // The thread ends with the process.
        let _ = self.0.send(Job { argv, input: String::new(), answer: Answer::UnlessSaid(harmless) });
    }

    fn ask(&self, argv: Vec<String>, input: String) -> Result<String, String> {
        let (answer, answered) = channel();
        let gone = || "the thread that runs programs has ended".to_owned();
        self.0.send(Job { argv, input, answer: Answer::Wanted(answer) }).map_err(|_| gone())?;
        answered.recv().map_err(|_| gone())?
    }
}

fn work(jobs: &Receiver<Job>) {
    while let Ok(Job { argv, input, answer }) = jobs.recv() {
        let result = match argv.split_first() {
            None => keep().map(|()| String::new()),
            Some((program, arguments)) => run(program, arguments, &input),
        };
        match (answer, result) {
            // Whoever asked may have gone.
            (Answer::Wanted(answer), result) => drop(answer.send(result)),
            (Answer::UnlessSaid(harmless), Err(error)) if !error.contains(harmless) => tracing::warn!("{error}"),
            (Answer::UnlessSaid(_), _) => {}
        }
    }
}

/// Keeps `CAP_NET_ADMIN` alone, if it is there, in all sets that lead to children.
fn keep() -> Result<(), String> {
    let words = |error: caps::errors::CapsError| error.to_string();
    let permitted = caps::read(None, CapSet::Permitted).map_err(words)?;
    let kept: CapsHashSet = permitted.into_iter().filter(|one| *one == Capability::CAP_NET_ADMIN).collect();
    caps::set(None, CapSet::Effective, &kept).map_err(words)?;
    caps::set(None, CapSet::Permitted, &kept).map_err(words)?;
    caps::set(None, CapSet::Inheritable, &kept).map_err(words)?;
    caps::set(None, CapSet::Ambient, &kept).map_err(words)
}

fn run(program: &str, arguments: &[String], input: &str) -> Result<String, String> {
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("cannot run {program}: {error}"))?;
    // Each pipe has its own end: none of them can fill up and hold up another.
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let out = std::thread::spawn(move || read(out));
    let err = std::thread::spawn(move || read(err));
    if let Some(mut stdin) = child.stdin.take() {
        // What it has not read it does not need.
        let _ = stdin.write_all(input.as_bytes());
    }
    let status = wait(&mut child).map_err(|error| format!("{program}: {error}"))?;
    let (out, err) = (out.join().unwrap_or_default(), err.join().unwrap_or_default());
    if status.success() {
        Ok(out)
    } else {
        Err(format!("{program}: {}", if err.is_empty() { status.to_string() } else { err }))
    }
}

fn read(pipe: Option<impl Read>) -> String {
    let mut text = Vec::new();
    if let Some(pipe) = pipe {
        let _ = pipe.take(1 << 20).read_to_end(&mut text);
    }
    String::from_utf8_lossy(&text).trim().to_owned()
}

fn wait(child: &mut Child) -> std::io::Result<std::process::ExitStatus> {
    let end = Instant::now() + TIMEOUT;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if Instant::now() > end {
            child.kill()?;
            child.wait()?;
            return Err(std::io::Error::new(std::io::ErrorKind::TimedOut, format!("not done in {TIMEOUT:?}")));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_prints_or_complains_about_comes_back() {
        let tools = Tools::start().unwrap();
        assert_eq!(tools.run(&["cat"], "table").unwrap(), "table");
        assert_eq!(tools.run(&["sh", "-c", "echo no >&2; exit 3"], "").unwrap_err(), "sh: no");
        assert!(tools.run(&["sh", "-c", "exit 3"], "").unwrap_err().contains('3'));
        assert!(tools.run(&["/nonexistent/nft"], "").unwrap_err().contains("cannot run"));
        // More than a pipe holds, in both directions.
        let long = "x".repeat(500_000);
        assert_eq!(tools.run(&["cat"], &long).unwrap(), long);
    }
}
