//! What a stage has found: how many tests passed and failed, read from the output of whatever ran
//! them.

use super::excerpt::Excerpt;
use crate::error::{Context, Result};
use std::fmt;
use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::ops::AddAssign;
use std::process::{Command, ExitStatus, Stdio};

/// How many tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// Reads a line of a test program's output, and counts if it is one that tells results.
pub(crate) type Counter = fn(&str) -> Option<Counts>;

/// What happened in one stage.
#[derive(Debug, Default)]
pub(crate) struct Report {
    counts: Counts,
    notes: Vec<String>,
    /// The kernels that the lab is asked for; all of them if none is named.
    kernels: Vec<String>,
}

impl Report {
    pub(crate) fn for_kernels(kernels: &[String]) -> Self {
        Self { kernels: kernels.to_vec(), ..Self::default() }
    }

    /// Whether the lab is to test in this kernel: all, unless some were named.
    pub(crate) fn wants_kernel(&self, name: &str) -> bool {
        self.kernels.is_empty() || self.kernels.iter().any(|kernel| kernel == name)
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// What the summary shows below the stage.
    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Adds a remark to the summary.
    pub(crate) fn note(&mut self, text: impl Into<String>) {
        let text = text.into();
        eprintln!("   {text}");
        self.notes.push(text);
    }

    pub(crate) fn pass(&mut self, count: u64) {
        self.counts.passed += count;
    }

    /// Counts one failure, and says what it is.
    pub(crate) fn fail(&mut self, what: impl Into<String>) {
        self.counts.failed += 1;
        self.note(format!("FAILED: {}", what.into()));
    }

    pub(crate) fn add(&mut self, counts: Counts) {
        self.counts += counts;
    }

    /// Adds what a failed program has printed to the summary.
    pub(super) fn show(&mut self, excerpt: Excerpt) {
        self.notes.extend(excerpt.lines());
    }

    /// Runs a program that is one test: it passes if the program succeeds.
    pub(crate) fn check(&mut self, command: &mut Command) -> Result<()> {
        let line = announce(command);
        let mut excerpt = Excerpt::default();
        let status = watch(command, &line, |text| excerpt.take(text))?;
        if status.success() {
            self.pass(1);
        } else {
            self.fail(format!("`{line}`: {status}"));
            self.show(excerpt);
        }
        Ok(())
    }

    /// Runs a program that runs tests, passing its output on. A program that fails without a failed
    /// test (it may not even have been built) counts as one failure.
    pub(crate) fn tests(&mut self, command: &mut Command, counter: Counter) -> Result<Counts> {
        let line = announce(command);
        let mut counts = Counts::default();
        let mut excerpt = Excerpt::default();
        let status = watch(command, &line, |text| {
            if let Some(found) = counter(text) {
                counts += found;
            }
            excerpt.take(text);
        })?;
        self.counts += counts;
        if counts.failed > 0 {
            self.note(format!("FAILED: {} of `{line}`", counts.failed));
        } else if !status.success() {
            self.fail(format!("`{line}`: {status}"));
        }
        if !status.success() {
            self.show(excerpt);
        }
        Ok(counts)
    }
}

/// Runs a program, passes its output on, and shows each line of it, without colours, to `see`.
fn watch(command: &mut Command, name: &str, mut see: impl FnMut(&str)) -> Result<ExitStatus> {
    if std::io::stderr().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    let (output, both) = std::io::pipe().context(|| "cannot make a pipe".into())?;
    command.stdin(Stdio::null()).stdout(both.try_clone()?).stderr(both);
    let mut child = command.spawn().context(|| format!("cannot run `{name}`"))?;
    // The pipe ends when nobody can write to it any more; that includes `command`.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut reader = BufReader::new(output);
    let mut bytes = Vec::new();
    while reader.read_until(b'\n', &mut bytes).context(|| format!("reading from `{name}`"))? > 0 {
        std::io::stderr().write_all(&bytes)?;
        see(&without_colours(&String::from_utf8_lossy(&bytes)));
        bytes.clear();
    }
    child.wait().context(|| format!("waiting for `{name}`"))
}

/// Says what is run.
fn announce(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    eprintln!("-> {line}");
    line
}

fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        if c == '\x1b' {
            // An escape sequence of the terminal ends with a letter.
            characters.by_ref().find(char::is_ascii_alphabetic);
        } else {
            plain.push(c);
        }
    }
    plain
}

/// `cargo test`: `test result: ok. 5 passed; 0 failed; 1 ignored; ...`, once per program.
pub(crate) fn libtest(line: &str) -> Option<Counts> {
    let rest = line.trim_start().strip_prefix("test result: ")?;
    let rest = rest.split_once(". ")?.1;
    Some(Counts { passed: number_before(rest, "passed"), failed: number_before(rest, "failed") })
}

/// This program: `1234 passed, 0 failed`, at the end of `cargo xtask test`.
pub(crate) fn sum(line: &str) -> Option<Counts> {
    let (passed, failed) = line.trim().strip_suffix(" failed")?.split_once(" passed, ")?;
    Some(Counts { passed: passed.parse().ok()?, failed: failed.parse().ok()? })
}

/// pytest: `=== 1 failed, 12 passed, 2 skipped in 0.30s ===` (the lines are left out with `-q`).
pub(crate) fn pytest(line: &str) -> Option<Counts> {
    let line = line.trim().trim_matches('=').trim();
    let (results, time) = line.rsplit_once(" in ")?;
    let timed = time.split('s').next().is_some_and(|t| t.parse::<f64>().is_ok());
    let counted = |w: &&str| w.split(' ').next().is_some_and(|n| n.parse::<u64>().is_ok());
    if !timed || !results.split(", ").all(|w| counted(&w)) {
        return None;
    }
    let failed = ["failed", "error", "errors"].iter().map(|w| number_before(results, w)).sum();
    Some(Counts { passed: number_before(results, "passed"), failed })
}

/// The number in front of a word in a list such as `3 passed; 1 failed`.
fn number_before(text: &str, word: &str) -> u64 {
    text.split([',', ';'])
        .filter_map(|item| {
            let (number, rest) = item.trim().split_once(' ')?;
            (rest.trim() == word).then(|| number.parse::<u64>().ok())?
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: u64, failed: u64) -> Option<Counts> {
        Some(Counts { passed, failed })
    }

    #[test]
    fn results_of_cargo_test_are_counted() {
        let line =
            "test result: FAILED. 5 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.08s\n";
        assert_eq!(libtest(line), counts(5, 2));
        assert_eq!(libtest("test a::b ... ok"), None);
        assert_eq!(libtest("test result"), None);
    }

    #[test]
    fn the_sum_at_the_end_is_read_as_it_is_written() {
        let written = Counts { passed: 1234, failed: 5 };
        assert_eq!(sum(&written.to_string()), Some(written));
        assert_eq!(sum("lab        5 passed, 2 FAILED          12.0 s"), None);
    }

    #[test]
    fn results_of_pytest_are_counted() {
        assert_eq!(pytest("==== 1 failed, 12 passed, 2 skipped, 1 error in 0.30s ===="), counts(12, 2));
        assert_eq!(pytest("12 passed in 65.30s (0:01:05)"), counts(12, 0));
        assert_eq!(pytest("no tests ran in 0.01s"), None);
        assert_eq!(pytest("3 things happened in Rome"), None);
    }

    #[test]
    fn colours_do_not_hide_a_result() {
        assert_eq!(without_colours("\x1b[1m\x1b[32m   ok\x1b[0m 3\n"), "   ok 3\n");
    }

    #[test]
    fn a_program_that_fails_without_a_failed_test_is_one_failure() {
        let mut report = Report::default();
        let script = "echo 'test result: ok. 2 passed; 0 failed; 0 ignored'; exit 101";
        report.tests(Command::new("sh").args(["-c", script]), libtest).unwrap();
        assert_eq!(report.counts(), Counts { passed: 2, failed: 1 });
        assert_eq!(report.notes().last().unwrap(), "  | test result: ok. 2 passed; 0 failed; 0 ignored");
    }
}
