//! `cargo xtask fresh`: a command in a clean Debian that has nothing but what README.md asks for.
//!
//! A root is made by debootstrap and kept for a day; every run gets a copy of its own, with a clone
//! of HEAD in it, and the copy is gone afterwards. Mounts live in a namespace of the run's own:
//! they end with it, however it ends.

mod enter;
mod root;

pub(crate) use enter::Fresh;

use crate::error::{Error, Result};
use lexopt::prelude::*;
use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

const HELP: &str = "\
cargo xtask fresh [OPTION...] SUITE [-- COMMAND [ARGUMENT...]]

Runs a command (default: a shell) as root in a clone of this project's HEAD, on a Debian that has nothing but a C
compiler, Python 3 and this machine's Rust toolchain, bound in. Needs root.

SUITE: bookworm, trixie or sid

  --no-cache   leave out what earlier runs, or this user, have downloaded: crates, Python packages, Debian packages,
               the lab's kernels. The root is made again.

The roots ($LVS_FRESH_CACHE, else $XDG_CACHE_HOME/lvs-fresh, else ~/.cache/lvs-fresh) are made again after a day.
Exit status: the command's own; 125 if the root could not be made; 2 for a wrong command line.
";

/// A release of Debian that the tests are known to pass on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    /// Whether updates and security fixes are published apart from the release.
    released: bool,
}

pub(crate) const BOOKWORM: Suite = Suite { name: "bookworm", released: true };
pub(crate) const TRIXIE: Suite = Suite { name: "trixie", released: true };
const SUITES: [Suite; 3] = [BOOKWORM, TRIXIE, Suite { name: "sid", released: false }];

impl Suite {
    pub(crate) fn named(name: &OsStr) -> Result<Self> {
        let found = SUITES.into_iter().find(|suite| name == suite.name);
        found.ok_or_else(|| Error::new(format!("no suite '{}'", name.to_string_lossy())))
    }
}

/// What a run is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) suite: Suite,
    /// Whether what was downloaded before may be used.
    pub(crate) cache: bool,
}

/// `cargo xtask fresh ...`
pub(crate) fn main(arguments: Vec<OsString>) -> ExitCode {
    let (options, command) = match parse(arguments) {
        Ok(Some(parsed)) => parsed,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("xtask: {error}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match run(options, &command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::from(125)
        }
    }
}

fn run(options: Options, command: &[OsString]) -> Result<ExitCode> {
    let fresh = Fresh::new(options)?;
    let shell = [OsString::from("bash")];
    let command = if command.is_empty() { &shell } else { command };
    let status = fresh.command(command).status()?;
    // A shell's convention for a command that a signal has ended.
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::from(128), ExitCode::from))
}

fn parse(arguments: Vec<OsString>) -> Result<Option<(Options, Vec<OsString>)>> {
    let mut cache = true;
    let mut suite = None;
    let mut command = Vec::new();
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(None),
            Long("no-cache") => cache = false,
            Value(name) if suite.is_none() => suite = Some(Suite::named(&name)?),
            Value(first) => {
                // Everything from here on is the command's own, whatever it looks like.
                command = std::iter::once(first).chain(parser.raw_args()?).collect();
            }
            _ => return Err(argument.unexpected().into()),
        }
    }
    let suite = suite.ok_or_else(|| Error::new("which suite?"))?;
    Ok(Some((Options { suite, cache }, command)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Option<(Options, Vec<OsString>)>> {
        parse(line.split_whitespace().map(OsString::from).collect())
    }

    #[test]
    fn options_of_the_command_are_left_to_the_command() {
        for line in ["--no-cache trixie -- cargo xtask test --list", "--no-cache trixie cargo xtask test --list"] {
            let (options, command) = parsed(line).unwrap().unwrap();
            assert_eq!((options.suite, options.cache), (TRIXIE, false));
            assert_eq!(command, ["cargo", "xtask", "test", "--list"]);
        }
        assert_eq!(parsed("sid").unwrap().unwrap().1, Vec::<OsString>::new());
    }

    #[test]
    fn wrong_command_lines_are_refused() {
        for line in ["", "--no-cache", "noble", "--nonsense sid", "-- true"] {
            assert!(parsed(line).is_err(), "{line}");
        }
    }
}
