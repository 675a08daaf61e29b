//! Commands without lvsd.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use lvs_core::drain::{self as core_drain, Drain as CoreDrain, DrainPolicy};
use lvs_core::embedded::EmbeddedDirector;
use lvs_core::lint;
use lvs_core::watch::poll;

use super::{Answer, Cli, ClusterFile, Drain, Verb, print, remote, table};
use crate::config::Cluster;
use crate::control::{Findings, Reloaded, Reply, Request};
use crate::daemon::{Clock, Names, System, Tools};
use crate::engine::{Engine, Setup};
use crate::instance::{Instance, Lock};
use crate::state::{StateFile, place};
use crate::text;
use lvs_core::preflight::{self, ThisHost};

pub(super) fn run(cli: &Cli, verb: &Verb, out: &mut dyn Write) -> Answer {
    match verb {
        Verb::Status(file) => status(cli, path(file)?, out),
        Verb::Plan(file) => {
            let (mut once, clock) = Once::begin(cli, path(file)?, Mode::Plan)?;
            let Reply::Plan(plan) = once.ask(Request::Plan, clock)? else { bail!("no plan") };
            if cli.json {
                print::json(&plan, out)?
            } else {
                write!(out, "{}", plan.rules)?
            };
            Ok(true)
        }
        Verb::Check(file) => check(cli, path(file)?, out),
        Verb::Stop(file) => {
            let (mut once, clock) = Once::begin(cli, path(file)?, Mode::Look)?;
            once.system.withdraw().map_err(anyhow::Error::msg)?;
            let done = once.engine.withdraw(clock.moment());
            reloaded(cli, &done, out)
        }
        Verb::Drain(drain) => self::drain(cli, drain, out),
        Verb::Watch { interval } => watch(cli, *interval, out),
        Verb::Metrics { .. } => table::metrics(cli, out),
        other => bail!("{other:?} needs lvsd"),
    }
}

fn path(file: &ClusterFile) -> Result<&Path> {
    file.cluster.as_deref().context("--direct needs the cluster file")
}

/// What a command is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// It puts the file in force.
    Apply,
    /// It says what that would do.
    Plan,
    /// It is about what is in force already.
    Look,
}

/// The engine of a cluster for the time of one command.
struct Once {
    engine: Engine,
    /// What the beginning has done.
    done: Reloaded,
    /// This host.
    system: System,
    _lock: Lock,
}

impl Once {
    fn begin(cli: &Cli, path: &Path, mode: Mode) -> Result<(Self, Clock)> {
        let cluster = Cluster::load(path)?;
        let given = cli.instance.as_deref().or(cluster.name.as_deref());
        let instance = Instance::new(given, path, &cli.target.table()?)?;
        let lock = instance.lock(&cli.state())?;
        let state = StateFile::new(instance.state_file(&cli.state()));
        let loaded = state.load(&instance.identity, false)?;
        let cluster = if cluster.names.is_empty() {
            cluster
        } else {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let mut names = Names::new(&loaded.names());
            runtime.block_on(names.resolve(cluster)).map_err(anyhow::Error::msg)?
        };
        let clock = Clock::default();
        let tools = if cli.target.embedded.is_none() { Some(Tools::start()?) } else { None };
        let mut system = System::new(tools, &instance.name);
        let place = place(&instance.identity);
        let setup = Setup {
            instance,
            place,
            director: cli.target.open()?,
            store: Box::new(state),
            resync: Duration::from_secs(10),
            adopt: false,
            whole: mode != Mode::Look,
        };
        let (engine, done) = match mode {
            Mode::Apply => {
                system.check(&cluster).map_err(anyhow::Error::msg)?;
                let (mut engine, mut done) = Engine::start(setup, cluster, loaded, clock.moment())?;
                system.forget(&engine.take_removed());
                done.refused.extend(system.put(engine.cluster()));
                system.finish();
                (engine, done)
            }
            Mode::Plan | Mode::Look => (Engine::look(setup, cluster, loaded, clock.moment())?, Reloaded::default()),
        };
        Ok((Self { engine, done, system, _lock: lock }, clock))
    }

    fn ask(&mut self, request: Request, clock: Clock) -> Result<Reply> {
        self.engine.handle(request, clock.moment()).map_err(|refused| anyhow!(refused.error))
    }
}

/// Puts a file in force once.
pub(super) fn apply(cli: &Cli, path: &Path, out: &mut dyn Write) -> Answer {
    let (once, clock) = Once::begin(cli, path, Mode::Apply)?;
    let Once { mut engine, done, system: _system, _lock } = once;
    engine.end(clock.moment());
    reloaded(cli, &done, out)
}

/// What a reload has done, as asked for; whether nothing was refused.
pub(super) fn reloaded(cli: &Cli, done: &Reloaded, out: &mut dyn Write) -> Answer {
    if cli.json {
        print::json(done, out)?
    } else {
        print::reloaded(done, out)?
    };
    Ok(done.refused.is_empty())
}

fn status(cli: &Cli, path: &Path, out: &mut dyn Write) -> Answer {
    let (mut once, clock) = Once::begin(cli, path, Mode::Look)?;
    let Reply::Plan(plan) = once.ask(Request::Plan, clock)? else { bail!("no plan") };
    if cli.json {
        print::json(&plan, out)?;
    } else {
        let ours = once.engine.cluster().table();
        let mut snapshot = once.engine.director().snapshot()?;
        snapshot.services.retain(|service| ours.service(&service.entry.service.key()).is_some());
        write!(out, "{}", text::listing(&snapshot)?)?;
        for operation in &plan.operations {
            writeln!(out, "not as it should be: would {operation}")?;
        }
    }
    Ok(plan.operations.is_empty())
}

fn check(cli: &Cli, path: &Path, out: &mut dyn Write) -> Answer {
    let cluster = Cluster::load(path)?;
    let table = cluster.table();
    let (mut findings, lacking) = match cli.target.embedded {
        // An embedded director needs nothing of this host.
        Some(_) => (Vec::new(), lint::schedulers(&mut EmbeddedDirector::new(), &table)?),
        None => {
            let asked = cli.target.open().and_then(|mut director| Ok(lint::schedulers(&mut *director, &table)?));
            // Without the privilege to ask the kernel, the advice about modules has to do.
            (preflight::director(&table, &ThisHost), asked.unwrap_or_default())
        }
    };
    findings.extend(lacking.into_iter().map(Into::into));
    let findings = Findings::new(findings);
    if cli.json {
        print::json(&findings, out)?
    } else {
        print::findings(&findings, out)?
    };
    Ok(findings.ready)
}

fn drain(cli: &Cli, drain: &Drain, out: &mut dyn Write) -> Answer {
    let spec = drain.spec();
    let mut policy = DrainPolicy::default();
    if let Some(waiting) = spec.wait_for {
        policy = policy.waiting_for(waiting.into());
    }
    if let Some(deadline) = spec.deadline {
        policy = policy.with_deadline(Duration::try_from_secs_f64(deadline)?);
    }
    if spec.keep {
        policy = policy.keeping();
    }
    let target = spec.what.target().map_err(anyhow::Error::msg)?;
    let mut director = cli.target.open()?;
    if !target.is_in(&director.snapshot()?) {
        bail!("it is not in the table: nothing to drain");
    }
    let drain = CoreDrain::new(target, policy);
    let start = Instant::now();
    let (mut failed, mut shown) = (None, 0);
    let last = core_drain::run(&mut *director, drain, Duration::ZERO, |_, progress| {
        let waiting = progress.waiting.iter().map(|left| {
            format!(
                "waiting for {} of {}: {} active, {} inactive, {} persistent\n",
                left.destination, left.service, left.active, left.inactive, left.persistent
            )
        });
        shown += progress.operations.len();
        let lines: String =
            progress.operations.iter().map(|operation| format!("{operation}\n")).chain(waiting).collect();
        // A reader that has gone does not stop a drain.
        failed = out.write_all(lines.as_bytes()).err();
        std::thread::sleep(Duration::from_secs(1));
        ControlFlow::Continue(start.elapsed())
    })?;
    for operation in &last.operations[shown..] {
        writeln!(out, "{operation}")?;
    }
    let cut: u64 = last.cut.iter().map(|left| u64::from(left.active)).sum();
    remote::ended(cut, 0, out)?;
    failed.map_or(Ok(cut == 0), |error| Err(error.into()))
}

fn watch(cli: &Cli, interval: f64, out: &mut dyn Write) -> Answer {
    let interval = Duration::try_from_secs_f64(interval)?;
    let mut director = cli.target.open()?;
    let start = Instant::now();
    let pause = |_: &mut _| {
        std::thread::sleep(interval);
        Some(start.elapsed())
    };
    for events in poll(&mut *director, Duration::ZERO, pause) {
        // The table is looked at again at the next turn.
        let Ok(events) = events else { continue };
        for event in &events {
            write!(out, "{}", text::event(event))?;
        }
        out.flush()?;
    }
    Ok(true)
}
