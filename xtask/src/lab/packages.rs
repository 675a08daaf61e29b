//! Debian's kernel packages, and the programs that the lab needs on this machine.

use crate::error::{Context, Error, Result};
use crate::host;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the lab itself cannot do without: (program, package). busybox is looked at more closely below.
const NEEDED: [(&str, &str); 4] = [("depmod", "kmod"), ("dpkg-deb", "dpkg"), ("xz", "xz-utils"), ("zstd", "zstd")];
/// What people expect in the guest, which sees this machine's programs.
const TOOLS: [(&str, &str); 8] = [
    ("conntrack", "conntrack"),
    ("curl", "curl"),
    ("ethtool", "ethtool"),
    ("ip", "iproute2"),
    ("iptables", "iptables"),
    ("ipvsadm", "ipvsadm"),
    ("nc", "netcat-openbsd"),
    ("nft", "nftables"),
];
/// How many packages of a series are tried: a mirror may announce one that it no longer carries.
const TRIES: usize = 3;

/// Makes sure that an engine's programs, and (if asked for) the guest's tools, are there.
pub(crate) fn ensure(engine: super::Engine, tools: bool) -> Result<()> {
    let mut needed = NEEDED.to_vec();
    needed.push(match engine {
        super::Engine::Qemu => ("qemu-system-x86_64", "qemu-system-x86"),
        super::Engine::Uml => ("cc", "gcc"),
    });
    host::ensure_programs(&needed, "the lab needs them")?;
    if !host::which("busybox").is_some_and(|file| is_static(&file)) {
        host::install(&["busybox-static"], "the lab's guest starts with it")?;
    }
    if tools && let Err(error) = host::ensure_programs(&TOOLS, "tools for use in the lab") {
        eprintln!("lab: warning: {error}");
    }
    Ok(())
}

/// Whether an ELF program runs without a loader and libraries.
fn is_static(file: &Path) -> bool {
    fs::read(file).is_ok_and(|bytes| has_no_interpreter(&bytes).unwrap_or(false))
}

/// Reads the program headers of a 64-bit little-endian ELF file.
fn has_no_interpreter(elf: &[u8]) -> Option<bool> {
    const PT_INTERP: u32 = 3;
    let half = |at: usize| Some(u16::from_le_bytes(elf.get(at..at + 2)?.try_into().ok()?));
    let word = |at: usize| Some(u32::from_le_bytes(elf.get(at..at + 4)?.try_into().ok()?));
    let long = |at: usize| Some(u64::from_le_bytes(elf.get(at..at + 8)?.try_into().ok()?));
    if elf.get(..6)? != b"\x7fELF\x02\x01" {
        return None;
    }
    let (table, size, count) = (usize::try_from(long(32)?).ok()?, usize::from(half(54)?), usize::from(half(56)?));
    for i in 0..count {
        if word(table.checked_add(i * size)?)? == PT_INTERP {
            return Some(false);
        }
    }
    Some(true)
}

/// Fetches the newest package of a kernel series into `directory`: its name and its file.
pub(crate) fn download_kernel(series: &str, directory: &Path) -> Result<(String, PathBuf)> {
    // This happens once a series; with old lists it would be an old kernel for good.
    host::refresh_package_lists();
    let listed = host::capture(Command::new("apt-cache").args(["search", "--names-only", "^linux-image-[0-9]"]))?;
    let listed = String::from_utf8_lossy(&listed.stdout);
    let names = newest_first(listed.lines().filter_map(|l| l.split_whitespace().next()), series);
    let mut failure = None;
    for name in names.iter().take(TRIES) {
        match download(name, directory) {
            Ok(file) => return Ok((name.to_string(), file)),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    Err(failure.unwrap_or_else(|| {
        Error::new(format!("this machine's package sources have no kernel linux-image-{series}*-amd64"))
    }))
}

/// Fetches the package of user-mode Linux.
pub(crate) fn download_uml(directory: &Path) -> Result<(String, PathBuf)> {
    const NAME: &str = "user-mode-linux";
    let file = download(NAME, directory).or_else(|_| {
        host::refresh_package_lists();
        download(NAME, directory)
    })?;
    Ok((NAME.into(), file))
}

fn download(name: &str, directory: &Path) -> Result<PathBuf> {
    eprintln!("lab: downloading {name}");
    let mut command = Command::new("apt-get");
    // Without this, apt as root warns about a directory that its own user cannot enter.
    command.args(["-o", "APT::Sandbox::User=root", "download", name]).current_dir(directory);
    host::capture(&mut command).context(|| format!("cannot download {name} (is there a network?)"))?;
    fs::read_dir(directory)?
        .flatten()
        .map(|entry| entry.path())
        .find(|file| file.extension().is_some_and(|e| e == "deb"))
        .context(|| format!("apt-get download {name} left no package file"))
}

/// The plain amd64 kernels of a series, newest first. The `cloud` flavour has no 9p; `rt` is another kernel; the
/// signed and the `-unsigned` packages hold the same kernel, and the unsigned one is there for every build.
fn newest_first<'a>(names: impl Iterator<Item = &'a str>, series: &str) -> Vec<&'a str> {
    let mut found: Vec<&str> = names.filter(|name| is_of_series(name, series)).collect();
    found.sort_by_key(|name| std::cmp::Reverse((numbers(name), name.ends_with("-unsigned"))));
    found
}

fn is_of_series(name: &str, series: &str) -> bool {
    let Some(version) = name.strip_prefix("linux-image-") else {
        return false;
    };
    let version = version.strip_suffix("-unsigned").unwrap_or(version);
    let Some(version) = version.strip_suffix("-amd64") else {
        return false;
    };
    // A package called after the series alone (linux-image-6.12-amd64) only depends on the others.
    version.strip_prefix(series).is_some_and(|rest| rest.starts_with(['.', '+', '-', '~']))
        && !version.ends_with("-cloud")
        && !version.ends_with("-rt")
        && !version.ends_with("-dbg")
}

/// The numbers of a version, to compare: 6.1.0-9 comes before 6.1.0-10.
fn numbers(version: &str) -> Vec<u64> {
    version.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_plain_kernel_of_the_series_is_tried_first() {
        let names = [
            "linux-image-6.1.0-9-amd64-unsigned",
            "linux-image-6.1.0-56-amd64",
            "linux-image-6.1.0-56-amd64-unsigned",
            "linux-image-6.1.0-57-cloud-amd64-unsigned",
            "linux-image-6.1.0-57-rt-amd64",
            "linux-image-6.12-amd64",
            "linux-image-6.12.101+deb12-amd64-unsigned",
            "linux-image-6.12.99+deb12-amd64-unsigned",
        ];
        assert_eq!(
            newest_first(names.into_iter(), "6.1"),
            ["linux-image-6.1.0-56-amd64-unsigned", "linux-image-6.1.0-56-amd64", "linux-image-6.1.0-9-amd64-unsigned"]
        );
        assert_eq!(
            newest_first(names.into_iter(), "6.12"),
            ["linux-image-6.12.101+deb12-amd64-unsigned", "linux-image-6.12.99+deb12-amd64-unsigned"]
        );
        assert_eq!(newest_first(names.into_iter(), "6.12.99"), ["linux-image-6.12.99+deb12-amd64-unsigned"]);
        assert!(newest_first(names.into_iter(), "5.10").is_empty());
    }

    #[test]
    fn a_program_with_a_loader_is_not_static() {
        let mut elf = vec![0; 64 + 56];
        elf[..6].copy_from_slice(b"\x7fELF\x02\x01");
        elf[32] = 64; // where the program headers are
        elf[54] = 56; // the size of one
        elf[56] = 1; // their number
        assert_eq!(has_no_interpreter(&elf), Some(true));
        elf[64] = 3; // PT_INTERP
        assert_eq!(has_no_interpreter(&elf), Some(false));
        elf[56] = 2; // one more than the file holds
        elf[64] = 1;
        assert_eq!(has_no_interpreter(&elf), None);
        assert_eq!(has_no_interpreter(b"#!/bin/sh"), None);
    }
}
