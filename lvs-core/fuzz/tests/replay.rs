//! Each target with its seeds, with what was found before, and with a number of inputs made from
//! the seeds: always the same ones, so that no run depends on time or chance.

use std::path::Path;

use lvs_core_fuzz::TARGETS;

fn replay(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target");
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions").join(name);
    lvs_core_fuzz::replay::replay(target, &found);
}

macro_rules! replays {
    ($($name:ident)*) => { $(
        #[test]
        fn $name() {
            replay(stringify!($name));
        }
    )* };
}

replays!(wire netlink packets rules procfs json listings);
