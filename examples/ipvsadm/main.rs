//! A drop-in for Debian's `ipvsadm` 1.31, built on the public interface of `lvs-core` alone.
//!
//! The same arguments, output, messages and exit statuses, see `DIFFERENCES.md` for where they
//! differ on purpose. A few long options more:
//!
//! * `--embedded[=FILE]`: no kernel, no privileges. The table is that of FILE, which is rewritten
//!   when it changes; without FILE it lives as long as the program.
//! * `--lossless`: `-S` writes all that the table holds, `-R` reads it back, and nothing of a file
//!   takes effect unless all of it can be read.
//! * `--json`: `-L` as JSON.
//! * `--netns=NAME`: the table of another network namespace.
//!
//! Called as `ipvsadm-save` or `ipvsadm-restore` (by a link of that name) it is `ipvsadm -S` or
//! `ipvsadm -R`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a program")]

mod backend;
mod execute;
mod help;
mod list;
mod messages;
mod names;
mod ours;
mod restore;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStringExt as _;
use std::process::ExitCode;

use lvs_core::rules::{Command, Dialect, Parser};

use backend::Backend;
use execute::Session;
use messages::Exit;
use names::Names;

fn main() -> ExitCode {
    let mut args = std::env::args_os().map(OsString::into_vec);
    let program = String::from_utf8_lossy(&args.next().unwrap_or_else(|| b"ipvsadm".to_vec())).into_owned();
    let name = program.rsplit('/').next().unwrap_or_default();
    let verb = match name {
        "ipvsadm-save" => Some(b"-S".to_vec()),
        "ipvsadm-restore" => Some(b"-R".to_vec()),
        _ => None,
    };
    let exit = match run(&program, verb.into_iter().chain(args).collect()) {
        Ok(exit) | Err(exit) => exit,
    };
    if let Some(text) = &exit.message {
        // Standard output first, as both may be the same file.
        let _ = io::stdout().flush();
        let _ = io::stderr().write_all(text.as_bytes());
    }
    ExitCode::from(exit.status)
}

fn run(program: &str, args: Vec<Vec<u8>>) -> Result<Exit, Exit> {
    let (ours, args) = ours::take(args)?;
    let names = Names::new();
    let dialect = if ours.lossless { Dialect::Lossless } else { Dialect::Ipvsadm };
    let parser = Parser::new(dialect).with_resolver(&names);
    let parser = if ours.lossless { parser } else { parser.first_error_only() };
    let command = parser.command(&args);
    let changes = command.as_ref().is_ok_and(|command| command.operation().is_some() || *command == Command::Restore);
    // ipvsadm asks the kernel before it judges its arguments, so even its help needs a kernel with
    // IPVS.
    // DIFFERENCE: --embedded needs none.
    let mut backend = Backend::open(&ours, changes)?;
    let command = command.map_err(|errors| {
        if ours.lossless { Exit::failed(2, format!("{errors}\n")) } else { Exit::compat(errors.first(), program) }
    })?;
    let exit = Session { backend: &mut backend, names: &names, ours: &ours, parser, program }.execute(&command);
    backend.save()?;
    exit
}
