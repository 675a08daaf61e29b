//! The rules language against recorded behaviour, files of cases, and random input.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fmt::Write as _;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use lvs_core::model::Protocol;
use lvs_core::rules::{self, Command, Dialect, Emitter, Parser, Resolver};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/rules").join(name)
}

/// The `.in` files of a folder, each with what its `.out` file is to hold.
fn cases(folder: &str) -> Vec<(PathBuf, String, PathBuf)> {
    let mut found: Vec<_> = fs::read_dir(data(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "in"))
        .map(|path| (path.clone(), fs::read_to_string(&path).unwrap(), path.with_extension("out")))
        .collect();
    found.sort();
    assert!(!found.is_empty(), "{folder} has cases");
    found
}

/// Parses, prints, compares.
#[track_caller]
fn verified(text: &str) {
    same_as(text, text);
}

/// Two spellings that mean the same and print as the second.
#[track_caller]
fn same_as(text: &str, canonical: &str) {
    let first = rules::parse(text).unwrap_or_else(|errors| panic!("{errors}"));
    let printed = Emitter::new(Dialect::Lossless).script(&first);
    assert_eq!(printed.text, canonical);
    assert_eq!(printed.losses, []);
    let second = rules::parse(&printed.text).unwrap_or_else(|errors| panic!("{errors}"));
    let commands = |script: &rules::Script| script.rules.iter().map(|rule| rule.command).collect::<Vec<_>>();
    assert_eq!(commands(&first), commands(&second));
}

#[test]
fn valid_files_print_in_canonical_form_and_read_back_the_same() {
    for (path, text, expected) in cases("valid") {
        println!("{}", path.display());
        let expected = fs::read_to_string(expected).unwrap();
        same_as(&text, &expected);
        verified(&expected);
    }
}

#[test]
fn every_invalid_rule_is_reported_at_its_position() {
    for (path, text, expected) in cases("invalid") {
        let errors = rules::parse(&text).expect_err("the file has mistakes");
        let found = format!("{errors}\n");
        if std::env::var_os("LVS_TEST_BLESS").is_some() {
            fs::write(&expected, &found).unwrap();
        }
        assert_eq!(found, fs::read_to_string(&expected).unwrap(), "{}", path.display());
        for error in &errors {
            let line = text.lines().nth(error.line() - 1).unwrap();
            let start = text.lines().take(error.line() - 1).map(|line| line.len() + 1).sum::<usize>();
            assert_eq!(start + error.column() - 1, error.span().start, "{error}");
            assert!(error.span().end <= start + line.len(), "{error}");
        }
    }
}

#[test]
fn a_port_that_the_forwarding_method_does_not_honour_is_warned_about_at_its_place() {
    let text = "-A -t 192.0.2.1:443 -s wrr\n\
                -a -t 192.0.2.1:443 -r 198.51.100.7:8443 -g\n\
                \t-a -t 192.0.2.1:443 -r 198.51.100.8:8443 -i -w 1\n\
                #lvs -a -t 192.0.2.1:443 -r 198.51.100.9:8443 --forwarding local\n\
                # none of these:\n\
                -a -t 192.0.2.1:443 -r 198.51.100.10:8443 -m\n\
                -a -t 192.0.2.1:443 -r 198.51.100.11 -g\n\
                -a -t 192.0.2.1:443 -r 198.51.100.12:0 -g\n\
                -d -t 192.0.2.1:443 -r 198.51.100.11:443\n\
                -A -f 7\n\
                -a -f 7 -r 198.51.100.7:8443 -g\n\
                -A -t 192.0.2.2:0 -p 300\n\
                -e -t 192.0.2.2:0 -r [2001:db8::7]:80 -i\n";
    let script = rules::parse(text).unwrap_or_else(|errors| panic!("{errors}"));
    let places: Vec<_> = script.warnings.iter().map(|warning| (warning.line(), warning.column())).collect();
    assert_eq!(places, [(2, 24), (3, 25), (4, 29), (13, 22)]);
    for (warning, given) in script.warnings.iter().zip(["198.51.100.7:", "198.51.100.8:", "198.51.100.9:", "[2001:"]) {
        assert!(text[warning.span()].starts_with(given), "{warning}");
    }
    assert_eq!(
        script.warnings[0].to_string(),
        "line 2, column 24: port 8443 is never reached, since direct does not rewrite ports: use port 443, or masquerade\n  \
         |\n2 | -a -t 192.0.2.1:443 -r 198.51.100.7:8443 -g\n  |                        ^^^^^^^^^^^^^^^^^"
    );
    assert!(script.warnings[3].message().ends_with("use port 0, which keeps the client's, or masquerade"));
    // It is taken as ipvsadm takes it; both dialects say so.
    let Command::AddServer(_, taken) = script.rules[1].command else { panic!("{:?}", script.rules[1]) };
    assert_eq!(taken.key.port, 443);
    let bug_for_bug = Parser::new(Dialect::Ipvsadm).parse("-a -t 192.0.2.1:443 -r 198.51.100.7:8443 -g -w 1").unwrap();
    assert_eq!(bug_for_bug.warnings[0].column(), 24);
}

#[test]
fn twenty_invalid_lines_give_twenty_diagnostics() {
    let text = fs::read_to_string(data("invalid/twenty-mistakes.in")).unwrap();
    let errors = rules::parse(text).unwrap_err();
    let mut lines: Vec<_> = errors.iter().map(rules::SyntaxError::line).collect();
    assert!(lines.is_sorted());
    lines.dedup();
    assert!(lines.len() >= 20, "{lines:?}");
}

/// The names that the recorded lines use, as Debian's `/etc/services` and `/etc/hosts` have them.
struct Recorded;

impl Resolver for Recorded {
    fn addresses(&self, host: &str) -> Vec<IpAddr> {
        if host == "localhost" { vec!["::1".parse().unwrap(), "127.0.0.1".parse().unwrap()] } else { Vec::new() }
    }

    fn port(&self, name: &str, protocol: Protocol) -> Option<u16> {
        match (name, protocol) {
            ("http" | "www", Protocol::Tcp) => Some(80),
            ("domain", Protocol::Tcp | Protocol::Udp) => Some(53),
            _ => None,
        }
    }
}

/// A shell's words: blanks separate, single quotes protect.
fn shell_words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = None;
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_with(String::new);
            }
            ' ' if !quoted => words.extend(word.take()),
            c => word.get_or_insert_with(String::new).push(c),
        }
    }
    words.extend(word);
    words
}

/// What ipvsadm said to a line: `!` status and message, `=` a line of the table that it made (none:
/// only that it took the line).
#[test]
fn ipvsadm_and_the_compatible_dialect_agree_on_every_recorded_line() {
    let recorded = fs::read_to_string(data("ipvsadm/recorded.txt")).unwrap();
    let parser = Parser::new(Dialect::Ipvsadm).with_resolver(&Recorded).first_error_only();
    let mut wrong = String::new();
    let mut count = 0;
    let mut lines = recorded.lines().filter(|line| !line.starts_with('#')).peekable();
    while let Some(case) = lines.next() {
        let args = shell_words(case.strip_prefix("$ ").unwrap());
        let mut expected = Vec::new();
        while let Some(line) = lines.next_if(|line| !line.starts_with("$ ")) {
            expected.push(line.trim_end().replace("\\n", "\n"));
        }
        let mut found = Vec::new();
        match parser.command(&args) {
            Err(errors) => {
                let message = errors.first().ipvsadm("ipvsadm");
                found.push(format!("! {} {}", message.status, message.text.strip_suffix('\n').unwrap()));
            }
            Ok(command) => {
                let shown = matches!(command, Command::AddService(_) | Command::AddServer(..));
                let text = Emitter::new(Dialect::Ipvsadm).command(&command).text;
                // What the kernel refused is recorded as taken, without a line.
                let taken = !shown || expected == ["="] || expected.is_empty();
                found.push(if taken { "=".to_owned() } else { format!("= {}", text.trim_end()) });
            }
        }
        if expected.is_empty() {
            // ipvsadm crashed: that we said something is enough.
            expected.clone_from(&found);
        }
        if found.iter().map(|line| line.trim_end()).ne(expected.iter().map(|line| line.trim_end())) {
            let _ = writeln!(wrong, "{case}\n  ipvsadm: {expected:?}\n  ours:    {found:?}");
        }
        count += 1;
    }
    assert_eq!(wrong, "");
    assert!(count > 500, "only {count} lines were recorded");
}
