//! `cargo xtask bench`: named measurements of ours beside a peer's, with the ratio.
//!
//! A bench is a row in [`BENCHES`]. One on the host is a program `benches/NAME.rs` of a member of
//! the workspace (`harness = false` in its `Cargo.toml`); one in the lab is a list of contenders,
//! each a line for sh (see `kernel`). Every contender tells its results in lines of
//!
//! ```text
//! CASE <tab> CONTENDER <tab> SECONDS [<tab> AMOUNT <tab> UNIT]
//! ```
//!
//! where AMOUNT is how many UNITs were handled in that time. Other lines are passed on: a program
//! may as well print a table of its own. The first contender that a case has is the one that the
//! others are compared with: put ours first.

mod host;
mod kernel;
mod table;

pub(crate) use table::Table;

use crate::error::{Error, Result};
use crate::lab;
use lexopt::prelude::*;
use std::ffi::OsString;
use std::process::ExitCode;

/// One measurement.
struct Bench {
    name: &'static str,
    what: &'static str,
    run: fn(&Settings) -> Result<Table>,
}

/// What the command line asks of all benches.
#[derive(Default)]
struct Settings {
    /// Only the first case, for a quick look.
    quick: bool,
    /// The kernel series of those that run in the lab, if it is not the lab's usual one.
    kernel: Option<String>,
}

const BENCHES: [Bench; 12] = [
    Bench {
        name: "restore",
        what: "fill a kernel's table: the library, one C program that does the least",
        run: |s| kernel::run(&kernel::RESTORE, s),
    },
    Bench {
        name: "snapshot",
        what: "read a kernel's whole table: the library, one C program that does the least",
        run: |s| kernel::run(&kernel::SNAPSHOT, s),
    },
    Bench {
        name: "ipvsadm-restore",
        what: "`ipvsadm -R`, ours and Debian's, whole programs",
        run: |s| kernel::run(&kernel::IPVSADM_RESTORE, s),
    },
    Bench {
        name: "ipvsadm-save",
        what: "`ipvsadm -Sn`, ours and Debian's, whole programs",
        run: |s| kernel::run(&kernel::IPVSADM_SAVE, s),
    },
    Bench {
        name: "change",
        what: "one weight of a kernel's table: read, plan, apply; against removing and adding everything",
        run: |s| kernel::run(&kernel::CHANGE, s),
    },
    Bench {
        name: "watch",
        what: "one look for what has changed in a kernel's table",
        run: |s| kernel::run(&kernel::WATCH, s),
    },
    Bench { name: "parse", what: "rules text to a table, and back", run: |_| host::run("rules") },
    Bench { name: "procfs", what: "the text of ip_vs_conn", run: |_| host::run("procfs") },
    Bench { name: "schedulers", what: "one choice among destinations", run: |_| host::run("schedulers") },
    Bench {
        name: "overhead",
        what: "what the C ABI costs: the same work in Rust and in C",
        run: |_| host::run("overhead"),
    },
    Bench {
        name: "health",
        what: "1,000 checked servers: processor time, lateness, and how soon the dead are out",
        run: |_| host::run("health"),
    },
    Bench { name: "embedded", what: "connections through the embedded director", run: |_| host::run("embedded") },
];

const HELP: &str = "\
cargo xtask bench [--quick] [--kernel SERIES] [NAME...]

Measures what is named, or everything: ours, a peer's, and the ratio (above 1: ours is faster). What needs a kernel runs in the
lab, where an instruction takes a nanosecond: those seconds are 10^9 instructions of the program and the kernel together, and
hardly vary. The others run on this machine, the best of several passes; let nothing else run.

  --quick          only the first case of those that run in the lab
  --kernel SERIES  the kernel of those that run in the lab (as `cargo xtask lab --kernel`)

";

/// `cargo xtask bench ...`
pub(crate) fn main(arguments: Vec<OsString>) -> ExitCode {
    let (settings, names) = match parse(arguments) {
        Ok(Some(parsed)) => parsed,
        Ok(None) => {
            print!("{HELP}");
            for bench in &BENCHES {
                println!("  {:<16} {}", bench.name, bench.what);
            }
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("xtask: {error} (cargo xtask bench --list)");
            return ExitCode::from(2);
        }
    };
    let mut code = ExitCode::SUCCESS;
    for bench in BENCHES.iter().filter(|b| names.is_empty() || names.iter().any(|n| n == b.name)) {
        println!("{}: {}", bench.name, bench.what);
        match (bench.run)(&settings) {
            Ok(table) => println!("{table}"),
            Err(error) => {
                println!("  not measured: {error}\n");
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}

/// What is measured how. Nothing: help.
fn parse(arguments: Vec<OsString>) -> Result<Option<(Settings, Vec<String>)>> {
    let (mut settings, mut names) = (Settings::default(), Vec::new());
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help" | "list") => return Ok(None),
            Long("quick") => settings.quick = true,
            Long("kernel") => settings.kernel = Some(lab::series(parser.value()?.string()?)?),
            Value(name) => {
                let name = name.string()?;
                if BENCHES.iter().all(|bench| bench.name != name) {
                    return Err(Error::new(format!("no bench '{name}'")));
                }
                names.push(name);
            }
            _ => return Err(argument.unexpected().into()),
        }
    }
    Ok(Some((settings, names)))
}
