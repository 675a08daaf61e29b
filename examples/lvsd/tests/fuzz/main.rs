//! What comes from outside the daemon, whatever its bytes: cluster files, requests on the control
//! socket, pages of metrics. The inputs are made as those of `lvs-core/fuzz` are, and are always the
//! same ones; `LVS_FUZZ_EXECUTIONS` and `LVS_FUZZ_SEED` make it another run. An input that was found
//! goes to `regressions/TARGET/` beside this file.
#![allow(clippy::print_stdout, reason = "a replay says what it has run")]

use std::path::Path;

mod cluster;
mod control;
mod metrics;
#[path = "../../../../lvs-core/fuzz/src/mutate.rs"]
#[allow(unreachable_pub, reason = "it is a module of another crate, too")]
mod mutate;
#[path = "../../../../lvs-core/fuzz/src/replay.rs"]
#[allow(unreachable_pub, reason = "it is a module of another crate, too")]
mod replay;

use replay::Target;

fn run(target: &Target) {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/regressions").join(target.name);
    replay::replay(target, &found);
}

#[test]
fn cluster_files() {
    run(&Target { name: "cluster", run: cluster::run, seeds: cluster::seeds, executions: 2_000 });
}

#[test]
fn control_requests() {
    run(&Target { name: "control", run: control::run, seeds: control::seeds, executions: 1_000 });
}

#[test]
fn metrics_pages() {
    run(&Target { name: "metrics", run: metrics::run, seeds: metrics::seeds, executions: 2_000 });
}

#[test]
fn seeds_are_accepted() {
    cluster::seeds_are_files();
    control::seeds_are_requests();
}
