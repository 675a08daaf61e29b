//! Gives the shared library its soname: the part of the version that a compatible release keeps.

fn main() {
    let part = |name: &str| std::env::var(name).unwrap_or_default();
    let (major, minor) = (part("CARGO_PKG_VERSION_MAJOR"), part("CARGO_PKG_VERSION_MINOR"));
    // Before 1.0 a minor release may break the ABI, so the minor number is part of the name.
    let abi = if major == "0" { format!("0.{minor}") } else { major };
    if part("CARGO_CFG_TARGET_OS") == "linux" {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,liblvs.so.{abi}");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
