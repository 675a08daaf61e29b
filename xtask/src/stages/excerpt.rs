//! What of a test program's output explains why it failed.

use std::collections::VecDeque;

/// Of what failed tests print: what is more is in the whole output.
const LONGEST: usize = 60;
/// Of a program that does not tell which test failed.
const LAST: usize = 15;
/// A line may be a whole file's difference.
const WIDEST: usize = 400;

/// Takes a program's output line by line and keeps what tells of a failure.
#[derive(Debug, Default)]
pub(super) struct Excerpt {
    failures: Vec<String>,
    last: VecDeque<String>,
    /// Whether a failed Rust test is speaking.
    inside: bool,
}

impl Excerpt {
    pub(super) fn take(&mut self, line: &str) {
        let line: String = line.trim_end().chars().take(WIDEST).collect();
        if line.is_empty() {
            return;
        }
        // libtest's parts are `---- name stdout ----`, and their names in a list follow.
        if line.starts_with("---- ") && line.ends_with(" ----") {
            self.inside = true;
        } else if line == "failures:" {
            self.inside = false;
        }
        // pytest's summary has a line for each.
        let tells = self.inside || line.starts_with("FAILED ") || line.starts_with("ERROR ");
        if tells && self.failures.len() < LONGEST {
            self.failures.push(line.clone());
        }
        if self.last.len() == LAST {
            self.last.pop_front();
        }
        self.last.push_back(line);
    }

    /// What failed tests have printed; of a program that names none, its last lines.
    pub(super) fn lines(self) -> impl Iterator<Item = String> {
        let lines = if self.failures.is_empty() { self.last.into() } else { self.failures };
        lines.into_iter().map(|line| format!("  | {line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excerpt(output: &str) -> Vec<String> {
        let mut excerpt = Excerpt::default();
        output.lines().for_each(|line| excerpt.take(line));
        excerpt.lines().collect()
    }

    #[test]
    fn a_failed_rust_test_is_shown_with_what_it_printed() {
        let output = "running 2 tests\ntest a ... ok\ntest b ... FAILED\n\nfailures:\n\n---- b stdout ----\n\n\
                      thread 'b' panicked at src/lib.rs:7:5:\nleft is 1\n\nfailures:\n    b\n\n\
                      test result: FAILED. 1 passed; 1 failed\n";
        let shown = ["  | ---- b stdout ----", "  | thread 'b' panicked at src/lib.rs:7:5:", "  | left is 1"];
        assert_eq!(excerpt(output), shown);
    }

    #[test]
    fn a_failed_python_test_is_shown_by_its_line_in_the_summary() {
        let output = "E   assert 1 == 2\nFAILED tests/test_a.py::test_b - assert 1 == 2\n1 failed in 0.1s\n";
        assert_eq!(excerpt(output), ["  | FAILED tests/test_a.py::test_b - assert 1 == 2"]);
    }

    #[test]
    fn of_any_other_program_the_end_is_shown() {
        let output: String = (0..100).map(|number| format!("line {number}\n\n")).collect();
        let shown = excerpt(&output);
        assert_eq!((shown.len(), shown[LAST - 1].as_str()), (LAST, "  | line 99"));
    }
}
