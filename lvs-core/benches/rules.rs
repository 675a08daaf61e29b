//! Rules a second: `cargo bench -p lvs-core --bench rules`.
//!
//! One core; the best of many rounds so short that some are left alone by whatever else the machine
//! does. The comparison is with a program that only splits the same text into lines and words with
//! `std`, and with reading each line the way `ipvsadm -R` has to: as a list of owned words. Lines
//! with tabs are for `cargo xtask bench parse`.

#![allow(clippy::print_stdout, reason = "it prints its result")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use lvs_core::rules::{Dialect, Emitter, Parser};

const RULES: usize = 10_000;
const ROUNDS: usize = 400;

fn main() {
    let mut text = String::new();
    for rule in 0..RULES {
        let (a, b, c) = (rule >> 16 & 255, rule >> 8 & 255, rule & 255);
        let _ = writeln!(text, "-a -t 192.0.2.1:80 -r 10.{a}.{b}.{c}:80 -m -w 3");
    }
    println!("{RULES} lines such as `{}`, {} bytes", text.lines().next().unwrap_or_default(), text.len());

    for (name, dialect) in [("lossless", Dialect::Lossless), ("ipvsadm", Dialect::Ipvsadm)] {
        let parser = Parser::new(dialect);
        report(&format!("parse: {name} dialect, line by line"), || {
            parser.lines(text.as_bytes()).filter(|rule| black_box(rule).is_ok()).count()
        });
    }
    let parser = Parser::new(Dialect::Lossless);
    report("parse: whole text into a script", || parser.parse(&text).map_or(0, |script| script.rules.len()));
    let table = parser.parse(format!("-A -t 192.0.2.1:80\n{text}")).ok().and_then(|script| script.to_table().ok());
    let table = table.unwrap_or_default();
    report("emit: a table", || Emitter::new(Dialect::Lossless).table(&table).text.len() * RULES / text.len());
    report("parse: for comparison, split_ascii_whitespace alone", || {
        text.lines().filter(|line| black_box(line.split_ascii_whitespace().count()) > 0).count()
    });
    report("parse: for comparison, a Vec<String> a line", || {
        let words = |line: &str| line.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>();
        text.lines().filter(|line| !black_box(words(line)).is_empty()).count()
    });
}

fn report(what: &str, mut work: impl FnMut() -> usize) {
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let count = black_box(work());
        best = best.min(start.elapsed());
        assert!(count >= RULES * 9 / 10, "{what}: {count} rules came back");
    }
    let (case, contender) = what.split_once(": ").unwrap_or((what, "lvs-core"));
    println!("{case}\t{contender}\t{}\t{RULES}\trules", best.as_secs_f64());
    let rate = RULES as f64 / best.as_secs_f64() / 1e6;
    println!("{what:48} {rate:7.2} million rules/s {:8.1} ns/rule", best.as_nanos() as f64 / RULES as f64);
}
