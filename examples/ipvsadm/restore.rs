//! `-R`: rules from the standard input.

use std::io::{self, Read as _, Write as _};

use lvs_core::director::{BatchReport, OnRefusal, Operation};
use lvs_core::rules::Command;

use crate::execute::Session;
use crate::messages::{Exit, refused, text};

/// So many changes at most wait for each other.
const BATCH: usize = 4096;

/// Reads rules and carries them out.
pub(crate) fn restore(session: &mut Session<'_>) -> Result<Exit, Exit> {
    let mut rules = Vec::new();
    io::stdin()
        .lock()
        .read_to_end(&mut rules)
        .map_err(|error| Exit::failed(2, format!("cannot read the standard input: {error}\n")))?;
    if session.ours.lossless { whole(session, &rules) } else { line_by_line(session, &rules) }
}

/// As `ipvsadm` does it: refusals and misspelt options are reported and passed over, other errors
/// end everything where they stand, and the last line's status is that of all.
///
/// The changes of consecutive lines travel together. What a line prints, those before it have had
/// their say.
// DIFFERENCE: ipvsadm opens a socket and looks the family up for every line.
fn line_by_line(session: &mut Session<'_>, rules: &[u8]) -> Result<Exit, Exit> {
    let mut waiting = Vec::new();
    let mut last = 0;
    for line in session.parser.lines(rules) {
        match line {
            Ok(rule) => match rule.command.operation() {
                Some(operation) => {
                    waiting.push(operation);
                    if waiting.len() == BATCH {
                        last = apply(session, &mut waiting)?;
                    }
                }
                None => {
                    apply(session, &mut waiting)?;
                    let exit = command(session, &rule.command)?;
                    last = exit.status;
                }
            },
            Err(errors) => {
                apply(session, &mut waiting)?;
                // The lines are read under this name, however the program was called.
                let exit = Exit::compat(errors.first(), session.program);
                if exit.aborts {
                    return Err(exit);
                }
                complain(exit.message.as_deref().unwrap_or_default());
                last = exit.status;
            }
        }
    }
    if !waiting.is_empty() {
        last = apply(session, &mut waiting)?;
    }
    Ok(Exit { status: last, message: None, aborts: false })
}

fn command(session: &mut Session<'_>, command: &Command) -> Result<Exit, Exit> {
    let exit = session.execute(command)?;
    if exit.aborts { Err(exit) } else { Ok(exit) }
}

fn complain(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Applies what waits, complains of each refusal, and returns the status of the last one.
fn apply(session: &mut Session<'_>, waiting: &mut Vec<Operation>) -> Result<u8, Exit> {
    if waiting.is_empty() {
        return Ok(0);
    }
    let report = session.backend.director().apply(waiting, OnRefusal::Continue);
    let mut complaints = String::new();
    for failure in &report.refused {
        complaints.push_str(&refused(&failure.error));
        complaints.push('\n');
    }
    complain(&complaints);
    if let Some(error) = report.interrupted {
        return Err(Exit::refused(&error));
    }
    let last = waiting.len() - 1;
    waiting.clear();
    Ok(if report.refused.last().is_some_and(|failure| failure.index == last) { 255 } else { 0 })
}

/// The whole text or nothing, as far as its own errors go; what the director refuses is named by
/// its line, with what is in force afterwards.
fn whole(session: &mut Session<'_>, rules: &[u8]) -> Result<Exit, Exit> {
    let invalid = |errors| Exit::failed(2, format!("{errors}\nnothing was changed\n"));
    let script = session.parser.parse(rules).map_err(invalid)?;
    let operations = script.operations().map_err(invalid)?;
    let line = |index: usize| script.rules.get(index).map_or(0, |rule| rule.line);
    let report = session.backend.director().apply(&operations, OnRefusal::Continue);
    if report.is_complete() {
        return Ok(Exit::SUCCESS);
    }
    let mut message = String::new();
    for failure in &report.refused {
        message.push_str(&format!("line {}: {}\n", line(failure.index), failure.error));
    }
    message.push_str(&in_force(&report, operations.len(), line));
    Err(Exit::failed(1, message))
}

/// What took effect of a batch that did not take effect in full.
fn in_force(report: &BatchReport, count: usize, line: impl Fn(usize) -> usize) -> String {
    let applied = report.applied();
    let mut message = String::new();
    if let Some(error) = &report.interrupted {
        message.push_str(&format!("{}\n", text(error)));
    }
    message.push_str(&format!("{applied} of {count} rules are in force"));
    if report.answered < count {
        let first = line(report.answered);
        if report.sent > report.answered {
            message.push_str(&format!("; from line {first} on it is not known which are"));
        } else {
            message.push_str(&format!("; those from line {first} on were not tried"));
        }
    }
    message.push('\n');
    message
}
