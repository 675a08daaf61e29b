//! Our `ipvsadm` beside Debian's, on the running kernel: the same output, messages, statuses and
//! tables.
//!
//! Both get the same command lines and rules files, each in a network namespace of its own.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail loudly")]

#[path = "ipvsadm/generate.rs"]
mod generate;
#[path = "ipvsadm/run.rs"]
mod run;
#[path = "ipvsadm/traffic.rs"]
mod traffic;

use std::fmt::Write as _;
use std::time::Instant;

use generate::Generator;
use run::{Case, Runner, Witness};

/// Debian's.
const THEIRS: &str = "/sbin/ipvsadm";
/// Ours: where the runner says, else where it was built.
fn ours() -> &'static str {
    let path = std::env::var("NEXTEST_BIN_EXE_ipvsadm");
    path.map_or(env!("CARGO_BIN_EXE_ipvsadm"), |path| Box::leak(path.into_boxed_str()))
}

/// How many cases: a good sample, or as many as `LVS_TEST_CASES` says (3200 take some minutes in
/// the lab).
fn cases() -> usize {
    std::env::var("LVS_TEST_CASES").map_or(600, |count| count.parse().unwrap())
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn both_programs_answer_alike_and_leave_the_same_table() {
    run::require_kernel();
    let count = cases();
    let start = Instant::now();
    let mut generator = Generator::new(0x1b5_ad31);
    let script: Vec<Case> = (0..count).map(|_| generator.case()).collect();
    // One after the other rather than at once: each has its namespace, but the machine has one
    // processor.
    let theirs = Runner::in_new_namespace(THEIRS, script.clone());
    let ours = Runner::in_new_namespace(ours(), script.clone());
    let mut wrong = String::new();
    let mut differing = 0;
    let mut statuses = std::collections::BTreeMap::new();
    for (index, (theirs, ours)) in theirs.iter().zip(&ours).enumerate() {
        *statuses.entry(theirs.status).or_insert(0usize) += 1;
        if theirs == ours {
            continue;
        }
        differing += 1;
        if differing <= 40 {
            let _ = writeln!(wrong, "case {index}: {}\n{}", script[index], Witness::difference(theirs, ours));
        }
    }
    println!("{count} cases in {:.0} s; exit statuses of theirs: {statuses:?}", start.elapsed().as_secs_f64());
    assert!(count < 500 || statuses.len() >= 4, "the cases are too much alike: {statuses:?}");
    assert_eq!(differing, 0, "of {count} cases:\n{wrong}");
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn both_programs_list_the_same_after_real_traffic() {
    run::require_kernel();
    traffic::in_new_namespace(|| {
        let mut wrong = String::new();
        let mut count = 0;
        for args in traffic::listings() {
            count += 1;
            if let Err(difference) = traffic::same(THEIRS, ours(), &args) {
                let _ = writeln!(wrong, "{}\n{difference}", args.join(" "));
            }
        }
        println!("{count} listings");
        assert_eq!(wrong, "");
    });
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn debians_program_restores_what_ours_saves() {
    run::require_kernel();
    run::restores_across(THEIRS, ours());
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn an_unreadable_file_changes_nothing_and_a_refused_rule_is_named_by_its_line() {
    run::require_kernel();
    run::all_or_nothing(ours());
}
