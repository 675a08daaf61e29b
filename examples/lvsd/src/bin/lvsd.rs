//! The daemon that keeps a cluster as its file says.
#![allow(clippy::print_stderr, reason = "a program prints")]

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Parser;
use lvsd::config::Cluster;
use lvsd::control::server;
use lvsd::daemon::{self, Clock, FileSource, Names, Options, System, Tools, privileges, start_log};
use lvsd::engine::{Engine, Setup};
use lvsd::instance::{Instance, create_directory};
use lvsd::open::{Directories, Target};
use lvsd::state::{StateFile, place};
use tokio::net::{TcpListener, UnixListener};

/// Keeps an LVS cluster as its file says: services, checks, drains, overrides, metrics
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(flatten)]
    target: Target,
    /// The cluster file
    cluster: PathBuf,
    /// The name of this instance's state and socket; otherwise that of the file, or else its path
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    directories: Directories,
    /// The group that may use the control socket
    #[arg(long, value_name = "GROUP")]
    socket_group: Option<String>,
    /// Serve metrics on this address and port
    #[arg(long, value_name = "ADDRESS:PORT")]
    metrics: Option<SocketAddr>,
    /// Seconds after which the table is looked at again even if nothing has changed
    #[arg(long, default_value_t = 10.0)]
    resync: f64,
    /// Load the file again when it changes
    #[arg(long)]
    watch_file: bool,
    /// Become this user once everything is open
    #[arg(long)]
    user: Option<String>,
    /// Keep CAP_NET_RAW for checks that need it: of the service's address (to), and icmp
    #[arg(long)]
    keep_raw: bool,
    /// Take over services that are in the table already
    #[arg(long)]
    adopt: bool,
    /// Take over the state of this name although another file has written it
    #[arg(long)]
    take_over: bool,
    /// Take the services out of force at the end
    #[arg(long)]
    withdraw: bool,
    /// Only read the file and say what is wrong with it
    #[arg(long)]
    check: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log();
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<()> {
    let cluster = Cluster::load(&cli.cluster)?;
    if cli.check {
        return Ok(());
    }
    let resync = Duration::try_from_secs_f64(cli.resync)
        .ok()
        .filter(|time| (Duration::from_millis(100)..=Duration::from_secs(86400)).contains(time));
    let Some(resync) = resync else { bail!("--resync is between 0.1 and 86400 seconds") };
    let table = cli.target.table()?;
    let given = cli.name.as_deref().or(cluster.name.as_deref());
    let instance = Instance::new(given, &cli.cluster, &table)?;
    let (state_directory, run) = (cli.directories.state(&cli.target), cli.directories.run(&cli.target));
    let _lock = instance.lock(&state_directory)?;
    create_directory(&run)?;
    let instance_socket = instance.socket(&run);
    let socket = bind(&instance_socket, cli.socket_group.as_deref())?;
    let metrics = cli.metrics.map(std::net::TcpListener::bind).transpose().context("cannot listen for metrics")?;
    // Checks are made from where the director is.
    let mut target = cli.target.clone();
    if let Some(name) = target.namespace.take() {
        lvsd::open::enter(&name)?;
    }
    let checks = privileges::raise_limits();
    let director = target.open()?;
    let state = StateFile::new(instance.state_file(&state_directory));
    let loaded = state.load(&instance.identity, cli.take_over)?;
    // The user writes state there, and may take the socket away at the end.
    privileges::give(cli.user.as_deref(), &[&state_directory, &run])?;
    // A table in a file changes nothing of this host.
    let tools = if target.embedded.is_none() { Some(Tools::start()?) } else { None };
    privileges::drop_privileges(cli.user.as_deref(), cli.keep_raw)?;
    if let Some(tools) = &tools {
        tools.settle().map_err(anyhow::Error::msg)?;
    }
    let mut system = System::new(tools, &instance.name);
    let clock = Clock::default();
    let mut source = FileSource::new(instance.identity.cluster.clone(), cli.watch_file);
    let cluster = daemon::Source::load(&mut source).map_err(|refused| anyhow::anyhow!(refused.error))?;
    system.check(&cluster).map_err(anyhow::Error::msg)?;
    let place = place(&instance.identity);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut names = Names::new(&loaded.names());
    // Others are served meanwhile.
    for problem in runtime.block_on(names.first(&cluster)) {
        tracing::error!("{problem}");
    }
    let cluster = names.resolve_known(&cluster).map_err(anyhow::Error::msg)?;
    // What can be served is, whatever the kernel has lost since the file was put in force.
    let setup = Setup { instance, place, director, store: Box::new(state), resync, adopt: cli.adopt, whole: false };
    let (engine, begun) = Engine::start(setup, cluster, loaded, clock.moment())?;
    for warning in begun.warnings {
        tracing::warn!("{warning}");
    }
    for problem in system.put(engine.cluster()) {
        tracing::error!("{problem}");
    }
    let options = Options { withdraw: cli.withdraw, checks };
    let result = tokio::task::LocalSet::new().block_on(&runtime, async {
        let (owner, inbox) = daemon::inbox();
        socket.set_nonblocking(true)?;
        tokio::task::spawn_local(server::serve_unix(UnixListener::from_std(socket)?, owner.clone()));
        if let Some(listener) = metrics {
            listener.set_nonblocking(true)?;
            tokio::task::spawn_local(server::serve_tcp(TcpListener::from_std(listener)?, owner));
        }
        daemon::run(engine, Box::new(source), system, names, clock, inbox, options).await
    });
    // It may not be this user's to remove; the next start does.
    let _ = std::fs::remove_file(instance_socket);
    result
}

/// Listens on the control socket. Whoever holds the lock of the instance may replace what is left
/// of it.
fn bind(path: &Path, group: Option<&str>) -> Result<std::os::unix::net::UnixListener> {
    let context = || format!("cannot listen on {}", path.display());
    if std::fs::symlink_metadata(path).is_ok() {
        std::fs::remove_file(path).with_context(context)?;
    }
    // It is nobody else's for the moment until its group is set.
    let before = nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o177));
    let listener = std::os::unix::net::UnixListener::bind(path).with_context(context);
    nix::sys::stat::umask(before);
    let listener = listener?;
    if let Some(name) = group {
        let group = nix::unistd::Group::from_name(name)?.with_context(|| format!("there is no group {name:?}"))?;
        std::os::unix::fs::chown(path, None, Some(group.gid.as_raw())).with_context(context)?;
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660)).with_context(context)?;
    Ok(listener)
}
