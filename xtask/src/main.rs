//! The project's task runner: `cargo xtask help`.
//!
//! One verb, one module; what several of them need is in `error` (why something failed), `host`
//! (programs and packages of this machine), `project` (where things lie, how cargo is called) and
//! `sys` (system calls).

// This program talks to a person on a terminal.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod bench;
mod c_abi;
mod c_header;
mod c_reference;
mod ci;
mod debian;
mod dist;
mod error;
mod fresh;
mod generate;
mod host;
mod install_test;
mod lab;
mod project;
mod rust_api;
mod site;
mod stages;
mod sys;
mod venv;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask VERB

  test [STAGE...]                 run all tests, or some stages of them
                                  (cargo xtask test --list)
  bench [NAME...]                 measure ours beside a peer (cargo xtask bench --list)
  generate [--check]              write the committed files that are generated, or check that they are fresh
  lab [OPTION...] -- COMMAND...   run a command as root in a Linux kernel that has IPVS
                                  (cargo xtask lab --help)
  fresh SUITE [-- COMMAND...]     run a command in a clean Debian: bookworm, trixie or sid
                                  (cargo xtask fresh --help)
  dist [--out DIR] [PART...]      make what users install: crates, wheel, packages, archives, sums
                                  (cargo xtask dist --help)
  install-test SUITE [WAY...]     install that on a clean Debian, by the words of the documentation
                                  (cargo xtask install-test --help)
  docs                            build the documentation site into target/site
  ci                              what a change must pass: README.md's commands on clean machines

Each verb installs or fetches what it needs, and says so.
";

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let verb = arguments.next();
    let rest: Vec<_> = arguments.collect();
    match verb.as_ref().and_then(|v| v.to_str()) {
        Some("test") => stages::main(rest),
        Some("bench") => bench::main(rest),
        Some("generate") => generate::main(rest),
        Some("lab") => lab::main(rest),
        Some("fresh") => fresh::main(rest),
        Some("dist") => dist::main(rest),
        Some("install-test") => install_test::main(rest),
        Some("docs") => site::main(rest),
        Some("ci") => ci::main(rest),
        None | Some("help" | "-h" | "--help") => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        Some(other) => {
            eprintln!("xtask: no verb '{other}'\n\n{HELP}");
            ExitCode::from(2)
        }
    }
}
