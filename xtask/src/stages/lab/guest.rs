//! The script that runs the tests in a guest, and the host's reading of what it prints.

use super::collect::Item;
use crate::lab::quoted;
use crate::stages::excerpt::Excerpt;
use crate::stages::report::libtest;
use crate::stages::{Counts, Report};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::{Duration, Instant};

/// Longest time for one program, in seconds.
const LONGEST: u32 = 1800;
/// In front of the lines that are the script's own.
const SIGN: &str = "@lab@ ";

/// Fails unless the kernel is the expected one and has IPVS: without this, nothing else would mean
/// anything.
const KERNEL_CHECK: &str = r#"
case $(uname -r) in $LVS_TEST_KERNEL.*) ;; *) echo "the kernel is $(uname -r)"; exit 1 ;; esac
[ -e /proc/net/ip_vs ] || { echo "the kernel has no IPVS"; exit 1; }
[ "$(id -u)" = 0 ] || { echo "not root"; exit 1; }
echo "kernel $(uname -r), $(head -n 1 /proc/net/ip_vs)"
"#;

/// Runs everything, one after the other, telling where each begins and how it ends.
pub(super) fn script(items: &[Item]) -> String {
    let mut text = String::from("exec 2>&1\n");
    let _ = writeln!(text, "(\n{KERNEL_CHECK})\necho '{SIGN}kernel' $?");
    for (i, item) in items.iter().enumerate() {
        let directory = quoted(item.directory.as_os_str());
        let words: Vec<String> =
            item.command.iter().map(|w| quoted(OsStr::new(w)).to_string_lossy().into_owned()).collect();
        let _ = writeln!(text, "echo '{SIGN}begin {i}'");
        // A fresh network namespace each: what one leaves behind is not there for the next.
        let _ = writeln!(
            text,
            "(cd {} && exec unshare -n sh -c 'ip link set lo up && exec timeout -k 10 {LONGEST} \"$@\"' sh {})",
            directory.to_string_lossy(),
            words.join(" ")
        );
        // A program that ends without a line break must not hide the sign.
        let _ = writeln!(text, "status=$?\necho\necho '{SIGN}end' $status");
    }
    text.push_str("exit 0\n");
    text
}

/// Takes the guest's output: shows it, and counts.
pub(super) struct Watcher<'a> {
    label: String,
    items: &'a [Item],
    unfinished: Vec<u8>,
    kernel: Option<bool>,
    /// The item that is running, and since when.
    running: Option<(usize, Instant)>,
    /// How long all of them took.
    took: Duration,
    /// What the running one has told so far.
    so_far: Counts,
    excerpt: Excerpt,
    ended: usize,
    passed: u64,
    failures: Vec<Failure>,
}

/// So many tests, what failed, and what it has printed.
struct Failure {
    count: u64,
    what: String,
    excerpt: Excerpt,
}

impl Failure {
    fn new(what: String) -> Self {
        Self { count: 1, what, excerpt: Excerpt::default() }
    }
}

impl<'a> Watcher<'a> {
    pub(super) fn new(label: &str, items: &'a [Item]) -> Self {
        Self {
            label: label.to_owned(),
            items,
            unfinished: Vec::new(),
            kernel: None,
            running: None,
            took: Duration::ZERO,
            so_far: Counts::default(),
            excerpt: Excerpt::default(),
            ended: 0,
            passed: 0,
            failures: Vec::new(),
        }
    }

    /// The name of what is running.
    pub(super) fn current(&self) -> &str {
        self.running.map_or("none", |(i, _)| &self.items[i].name)
    }

    /// Adds what was seen to the report. Answers how long it took.
    pub(super) fn tell(mut self, kernel: &str, report: &mut Report) -> Duration {
        match self.kernel {
            Some(true) => self.passed += 1,
            _ => self.failures.insert(0, Failure::new("the kernel is not the expected one, or has no IPVS".into())),
        }
        if self.ended != self.items.len() {
            let what = format!("only {} of {} programs ended", self.ended, self.items.len());
            self.failures.push(Failure { excerpt: self.excerpt, ..Failure::new(what) });
        }
        report.pass(self.passed);
        for Failure { count, what, excerpt } in self.failures {
            report.add(Counts { passed: 0, failed: count });
            report.note(format!("FAILED: {kernel}: {what}"));
            report.show(excerpt);
        }
        self.took
    }

    fn line(&mut self, line: &str) -> io::Result<()> {
        let Some(sign) = line.trim_end().strip_prefix(SIGN) else {
            if let Some(counts) = libtest(line) {
                self.so_far += counts;
            }
            self.excerpt.take(line);
            return if line.trim().is_empty() { Ok(()) } else { self.show(line.trim_end()) };
        };
        match sign.split_once(' ') {
            Some(("kernel", status)) => self.kernel = Some(status == "0"),
            Some(("begin", number)) => {
                let number = number.parse().ok().filter(|i| *i < self.items.len());
                self.running = number.map(|i| (i, Instant::now()));
                self.so_far = Counts::default();
                self.excerpt = Excerpt::default();
                let name = self.current().to_owned();
                self.show(&format!("-> {name}"))?;
            }
            Some(("end", status)) => self.end(status)?,
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, status: &str) -> io::Result<()> {
        let Some((i, since)) = self.running.take() else { return Ok(()) };
        let item = &self.items[i];
        self.ended += 1;
        let took = since.elapsed();
        self.took += took;
        self.show(&format!("{}: {:.1} s", item.name, took.as_secs_f64()))?;
        let fine = status == "0";
        let ending = match status {
            "124" | "137" => format!("killed after {LONGEST} s, or by a signal"),
            other => format!("exit status {other}"),
        };
        let Counts { passed, failed } =
            if item.tests.is_some() { self.so_far } else { Counts { passed: u64::from(fine), failed: 0 } };
        self.passed += passed;
        let failure = match item.tests {
            Some(expected) if failed > 0 => Some((failed, format!("{failed} of {expected} in {}", item.name))),
            Some(expected) if fine && passed != expected as u64 => {
                Some((1, format!("{}: {passed} of {expected} tests ran", item.name)))
            }
            _ if !fine => Some((1, format!("{}: {ending}", item.name))),
            _ => None,
        };
        let said = match &failure {
            Some((_, what)) => format!("FAILED: {what}"),
            None => format!("{} ok", item.name),
        };
        if let Some((count, what)) = failure {
            let excerpt = std::mem::take(&mut self.excerpt);
            self.failures.push(Failure { count, what, excerpt });
        }
        self.show(&said)
    }

    /// Guests run side by side: each line says whose it is.
    fn show(&self, line: &str) -> io::Result<()> {
        eprintln!("[{}] {line}", self.label);
        Ok(())
    }
}

impl Write for Watcher<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.unfinished.extend_from_slice(bytes);
        while let Some(end) = self.unfinished.iter().position(|&b| b == b'\n') {
            let line: Vec<u8> = self.unfinished.drain(..=end).collect();
            self.line(&String::from_utf8_lossy(&line))?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(name: &str, tests: Option<usize>) -> Item {
        Item { name: name.into(), command: vec!["true".into()], directory: "/".into(), tests }
    }

    fn told(items: &[Item], output: &str) -> (Counts, Vec<String>) {
        let mut watcher = Watcher::new("test", items);
        for part in output.as_bytes().chunks(7) {
            watcher.write_all(part).unwrap();
        }
        let mut report = Report::default();
        watcher.tell("test", &mut report);
        (report.counts(), report.notes().to_vec())
    }

    fn counts(passed: u64, failed: u64) -> Counts {
        Counts { passed, failed }
    }

    #[test]
    fn tests_inside_a_program_are_counted_one_by_one() {
        let items = [item("rust", Some(3)), item("shell", None)];
        let output = "@lab@ kernel 0\n@lab@ begin 0\ntest a ... ok\n---- b stdout ----\nleft is 1\nfailures:\n    b\n\
                      test result: FAILED. 2 passed; 1 failed; 0 ignored; finished in 0.08s\n\n@lab@ end 101\n\
                      @lab@ begin 1\nall well\n@lab@ end 0\n";
        let (found, notes) = told(&items, output);
        assert_eq!(found, counts(4, 1));
        assert_eq!(notes, ["FAILED: test: 1 of 3 in rust", "  | ---- b stdout ----", "  | left is 1"]);
    }

    #[test]
    fn a_crash_a_missing_test_and_a_wrong_kernel_are_failures() {
        let (found, _) = told(&[item("rust", Some(3))], "@lab@ kernel 0\n@lab@ begin 0\n@lab@ end 139\n");
        assert_eq!(found, counts(1, 1));
        let ran_two = "@lab@ kernel 0\n@lab@ begin 0\ntest result: ok. 2 passed; 0 failed\n@lab@ end 0\n";
        assert_eq!(told(&[item("rust", Some(3))], ran_two).0, counts(3, 1));
        assert_eq!(told(&[], "@lab@ kernel 1\n").0, counts(0, 1));
        assert_eq!(told(&[], "").0, counts(0, 1));
        assert_eq!(told(&[item("shell", None)], "@lab@ kernel 0\n").0, counts(1, 1));
    }

    #[test]
    fn the_script_is_one_that_a_shell_runs() {
        let mut items = vec![item("a", None)];
        items[0].command = vec!["echo".into(), "it's".into()];
        let status = std::process::Command::new("sh").args(["-n", "-c", &script(&items)]).status().unwrap();
        assert!(status.success());
    }
}
