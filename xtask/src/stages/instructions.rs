//! What a dozen named paths cost in instructions (`lvs-core/benches/instructions.rs`), counted by
//! callgrind and held against a record in the tree.
//!
//! Instructions do not depend on what else the machine does, times do. They do depend on the
//! compiler: between two releases of Rust the same source differs by more than what is allowed
//! here. So the record names the release that it is of; with another one the paths run and their
//! costs are shown, but not compared. Ratios between paths would not help: a release changes one
//! and not the other.

use super::Report;
use crate::error::{Context, Error, Result};
use crate::{host, project};
use fs_err as fs;
use std::path::Path;

const RECORD: &str = "lvs-core/benches/instructions.txt";
/// How much more than recorded a path may cost, in percent.
const ALLOWED: u64 = 3;
/// Which copying loops the C library takes: those that every x86-64 processor has. Otherwise it
/// chooses by the processor, and callgrind counts a `rep movsb` as one instruction or by the byte.
const COPYING: (&str, &str) = ("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX2,-ERMS,-FSRM");

pub(crate) fn run(report: &mut Report) -> Result<()> {
    host::ensure_programs(&[("valgrind", "valgrind")], "counting instructions")?;
    let record = Record::read(&fs::read_to_string(project::root().join(RECORD))?)?;
    let (release, arch) = (release()?, std::env::consts::ARCH);
    let is_compared = release.starts_with(&record.release) && arch == "x86_64";
    if !is_compared {
        report.note(format!(
            "not compared: the record is of Rust {}x on x86_64, here is {release} on {arch}",
            record.release
        ));
    }
    let build = ["bench", "--no-run", "--package", "lvs-core", "--bench", "instructions"];
    let program = project::executable(&build, "instructions")?;
    let list = host::capture(&mut project::command(&program.to_string_lossy()))?;
    let list = String::from_utf8_lossy(&list.stdout).into_owned();
    let paths = list.lines().map(Walk::read).collect::<Result<Vec<_>>>()?;
    for (walk, cost) in paths.iter().zip(host::in_parallel(&paths, |walk| walk.cost(&program))?) {
        let cost = cost?;
        eprintln!("   {:16} {cost:8} instructions, of one of its {}", walk.name, walk.what);
        match record.most(&walk.name) {
            _ if !is_compared => report.pass(1),
            None => report.fail(format!("{} is not in {RECORD}: {cost} instructions", walk.name)),
            Some(most) if cost * 100 > most * (100 + ALLOWED) => report.fail(format!(
                "{}: {cost} instructions, recorded are {most}; it may cost more when {RECORD} says why",
                walk.name
            )),
            Some(most) => {
                report.pass(1);
                if cost * 100 < most * (100 - ALLOWED) {
                    report.note(format!("{}: {cost} instructions, recorded are {most}: lower the record", walk.name));
                }
            }
        }
    }
    let gone = |line: &&Line| paths.iter().all(|walk| walk.name != line.name);
    record.lines.iter().filter(gone).for_each(|line| report.fail(format!("{RECORD}: no path {}", line.name)));
    Ok(())
}

/// The compiler's release, such as `1.95.0`.
fn release() -> Result<String> {
    let version = host::capture(project::command("rustc").args(["--version", "--verbose"]))?;
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let release = version.lines().find_map(|line| line.strip_prefix("release: "));
    release.map(str::to_owned).context(|| "rustc does not say its release".into())
}

/// A path that the program can walk.
struct Walk {
    name: String,
    /// How many of what one walk handles.
    count: u64,
    what: String,
}

impl Walk {
    fn read(line: &str) -> Result<Self> {
        let read = || {
            let mut parts = line.split('\t');
            let (name, count, what) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
            (count > 0).then(|| Self { name: name.to_owned(), count, what: what.to_owned() })
        };
        read().context(|| format!("{line:?} is no path with a number"))
    }

    /// Instructions for one of what a walk handles, without what prepares it.
    fn cost(&self, program: &Path) -> Result<u64> {
        let [one, three] = [1, 3].map(|times| self.walked(program, times));
        Ok(three?.saturating_sub(one?) / 2 / self.count)
    }

    fn walked(&self, program: &Path, times: u64) -> Result<u64> {
        let mut valgrind = project::command("valgrind");
        valgrind.env(COPYING.0, COPYING.1);
        valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program);
        let output = host::capture(valgrind.arg(&self.name).arg(times.to_string()))?;
        collected(&String::from_utf8_lossy(&output.stderr)).context(|| "callgrind says no number".into())
    }
}

/// The number in callgrind's `==77== Collected : 123456`.
fn collected(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok())
}

/// What the paths may cost, and in which release of Rust.
#[derive(Debug, PartialEq)]
struct Record {
    /// How a release's number begins, such as `1.95.`.
    release: String,
    lines: Vec<Line>,
}

#[derive(Debug, PartialEq)]
struct Line {
    name: String,
    most: u64,
}

impl Record {
    /// `#` begins a comment, `rust 1.95.` names the release. Every other line is a path with its
    /// cost; one that follows for the same path raises it, and says why.
    fn read(text: &str) -> Result<Self> {
        let mut record = Self { release: String::new(), lines: Vec::new() };
        for (number, line) in (1..).zip(text.lines()) {
            let wrong = |what: &str| Error::new(format!("{RECORD}:{number}: {what}"));
            let mut words = line.split_whitespace();
            let Some(name) = words.next().filter(|word| !word.starts_with('#')) else { continue };
            let value = words.next().ok_or_else(|| wrong("a number is missing"))?;
            if name == "rust" {
                record.release = value.to_owned();
                continue;
            }
            let most = value.parse().map_err(|_| wrong("the second word is a number of instructions"))?;
            match record.lines.iter_mut().find(|line| line.name == name) {
                None => record.lines.push(Line { name: name.to_owned(), most }),
                Some(_) if words.next().is_none() => return Err(wrong("a path that costs more than before says why")),
                Some(line) => line.most = most,
            }
        }
        if record.release.is_empty() {
            return Err(Error::new(format!("{RECORD}: no line `rust RELEASE`")));
        }
        Ok(record)
    }

    fn most(&self, name: &str) -> Option<u64> {
        self.lines.iter().find(|line| line.name == name).map(|line| line.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_a_path_is_its_limit() {
        let record = Record::read("# comment\nrust 1.95.\nparse 100\nlist 7\nparse 120 columns in errors\n").unwrap();
        assert_eq!((record.most("parse"), record.most("list"), record.most("save")), (Some(120), Some(7), None));
        for (text, place) in [
            ("rust 1.95.\nparse 100\nparse 120\n", "instructions.txt:3: a path that costs more"),
            ("rust 1.95.\nparse\n", "instructions.txt:2: a number is missing"),
            ("rust 1.95.\nparse many\n", "instructions.txt:2: the second word"),
            ("parse 100\n", "no line `rust RELEASE`"),
        ] {
            let error = Record::read(text).unwrap_err().to_string();
            assert!(error.contains(place), "{error}");
        }
    }

    #[test]
    fn callgrinds_number_is_found() {
        assert_eq!(collected("==1== Events    : Ir\n==1== Collected : 68193203\n==1==\n"), Some(68_193_203));
        assert_eq!(collected("==1== nothing"), None);
    }

    #[test]
    fn the_list_of_paths_is_read() {
        let walk = Walk::read("parse\t10000\trules").unwrap();
        assert_eq!((walk.name.as_str(), walk.count, walk.what.as_str()), ("parse", 10_000, "rules"));
        assert!(Walk::read("parse\t0\trules").is_err() && Walk::read("parse").is_err());
    }
}
