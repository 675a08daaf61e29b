#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| lvs_core_fuzz::listings::run(bytes));

/// Without libFuzzer: runs the files that are named.
#[cfg(not(fuzzing))]
fn main() -> std::io::Result<()> {
    lvs_core_fuzz::run_files(lvs_core_fuzz::listings::run)
}
