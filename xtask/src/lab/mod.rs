//! The lab: runs a command as root in a real Linux kernel that has IPVS, on a machine that has
//! none.
//!
//! QEMU (pure emulation, no KVM) boots an unmodified Debian kernel as an uncompressed ELF with a
//! small initramfs; the guest's root is the host's own, read-only over 9p, under a throw-away
//! overlay. Command, output and exit status travel over virtio serial ports. The first run of a
//! configuration saves the booted state, later runs resume it. The second engine, user-mode Linux,
//! runs an older kernel as a process of this machine at near native speed.
//!
//! | file | holds |
//! |---|---|
//! | `options` | the command line, and what a run may be asked for |
//! | `archive` | Debian's releases, whatever this machine's own is |
//! | `packages` | finding and fetching Debian's kernel packages |
//! | `programs` | programs to compare with, always of the same release |
//! | `kernel` | the cache: a kernel ready to boot, made from a package |
//! | `image` | the uncompressed kernel, the choice of modules, the initramfs (`cpio` writes it) |
//! | `init.sh` | the guest's first process |
//! | `guest` | the script the guest runs, and its environment |
//! | `machine` | a running guest: its ports, its end |
//! | `qemu`, `uml` | how each engine is started |
//! | `snapshot` | the booted state, saved once |
//! | `run` | one whole run |

mod archive;
mod cpio;
mod guest;
mod image;
mod kernel;
mod machine;
mod options;
mod packages;
mod programs;
mod qemu;
mod run;
mod snapshot;
mod uml;

pub(crate) use archive::mirrors;
pub(crate) use guest::quoted;
pub(crate) use kernel::cache;
pub(crate) use options::{Clock, Engine, Job, Options, series};
pub(crate) use programs::{ipvsadm_binaries, ipvsadm_sources};
pub(crate) use run::{End, run};

use crate::error::Result;
use std::ffi::OsString;
use std::os::fd::AsFd;
use std::process::ExitCode;

/// Exit status of a run that took longer than `--timeout`.
const TIMED_OUT: u8 = 124;
/// Exit status when the lab itself failed: nothing is known about the command.
const FAILED: u8 = 125;
/// Exit status of a run that was interrupted.
const INTERRUPTED: u8 = 130;

/// `cargo xtask lab ...`
pub(crate) fn main(arguments: Vec<OsString>) -> ExitCode {
    match main_inner(arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("lab: {error}");
            ExitCode::from(FAILED)
        }
    }
}

fn main_inner(arguments: Vec<OsString>) -> Result<ExitCode> {
    let (options, job) = match options::parse(arguments) {
        Ok(Some(parsed)) => parsed,
        Ok(None) => {
            print!("{}", options::HELP);
            return Ok(ExitCode::SUCCESS);
        }
        Err(error) => {
            eprintln!("lab: {error}\nlab: see `cargo xtask lab --help`");
            return Ok(ExitCode::from(2));
        }
    };
    let Some(job) = job else {
        print!("{}", kernel::prepare(&options)?.description()?);
        return Ok(ExitCode::SUCCESS);
    };
    let signals = crate::sys::signals()?;
    let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
    Ok(match run(&options, &job, &mut out, &mut err, Some(signals.as_fd()))? {
        // A status above 255 cannot come out of a shell.
        End::Exited(status) => ExitCode::from(u8::try_from(status).unwrap_or(FAILED)),
        End::TimedOut(why) => {
            eprintln!("lab: {why}");
            ExitCode::from(TIMED_OUT)
        }
        End::Interrupted => ExitCode::from(INTERRUPTED),
    })
}
