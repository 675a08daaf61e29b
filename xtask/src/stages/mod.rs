//! `cargo xtask test`: the stages, one file each, and the sum at the end.
//!
//! To add a stage, write a file with `pub(crate) fn run(report: &mut Report) -> Result<()>` and a
//! row in [`STAGES`].

mod c;
mod checks;
mod excerpt;
mod generated;
mod instructions;
mod lab;
mod package;
pub(crate) mod python;
pub(crate) mod readme;
pub(crate) mod report;
mod rust;
mod site;
mod supply;

pub(crate) use report::{Counts, Report};

use crate::error::{Error, Result};
use lexopt::prelude::*;
use std::ffi::OsString;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// One part of the tests.
struct Stage {
    name: &'static str,
    /// What it does, for `--list`.
    what: &'static str,
    /// What goes wrong with a test is noted in the report; an error means that the stage could not
    /// be run, and counts as one failure.
    run: fn(&mut Report) -> Result<()>,
}

/// In the order in which they run: what is fast and fails often first.
const STAGES: [Stage; 14] = [
    Stage { name: "format", what: "cargo fmt --check", run: checks::format },
    Stage { name: "generated", what: "committed files that are generated are fresh", run: generated::run },
    Stage {
        name: "lint",
        what: "clippy on everything; licences, sources and duplicates of what is depended on",
        run: checks::lint,
    },
    Stage { name: "docs", what: "rustdoc, warnings are errors", run: checks::docs },
    Stage { name: "features", what: "lvs-core with each set of its features", run: checks::features },
    Stage { name: "rust", what: "unit, integration and documentation tests", run: rust::run },
    Stage { name: "fuzz", what: "lvs-core's fuzz targets on inputs made from their seeds", run: rust::fuzz },
    Stage { name: "c", what: "the header, the library, C programs", run: c::run },
    Stage { name: "python", what: "the wheel, pytest, types", run: python::run },
    Stage { name: "package", what: "the crate as published, Debian packages", run: package::run },
    Stage { name: "readme", what: "the commands and programs in README.md", run: readme::run },
    Stage { name: "site", what: "the documentation site, its links and commands", run: site::run },
    Stage { name: "instructions", what: "what named paths cost, in instructions", run: instructions::run },
    Stage { name: "lab", what: "tests that need a kernel with IPVS, in four kernels", run: lab::run },
];

const HELP: &str = "\
cargo xtask test [--kernel NAME]... [STAGE...]

Runs the stages named, or all of them, and ends with a line `N passed, N failed`. The exit status is 0 only if
nothing failed and something passed. A stage installs or fetches what it needs, and says so.

  --kernel NAME  run the lab's tests in this kernel only (6.1, 6.12, 7: the newest that Debian has, or uml)

";

/// `cargo xtask test ...`
pub(crate) fn main(arguments: Vec<OsString>) -> ExitCode {
    let (names, kernels) = match parse(arguments) {
        Ok(Some(parsed)) => parsed,
        Ok(None) => {
            print!("{HELP}");
            for stage in &STAGES {
                println!("  {:<10} {}", stage.name, stage.what);
            }
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("xtask: {error} (cargo xtask test --list)");
            return ExitCode::from(2);
        }
    };
    let chosen = STAGES.iter().filter(|s| names.is_empty() || names.iter().any(|n| n == s.name));
    let mut done = Vec::new();
    for stage in chosen {
        eprintln!("\n== {}: {}", stage.name, stage.what);
        let start = Instant::now();
        let mut report = Report::for_kernels(&kernels);
        if let Err(error) = (stage.run)(&mut report) {
            report.fail(error.to_string());
        }
        if report.counts() == Counts::default() {
            report.fail("nothing was tested");
        }
        done.push((stage.name, report, start.elapsed()));
    }
    summary(&done)
}

/// The stages and the kernels that a command line names. Nothing: help.
fn parse(arguments: Vec<OsString>) -> Result<Option<(Vec<String>, Vec<String>)>> {
    let (mut names, mut kernels) = (Vec::new(), Vec::new());
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help" | "list") => return Ok(None),
            Long("kernel") => {
                let name = parser.value()?.string()?;
                if !lab::kernels().any(|known| known == name) {
                    return Err(Error::new(format!("the lab's stage has no kernel '{name}'")));
                }
                kernels.push(name);
            }
            Value(name) => {
                let name = name.string()?;
                if STAGES.iter().all(|stage| stage.name != name) {
                    return Err(Error::new(format!("no stage '{name}'")));
                }
                names.push(name);
            }
            _ => return Err(argument.unexpected().into()),
        }
    }
    Ok(Some((names, kernels)))
}

fn summary(done: &[(&str, Report, Duration)]) -> ExitCode {
    let mut sum = Counts::default();
    println!();
    for (name, report, time) in done {
        let counts = report.counts();
        sum += counts;
        let said = match counts {
            Counts { passed, failed: 0 } => format!("{passed} passed"),
            Counts { passed, failed } => format!("{passed} passed, {failed} FAILED"),
        };
        println!("{name:<10} {said:<24} {:>7.1} s", time.as_secs_f64());
        for note in report.notes() {
            println!("           {}", note.replace('\n', "\n           "));
        }
    }
    println!("\n{sum}");
    if sum.failed == 0 && sum.passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
