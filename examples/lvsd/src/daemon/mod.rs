//! The process around the engine: tasks for checks, sockets, signals, hooks.

mod checks;
mod hooks;
mod log;
pub mod privileges;

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{broadcast, mpsc};

use crate::config::Cluster;
use crate::control::server::{Owner, Question};
use crate::control::{Refused, Reply, Request};
use crate::engine::{Engine, Moment};
use crate::event::EventKind;
use checks::Checks;
use hooks::Hooks;
pub use log::start as start_log;

/// How many questions wait at most.
const QUESTIONS: usize = 64;
/// How many events a slow watcher may be behind.
const EVENTS: usize = 1024;
/// How many outcomes of checks are taken in before the table is looked after.
const AT_ONCE: usize = 4096;
/// How often other tasks run once more when the daemon ends.
const LAST_TURNS: usize = 64;

/// Where clusters come from.
pub trait Source {
    /// The cluster as it is wanted now.
    ///
    /// # Errors
    /// It cannot be read, or makes no sense.
    fn load(&mut self) -> Result<Cluster, Refused>;

    /// Whether it has changed since it was last loaded. Asked about once a second.
    fn has_changed(&mut self) -> bool {
        false
    }
}

/// A cluster file.
#[derive(Debug)]
pub struct FileSource {
    path: PathBuf,
    watch: bool,
    seen: Option<(SystemTime, u64)>,
}

impl FileSource {
    /// The file, which is loaded again when it changes if it is watched.
    pub const fn new(path: PathBuf, watch: bool) -> Self {
        Self { path, watch, seen: None }
    }

    fn stamp(&self) -> Option<(SystemTime, u64)> {
        let metadata = std::fs::metadata(&self.path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    }
}

impl Source for FileSource {
    fn load(&mut self) -> Result<Cluster, Refused> {
        self.seen = self.stamp();
        Cluster::load(&self.path).map_err(|error| Refused { error: error.to_string(), invalid: error.invalid })
    }

    fn has_changed(&mut self) -> bool {
        // A file that is being replaced may be missing for a moment.
        self.watch && self.stamp().is_some_and(|stamp| self.seen != Some(stamp))
    }
}

/// Both clocks, from the start of the program.
#[derive(Debug, Clone, Copy)]
pub struct Clock(Instant);

impl Default for Clock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock {
    /// Now.
    pub fn moment(&self) -> Moment {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Moment { now: self.0.elapsed(), unix }
    }
}

/// The signals that a daemon knows, remembered from the moment this is made.
#[derive(Debug)]
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }
}

/// How a daemon runs.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Whether the services go out of force when it ends.
    pub withdraw: bool,
    /// How many checks run at once.
    pub checks: usize,
}

/// The way to a daemon that is about to run, and what comes on it.
#[derive(Debug)]
pub struct Inbox {
    questions: mpsc::Receiver<Question>,
    events: broadcast::Sender<crate::event::Event>,
}

/// Makes the way to a daemon.
pub fn inbox() -> (Owner, Inbox) {
    let (sender, questions) = mpsc::channel(QUESTIONS);
    let (events, _) = broadcast::channel(EVENTS);
    (Owner { questions: sender, events: events.clone() }, Inbox { questions, events })
}

/// Runs until it is told to end. Must run inside a [`tokio::task::LocalSet`].
///
/// # Errors
/// The system refuses handlers of signals.
pub async fn run(
    mut engine: Engine,
    mut source: Box<dyn Source>,
    clock: Clock,
    mut inbox: Inbox,
    options: Options,
) -> Result<()> {
    let mut signals = Signals::new()?;
    let (outcomes, mut reports) = mpsc::unbounded_channel();
    let mut checks = Checks::new(outcomes, options.checks);
    let mut hooks = Hooks::default();
    checks.follow(engine.cluster());
    hooks.follow(&engine.cluster().hooks);
    let watchdog = sd_notify::watchdog_enabled().map(|time| time / 2);
    let beat = watchdog.unwrap_or(Duration::MAX).min(Duration::from_secs(1));
    let mut heart = tokio::time::interval(beat);
    heart.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    notify(&[NotifyState::Ready]);
    let mut ending = false;
    while !ending {
        let wakeup = clock.0 + engine.next_wakeup();
        let mut reload = None;
        tokio::select! {
            _ = signals.interrupt.recv() => ending = true,
            _ = signals.terminate.recv() => ending = true,
            _ = signals.hangup.recv() => reload = Some(None),
            Some(question) = inbox.questions.recv() => match question.request {
                Request::Reload => reload = Some(Some(question.answer)),
                request => {
                    ending = request == Request::Stop;
                    // Whoever asked may have gone.
                    let _ = question.answer.send(engine.handle(request, clock.moment()));
                }
            },
            Some(report) = reports.recv() => {
                let mut next = Some(report);
                for _ in 0..AT_ONCE {
                    let Some(checks::Report { server, outcome, took }) = next else { break };
                    engine.latency().observe(took.as_secs_f64());
                    engine.report(server, outcome, clock.moment());
                    next = reports.try_recv().ok();
                }
            }
            _ = heart.tick() => {
                if watchdog.is_some() {
                    notify(&[NotifyState::Watchdog]);
                }
                if source.has_changed() {
                    reload = Some(None);
                }
            }
            () = tokio::time::sleep_until(wakeup.into()) => {}
        }
        if let Some(answer) = reload {
            // systemd waits for the end of a reload that is notified.
            if let Ok(now) = NotifyState::monotonic_usec_now() {
                notify(&[NotifyState::Reloading, now]);
            }
            let result = load(&mut engine, &mut *source, &clock);
            checks.follow(engine.cluster());
            hooks.follow(&engine.cluster().hooks);
            notify(&[NotifyState::Ready]);
            if let Some(answer) = answer {
                let _ = answer.send(result.map(Reply::Reloaded));
            }
        }
        engine.flush(clock.moment());
        publish(&mut engine, &inbox.events, &hooks);
    }
    notify(&[NotifyState::Stopping]);
    if options.withdraw {
        engine.withdraw(clock.moment());
    }
    engine.end(clock.moment());
    publish(&mut engine, &inbox.events, &hooks);
    hooks.finish().await;
    // The tasks of connections end with this one: whoever asked for the end gets the reply first. A task writes it as soon
    // as it runs.
    for _ in 0..LAST_TURNS {
        tokio::task::yield_now().await;
    }
    Ok(())
}

fn load(engine: &mut Engine, source: &mut dyn Source, clock: &Clock) -> Result<crate::control::Reloaded, Refused> {
    match source.load() {
        Ok(cluster) => engine.reload(cluster, clock.moment()),
        Err(refused) => Err(engine.refuse(refused, clock.moment())),
    }
}

fn notify(state: &[NotifyState<'_>]) {
    // Without a service manager there is nobody to notify.
    let _ = sd_notify::notify(state);
}

fn publish(engine: &mut Engine, events: &broadcast::Sender<crate::event::Event>, hooks: &Hooks) {
    for event in engine.journal.take() {
        let (kind, service, server) = (event.kind.name(), event.service.as_deref(), event.server.as_deref());
        match event.kind {
            EventKind::Refused | EventKind::ReloadRefused | EventKind::DrainCut | EventKind::CheckNotRun => {
                tracing::error!(kind, service, server, "{event}");
            }
            EventKind::ServerDown | EventKind::ServerDamped | EventKind::QuorumLost | EventKind::DriftRepaired => {
                tracing::warn!(kind, service, server, "{event}");
            }
            _ => tracing::info!(kind, service, server, "{event}"),
        }
        hooks.run(&event);
        // Nobody may be watching.
        let _ = events.send(event);
    }
}
