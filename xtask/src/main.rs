//! The project's task runner: `cargo xtask help`.
fn main() {}
