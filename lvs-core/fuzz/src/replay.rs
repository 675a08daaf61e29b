//! A target on inputs that are always the same.

use std::panic::catch_unwind;
use std::path::Path;

use crate::mutate::{self, Random};

/// A target.
pub struct Target {
    /// As `cargo fuzz` calls it.
    pub name: &'static str,
    /// Runs one input.
    pub run: fn(&[u8]),
    /// Inputs that reach far.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// How many inputs the replay makes.
    pub executions: u32,
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
}

/// Runs a target with its seeds, with the files of a directory, if it is there, and with a number
/// of inputs made from the seeds. `LVS_FUZZ_EXECUTIONS` and `LVS_FUZZ_SEED` make it another run.
///
/// # Panics
/// When an input fails, which is kept in a file first.
pub fn replay(target: &Target, found: &Path) {
    let Target { name, run, seeds, executions } = target;
    let run_one = |input: &[u8], what: &str| {
        if catch_unwind(|| run(input)).is_err() {
            let file = std::env::temp_dir().join(format!("lvs-fuzz-{name}"));
            std::fs::write(&file, input).expect("the input can be kept");
            panic!("{name}: {what} fails; it is kept in {}", file.display());
        }
    };
    let seeds = seeds();
    for (index, seed) in seeds.iter().enumerate() {
        run_one(seed, &format!("seed {index}"));
    }
    let mut regressions = 0;
    for entry in std::fs::read_dir(found).into_iter().flatten().flatten() {
        run_one(&std::fs::read(entry.path()).expect("a readable file"), &entry.path().display().to_string());
        regressions += 1;
    }
    let mut random = Random(number("LVS_FUZZ_SEED", 1));
    let executions = number("LVS_FUZZ_EXECUTIONS", u64::from(*executions));
    for execution in 0..executions {
        run_one(&mutate::input(&mut random, &seeds), &format!("input {execution}"));
    }
    println!("{name}: {} seeds, {regressions} regressions, {executions} inputs", seeds.len());
}
