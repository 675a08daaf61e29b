//! The command line, `lvsctl`.

mod direct;
mod print;
mod realserver;
mod remote;
mod table;

use std::io::Write;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::control::client::RefusedError;
use crate::control::{DrainSpec, Force, OverrideSpec, Selection, Waiting};
use crate::open::{Directories, Target};
pub use realserver::Verb as RealserverVerb;

const EXIT: &str = "Exit status:
  0  done, or the answer is yes
  1  the answer is no: the table differs, something is missing, connections were cut, or it failed
  2  the command line is wrong
  3  lvsd cannot be reached
  4  lvsd refused";

/// Asks lvsd about a cluster and tells it what to do
#[derive(Debug, Parser)]
#[command(name = "lvsctl", version, after_help = EXIT)]
pub struct Cli {
    /// The socket of lvsd; otherwise that of --instance, or the only one there is
    #[arg(long, global = true, value_name = "SOCKET")]
    socket: Option<PathBuf>,
    /// The name of the instance of lvsd
    #[arg(long, short, global = true, value_name = "NAME")]
    instance: Option<String>,
    #[command(flatten)]
    directories: Directories,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    /// Work on the table without lvsd
    #[arg(long, global = true)]
    direct: bool,
    #[command(flatten)]
    target: Target,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Shows services, servers and what is not as it should be; status 1 if something is not
    Status(ClusterFile),
    /// Prints what would be done to the table now, as ipvsadm lines
    Plan(ClusterFile),
    /// Loads the cluster file again; a file that makes no sense changes nothing
    Reload,
    /// Takes servers out: quiesce, wait, remove
    Drain(Drain),
    /// Brings drained servers back
    Undrain(What),
    /// Holds servers up, down, or at a weight, whatever checks say
    Override(Override),
    /// Says what is missing on this host for the cluster to work; status 1 if something is
    Check(ClusterFile),
    /// Prints what happens, until it is interrupted; with --direct changes of the table as ipvsadm
    /// lines
    Watch {
        /// Seconds between two looks at the table, with --direct
        #[arg(long, default_value_t = 2.0)]
        interval: f64,
    },
    /// Prints the last events
    History,
    /// Prints metrics of the table and of lvsd; with --direct of the table alone
    Metrics {
        /// Read /proc/net/ip_vs and its neighbours, which needs no privileges
        #[arg(long)]
        procfs: bool,
    },
    /// Takes the cluster's services out of force and ends lvsd
    Stop(ClusterFile),
    /// Puts a cluster file in force once, without lvsd (--direct)
    Apply(RequiredFile),
    /// Prints the whole table as rules that `restore` and `ipvsadm --restore` take
    Save,
    /// Puts a saved table in force, from standard input unless a file is named; services that are
    /// not in it go
    Restore {
        /// What `save` or `ipvsadm --save` has printed
        rules: Option<PathBuf>,
    },
    /// Makes this host a real server of direct routing or tunnels
    Realserver {
        #[command(subcommand)]
        verb: RealserverVerb,
    },
    /// Prints the JSON schema of requests, answers and events
    Schema,
    /// Prints completions for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Writes manual pages into a directory
    #[command(hide = true)]
    Man {
        /// Where to
        directory: PathBuf,
    },
}

#[derive(Debug, Clone, Args)]
struct ClusterFile {
    /// The cluster file, with --direct
    #[arg(required_if_eq("direct", "true"))]
    cluster: Option<PathBuf>,
}

#[derive(Debug, Clone, Args)]
struct RequiredFile {
    /// The cluster file
    cluster: PathBuf,
}

#[derive(Debug, Clone, Args)]
struct What {
    /// The service, such as tcp://192.0.2.1:80; all of it unless --server is given
    #[arg(long, required_unless_present = "host", conflicts_with = "host")]
    service: Option<String>,
    /// A server of that service, such as 198.51.100.7:80
    #[arg(long, requires = "service")]
    server: Option<String>,
    /// A host, in all services
    #[arg(long)]
    host: Option<IpAddr>,
}

impl What {
    fn selection(&self) -> Selection {
        Selection { service: self.service.clone(), server: self.server.clone(), host: self.host }
    }
}

#[derive(Debug, Args)]
struct Drain {
    #[command(flatten)]
    what: What,
    /// What to wait for with every protocol; otherwise active connections of TCP and SCTP, nothing
    /// of UDP
    #[arg(long, value_enum)]
    wait_for: Option<Waiting>,
    /// After this many seconds what is left is cut
    #[arg(long, value_name = "SECONDS")]
    deadline: Option<f64>,
    /// Leave the servers in the table, with weight 0
    #[arg(long)]
    keep: bool,
    /// Why, for those who read the status
    #[arg(long, default_value = "")]
    reason: String,
    /// Do not wait for the end
    #[arg(long)]
    no_wait: bool,
}

impl Drain {
    fn spec(&self) -> DrainSpec {
        DrainSpec {
            what: self.what.selection(),
            wait_for: self.wait_for,
            deadline: self.deadline,
            keep: self.keep,
            reason: self.reason.clone(),
        }
    }
}

#[derive(Debug, Args)]
struct Override {
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    force: ForceArguments,
    /// Why, for those who read the status
    #[arg(long, default_value = "")]
    reason: String,
    /// After how many seconds it ends by itself
    #[arg(long, value_name = "SECONDS")]
    expires: Option<f64>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct ForceArguments {
    /// In use, whatever checks say
    #[arg(long)]
    up: bool,
    /// Out of use, whatever checks say
    #[arg(long)]
    down: bool,
    /// This weight while checks succeed; 0 quiesces
    #[arg(long)]
    weight: Option<u32>,
    /// Take the override back
    #[arg(long)]
    clear: bool,
}

impl Override {
    fn spec(&self) -> OverrideSpec {
        let force = match self.force {
            ForceArguments { up: true, .. } => Some(Force::Up),
            ForceArguments { down: true, .. } => Some(Force::Down),
            ForceArguments { weight: Some(weight), .. } => Some(Force::Weight(weight)),
            _ => None,
        };
        OverrideSpec { what: self.what.selection(), force, reason: self.reason.clone(), expires: self.expires }
    }
}

impl Cli {
    fn state(&self) -> PathBuf {
        self.directories.state(&self.target)
    }

    fn run(&self) -> PathBuf {
        self.directories.run(&self.target)
    }
}

/// Whether the answer is yes.
type Answer = Result<bool>;

/// Runs a command line and says how it ends.
pub fn main(cli: &Cli, out: &mut dyn Write) -> (ExitCode, Option<String>) {
    match run(cli, out).and_then(|answer| Ok(out.flush().map(|()| answer)?)) {
        Ok(true) => (ExitCode::SUCCESS, None),
        Ok(false) => (ExitCode::from(1), None),
        Err(error) if error.is::<RefusedError>() => (ExitCode::from(4), Some(format!("{error:#}"))),
        Err(error) if error.is::<remote::Unreachable>() => (ExitCode::from(3), Some(format!("{error:#}"))),
        Err(error) => (ExitCode::from(1), Some(format!("{error:#}"))),
    }
}

fn run(cli: &Cli, out: &mut dyn Write) -> Answer {
    match &cli.verb {
        Verb::Save => table::save(cli, out),
        Verb::Restore { rules } => table::restore(cli, rules.as_deref(), out),
        Verb::Realserver { verb } => realserver::run(verb, &cli.state(), cli.json, out),
        Verb::Schema => print::schema(out),
        Verb::Completions { shell } => {
            clap_complete::generate(*shell, &mut Cli::command(), "lvsctl", out);
            Ok(true)
        }
        Verb::Man { directory } => {
            clap_mangen::generate_to(Cli::command(), directory)?;
            Ok(true)
        }
        Verb::Metrics { procfs: true } => table::procfs_metrics(out),
        Verb::Apply(file) => direct::apply(cli, &file.cluster, out),
        verb if cli.direct => direct::run(cli, verb, out),
        verb => remote::run(cli, verb, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_schema_is_json() {
        let cli = Cli::parse_from(["lvsctl", "schema"]);
        let mut out = Vec::new();
        assert!(run(&cli, &mut out).unwrap());
        let schema: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert!(schema["status"]["properties"]["in_force"].is_object(), "{schema}");
    }
}
