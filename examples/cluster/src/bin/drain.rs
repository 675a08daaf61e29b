//! Takes a real server, or a whole service, out without cutting a connection.
#![allow(clippy::print_stdout, reason = "a program prints")]

use std::net::IpAddr;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::Parser;
use lvs_cluster::exit;
use lvs_cluster::open::Target;
use lvs_cluster::stop::Stop;
use lvs_cluster::taken_out::TakenOut;
use lvs_core::drain::{self, Drain, DrainPolicy, DrainProgress, DrainTarget, WaitFor};
use lvs_core::model::{DestinationKey, ServiceKey};

#[derive(Parser)]
#[command(version, about = "Takes a real server or a service out: quiesce, wait, remove")]
struct Cli {
    #[command(flatten)]
    target: Target,
    /// The service, such as "tcp://192.0.2.1:80"; all of it unless --server is given
    #[arg(long, required_unless_present = "host", conflicts_with = "host")]
    service: Option<ServiceKey>,
    /// The real server of that service, such as 198.51.100.7:80
    #[arg(long, requires = "service")]
    server: Option<DestinationKey>,
    /// A real server in all services
    #[arg(long)]
    host: Option<IpAddr>,
    /// What to wait for with every protocol; otherwise active connections of TCP and SCTP, nothing of UDP
    #[arg(long, value_enum)]
    wait_for: Option<Kind>,
    /// After so many seconds what is left is cut
    #[arg(long)]
    deadline: Option<f64>,
    /// Seconds between two looks
    #[arg(long, default_value_t = 1.0)]
    interval: f64,
    /// Where is kept which servers were taken out: a healthcheck does not bring them back, but `director start` does
    #[arg(long, default_value = "/run/lvs", env = "LVS_STATE")]
    state: PathBuf,
    /// Leave the server in the table, with weight 0
    #[arg(long)]
    keep: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Kind {
    Nothing,
    Active,
    Inactive,
    Persistent,
}

impl Cli {
    fn drain(&self) -> Result<Drain> {
        let target = match (self.service, self.server, self.host) {
            (Some(service), Some(server), _) => DrainTarget::Destination(service, server),
            (Some(service), None, _) => DrainTarget::Service(service),
            (None, _, Some(host)) => DrainTarget::RealServer(host),
            (None, _, None) => bail!("nothing to drain"),
        };
        let mut policy = DrainPolicy::default();
        if let Some(kind) = self.wait_for {
            policy = policy.waiting_for(match kind {
                Kind::Nothing => WaitFor::Nothing,
                Kind::Active => WaitFor::Active,
                Kind::Inactive => WaitFor::Inactive,
                Kind::Persistent => WaitFor::Persistent,
            });
        }
        policy.deadline = self.deadline.map(Duration::try_from_secs_f64).transpose()?;
        policy.remove = !self.keep;
        Ok(Drain::new(target, policy))
    }

    fn what(&self) -> String {
        match (self.service, self.server, self.host) {
            (Some(service), Some(server), _) => format!("{server} of {service}"),
            (Some(service), None, _) => service.to_string(),
            (None, _, host) => host.map(|host| host.to_string()).unwrap_or_default(),
        }
    }
}

fn main() -> ExitCode {
    exit::status("drain", run())
}

fn run() -> Result<()> {
    let cli = Cli::parse();
    let mut drain = cli.drain()?;
    let interval = Duration::try_from_secs_f64(cli.interval)?;
    let mut opened = cli.target.open()?;
    let first = opened.director().snapshot()?;
    if !drain.target().is_in(&first) {
        bail!("{} is not in the table: nothing to drain", cli.what());
    }
    // Checks that run beside this would bring back what goes.
    let going: Vec<_> = drain.target().servers(&first).collect();
    let taken_out = TakenOut::in_directory(&cli.state);
    if cli.target.embedded.is_none() {
        taken_out.add(&going)?;
    }
    let pauses = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut stop = pauses.block_on(async { Stop::new() })?;
    let start = Instant::now();
    let mut interrupted = false;
    let last = drain::run(opened.director(), &mut drain, Duration::ZERO, |_, progress| {
        report(progress);
        interrupted = pauses.block_on(stop.within(interval));
        if interrupted { ControlFlow::Break(()) } else { ControlFlow::Continue(start.elapsed()) }
    });
    opened.close()?;
    let last = last?;
    if interrupted {
        taken_out.forget(|server| going.contains(server))?;
        bail!("cancelled: the weights are back");
    }
    report(&last);
    println!("drained in {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

fn report(progress: &DrainProgress) {
    for operation in &progress.operations {
        println!("{operation}");
    }
    for left in &progress.waiting {
        println!(
            "waiting for {} of {}: {} active, {} inactive, {} persistent",
            left.destination, left.service, left.active, left.inactive, left.persistent
        );
    }
    for cut in &progress.cut {
        println!("deadline: {} of {} is cut with {} active connections", cut.destination, cut.service, cut.active);
    }
}
