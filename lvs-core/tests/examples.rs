//! The examples, run on embedded directors: what they are copied for is what they print.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod example;

use example::run;

#[test]
fn the_controller_goes_to_its_table_and_back_beside_somebody_else() {
    let text = run("controller", &[]);
    for part in
        ["would do:\n+ tcp://192.0.2.1:80 scheduler wrr", "3 of 3 steps done", "left to do: 0", "1 foreign services"]
    {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}

#[test]
fn the_top_talkers_have_their_rates() {
    let text = run("top_talkers", &[]);
    let rows: Vec<&str> = text.lines().map(str::trim).collect();
    // Twenty a second, three to one.
    assert_eq!(rows, ["15.0/s  198.51.100.7:80 of tcp://192.0.2.1:80", "5.0/s  198.51.100.8:80 of tcp://192.0.2.1:80"]);
}

#[test]
fn ten_thousand_clients_are_spread_by_weight() {
    let text = run("simulate_clients", &[]);
    let counts: Vec<u32> = text.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect();
    assert_eq!(counts[..4], [1000, 2000, 3000, 4000]);
    assert_eq!(counts[4..].iter().sum::<u32>(), 10_000, "{text}");
    assert_eq!(counts.len(), 7, "the one that failed gets none: {text}");
}
