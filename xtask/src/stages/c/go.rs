//! The example in Go, by the compiler of GCC: Go's own builds its whole standard library first.

use fs_err as fs;
use std::path::Path;
use std::process::Command;

use super::examples::{Run, judge};
use super::install::{built, make, prepared};
use crate::error::Result;
use crate::stages::Report;
use crate::{host, project};

const EXAMPLE: &str = "examples/go";

const RUNS: &[Run] = &[
    Run {
        command: &["go", "-rules", "examples/c/cluster.rules"],
        status: 0,
        output: &[
            "tcp://192.0.2.1:80 wlc: 0 connections\n  198.51.100.1:8080 weight 3: 0 active, 0 connections\n",
            "udp://[2001:db8::1]:53 rr: 0 connections\n  [2001:db8::53]:53 weight 1:",
            "fwmark:7/ipv6 rr: 0 connections\n",
        ],
    },
    Run {
        command: &["go", "-rules", "examples/c/cluster.rules", "-drain", "198.51.100.1:8080"],
        status: 0,
        output: &["  198.51.100.1:8080 weight 0: 0 active", "  198.51.100.2:8080 weight 1: 0 active"],
    },
    // Errors of the library, of the file, and of what they say.
    Run { command: &["go", "-rules", "examples/c/cluster.rules", "-drain", "198.51.100.9:80"], status: 1, output: &[] },
    Run { command: &["go", "-rules", "examples/c/cluster.rules", "-drain", "nonsense"], status: 1, output: &[] },
    Run { command: &["go", "-rules", "examples/c/common.h"], status: 1, output: &[] },
    Run { command: &["go", "-rules", "nosuch.rules"], status: 1, output: &[] },
    Run { command: &["go"], status: 2, output: &[] },
];

pub(super) fn run(report: &mut Report, base: &Path) -> Result<()> {
    host::ensure_programs(&[("gccgo", "gccgo")], "the example in Go is built with it")?;
    let version = host::capture(Command::new("gccgo").arg("-dumpversion"))?;
    // Debian's package has the build tool under this name alone.
    let go = format!("go-{}", String::from_utf8_lossy(&version.stdout).trim());
    let out = base.join("go");
    fs::create_dir_all(&out)?;
    // cgo takes no flags of pkg-config with blanks in them.
    let prefix = out.join("prefix");
    host::capture(&mut make("install", &[format!("PREFIX={}", prefix.display())]))?;
    let program = out.join("lvs");
    let mut build = prepared(&go, &prefix);
    build
        .args(["build", "-buildvcs=false", "-compiler", "gccgo", "-o"])
        .arg(&program)
        .arg(".")
        .current_dir(project::root().join(EXAMPLE));
    built(
        build.env("GOCACHE", out.join("cache")).env("GOPATH", out.join("path")).env("GOFLAGS", "").env("GOWORK", "off"),
    )?;
    for run in RUNS {
        judge(report, run, prepared(&program.to_string_lossy(), &prefix).args(&run.command[1..]))?;
    }
    Ok(())
}
