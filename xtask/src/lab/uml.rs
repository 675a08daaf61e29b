//! User-mode Linux's command line.

use super::kernel::Kernel;
use super::machine::Ports;
use super::options::Options;
use super::qemu::{guest_arguments, pinned};
use crate::error::Result;
use crate::sys;
use std::path::Path;
use std::process::Command;

/// The command line of a run that may write below `out`, beside its own `scratch` directory.
pub(crate) fn command(
    options: &Options,
    kernel: &Kernel,
    ports: &Ports,
    scratch: &Path,
    out: &Path,
) -> Result<Command> {
    // The guest's memory is a deleted file: let it not be one on a disk, if there is space
    // elsewhere.
    let memory = Path::new("/dev/shm");
    let fits = sys::room(memory).is_ok_and(|room| room >= u64::from(options.mem) << 20);
    let memory = if fits { memory } else { scratch };
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
        .env("TMPDIR", memory);
    // The guest mounts the host's files read-only, but its root could change that: the process must
    // not be able to.
    sys::protect_files(&mut linux, &[scratch, out, memory])?;
    Ok(linux)
}
