//! Makes a host a real server of LVS-DR or LVS-TUN: prints, applies, checks or takes back what that needs.
#![allow(clippy::print_stdout, reason = "a program prints")]

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand};
use lvs_cluster::exit;
use lvs_cluster::preflight;
use lvs_cluster::realserver::{self, Arrival, Role};
use lvs_core::model::AddressFamily;

#[derive(Parser)]
#[command(version, about = "Makes a host a real server of LVS-DR or LVS-TUN")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Prints the commands, and those that take them back, and changes nothing
    Print(Options),
    /// Puts the settings in force and keeps what takes them back
    Apply(Options),
    /// Takes the settings back
    Undo(Options),
    /// Says what is missing; exits with 1 if something is
    Check(Options),
}

#[derive(Args)]
struct Options {
    /// The virtual address of the service
    vip: IpAddr,
    /// How the director's packets arrive
    #[arg(long, value_enum, default_value = "direct")]
    arrival: Arrival,
    /// The family of a tunnel's outer packets, if it is not that of the virtual address
    #[arg(long, value_enum)]
    outer: Option<Outer>,
    /// The UDP port of generic UDP encapsulation
    #[arg(long, default_value_t = 6080)]
    gue_port: u16,
    /// Where what takes the settings back is kept
    #[arg(long, default_value = "/run/lvs", env = "LVS_STATE")]
    state: PathBuf,
}

impl Options {
    fn role(&self) -> Role {
        let outer = match self.outer {
            Some(Outer::Ipv4) => AddressFamily::Ipv4,
            Some(Outer::Ipv6) => AddressFamily::Ipv6,
            None => AddressFamily::of(self.vip),
        };
        Role { vip: self.vip, arrival: self.arrival, outer, gue_port: self.gue_port }
    }

    fn undo_file(&self) -> PathBuf {
        self.state.join(format!("realserver-{}.undo", self.vip))
    }
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Outer {
    Ipv4,
    Ipv6,
}

fn main() -> ExitCode {
    exit::status("realserver", run())
}

fn run() -> Result<()> {
    match Cli::parse().verb {
        Verb::Print(options) => {
            print(&options.role());
            Ok(())
        }
        Verb::Apply(options) => apply(&options),
        Verb::Undo(options) => undo(&options.undo_file()),
        Verb::Check(options) => check(&options.role()),
    }
}

fn print(role: &Role) {
    let settings = role.settings();
    println!("# in force:");
    for setting in &settings {
        println!("{setting}");
    }
    println!("# back again, from how this host is now:");
    for line in settings.iter().rev().filter_map(realserver::Setting::undo) {
        println!("{line}");
    }
}

fn apply(options: &Options) -> Result<()> {
    let file = options.undo_file();
    let role = options.role();
    if file.exists() {
        bail!("{} is in force already (see {}); undo it first", role.vip, file.display());
    }
    let settings = role.settings();
    let undo: Vec<String> = settings.iter().rev().filter_map(realserver::Setting::undo).collect();
    fs::create_dir_all(&options.state)
        .and_then(|()| fs::write(&file, undo.join("\n")))
        .with_context(|| format!("cannot write {}", file.display()))?;
    for setting in &settings {
        setting.apply()?;
        println!("{setting}");
    }
    Ok(())
}

fn undo(file: &Path) -> Result<()> {
    let text = fs::read_to_string(file).with_context(|| format!("nothing to undo: {}", file.display()))?;
    let mut failed = 0;
    for line in text.lines() {
        match realserver::run_line(line) {
            Ok(()) => println!("{line}"),
            Err(error) => {
                failed += 1;
                println!("# {error:#}");
            }
        }
    }
    fs::remove_file(file)?;
    if failed > 0 {
        bail!("{failed} of the settings could not be taken back");
    }
    Ok(())
}

fn check(role: &Role) -> Result<()> {
    let findings = preflight::real_server(role.vip, role.device().map(|(device, _)| device));
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("{} is not ready as a real server for {}", hostname(), role.vip);
    }
    println!("ready as a real server for {}", role.vip);
    Ok(())
}

fn hostname() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "this host".to_owned(), |name| name.trim().to_owned())
}
