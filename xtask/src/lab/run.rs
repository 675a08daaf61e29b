//! One run: prepare, boot or resume, command, output, end.

use super::kernel::{self, Kernel, Scratch};
use super::machine::{Machine, Sinks, Start, Waited};
use super::options::{Engine, Job, Options};
use super::{guest, qemu, snapshot, uml};
use crate::error::{Context, Error, Result};
use fs_err as fs;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Longest time until a resumed machine answers. It takes half a second on an idle host.
const RESUME: Duration = Duration::from_secs(120);

/// How a run has ended. That the lab failed is an error instead.
#[derive(Debug)]
pub(crate) enum End {
    /// The command's exit status, as a shell sees it.
    Exited(i32),
    /// What was going on when the time was up.
    TimedOut(String),
    Interrupted,
}

/// Runs a job, passing on its output as it comes. A `signals` descriptor that becomes readable ends
/// the run.
pub(crate) fn run(
    options: &Options,
    job: &Job,
    out: &mut dyn Write,
    err: &mut dyn Write,
    signals: Option<BorrowedFd<'_>>,
) -> Result<End> {
    // What could only fail later is looked at first.
    let script = guest::script(options, job)?;
    let kernel = kernel::prepare(options)?;
    let mut sinks = Sinks { out, err };
    let resumable = options.engine == Engine::Qemu && !options.cold && !matches!(job, Job::Shell);
    let state = if resumable { snapshot::prepared(options, &kernel)? } else { None };
    let mut run = Run { options, kernel: &kernel, job, script: &script, sinks: &mut sinks, signals };
    match run.attempt(state.as_deref())? {
        Some(end) => Ok(end),
        None => {
            if let Some(state) = state {
                eprintln!("lab: warning: this QEMU does not resume the state that it has saved");
                snapshot::give_up(&state)?;
            }
            run.attempt(None)?.context(|| "the kernel did not boot".into())
        }
    }
}

struct Run<'a, 'b> {
    options: &'a Options,
    kernel: &'a Kernel,
    job: &'a Job,
    script: &'a [u8],
    sinks: &'a mut Sinks<'b>,
    signals: Option<BorrowedFd<'a>>,
}

impl Run<'_, '_> {
    /// Without an answer: the saved state does not resume.
    fn attempt(&mut self, state: Option<&Path>) -> Result<Option<End>> {
        let options = self.options;
        let interactive = matches!(self.job, Job::Shell);
        let scratch = Scratch::new(self.kernel.directory.parent().unwrap_or(&self.kernel.directory))?;
        let console = match &options.console {
            Some(file) => std::path::absolute(file)?,
            None => scratch.path.join("console"),
        };
        let out = self.out_directory(&scratch)?;
        let start = Start {
            scratch: &scratch.path,
            console: console.clone(),
            stdout_is_console: options.engine == Engine::Uml,
            interactive,
            inherit: Vec::new(),
        };
        let mut machine = Machine::start(start, |ports| match options.engine {
            Engine::Qemu => {
                let setting =
                    qemu::Setting { console: &console, out: &out, interactive, incoming: state, monitor: None };
                Ok(qemu::command(options, self.kernel, ports, &setting))
            }
            Engine::Uml => uml::command(options, self.kernel, ports, &scratch.path, &out),
        })?;
        // A person at a shell takes as long as they like.
        let time = if interactive { Duration::from_secs(1 << 30) } else { options.timeout };
        let deadline = Instant::now() + time;

        let mut waited = Waited::Said;
        if state.is_none() {
            waited = machine.wait_for("ready", deadline, self.sinks, self.signals)?;
        }
        if waited == Waited::Said {
            let settings = self.settings(&out, interactive)?;
            waited = match machine.send(&settings, self.script) {
                Ok(()) => Waited::Said,
                Err(_) => Waited::Died,
            };
        }
        if waited == Waited::Said && state.is_some() {
            let resumed = deadline.min(Instant::now() + RESUME);
            waited = match machine.wait_for("boot", resumed, self.sinks, self.signals)? {
                Waited::TimedOut if Instant::now() < deadline => Waited::Died,
                waited => waited,
            };
        }
        if waited == Waited::Said {
            waited = machine.wait_for("rc", deadline, self.sinks, self.signals)?;
        }
        let total = machine.elapsed();
        machine.kill();
        machine.drain(self.sinks)?;
        if options.time {
            eprintln!("lab: {}", timing(&machine, state.is_some(), total));
        }
        let running = machine.said("boot").is_some();
        match waited {
            Waited::Said => {
                let status = machine.said("rc").and_then(|(rc, _)| rc.parse().ok());
                Ok(Some(End::Exited(status.context(|| "the guest reported no exit status".into())?)))
            }
            Waited::TimedOut => {
                let doing = if running { "the command was still running" } else { "the kernel was still booting" };
                let words = if running { String::new() } else { machine.last_words() };
                Ok(Some(End::TimedOut(format!("timed out after {} s: {doing}{words}", time.as_secs_f64()))))
            }
            Waited::Interrupted => Ok(Some(End::Interrupted)),
            // The machine that dies, or says nothing, before the command: the state is no good.
            Waited::Died if state.is_some() && !running => Ok(None),
            Waited::Died => Err(Error::new(format!(
                "the guest died {}{}",
                if running { "while the command ran (a kernel panic?)" } else { "before the command started" },
                machine.last_words()
            ))),
        }
    }

    /// What the host shares as /out. Without the option it is not used.
    fn out_directory(&self, scratch: &Scratch) -> Result<PathBuf> {
        let directory = self.options.out.clone().unwrap_or_else(|| scratch.path.join("out"));
        fs::create_dir_all(&directory).context(|| format!("cannot make {}", directory.display()))?;
        Ok(fs::canonicalize(directory)?)
    }

    /// What the guest's first process reads as its settings.
    fn settings(&self, out: &Path, interactive: bool) -> Result<String> {
        let mut seed = [0; 32];
        File::open("/dev/urandom")?.read_exact(&mut seed)?;
        let seed: String = seed.iter().map(|b| format!("{b:02x}")).collect();
        let out = if self.options.out.is_some() { guest::quoted(out.as_os_str()) } else { "''".into() };
        let shell = if interactive { "1" } else { "" };
        let programs = guest::quoted(self.kernel.programs.as_os_str());
        Ok(format!(
            "LAB_OUT={}\nLAB_PROGRAMS={}\nLAB_SHELL={shell}\nLAB_SEED={seed}\n",
            out.to_string_lossy(),
            programs.to_string_lossy()
        ))
    }
}

/// Where the time went.
fn timing(machine: &Machine, resumed: bool, total: Duration) -> String {
    let uptime = |key| machine.said(key).and_then(|(v, _)| v.parse::<f64>().ok());
    let start = machine.said("boot").map_or(total, |(_, when)| when);
    let command = match (uptime("boot"), uptime("end")) {
        (Some(from), Some(to)) => format!("{:.2} s of the guest's clock", to - from),
        _ => "not ended".into(),
    };
    format!(
        "{} {:.2} s, command {command}, all {:.2} s",
        if resumed { "resume" } else { "boot" },
        start.as_secs_f64(),
        total.as_secs_f64()
    )
}
