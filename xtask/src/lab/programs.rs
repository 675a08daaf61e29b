//! Programs whose answers tests compare ours with, always of the same release: in the guest they
//! take the place of this machine's own.

use super::archive::{self, Archive};
use super::kernel::{Scratch, lock};
use crate::error::Result;
use fs_err as fs;
use std::path::{Path, PathBuf};

/// The program, and the libraries that no other package of a plain machine brings.
const PACKAGES: [&str; 4] = ["ipvsadm", "libnl-3-200", "libnl-genl-3-200", "libpopt0"];
/// Raised when what lies in the directory changes its meaning.
const FORMAT: &str = "format 1\n";

/// The directory of the programs, filled if need be: `sbin`, and `lib` for what a guest's root may
/// lack.
pub(super) fn prepare(cache: &Path, update: bool) -> Result<PathBuf> {
    let directory = cache.join("programs");
    let complete = fs::read_to_string(directory.join("info")).is_ok_and(|info| info == FORMAT);
    if complete && !update {
        return Ok(directory);
    }
    let scratch = Scratch::new(cache)?;
    let (unpacked, made) = (scratch.path.join("package"), scratch.path.join("programs"));
    match fill(cache, &scratch.path, &unpacked, &made) {
        Ok(()) => {
            let _ = fs::remove_dir_all(&directory);
            fs::rename(made, &directory)?;
        }
        Err(error) if complete => eprintln!("lab: warning: {error}\nlab: going on with the programs in the cache"),
        Err(error) => return Err(error),
    }
    Ok(directory)
}

/// The same for programs of this machine: every release of Debian since runs them.
pub(crate) fn ipvsadm_binaries() -> Result<PathBuf> {
    let cache = super::cache()?;
    let _one = lock(&cache.join("lock"), || {})?;
    prepare(&cache, false)
}

/// The sources of that release's ipvsadm as upstream has them.
pub(crate) fn ipvsadm_sources() -> Result<PathBuf> {
    let cache = super::cache()?;
    let directory = cache.join("sources").join("ipvsadm");
    if directory.is_dir() {
        return Ok(directory);
    }
    let scratch = Scratch::new(&cache)?;
    let unpacked = scratch.path.join("unpacked");
    Archive::open_sources(archive::BOOKWORM, &cache)?.unpack_upstream("ipvsadm", &scratch.path, &unpacked)?;
    fs::create_dir_all(cache.join("sources"))?;
    match fs::rename(unpacked, &directory) {
        // Another run was faster.
        Err(_) if directory.is_dir() => {}
        other => other?,
    }
    Ok(directory)
}

fn fill(cache: &Path, scratch: &Path, unpacked: &Path, made: &Path) -> Result<()> {
    Archive::open(archive::BOOKWORM, cache)?.unpack(&PACKAGES.map(str::to_owned), scratch, unpacked)?;
    // The release that the packages are from still had directories of its own below `/`.
    for (to, from) in [("sbin", ["sbin", "usr/sbin"]), ("lib", ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"])] {
        let to = made.join(to);
        fs::create_dir_all(&to)?;
        for directory in from.map(|from| unpacked.join(from)).iter().filter(|d| d.is_dir()) {
            for entry in fs::read_dir(directory)? {
                let entry = entry?;
                fs::rename(entry.path(), to.join(entry.file_name()))?;
            }
        }
    }
    Ok(fs::write(made.join("info"), FORMAT)?)
}
