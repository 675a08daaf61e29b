//! Benches that need no kernel: bench programs of the workspace, run here.

use super::Table;
use crate::error::{Context, Error, Result};
use crate::project::{self, cargo};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

/// Builds and runs the bench program of that name.
pub(super) fn run(name: &str) -> Result<Table> {
    let members = project::members()?;
    let Some(member) = members.iter().find(|m| m.benches.iter().any(|b| b == name)) else {
        return Err(Error::new(format!("there is no program benches/{name}.rs yet")));
    };
    let mut bench = cargo(&["bench", "--quiet", "--package", &member.name, "--bench", name]);
    let mut child = bench.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context(|| "cannot run cargo".into())?;
    let mut table = Table::default();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines() {
            let line = line.context(|| format!("reading from the bench program {name}"))?;
            if !table.take(&line) {
                println!("  {line}");
            }
        }
    }
    let status = child.wait().context(|| format!("waiting for the bench program {name}"))?;
    if status.success() { Ok(table) } else { Err(Error::new(format!("the bench program {name}: {status}"))) }
}
