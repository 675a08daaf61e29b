//! Each target with its seeds, with what was found before, and with a number of inputs made from
//! the seeds: always the same ones, so that no run depends on time or chance. `LVS_FUZZ_EXECUTIONS`
//! and `LVS_FUZZ_SEED` make it another run.

use std::panic::catch_unwind;
use std::path::Path;

use lvs_core_fuzz::mutate::{self, Random};
use lvs_core_fuzz::{TARGETS, Target};

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
}

fn replay(name: &str) {
    let Target { run, seeds, executions, .. } = TARGETS.iter().find(|target| target.name == name).expect("a target");
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
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions").join(name);
    let mut regressions = 0;
    for entry in std::fs::read_dir(&found).into_iter().flatten().flatten() {
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

macro_rules! replays {
    ($($name:ident)*) => { $(
        #[test]
        fn $name() {
            replay(stringify!($name));
        }
    )* };
}

replays!(wire netlink packets rules procfs json);
