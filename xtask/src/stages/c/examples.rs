//! The examples in C: built as a user builds them, run on the embedded director, and their output
//! looked at.

use fs_err as fs;
use std::path::Path;
use std::process::Command;

use super::install::{built, prepared};
use super::programs::under_valgrind;
use crate::error::{Context, Result};
use crate::project;
use crate::stages::Report;

const EXAMPLES: &str = "examples/c";

/// A command line of an example, its exit status, and what its output must have in it.
pub(super) struct Run {
    pub(super) command: &'static [&'static str],
    pub(super) status: i32,
    pub(super) output: &'static [&'static str],
}

const RUNS: &[Run] = &[
    Run {
        command: &["agent", "--rules", "cluster.rules", "--count", "2", "--interval", "1"],
        status: 0,
        output: &[
            "# TYPE lvs_service_connections_total counter\n",
            "\nlvs_service_connections_total{protocol=\"tcp\",address=\"192.0.2.1\",port=\"80\"} 40\n",
            "\nlvs_service_connections_per_second{protocol=\"tcp\",address=\"192.0.2.1\",port=\"80\"} 5\n",
            "\nlvs_service_connections_total{fwmark=\"7\",family=\"ipv6\"} 40\n",
            "\nlvs_service_connections_total{protocol=\"sctp\",address=\"192.0.2.1\",port=\"9899\"} 20\n",
            "\nlvs_server_weight{protocol=\"sctp\",address=\"192.0.2.1\",port=\"9899\",server=\"198.51.100.4\",\
             server_port=\"9899\"} 0\n",
            "\nlvs_server_active_connections{protocol=\"tcp\",address=\"192.0.2.1\",port=\"80\",\
             server=\"198.51.100.1\",server_port=\"8080\"} ",
        ],
    },
    Run { command: &["agent", "--rules", "nosuch.rules"], status: 1, output: &[] },
    Run { command: &["agent"], status: 2, output: &[] },
    Run {
        command: &["check_lvs", "--rules", "cluster.rules"],
        status: 0,
        output: &["LVS OK - 4 services, 5 of 6 real servers in use | 'tcp://192.0.2.1:80 servers'=2;0:;1:;0;2"],
    },
    Run {
        command: &["check_lvs", "--rules", "cluster.rules", "-w", "2"],
        status: 1,
        output: &["LVS WARNING - udp://[2001:db8::1]:53 has 1 of 1 real servers in use"],
    },
    Run {
        command: &["check_lvs", "--rules", "cluster.rules", "-s", "sctp://192.0.2.1:9899", "-c", "2"],
        status: 2,
        output: &["LVS CRITICAL - sctp://192.0.2.1:9899 has 1 of 2 real servers in use"],
    },
    Run {
        command: &["check_lvs", "--rules", "cluster.rules", "-s", "tcp://192.0.2.1:81"],
        status: 3,
        output: &["LVS UNKNOWN - cannot find service tcp://192.0.2.1:81"],
    },
    // The monitoring system sees stdout alone.
    Run {
        command: &["check_lvs", "--rules", "nosuch.rules"],
        status: 3,
        output: &["LVS UNKNOWN - cannot read nosuch.rules: No such file or directory\n"],
    },
    Run {
        command: &["check_lvs", "--rules", "empty.rules"],
        status: 2,
        output: &["LVS CRITICAL - the table has no services\n"],
    },
    Run {
        command: &["check_lvs", "--rules", "empty.rules", "--allow-empty"],
        status: 0,
        output: &["LVS OK - 0 services, 0 of 0 real servers in use\n"],
    },
    Run {
        command: &["check_lvs", "--rules", "cluster.rules", "-W", "5", "-C", "10"],
        status: 0,
        output: &["'tcp://192.0.2.1:80 active'=0;5;10;0"],
    },
    Run {
        command: &["check_lvs", "--rules", "cluster.rules", "-w", "-1"],
        status: 3,
        output: &["LVS UNKNOWN - -w takes a number of 0 or more, not \"-1\"\n"],
    },
    Run {
        command: &["check_lvs", "--rules", "cluster.rules", "-c", "18446744073709551616"],
        status: 3,
        output: &["LVS UNKNOWN - -c takes a number"],
    },
    // What is found last is there, too, however much there is.
    Run {
        command: &["check_lvs", "--rules", "many.rules"],
        status: 2,
        output: &[
            "tcp://192.0.2.1:1 has 0 of 0",
            "tcp://192.0.2.1:3000 has 0 of 0",
            "'tcp://192.0.2.1:3000 active'=0;;;0\n",
        ],
    },
    Run {
        command: &["migrated"],
        status: 0,
        output: &["tcp://192.0.2.1:80 wlc: 0 connections\n  198.51.100.7:8080 weight 3: 0 active\n"],
    },
];

pub(super) fn run(report: &mut Report, base: &Path, prefix: &Path) -> Result<()> {
    // A copy: nothing is built inside of the sources.
    let directory = base.join("examples");
    fs::create_dir_all(&directory)?;
    let source = project::root().join(EXAMPLES);
    for entry in fs::read_dir(&source).context(|| format!("cannot read {}", source.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            continue; // what is built for other programs; see agents.rs
        }
        fs::copy(entry.path(), directory.join(entry.file_name()))?;
    }
    built(
        prepared("make", prefix)
            .args(["-s", "-C"])
            .arg(&directory)
            .arg("STRICT=-std=c11 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Wpedantic -Werror"),
    )?;
    fs::write(directory.join("empty.rules"), "")?;
    let many: String = (1..=3000).map(|port| format!("-A -t 192.0.2.1:{port}\n")).collect();
    fs::write(directory.join("many.rules"), many)?;
    for run in RUNS {
        let [program, arguments @ ..] = run.command else { continue };
        let mut command = under_valgrind(&directory.join(program));
        command.args(arguments).current_dir(&directory).env("LD_LIBRARY_PATH", prefix.join("lib"));
        judge(report, run, &mut command)?;
    }
    for program in [&["check_lvs", "--rules", "cluster.rules"][..], &["migrated"]] {
        full(report, &directory, prefix, program)?;
    }
    Ok(())
}

/// Output that does not get out is a failure.
fn full(report: &mut Report, directory: &Path, prefix: &Path, line: &[&str]) -> Result<()> {
    let mut command = Command::new(directory.join(line[0]));
    command.args(&line[1..]).current_dir(directory).env("LD_LIBRARY_PATH", prefix.join("lib"));
    let output = command.stdout(std::fs::File::options().write(true).open("/dev/full")?).output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() && errors.contains("No space left on device") {
        report.pass(1);
    } else {
        report.fail(format!("{} to a full disk: {}, {errors}", line.join(" "), output.status));
    }
    Ok(())
}

pub(super) fn judge(report: &mut Report, run: &Run, command: &mut Command) -> Result<()> {
    let line = run.command.join(" ");
    eprintln!("-> example: {line}");
    let output = command.output().context(|| format!("cannot run {line}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let missing: Vec<_> = run.output.iter().filter(|part| !text.contains(**part)).collect();
    if output.status.code() == Some(run.status) && missing.is_empty() {
        report.pass(1);
    } else {
        let errors = String::from_utf8_lossy(&output.stderr);
        report.fail(format!(
            "{line}: {}, without {missing:?}; it said {} bytes, and {errors}",
            output.status,
            text.len()
        ));
    }
    Ok(())
}
