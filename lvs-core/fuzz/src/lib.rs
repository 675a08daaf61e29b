//! What `lvs-core` must stand, whatever the bytes: one function for each target, which panics where
//! it does not.
//!
//! `tests/replay.rs` runs each with its seeds and with a number of inputs made from them
//! (`cargo test`, stable Rust); `cargo fuzz` runs the same functions under libFuzzer and
//! AddressSanitizer:
//!
//! ```text
//! cd lvs-core && RUSTC_BOOTSTRAP=1 cargo fuzz run wire
//! ```
//!
//! An input that was found goes to `regressions/TARGET/`, where the replay reads it.

pub mod input;
pub mod json;
pub mod mutate;
pub mod netlink;
pub mod packets;
pub mod procfs;
pub mod rules;
pub mod wire;

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

/// All of them.
pub const TARGETS: [Target; 6] = [
    Target { name: "wire", run: wire::run, seeds: wire::seeds, executions: 40_000 },
    Target { name: "netlink", run: netlink::run, seeds: netlink::seeds, executions: 4_000 },
    Target { name: "packets", run: packets::run, seeds: packets::seeds, executions: 4_000 },
    Target { name: "rules", run: rules::run, seeds: rules::seeds, executions: 20_000 },
    Target { name: "procfs", run: procfs::run, seeds: procfs::seeds, executions: 40_000 },
    Target { name: "json", run: json::run, seeds: json::seeds, executions: 20_000 },
];

/// Runs a target on the files that the command line names.
///
/// # Errors
/// When a file cannot be read.
pub fn run_files(run: fn(&[u8])) -> std::io::Result<()> {
    std::env::args_os().skip(1).try_for_each(|file| std::fs::read(file).map(|bytes| run(&bytes)))
}
