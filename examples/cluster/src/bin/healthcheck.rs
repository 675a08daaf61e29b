//! Checks the real servers of a cluster and keeps the director's table to what the checks say.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program prints")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use lvs_cluster::checker::{self, Notice};
use lvs_cluster::config::Cluster;
use lvs_cluster::exit;
use lvs_cluster::open::Target;
use lvs_cluster::owned::Owned;
use lvs_cluster::stop::Stop;
use lvs_cluster::taken_out::TakenOut;
use lvs_core::health::Change;

#[derive(Parser)]
#[command(version, about = "Checks real servers, takes the dead out and brings them back, and serves an apology")]
struct Cli {
    #[command(flatten)]
    target: Target,
    /// The cluster file
    cluster: PathBuf,
    /// Where is kept which services are the cluster's, and which servers were taken out by hand
    #[arg(long, default_value = "/run/lvs", env = "LVS_STATE")]
    state: PathBuf,
    /// Seconds after which the table is compared again even if no check has changed anything
    #[arg(long, default_value_t = 10.0)]
    resync: f64,
}

fn main() -> ExitCode {
    exit::status("healthcheck", run())
}

fn run() -> Result<()> {
    let cli = Cli::parse();
    let cluster = Cluster::load(&cli.cluster)?;
    let resync = Duration::try_from_secs_f64(cli.resync)?;
    let table = cluster.table();
    let mut owned = Owned::load(&cli.state, &cli.cluster)?;
    let scope = owned.scope(&table);
    owned.claim(&table)?;
    let mut opened = cli.target.open()?;
    let taken_out = TakenOut::in_directory(&cli.state);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let work = tokio::task::LocalSet::new().block_on(&runtime, async {
        let mut stop = Stop::new()?;
        checker::run(&cluster, opened.director(), &scope, resync, &taken_out, stop.asked(), |notice| match notice {
            Notice::Change(change) => println!("{}", describe(change)),
            Notice::Failure(server, reason) => println!("{server}: {reason}"),
            Notice::Done(operation) => println!("  {operation}"),
            Notice::Refused(error) => eprintln!("  {error}; will be tried again"),
        })
        .await
    })?;
    opened.close()?;
    println!("{} checks, at most {:.3} s late", work.checks, work.worst_lag.as_secs_f64());
    Ok(())
}

fn describe(change: &Change) -> String {
    match change {
        Change::ServerUp(service, server) => format!("{server} of {service} is up"),
        Change::ServerDown(service, server) => format!("{server} of {service} is down"),
        Change::ServerDamped(service, server) => format!("{server} of {service} comes and goes: held down"),
        Change::QuorumLost(service) => format!("{service} has lost its quorum"),
        Change::QuorumRegained(service) => format!("{service} has its quorum again"),
        other => format!("{other:?}"),
    }
}
