//! Makes this host a real server of LVS-DR or LVS-TUN.

use std::fs;
use std::io::Write;
use std::net::IpAddr;
use std::path::Path;

use clap::{Args, Subcommand};
use lvs_core::model::AddressFamily;

use super::{Answer, print};
use crate::control::Findings;
use crate::realserver::{Arrival, ChangeableHost, Record, Role};
use lvs_core::preflight::{self, ThisHost};

/// What to do with the settings of a real server.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Prints the commands, and those that take them back, and changes nothing
    Print(Options),
    /// Puts the settings in force, all or none, and keeps what takes them back
    Apply(Options),
    /// Takes the settings back as far as no other virtual address needs them
    Undo {
        /// The virtual address of the service
        vip: IpAddr,
    },
    /// Says what is missing; status 1 if something is
    Check(Options),
}

/// For which address, and how its packets come.
#[derive(Debug, Args)]
pub struct Options {
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
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Outer {
    Ipv4,
    Ipv6,
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
}

pub(super) fn run(verb: &Verb, state: &Path, json: bool, out: &mut dyn Write) -> Answer {
    match verb {
        Verb::Print(options) => {
            let settings = options.role().settings();
            writeln!(out, "# in force:")?;
            for setting in &settings {
                writeln!(out, "{setting}")?;
            }
            writeln!(out, "# back again, from how this host is now:")?;
            for line in settings.iter().rev().filter_map(|setting| ThisHost.undo(setting)) {
                writeln!(out, "{line}")?;
            }
            Ok(true)
        }
        Verb::Apply(options) => {
            for line in Record::open(state)?.apply(&options.role(), &mut ThisHost)? {
                writeln!(out, "{line}")?;
            }
            Ok(true)
        }
        Verb::Undo { vip } => {
            let (done, failed) = Record::open(state)?.undo(*vip, &mut ThisHost)?;
            for line in done {
                writeln!(out, "{line}")?;
            }
            for line in &failed {
                writeln!(out, "failed, and kept in the record: {line}")?;
            }
            Ok(failed.is_empty())
        }
        Verb::Check(options) => check(&options.role(), json, out),
    }
}

fn check(role: &Role, json: bool, out: &mut dyn Write) -> Answer {
    let findings = preflight::real_server(role.vip, role.device().map(|(device, _)| device), &ThisHost);
    let findings = Findings::new(findings);
    let (ready, vip) = (findings.ready, role.vip);
    if json {
        print::json(&findings, out)?;
        return Ok(ready);
    }
    for finding in &findings.findings {
        writeln!(out, "{finding}")?;
    }
    if ready {
        writeln!(out, "ready as a real server for {vip}")?;
    } else {
        writeln!(out, "{} is not ready as a real server for {vip}", hostname())?;
    }
    Ok(ready)
}

fn hostname() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "this host".to_owned(), |name| name.trim().to_owned())
}
