//! A running guest: the ports to its first process, its output, its end.

use crate::error::{Context, Result};
use crate::sys;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How many lines of the logs are shown when a guest has failed.
const TAIL: usize = 25;
/// How often the machine's process is looked at while nothing happens.
const LOOK: Duration = Duration::from_millis(500);

/// Where a guest's output goes.
pub(crate) struct Sinks<'a> {
    pub(crate) out: &'a mut dyn Write,
    pub(crate) err: &'a mut dyn Write,
}

/// The machine's ends of the ports.
pub(crate) struct Ports {
    control: UnixStream,
    out: PipeWriter,
    err: PipeWriter,
}

impl Ports {
    pub(crate) fn control(&self) -> RawFd {
        self.control.as_raw_fd()
    }
    pub(crate) fn out(&self) -> RawFd {
        self.out.as_raw_fd()
    }
    pub(crate) fn err(&self) -> RawFd {
        self.err.as_raw_fd()
    }
}

/// Why waiting for a guest has ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Waited {
    /// It said the word.
    Said,
    /// The machine is gone.
    Died,
    TimedOut,
    Interrupted,
}

pub(crate) struct Machine {
    child: Child,
    /// The child leads a process group of its own.
    own_group: bool,
    started: Instant,
    control: UnixStream,
    outputs: [Option<PipeReader>; 2],
    /// What the first process said, and when.
    said: BTreeMap<String, (String, Duration)>,
    unfinished: Vec<u8>,
    console: PathBuf,
    complaints: PathBuf,
}

/// How a machine is started, beside its command line.
pub(crate) struct Start<'a> {
    pub(crate) scratch: &'a Path,
    /// The kernel's log; the machine's command line, or `stdout_is_console`, sees to it that it
    /// gets there.
    pub(crate) console: PathBuf,
    pub(crate) stdout_is_console: bool,
    /// The terminal is the guest's.
    pub(crate) interactive: bool,
    /// More descriptors that the machine inherits.
    pub(crate) inherit: Vec<OwnedFd>,
}

impl Machine {
    /// Starts the machine that `command` describes, given its ends of the ports.
    pub(crate) fn start(start: Start<'_>, command: impl FnOnce(&Ports) -> Result<Command>) -> Result<Self> {
        let (control, guest_control) = UnixStream::pair()?;
        let (out, guest_out) = std::io::pipe()?;
        let (err, guest_err) = std::io::pipe()?;
        let ports = Ports { control: guest_control, out: guest_out, err: guest_err };
        let complaints = start.scratch.join("complaints");
        let mut command = command(&ports)?;
        if start.interactive {
            command.stdin(Stdio::inherit()).stdout(Stdio::inherit());
        } else {
            command.stdin(Stdio::null()).process_group(0);
            command.stdout(if start.stdout_is_console { File::create(&start.console)?.into() } else { Stdio::null() });
        }
        command.stderr(File::create(&complaints)?);
        let mut fds = vec![ports.control(), ports.out(), ports.err()];
        fds.extend(start.inherit.iter().map(AsRawFd::as_raw_fd));
        sys::hand_over(&mut command, fds);
        let child = command.spawn().context(|| format!("cannot start {}", command.get_program().to_string_lossy()))?;
        Ok(Self {
            child,
            own_group: !start.interactive,
            started: Instant::now(),
            control,
            outputs: [Some(out), Some(err)],
            said: BTreeMap::new(),
            unfinished: Vec::new(),
            console: start.console,
            complaints,
        })
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// What the first process said under that name, and when it did.
    pub(crate) fn said(&self, key: &str) -> Option<(&str, Duration)> {
        self.said.get(key).map(|(value, when)| (value.as_str(), *when))
    }

    /// Tells the guest what to run.
    pub(crate) fn send(&mut self, settings: &str, script: &[u8]) -> Result<()> {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut message = format!("{} {} {now}\n{settings}", settings.len(), script.len()).into_bytes();
        message.extend_from_slice(script);
        self.control.write_all(&message).context(|| "cannot talk to the guest".into())
    }

    /// Passes output on until the guest says `key`.
    pub(crate) fn wait_for(
        &mut self,
        key: &str,
        deadline: Instant,
        sinks: &mut Sinks<'_>,
        signals: Option<BorrowedFd<'_>>,
    ) -> Result<Waited> {
        while !self.said.contains_key(key) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Waited::TimedOut);
            }
            let [out, err] = self.outputs.each_ref().map(|o| o.as_ref().map(AsFd::as_fd));
            let fds = [Some(self.control.as_fd()), out, err, signals];
            // User-mode Linux leaves helpers behind that keep the ports open: its end shows in the
            // process alone.
            let gone = self.child.try_wait()?.is_some();
            let ready = sys::readable(fds, if gone { Duration::ZERO } else { left.min(LOOK) })?;
            if ready[3] {
                return Ok(Waited::Interrupted);
            }
            for i in 0..2 {
                if ready[1 + i] {
                    self.pass_on(i, sinks)?;
                }
            }
            if (ready[0] && !self.listen()?) || (gone && !ready.contains(&true)) {
                return Ok(Waited::Died);
            }
        }
        Ok(Waited::Said)
    }

    /// Passes on what is still in the pipes. The guest has written all of it before it said its
    /// last word.
    pub(crate) fn drain(&mut self, sinks: &mut Sinks<'_>) -> Result<()> {
        for i in 0..2 {
            while let Some(pipe) = &self.outputs[i] {
                if !sys::readable([Some(pipe.as_fd())], Duration::ZERO)?[0] {
                    break;
                }
                self.pass_on(i, sinks)?;
            }
        }
        Ok(())
    }

    fn pass_on(&mut self, i: usize, sinks: &mut Sinks<'_>) -> Result<()> {
        let Some(pipe) = &self.outputs[i] else {
            return Ok(());
        };
        let mut buffer = [0; 65536];
        let n = match (&*pipe).read(&mut buffer) {
            // The caller waits, and comes back.
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => return Ok(()),
            done => done?,
        };
        let sink = if i == 0 { &mut sinks.out } else { &mut sinks.err };
        if n == 0 {
            self.outputs[i] = None;
        } else {
            sink.write_all(&buffer[..n])
                .and_then(|()| sink.flush())
                .context(|| "cannot pass on what the command wrote".into())?;
        }
        Ok(())
    }

    /// Hears what the first process says; false if the port is closed.
    fn listen(&mut self) -> Result<bool> {
        let mut buffer = [0; 4096];
        let n = match self.control.read(&mut buffer) {
            Ok(n) => n,
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => 0,
            Err(error) => return Err(error.into()),
        };
        self.unfinished.extend_from_slice(&buffer[..n]);
        while let Some(end) = self.unfinished.iter().position(|&b| b == b'\n') {
            let line: Vec<u8> = self.unfinished.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            let (key, value) = line.trim_end().split_once('=').unwrap_or((line.trim_end(), ""));
            if key == "warn" {
                eprintln!("lab: warning: {value}");
            }
            self.said.insert(key.to_owned(), (value.to_owned(), self.started.elapsed()));
        }
        Ok(n > 0)
    }

    /// Ends the machine.
    pub(crate) fn kill(&mut self) {
        if self.own_group {
            sys::kill_group(self.child.id());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// The ends of the machine's and of the kernel's logs.
    pub(crate) fn last_words(&self) -> String {
        let mut text = String::new();
        for file in [&self.complaints, &self.console] {
            let bytes = std::fs::read(file).unwrap_or_default();
            let log = String::from_utf8_lossy(&bytes);
            let lines: Vec<&str> = log.lines().filter(|l| !l.trim().is_empty()).collect();
            // A panic's first line says more than its last ones.
            let panic = lines.iter().rposition(|l| l.contains("Kernel panic") || l.contains("BUG:"));
            let from = panic.unwrap_or(usize::MAX).min(lines.len().saturating_sub(TAIL));
            for line in lines[from..].iter().take(TAIL) {
                text.push_str("\n  | ");
                text.push_str(line.trim_end());
            }
        }
        text
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.kill();
    }
}
