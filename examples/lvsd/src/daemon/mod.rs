//! The process around the engine: tasks for checks, sockets, signals, hooks.

mod checks;
mod hooks;
mod log;
mod names;
pub mod privileges;
mod system;
mod tools;
mod webhook;

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
pub use names::Names;
pub use system::System;
pub use tools::Tools;

/// How many questions wait at most.
const QUESTIONS: usize = 64;
/// How many events a slow watcher may be behind.
const EVENTS: usize = 1024;
/// How many outcomes of checks are taken in before the table is looked after.
const AT_ONCE: usize = 4096;
/// How often the marks of packets are looked at.
const LOOK: Duration = Duration::from_secs(10);
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
        let cluster = Cluster::load(&self.path);
        let cluster = cluster.map_err(|error| Refused { error: error.to_string(), invalid: error.invalid })?;
        match crate::probe::missing_privileges(&cluster) {
            missing if missing.is_empty() => Ok(cluster),
            missing => Err(Refused::new(missing.join("\n"))),
        }
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
    mut system: System,
    mut names: Names,
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
    names.follow(engine.cluster());
    let watchdog = sd_notify::watchdog_enabled().map(|time| time / 2);
    let beat = watchdog.unwrap_or(Duration::MAX).min(Duration::from_secs(1));
    let mut heart = tokio::time::interval(beat);
    heart.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    notify(&[NotifyState::Ready]);
    let mut looked = Instant::now();
    let mut ending = false;
    let mut withdraw = options.withdraw;
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
                    withdraw |= ending;
                    // Whoever asked may have gone.
                    let _ = question.answer.send(engine.handle(request, clock.moment()));
                }
            },
            Some(report) = reports.recv() => {
                let mut next = Some(report);
                for _ in 0..AT_ONCE {
                    let Some(checks::Report { server, kind, outcome, took }) = next else { break };
                    engine.latency().observe(kind, took);
                    engine.report(server, outcome, clock.moment());
                    next = reports.try_recv().ok();
                }
            }
            _ = heart.tick() => {
                if watchdog.is_some() {
                    notify(&[NotifyState::Watchdog]);
                }
                if looked.elapsed() >= LOOK {
                    look(&mut system);
                    looked = Instant::now();
                }
                if source.has_changed() {
                    reload = Some(None);
                }
            }
            () = names.next() => {}
            () = tokio::time::sleep_until(wakeup.into()) => {}
        }
        if let Some(answer) = reload {
            // systemd waits for the end of a reload that is notified.
            if let Ok(now) = NotifyState::monotonic_usec_now() {
                notify(&[NotifyState::Reloading, now]);
            }
            let result = load(&mut engine, &mut *source, &mut system, &mut names, &clock).await;
            checks.follow(engine.cluster());
            hooks.follow(&engine.cluster().hooks);
            names.follow(engine.cluster());
            notify(&[NotifyState::Ready]);
            if let Some(answer) = answer {
                let _ = answer.send(result.map(Reply::Reloaded));
            }
        }
        resolve(&mut engine, &mut names, &mut checks, &clock);
        engine.flush(clock.moment());
        system.forget(&engine.take_removed());
        publish(&mut engine, &inbox.events, &hooks);
    }
    notify(&[NotifyState::Stopping]);
    if withdraw && let Err(error) = system.withdraw() {
        tracing::error!("the marks of packets are still there: {error}");
    }
    if options.withdraw {
        engine.withdraw(clock.moment());
        system.forget(&engine.take_removed());
    }
    system.finish();
    engine.end(clock.moment());
    publish(&mut engine, &inbox.events, &hooks);
    hooks.finish().await;
    // The tasks of connections end with this one: whoever asked for the end gets the reply first. A
    // task writes it as soon as it runs.
    for _ in 0..LAST_TURNS {
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Puts other addresses of names in force.
fn resolve(engine: &mut Engine, names: &mut Names, checks: &mut Checks, clock: &Clock) {
    if engine.cluster().names.is_empty() {
        return;
    }
    names.settle(|name| engine.serving(name));
    let answers = names.answers();
    if answers == engine.cluster().answers {
        return;
    }
    let resolved = engine.cluster().resolved(&answers).map_err(|error| error.to_string());
    match resolved.and_then(|cluster| engine.resolve(cluster, clock.moment())) {
        Ok(()) => checks.follow(engine.cluster()),
        Err(error) => {
            tracing::error!("names have addresses that cannot be servers: {error}");
            names.go_back_to(&engine.cluster().answers);
        }
    }
}

async fn load(
    engine: &mut Engine,
    source: &mut dyn Source,
    system: &mut System,
    names: &mut Names,
    clock: &Clock,
) -> Result<crate::control::Reloaded, Refused> {
    let loaded = source.load().and_then(|cluster| system.check(&cluster).map(|()| cluster).map_err(Refused::new));
    let loaded = match loaded {
        Ok(cluster) => names.resolve(cluster).await.map_err(Refused::new),
        Err(refused) => Err(refused),
    };
    let cluster = loaded.map_err(|refused| engine.refuse(refused, clock.moment()))?;
    let mut reloaded = engine.reload(cluster, clock.moment())?;
    // With the addresses that marks had before.
    system.forget(&engine.take_removed());
    for problem in system.put(engine.cluster()) {
        tracing::error!("{problem}");
        reloaded.refused.push(problem);
    }
    Ok(reloaded)
}

fn look(system: &mut System) {
    match system.look() {
        Ok(false) => {}
        Ok(true) => tracing::warn!("somebody else has changed the marks of packets: they are set again"),
        Err(error) => tracing::error!("the marks of packets are gone: {error}"),
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
