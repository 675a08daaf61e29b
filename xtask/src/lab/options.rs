//! What a run of the lab may be asked for.

use crate::error::{Error, Result};
use lexopt::prelude::*;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

pub(crate) const HELP: &str = "\
cargo xtask lab [OPTION...] -- COMMAND [ARGUMENT...]
cargo xtask lab [OPTION...] -c 'SHELL SCRIPT'

Runs a command as root in an unmodified Debian kernel that has IPVS, in an emulated machine. Every file of this
machine is there under its own name, but for ipvsadm, which is always Debian 12's; what the command writes is thrown
away, except below /out. The host's root is also at /host, without the command's changes. Modules are loaded on
demand; ip_vs is there from the start.

The kernel:
  --kernel SERIES   the newest of Debian's kernels whose version begins so: 6.12 (default), 6.1, 7, 7.3.4, ...
                    from the releases bookworm, trixie, trixie-backports and sid, whichever this machine runs;
                    a newer one is looked for once a day
  --engine uml      user-mode Linux 6.1 instead of an emulated machine: an older IPVS, one CPU, near native speed
  --mem MB          memory of the machine (default 1024); the overlay lives in it
  --smp N           processors (default 1)
  --cpu MODEL       QEMU's processor model (default max,-la57)
  --modules A,B     modules to load before the command (default ip_vs)
  --append TEXT     more for the kernel's command line
The clock:
  --icount          deterministic: an instruction of the machine takes 1 ns of its time, whatever the host does;
                    times measured inside are instruction counts (several times slower to run)
  --warp            the same, and idle time is skipped: sleeps and timeouts cost nothing (never measure with it)
The run:
  --timeout SECONDS the whole run, boot included (default 300)
  --out DIRECTORY   share it, writable, as /out
  --cwd DIRECTORY   start there (default: the current directory)
  --env NAME[=TEXT] set, or pass on, an environment variable
  -c SCRIPT         a script for sh instead of a command
  --shell           an interactive shell on this terminal
  --cold            boot the kernel instead of resuming the saved state of a booted one
  --cpus LIST       keep the machine on these processors of the host
  --console FILE    keep the kernel's log there
  --time            say on stderr where the time went
  -q, --quiet       do not say what is being prepared
The cache ($LVS_LAB_CACHE, else $XDG_CACHE_HOME/lvs-lab, else ~/.cache/lvs-lab):
  --prepare         only install, download and build; print what the cache then holds
  --update          fetch the newest package of the series now
  --no-tools        do not install the guest's tools (curl, nft, ...) on this machine

Standard output and error stay apart and are passed on byte for byte; standard input is empty.
Exit status: the command's own; 124 after --timeout; 125 if the lab itself failed (the end of the kernel's log is
then on stderr); 130 if interrupted; 2 for a wrong command line.
";

/// Which program is the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// An emulated computer.
    Qemu,
    /// A Linux kernel built as a program.
    Uml,
}

impl Engine {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Engine::Qemu => "qemu",
            Engine::Uml => "uml",
        }
    }
}

/// How time passes in the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clock {
    /// As on the host.
    Host,
    /// One instruction, one nanosecond.
    Instructions,
    /// The same, but idle time passes at once.
    Warp,
}

/// Everything but the command.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) kernel: String,
    pub(crate) engine: Engine,
    pub(crate) mem: u32,
    pub(crate) smp: u32,
    pub(crate) cpu: String,
    pub(crate) modules: Vec<String>,
    pub(crate) append: String,
    pub(crate) clock: Clock,
    pub(crate) timeout: Duration,
    pub(crate) out: Option<PathBuf>,
    pub(crate) cwd: Option<PathBuf>,
    pub(crate) env: Vec<OsString>,
    pub(crate) cold: bool,
    pub(crate) cpus: Option<String>,
    pub(crate) console: Option<PathBuf>,
    pub(crate) time: bool,
    pub(crate) quiet: bool,
    pub(crate) update: bool,
    pub(crate) tools: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            kernel: "6.12".into(),
            engine: Engine::Qemu,
            mem: 1024,
            smp: 1,
            cpu: "max,-la57".into(),
            modules: vec!["ip_vs".into()],
            append: String::new(),
            clock: Clock::Host,
            timeout: Duration::from_secs(300),
            out: None,
            cwd: None,
            env: Vec::new(),
            cold: false,
            cpus: None,
            console: None,
            time: false,
            quiet: false,
            update: false,
            tools: true,
        }
    }
}

impl Options {
    /// A word for people: `6.12`, or `uml`.
    pub(crate) fn label(&self) -> &str {
        match self.engine {
            Engine::Qemu => &self.kernel,
            Engine::Uml => "uml",
        }
    }
}

/// What the guest does.
#[derive(Clone, Debug)]
pub(crate) enum Job {
    Command(Vec<OsString>),
    Script(OsString),
    Shell,
}

/// What a command line asks for. Nothing: help. Without a job: only prepare.
pub(crate) type Parsed = Option<(Options, Option<Job>)>;

pub(crate) fn parse(arguments: Vec<OsString>) -> Result<Parsed> {
    let mut o = Options::default();
    let mut job = None;
    let mut prepare = false;
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("kernel") => o.kernel = series(parser.value()?.string()?)?,
            Long("engine") => {
                o.engine = match parser.value()?.string()?.as_str() {
                    "qemu" => Engine::Qemu,
                    "uml" => Engine::Uml,
                    other => return Err(Error::new(format!("no engine '{other}': qemu or uml"))),
                }
            }
            Long("mem") => o.mem = parser.value()?.parse()?,
            Long("smp") => o.smp = parser.value()?.parse()?,
            Long("cpu") => o.cpu = parser.value()?.string()?,
            Long("modules") => {
                let text = parser.value()?.string()?;
                o.modules = text.split([',', ' ']).filter(|m| !m.is_empty()).map(str::to_owned).collect();
            }
            Long("append") => o.append = parser.value()?.string()?,
            Long("icount") => o.clock = Clock::Instructions,
            Long("warp") => o.clock = Clock::Warp,
            Long("timeout") => o.timeout = seconds(&parser.value()?.string()?)?,
            Long("out") => o.out = Some(parser.value()?.into()),
            Long("cwd") => o.cwd = Some(parser.value()?.into()),
            Long("env") => o.env.push(parser.value()?),
            Long("cold") => o.cold = true,
            Long("cpus") => o.cpus = Some(parser.value()?.string()?),
            Long("console") => o.console = Some(parser.value()?.into()),
            Long("time") => o.time = true,
            Short('q') | Long("quiet") => o.quiet = true,
            Long("update") => o.update = true,
            Long("no-tools") => o.tools = false,
            Long("prepare") => prepare = true,
            Long("shell") => job = Some(Job::Shell),
            Short('c') => job = Some(Job::Script(parser.value()?)),
            Short('h') | Long("help") => return Ok(None),
            Value(first) => {
                if job.is_some() {
                    return Err(Error::new("a command and -c or --shell exclude each other"));
                }
                // Everything from here on is the command's own, whatever it looks like.
                let command = std::iter::once(first).chain(parser.raw_args()?).collect();
                job = Some(Job::Command(command));
            }
            _ => return Err(argument.unexpected().into()),
        }
    }
    if o.engine == Engine::Uml && (o.clock != Clock::Host || matches!(job, Some(Job::Shell))) {
        return Err(Error::new("--icount, --warp and --shell need --engine qemu"));
    }
    if o.engine == Engine::Uml && o.smp != 1 {
        return Err(Error::new("user-mode Linux has one processor"));
    }
    if job.is_none() && !prepare {
        return Err(Error::new("no command"));
    }
    Ok(Some((o, if prepare { None } else { job })))
}

/// A kernel series is a version's beginning. It names a directory of the cache, so nothing else may
/// be in it.
/// A kernel series, as a command line names it.
pub(crate) fn series(text: String) -> Result<String> {
    let fine = text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-' | '~'));
    if fine { Ok(text) } else { Err(Error::new(format!("'{text}' is not a kernel series such as 6.12"))) }
}

fn seconds(text: &str) -> Result<Duration> {
    text.parse()
        .ok()
        .and_then(|s| Duration::try_from_secs_f64(s).ok())
        .filter(|d| !d.is_zero())
        .ok_or_else(|| Error::new(format!("'{text}' is not a number of seconds")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<(Options, Option<Job>)> {
        parse(line.split_whitespace().map(OsString::from).collect())?.ok_or_else(|| Error::new("help"))
    }

    fn command(line: &str) -> Vec<OsString> {
        match parsed(line) {
            Ok((_, Some(Job::Command(command)))) => command,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn options_of_the_command_are_left_to_the_command() {
        assert_eq!(command("--mem 2048 -- ipvsadm --help -c"), ["ipvsadm", "--help", "-c"]);
        assert_eq!(command("--mem 2048 ipvsadm --help -- -c"), ["ipvsadm", "--help", "--", "-c"]);
    }

    #[test]
    fn options_are_stored_where_they_belong() {
        let (o, _) =
            parsed("--kernel 6.1 --mem=512 --smp 2 --timeout 1.5 --icount --env A=b --modules ip_vs,sctp true")
                .unwrap();
        assert_eq!((o.kernel.as_str(), o.mem, o.smp, o.clock), ("6.1", 512, 2, Clock::Instructions));
        assert_eq!(o.timeout, Duration::from_millis(1500));
        assert_eq!((o.env, o.modules), (vec!["A=b".into()], vec!["ip_vs".into(), "sctp".into()]));
    }

    #[test]
    fn wrong_command_lines_are_refused() {
        for line in [
            "",
            "--icount",
            "--kernel ../etc true",
            "--timeout 0 true",
            "--timeout soon true",
            "--engine kvm true",
            "--engine uml --warp true",
            "--engine uml --smp 2 true",
            "--nonsense true",
            "-c true false",
        ] {
            assert!(parsed(line).is_err(), "{line}");
        }
    }

    #[test]
    fn preparing_needs_no_command() {
        assert!(matches!(parsed("--prepare"), Ok((_, None))));
    }
}
