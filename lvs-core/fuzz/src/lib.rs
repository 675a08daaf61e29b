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
//! An input that was found goes to `regressions/TARGET/`, where the replay reads it. The targets of
//! `lvsd` are a test of its own with the same replay, `examples/lvsd/tests/fuzz`: what it depends on
//! is not built here.

pub mod input;
pub mod json;
pub mod listings;
pub mod mutate;
pub mod netlink;
pub mod packets;
pub mod procfs;
pub mod replay;
pub mod rules;
pub mod wire;

pub use replay::Target;

/// All of them.
pub const TARGETS: [Target; 7] = [
    Target { name: "wire", run: wire::run, seeds: wire::seeds, executions: 40_000 },
    Target { name: "netlink", run: netlink::run, seeds: netlink::seeds, executions: 4_000 },
    Target { name: "packets", run: packets::run, seeds: packets::seeds, executions: 4_000 },
    Target { name: "rules", run: rules::run, seeds: rules::seeds, executions: 20_000 },
    Target { name: "procfs", run: procfs::run, seeds: procfs::seeds, executions: 40_000 },
    Target { name: "json", run: json::run, seeds: json::seeds, executions: 20_000 },
    Target { name: "listings", run: listings::run, seeds: listings::seeds, executions: 2_000 },
];

/// Runs a target on the files that the command line names.
///
/// # Errors
/// When a file cannot be read.
pub fn run_files(run: fn(&[u8])) -> std::io::Result<()> {
    std::env::args_os().skip(1).try_for_each(|file| std::fs::read(file).map(|bytes| run(&bytes)))
}
