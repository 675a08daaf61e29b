//! What README.md promises: its shell sessions are run, and say what they say there.
//!
//! A block marked `console` holds commands behind `$ ` and what they print (their standard output);
//! a block marked `sh` holds commands that must succeed; one marked `c` or `python` holds a program
//! that must. All run in the workspace's directory. The commands that run all tests, or that need
//! what only the reader can give, stand in a block marked `text`. Rust programs are documentation
//! tests of lvs-core.

use super::Report;
use crate::error::{Context, Result};
use crate::project;
use fs_err as fs;
use std::process::{Command, Stdio};

pub(crate) fn run(report: &mut Report) -> Result<()> {
    for step in all()? {
        step.run(report, project::command("bash"))?;
    }
    Ok(())
}

/// All that README.md promises, in its order.
pub(crate) fn all() -> Result<Vec<Step>> {
    let text = fs::read_to_string(project::root().join("README.md"))?;
    Ok(blocks(&text).flat_map(|(language, body)| steps(language, &body)).collect())
}
/// A command, and what it prints if that is told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Step {
    command: String,
    output: Option<String>,
}

impl Step {
    /// Runs the command by a shell, which may be another machine's.
    pub(crate) fn run(&self, report: &mut Report, mut bash: Command) -> Result<()> {
        eprintln!("-> {}", self.command.lines().next().unwrap_or_default());
        bash.args(["-euo", "pipefail", "-c", &self.command]).stdin(Stdio::null()).stderr(Stdio::inherit());
        let output = bash.output().context(|| "cannot run bash".into())?;
        let command = self.command.trim_end();
        let printed = String::from_utf8_lossy(&output.stdout);
        match &self.output {
            Some(expected) if *expected != printed => {
                report.fail(format!("`{command}` printed\n{printed}instead of\n{expected}"));
            }
            _ if !output.status.success() => report.fail(format!("`{command}`: {}", output.status)),
            _ => report.pass(1),
        }
        Ok(())
    }
}

/// The fenced blocks of a Markdown text: language and contents.
pub(crate) fn blocks(text: &str) -> impl Iterator<Item = (&str, String)> {
    let mut lines = text.lines();
    std::iter::from_fn(move || {
        let language = lines.by_ref().find_map(|l| l.strip_prefix("```"))?;
        let body = lines.by_ref().take_while(|l| !l.starts_with("```")).map(|l| format!("{l}\n")).collect();
        Some((language.trim(), body))
    })
}

/// Builds the C program against the library as it is now.
const COMPILE_AND_RUN: &str = "cargo build -q -p lvs-ffi
cc -std=c11 -Wall -Wextra -Wpedantic -Werror -Iinclude target/readme.c -o target/readme target/debug/liblvs.a \
  -lgcc_s -lutil -lrt -lpthread -lm -ldl
target/readme
";

/// A command that writes a text to a file.
fn here(file: &str, text: &str) -> String {
    format!("cat > {file} <<'END_OF_PROGRAM'\n{text}END_OF_PROGRAM\n")
}

pub(crate) fn steps(language: &str, body: &str) -> Vec<Step> {
    match language {
        "sh" => vec![Step { command: body.to_owned(), output: None }],
        "c" => vec![Step { command: format!("{}{}", here("target/readme.c", body), COMPILE_AND_RUN), output: None }],
        "python" => {
            let command = format!("{}.venv/bin/python -W error target/readme.py\n", here("target/readme.py", body));
            vec![Step { command, output: None }]
        }
        "console" => {
            let mut steps: Vec<Step> = Vec::new();
            for line in body.lines() {
                if let Some(command) = line.strip_prefix("$ ") {
                    steps.push(Step { command: format!("{command}\n"), output: Some(String::new()) });
                } else if let Some(Step { command, output: Some(output) }) = steps.last_mut() {
                    // A line that ends in a backslash goes on in the next.
                    let text = if command.ends_with("\\\n") { command } else { output };
                    text.push_str(line);
                    text.push('\n');
                }
            }
            steps
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_found_in_a_text() {
        let text = "# A\n```sh\nmake\nmake install\n```\nwords\n```text\n$ not this\n```\n\
                    ```console\n$ echo a \\\n    b\na b\n$ true\n```\n";
        let found: Vec<Step> = blocks(text).flat_map(|(language, body)| steps(language, &body)).collect();
        let step =
            |command: &str, output: Option<&str>| Step { command: command.into(), output: output.map(Into::into) };
        assert_eq!(
            found,
            [step("make\nmake install\n", None), step("echo a \\\n    b\n", Some("a b\n")), step("true\n", Some(""))]
        );
    }
}
