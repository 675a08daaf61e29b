//! Asks lvsd about a cluster and tells it what to do.

use std::io::{Write, stderr, stdout};
use std::process::ExitCode;

use clap::Parser;
use lvsd::ctl;

fn main() -> ExitCode {
    let cli = ctl::Cli::parse();
    let (status, error) = ctl::main(&cli, &mut stdout().lock());
    if let Some(error) = error {
        // Nobody may be reading.
        let _ = writeln!(stderr(), "lvsctl: {error}");
    }
    status
}
