//! Benches that need a kernel: run in the lab, counting instructions.
//!
//! Every contender gets a network namespace of its own: the kernel keeps deleted destinations for minutes, and every later
//! add has to search them (ip_vs_ctl.c: ip_vs_trash_get_dest(), v6.12), so a table that was flushed is not an empty one.

use super::{Settings, Table};
use crate::error::{Error, Result};
use crate::lab::{self, Clock, End, Job, Options, quoted};
use crate::{host, project};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A size of table.
struct Case {
    name: &'static str,
    services: usize,
    destinations: usize,
    /// The receive buffer that suits the floor: the kernel clears what it is offered, so small lists want a small one.
    buffer: usize,
}

const CASES: [Case; 3] = [
    Case { name: "1,000 services x 10", services: 1000, destinations: 10, buffer: 4096 },
    Case { name: "10,000 services x 2", services: 10_000, destinations: 2, buffer: 4096 },
    Case { name: "1 service x 5,000", services: 1, destinations: 5000, buffer: 32768 },
];

/// One side of a comparison. Its lines for sh find the variables SERVICES, DESTINATIONS, BUFFER, RULES (a file for
/// `ipvsadm -R`), and in PATH `floor` and the programs of ours, built for release.
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
    let script = directory.join("script.sh");
    fs::write(&script, self::script(bench, cases, &directory, &mut table)?)?;
    let options =
        Options { clock: Clock::Instructions, mem: 2048, timeout: Duration::from_secs(1800), ..Options::default() };
    let mut output = Vec::new();
    let job = Job::Command(vec!["bash".into(), script.into()]);
    let end = lab::run(&options, &job, &mut output, &mut std::io::stderr(), None)?;
    for line in String::from_utf8_lossy(&output).lines() {
        if !table.take(line) {
            println!("  {line}");
        }
    }
    match end {
        End::Exited(0) => {
            table.note(format!("Linux {}; 1 s is 10^9 instructions", options.label()));
            Ok(table)
        }
        End::TimedOut(why) => Err(Error::new(why)),
        other => Err(Error::new(format!("{other:?}"))),
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
    Ok(std::os::unix::fs::symlink(from, to)?)
}

fn script(bench: &KernelBench, cases: &[Case], directory: &Path, table: &mut Table) -> Result<String> {
    let word = |path: &Path| quoted(path.as_os_str()).to_string_lossy().into_owned();
    let mut text = String::from(SHELL);
    let _ = writeln!(text, "export PATH={}:$PATH", word(directory));
    for case in cases {
        let rules = rules(case, directory)?;
        let _ = writeln!(
            text,
            "export CASE='{}' SERVICES={} DESTINATIONS={} BUFFER={} RULES={}",
            case.name,
            case.services,
            case.destinations,
            case.buffer,
            word(&rules)
        );
        for contender in bench.contenders {
            if let Some(program) = contender.ours
                && !directory.join(program.name()).exists()
            {
                if case.name == cases[0].name {
                    table.note(format!("{} is not measured: no program for it yet", contender.name));
                }
                continue;
            }
            let _ = writeln!(
                text,
                "CONTENDER={} in_namespace {} {}",
                word(Path::new(contender.name)),
                word(Path::new(bench.setup)),
                word(Path::new(contender.command))
            );
        }
    }
    Ok(text)
}

/// A shell function: `in_namespace SETUP COMMAND` runs both in a namespace of their own.
const SHELL: &str = r#"set -u
in_namespace() { unshare -n bash -c "ip link set lo up && $1 && $2" || exit 1; }
"#;

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
