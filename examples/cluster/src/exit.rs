//! How a program ends: with one line on standard error, whatever the environment says of backtraces.
#![allow(clippy::print_stderr, reason = "a program prints")]

use std::process::ExitCode;

use anyhow::Result;

/// Tells what went wrong, if something did.
pub fn status(program: &str, result: Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{program}: {error:#}");
            ExitCode::FAILURE
        }
    }
}
