//! User-mode Linux's command line.

use super::kernel::Kernel;
use super::machine::Ports;
use super::options::Options;
use super::qemu::{guest_arguments, pinned};
use std::path::Path;
use std::process::Command;

pub(crate) fn command(options: &Options, kernel: &Kernel, ports: &Ports, scratch: &Path) -> Command {
    let mut linux = pinned(options, &kernel.vmlinux());
    linux
        .arg(format!("mem={}M", options.mem))
        .arg(format!("initrd={}", kernel.initramfs.display()))
        .args(["con=null", "con0=null,fd:1"])
        .arg(format!("ssl0=fd:{}", ports.control()))
        .arg(format!("ssl1=null,fd:{}", ports.out()))
        .arg(format!("ssl2=null,fd:{}", ports.err()))
        .arg(format!("uml_dir={}", scratch.display()))
        .args(["umid=lab", "quiet", "loglevel=4", "panic=-1", "oops=panic", "norandmaps"])
        .args(guest_arguments(options).split_whitespace())
        .env("LD_PRELOAD", kernel.ptrace_shim())
        // The guest's memory is a deleted file: let it not be one on a disk.
        .env("TMPDIR", "/dev/shm");
    linux
}
