//! Starts, stops, saves and shows a cluster: what shell scripts around `ipvsadm` do, without a moment of an empty table.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program prints")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use clap::{Args, Parser, Subcommand};
use lvs_cluster::config::Cluster;
use lvs_cluster::open::{Opened, Target};
use lvs_cluster::owned::Owned;
use lvs_cluster::preflight::{self, Severity};
use lvs_cluster::stop::Stop;
use lvs_cluster::taken_out::TakenOut;
use lvs_cluster::text;
use lvs_core::Director;
use lvs_core::model::Table;
use lvs_core::plan::{OnFailure, Outcome, Plan, Scope, reconcile};
use lvs_core::rules;
use lvs_core::watch::poll_async;

#[derive(Parser)]
#[command(version, about = "Runs the director of a cluster from its file")]
struct Cli {
    #[command(flatten)]
    target: Target,
    /// Where is kept which services are the cluster's
    #[arg(long, default_value = "/run/lvs", env = "LVS_STATE", global = true)]
    state: PathBuf,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Puts the cluster in force, or what has changed in its file since; nothing else is touched
    Start {
        #[command(flatten)]
        file: File,
        /// Undo the steps done if the kernel refuses one
        #[arg(long)]
        undo: bool,
    },
    /// Prints what `start` would do, as ipvsadm lines
    Plan(File),
    /// Takes the cluster's services out of force
    Stop(File),
    /// Prints the whole table as rules that `restore` and `ipvsadm --restore` take
    Save,
    /// Puts a saved table in force, from standard input unless a file is named; services that are not in it go
    Restore {
        /// What `save` or `ipvsadm --save` has printed
        rules: Option<PathBuf>,
        /// Undo the steps done if the kernel refuses one
        #[arg(long)]
        undo: bool,
    },
    /// Prints what appears, changes and vanishes as ipvsadm lines, and rates as comments, until it is interrupted
    Watch {
        /// Seconds between two looks; counters of the kernel move every two
        #[arg(long, default_value_t = 2.0)]
        interval: f64,
    },
    /// Shows the cluster's services, and what is not as its file says; exits with 1 if something is not
    Status(File),
    /// Says what is missing on this host for the cluster to work; exits with 1 if something is
    Check(File),
}

#[derive(Args)]
struct File {
    /// The cluster file
    cluster: PathBuf,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("director: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<bool> {
    match &cli.verb {
        Verb::Check(file) => check(&Cluster::load(&file.cluster)?, cli.target.embedded.is_some()),
        Verb::Save => {
            let mut opened = cli.target.open()?;
            print!("{}", text::rules(&opened.director().complete_snapshot()?.to_table()));
            Ok(true)
        }
        Verb::Restore { rules, undo } => restore(cli, rules.as_deref(), on_failure(*undo)),
        Verb::Watch { interval } => watch(cli, Duration::try_from_secs_f64(*interval)?),
        Verb::Start { file, undo } => {
            let table = Cluster::load(&file.cluster)?.table();
            change(cli, file, &table, on_failure(*undo))
        }
        Verb::Stop(file) => change(cli, file, &Table::new(), OnFailure::Keep),
        Verb::Plan(file) => {
            let mut opened = cli.target.open()?;
            print!("{}", text::plan(&plan(cli, &mut opened, file)?));
            Ok(true)
        }
        Verb::Status(file) => {
            let mut opened = cli.target.open()?;
            status(cli, &mut opened, file)
        }
    }
}

const fn on_failure(undo: bool) -> OnFailure {
    if undo { OnFailure::Undo } else { OnFailure::Keep }
}

fn change(cli: &Cli, file: &File, wanted: &Table, on_failure: OnFailure) -> Result<bool> {
    let mut opened = cli.target.open()?;
    let mut owned = Owned::load(&cli.state, &file.cluster)?;
    // Stopping works by the file as it is now and by what was owned before it was edited.
    let mut scope_of = Cluster::load(&file.cluster)?.table();
    scope_of.services.extend(wanted.services.iter().cloned());
    let scope = owned.scope(&scope_of);
    owned.claim(wanted)?;
    // Whoever starts the cluster, or ends it, wants what the file says of all servers.
    TakenOut::in_directory(&cli.state).forget(|(service, _)| scope.owns(service))?;
    let (plan, outcome) = reconcile(opened.director(), wanted, &scope, on_failure)?;
    report(&plan, &outcome);
    if matches!(cli.verb, Verb::Stop(_)) {
        stop_daemons(opened.director(), &scope_of)?;
    }
    opened.close()?;
    if outcome.is_complete() {
        owned.settle(wanted)?;
    }
    Ok(outcome.is_complete())
}

/// An empty table says nothing of daemons, so those of the file are stopped by name.
fn stop_daemons(director: &mut dyn Director, file: &Table) -> Result<()> {
    let running = director.daemons()?;
    for daemon in file.daemons.iter().filter(|daemon| running.iter().any(|other| other.role == daemon.role)) {
        director.stop_daemon(daemon.role)?;
        println!("stop the {} sync daemon", daemon.role);
    }
    Ok(())
}

fn plan(cli: &Cli, opened: &mut Opened, file: &File) -> Result<Plan> {
    let table = Cluster::load(&file.cluster)?.table();
    let scope = Owned::load(&cli.state, &file.cluster)?.scope(&table);
    let current = opened.director().snapshot()?.to_table();
    Plan::between(&current, &table, &scope).context("the file cannot be planned")
}

fn report(plan: &Plan, outcome: &Outcome) {
    for &step in &outcome.done {
        println!("{}", plan.steps()[step].operation);
    }
    for refusal in &outcome.refused {
        eprintln!("director: {}", refusal.error);
    }
    if let Some(error) = &outcome.interrupted {
        eprintln!("director: {error}");
    }
    if outcome.is_complete() {
        if plan.is_empty() {
            println!("nothing to do: the table is as it should be");
        }
        return;
    }
    let left = plan.len() - outcome.done.len() - outcome.refused.len();
    match outcome.undone {
        true => eprintln!("director: {} steps were undone: the table is as before", outcome.done.len()),
        false => eprintln!("director: {} steps are in force, {left} were not begun", outcome.done.len()),
    }
}

/// The whole table, so nothing is foreign; still no service is without its servers on the way.
fn restore(cli: &Cli, rules: Option<&Path>, on_failure: OnFailure) -> Result<bool> {
    let (name, text) = match rules {
        Some(file) => (file.display().to_string(), fs::read(file)),
        None => ("standard input".to_owned(), std::io::read_to_string(std::io::stdin()).map(String::into_bytes)),
    };
    let text = text.with_context(|| format!("cannot read {name}"))?;
    let script = rules::parse(&text).map_err(|errors| anyhow!("{name}:\n{errors}"))?;
    let table = script.to_table().map_err(|errors| anyhow!("{name}:\n{errors}"))?;
    let mut opened = cli.target.open()?;
    let (plan, outcome) = reconcile(opened.director(), &table, &Scope::all(), on_failure)?;
    report(&plan, &outcome);
    opened.close()?;
    Ok(outcome.is_complete())
}

fn watch(cli: &Cli, interval: Duration) -> Result<bool> {
    let mut opened = cli.target.open()?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut stop = Stop::new()?;
        let start = Instant::now();
        let pause = || async move {
            tokio::time::sleep(interval).await;
            Some(start.elapsed())
        };
        let mut looks = poll_async(opened.director(), Duration::ZERO, pause);
        loop {
            let look = tokio::select! {
                () = stop.asked() => None,
                look = looks.next() => look,
            };
            match look {
                Some(Ok(events)) => events.iter().for_each(|event| print!("{}", text::event(event))),
                // It is asked again at the next turn.
                Some(Err(error)) => eprintln!("director: {error}"),
                None => return Ok(true),
            }
        }
    })
}

fn status(cli: &Cli, opened: &mut Opened, file: &File) -> Result<bool> {
    let table = Cluster::load(&file.cluster)?.table();
    let mut snapshot = opened.director().snapshot()?;
    snapshot.services.retain(|service| table.service(&service.entry.service.key()).is_some());
    print!("{}", text::listing(&snapshot)?);
    let plan = plan(cli, opened, file)?;
    for operation in plan.operations() {
        println!("differs from the file: would {operation}");
    }
    Ok(plan.is_empty())
}

fn check(cluster: &Cluster, embedded: bool) -> Result<bool> {
    if embedded {
        println!("ready: an embedded director needs nothing of this host");
        return Ok(true);
    }
    let findings = preflight::director(&cluster.table());
    for finding in &findings {
        println!("{finding}");
    }
    let ready = findings.iter().all(|finding| finding.severity < Severity::Missing);
    if ready {
        println!("ready");
    }
    Ok(ready)
}
