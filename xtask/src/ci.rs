//! `cargo xtask ci`: what a change must pass. README.md's two commands are run as a stranger would,
//! on clean machines.

use crate::error::{Context, Error, Result};
use crate::fresh::{self, Fresh, Suite};
use crate::host;
use crate::stages::{Counts, Report, readme, report};
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::process::{ExitCode, Stdio};
use std::time::Instant;

/// A clean machine, and what is tested there. Each takes one emulated kernel: all of them together
/// take more than an hour. User-mode Linux runs at nearly native speed.
struct Machine {
    suite: Suite,
    options: &'static [&'static str],
}

const MACHINES: [Machine; 2] = [
    Machine { suite: fresh::TRIXIE, options: &["--kernel", "7"] },
    Machine { suite: fresh::BOOKWORM, options: &["--kernel", "6.12", "--kernel", "uml"] },
];

/// `cargo xtask ci ...`
pub(crate) fn main(arguments: Vec<OsString>) -> ExitCode {
    let cache = match arguments.as_slice() {
        [] => true,
        [flag] if flag == "--no-cache" => false,
        _ => {
            eprintln!("xtask: cargo xtask ci [--no-cache]");
            return ExitCode::from(2);
        }
    };
    let results = match host::in_parallel(&MACHINES, |machine| machine.run(cache)) {
        Ok(results) => results,
        Err(error) => {
            eprintln!("xtask: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut sum = Counts::default();
    for (machine, result) in MACHINES.iter().zip(results) {
        println!("\nDebian {}", machine.suite.name);
        match result {
            Ok(result) => {
                println!("{}", result.summary);
                sum += result.counts;
            }
            Err(error) => {
                println!("FAILED: {error}");
                sum += Counts { passed: 0, failed: 1 };
            }
        }
    }
    println!("\n{sum}");
    if sum.failed == 0 && sum.passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What a machine has found.
struct Found {
    counts: Counts,
    summary: String,
}

impl Machine {
    fn run(&self, cache: bool) -> Result<Found> {
        let start = Instant::now();
        let fresh = Fresh::new(fresh::Options { suite: self.suite, cache })?;
        // The first command, before anything else has been installed or built.
        let mut first = Report::default();
        let steps = readme::all()?;
        let step = steps.first().context(|| "README.md has no command".into())?;
        step.run(&mut first, fresh.command(&["bash"]))?;

        let mut test = vec!["cargo", "xtask", "test"];
        test.extend(self.options);
        let mut child = fresh
            .command(&test)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context(|| "cannot enter the clean root".into())?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let summary = std::thread::scope(|scope| {
            scope.spawn(|| self.show(stderr));
            let mut summary = Vec::new();
            let read = stdout.map_or(Ok(0), |mut stdout| stdout.read_to_end(&mut summary));
            read.map(|_| String::from_utf8_lossy(&summary).into_owned())
        })
        .context(|| "reading the summary".into())?;
        let status = child.wait().context(|| "waiting for the tests".into())?;

        let told = summary.lines().rev().find_map(report::sum);
        let mut counts = told.ok_or_else(|| Error::new(format!("the tests did not come to their end ({status})")))?;
        if counts.failed == 0 && !status.success() {
            return Err(Error::new(format!("`{}`: {status}", test.join(" "))));
        }
        counts += first.counts();
        let notes: String = first.notes().iter().map(|note| format!("{note}\n")).collect();
        let time = format!("\n{:<35} {:>7.1} s", "in all", start.elapsed().as_secs_f64());
        Ok(Found { counts, summary: notes + summary.trim_end() + &time })
    }

    /// Passes on what the tests say: several machines speak at the same time.
    fn show(&self, from: Option<impl Read>) {
        let Some(from) = from else { return };
        let mut reader = BufReader::new(from);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            eprintln!("{:<8} | {}", self.suite.name, String::from_utf8_lossy(&line).trim_end());
            line.clear();
        }
    }
}
