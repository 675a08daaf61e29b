//! Benches that need a kernel: run in the lab, counting instructions.
//!
//! Every contender gets a machine of its own, resumed from the same state: what another one leaves
//! behind changes what the kernel has to do. It keeps deleted destinations for a while, and every
//! later add has to search them (ip_vs_ctl.c: ip_vs_trash_get_dest(), v6.12); and adding to a new
//! namespace takes half as long while the memory of a former one is at hand (measured).

use super::{Settings, Table};
use crate::error::{Error, Result};
use crate::lab::{self, Clock, End, Job, Options, quoted};
use crate::{host, project};
use fs_err::{self as fs, File};
use std::fmt::Write as _;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A size of table.
struct Case {
    name: &'static str,
    services: usize,
    destinations: usize,
    /// The receive buffer that suits the floor: the kernel clears what it is offered, so small
    /// lists want a small one.
    buffer: usize,
}

const CASES: [Case; 3] = [
    Case { name: "1,000 services x 10", services: 1000, destinations: 10, buffer: 4096 },
    Case { name: "10,000 services x 2", services: 10_000, destinations: 2, buffer: 4096 },
    Case { name: "1 service x 5,000", services: 1, destinations: 5000, buffer: 32768 },
];

/// For what takes long.
const SMALL: Case = Case { name: "20 services x 10", services: 20, destinations: 10, buffer: 4096 };

/// One side of a comparison. Its lines for sh find the variables SERVICES, DESTINATIONS, BUFFER,
/// RULES (a file for `ipvsadm -R`), and in PATH `floor` and the programs of ours, built for
/// release.
struct Contender {
    name: &'static str,
    /// A program of the workspace that it needs: it is left out while there is none of that name.
    ours: Option<Ours>,
    command: &'static str,
}

/// A program of ours, which the commands find in PATH.
#[derive(Clone, Copy)]
enum Ours {
    /// `benches/kernel.rs` of lvs-core, as `kernel_bench`.
    Bench,
    /// The example that is a drop-in for `ipvsadm`, as `our_ipvsadm`.
    Ipvsadm,
}

impl Ours {
    fn name(self) -> &'static str {
        match self {
            Ours::Bench => "kernel_bench",
            Ours::Ipvsadm => "our_ipvsadm",
        }
    }
}

/// A comparison in the lab.
pub(super) struct KernelBench {
    /// Done first, in the same namespace.
    setup: &'static str,
    contenders: &'static [Contender],
}

/// How the command of a whole program begins.
const TIMED: &str = "floor time";
const FILLED: &str = "floor add $SERVICES $DESTINATIONS >/dev/null";

pub(super) const RESTORE: KernelBench = KernelBench {
    setup: ":",
    contenders: &[
        Contender {
            name: "lvs-core",
            ours: Some(Ours::Bench),
            command: "kernel_bench restore $SERVICES $DESTINATIONS",
        },
        Contender { name: "floor in C", ours: None, command: "floor add $SERVICES $DESTINATIONS" },
    ],
};

pub(super) const SNAPSHOT: KernelBench = KernelBench {
    setup: FILLED,
    contenders: &[
        Contender { name: "lvs-core", ours: Some(Ours::Bench), command: "kernel_bench snapshot" },
        Contender { name: "floor in C", ours: None, command: "floor dump $SERVICES $BUFFER" },
        Contender { name: "lvs-core, old", ours: Some(Ours::Bench), command: "kernel_bench snapshot-options" },
        Contender { name: "old options, C", ours: None, command: "floor dump-old" },
    ],
};

pub(super) const CHANGE: KernelBench = KernelBench {
    setup: FILLED,
    contenders: &[
        Contender { name: "lvs-core, again", ours: Some(Ours::Bench), command: "kernel_bench change-again" },
        Contender { name: "lvs-core, plan", ours: Some(Ours::Bench), command: "kernel_bench change" },
        Contender {
            name: "lvs-core, refill",
            ours: Some(Ours::Bench),
            command: "kernel_bench refill $SERVICES $DESTINATIONS",
        },
        Contender {
            name: "Debian's -C, -R",
            ours: None,
            command: "/sbin/ipvsadm -C; floor time /sbin/ipvsadm -R <$RULES",
        },
    ],
};

pub(super) const WATCH: KernelBench = KernelBench {
    setup: FILLED,
    contenders: &[
        Contender { name: "lvs-core", ours: Some(Ours::Bench), command: "kernel_bench look" },
        Contender { name: "by snapshots", ours: Some(Ours::Bench), command: "kernel_bench watch" },
        Contender { name: "old options, C", ours: None, command: "floor dump-old" },
    ],
};

pub(super) const IPVSADM_RESTORE: KernelBench = KernelBench {
    setup: ":",
    contenders: &[
        Contender { name: "ours", ours: Some(Ours::Ipvsadm), command: "floor time our_ipvsadm -R <$RULES" },
        Contender { name: "Debian's", ours: None, command: "floor time /sbin/ipvsadm -R <$RULES" },
    ],
};

pub(super) const IPVSADM_SAVE: KernelBench = KernelBench {
    setup: FILLED,
    contenders: &[
        Contender { name: "ours", ours: Some(Ours::Ipvsadm), command: "floor time our_ipvsadm -Sn" },
        Contender { name: "Debian's", ours: None, command: "floor time /sbin/ipvsadm -Sn" },
    ],
};

pub(super) fn run(bench: &KernelBench, settings: &Settings) -> Result<Table> {
    let directory = project::target_directory().join("bench");
    fs::create_dir_all(&directory)?;
    build(&directory)?;
    let cases = if settings.quick { &CASES[..1] } else { &CASES };
    let mut table = Table::default();
    let mut runs = Vec::new();
    for case in cases {
        let rules = rules(case, &directory)?;
        for contender in bench.contenders {
            let there = contender.ours.is_none_or(|program| directory.join(program.name()).exists());
            if there {
                runs.push(script(bench, case, contender.name, contender.command, &rules, &directory));
                // The system calls of a whole program, once, and for a small table: tracing takes
                // long.
                if case.name == CASES[0].name && contender.command.starts_with(TIMED) {
                    let counted = contender.command.replacen(TIMED, "floor count", 1);
                    runs.push(script(
                        bench,
                        &SMALL,
                        contender.name,
                        &counted,
                        &self::rules(&SMALL, &directory)?,
                        &directory,
                    ));
                }
            } else if case.name == CASES[0].name {
                table.note(format!("{} is not measured: there is no program for it yet", contender.name));
            }
        }
    }
    // Its memory is that of the largest case; processors would only make the count of instructions
    // depend on luck.
    let mut options =
        Options { clock: Clock::Instructions, mem: 2048, timeout: Duration::from_secs(600), ..Options::default() };
    if let Some(series) = &settings.kernel {
        options.kernel.clone_from(series);
    }
    for output in host::in_parallel(&runs, |script| in_lab(&options, script))? {
        for line in output?.lines() {
            if !table.take(line) {
                println!("  {line}");
            }
        }
    }
    table.note(format!("Linux {}; 1 s is 10^9 instructions", options.label()));
    Ok(table)
}

fn in_lab(options: &Options, script: &str) -> Result<String> {
    let mut output = Vec::new();
    let job = Job::Script(script.into());
    match lab::run(options, &job, &mut output, &mut std::io::stderr(), None)? {
        End::Exited(0) => Ok(String::from_utf8_lossy(&output).into_owned()),
        End::Exited(status) => Err(Error::new(format!("exit status {status} of\n{script}"))),
        End::TimedOut(why) => Err(Error::new(why)),
        End::Interrupted => Err(Error::new("interrupted")),
    }
}

/// Puts the programs into `directory`: the floor, and those of ours that exist, built for release.
fn build(directory: &Path) -> Result<()> {
    host::ensure_programs(&[("cc", "gcc"), ("unshare", "util-linux")], "the benchmarks use them")?;
    let mut cc = project::command("cc");
    cc.args(["-O2", "-Wall", "-Wextra", "-Werror", "-o"]).arg(directory.join("floor")).arg("xtask/bench/floor.c");
    host::capture(&mut cc)?;
    let members = project::members()?;
    let has = |package: &str, target: &str| {
        members.iter().any(|m| m.name == package && m.benches.iter().chain(&m.programs).any(|t| t == target))
    };
    if has("lvs-core", "kernel") {
        let bench = ["bench", "--no-run", "--package", "lvs-core", "--bench", "kernel"];
        link(&project::executable(&bench, "kernel")?, &directory.join(Ours::Bench.name()))?;
    }
    if has("lvs-examples", "ipvsadm") {
        let build = ["build", "--release", "--package", "lvs-examples", "--bin", "ipvsadm"];
        link(&project::executable(&build, "ipvsadm")?, &directory.join(Ours::Ipvsadm.name()))?;
    }
    Ok(())
}

fn link(from: &Path, to: &Path) -> Result<()> {
    let _ = fs::remove_file(to);
    Ok(fs_err::os::unix::fs::symlink(from, to)?)
}

/// What one machine does.
fn script(bench: &KernelBench, case: &Case, name: &str, command: &str, rules: &Path, directory: &Path) -> String {
    let word = |path: &Path| quoted(path.as_os_str()).to_string_lossy().into_owned();
    let mut text = format!("set -e\nexport PATH={}:$PATH\n", word(directory));
    let _ = writeln!(text, "export CASE='{}' CONTENDER={}", case.name, word(Path::new(name)));
    let Case { services, destinations, buffer, .. } = case;
    let _ = writeln!(text, "SERVICES={services} DESTINATIONS={destinations} BUFFER={buffer} RULES={}", word(rules));
    let _ = writeln!(text, "{}\n{}", bench.setup, command);
    text
}

/// The case as a file for `ipvsadm -R`, the same entries that `floor add` makes.
fn rules(case: &Case, directory: &Path) -> Result<PathBuf> {
    let file = directory.join(format!("rules-{}x{}", case.services, case.destinations));
    let mut out = BufWriter::new(File::create(&file)?);
    for i in 0..case.services {
        let service = format!("10.{}.{}.{}:80", i >> 16, i >> 8 & 255, i & 255);
        writeln!(out, "-A -t {service} -s wlc")?;
        for j in 0..case.destinations {
            let (a, b, c) = (16 + (j >> 16), j >> 8 & 255, j & 255);
            writeln!(out, "-a -t {service} -r 172.{a}.{b}.{c}:8080 -m -w {}", 1 + j % 5)?;
        }
    }
    out.flush()?;
    Ok(file)
}
