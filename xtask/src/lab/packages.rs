//! Debian's kernel packages, and the programs that the lab needs on this machine.

use super::archive::{self, Archive, Release};
use crate::error::{Error, Result};
use crate::host;
use fs_err as fs;
use std::collections::BTreeSet;
use std::path::Path;

/// What the lab itself cannot do without: (program, package). busybox is looked at more closely
/// below.
const NEEDED: [(&str, &str); 4] = [("depmod", "kmod"), ("dpkg-deb", "dpkg"), ("xz", "xz-utils"), ("zstd", "zstd")];
/// What people expect in the guest, which sees this machine's programs.
const TOOLS: [(&str, &str); 7] = [
    ("conntrack", "conntrack"),
    ("curl", "curl"),
    ("ethtool", "ethtool"),
    ("ip", "iproute2"),
    ("iptables", "iptables"),
    ("nc", "netcat-openbsd"),
    ("nft", "nftables"),
];
/// Where a kernel is looked for. The first release that has the series is taken, and the smallest
/// lists come first; the last one has whatever is newest.
const RELEASES: [Release; 4] = [archive::TRIXIE_BACKPORTS, archive::BOOKWORM, archive::TRIXIE, archive::SID];
/// What the packages of kernels are called.
const KERNELS: &str = "^linux-image-[0-9]";
/// Packages that hold a part of the kernel: their names go on with its version.
const PARTS: [&str; 3] = ["linux-base-", "linux-binary-", "linux-modules-"];
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

/// The package of the newest kernel of a series, by lists that may be a day old.
pub(super) fn newest_kernel(series: &str, cache: &Path) -> Result<String> {
    for release in RELEASES {
        let names = Archive::look_up(release, cache)?.names(KERNELS)?;
        if let Some(name) = newest_first(names.iter().map(String::as_str), series).first() {
            return Ok((*name).to_owned());
        }
    }
    Err(Error::new(format!("Debian has no kernel {series}")))
}

/// Whether two packages hold the same kernel: there is a signed and an unsigned one of each.
pub(super) fn same_kernel(one: &str, other: &str) -> bool {
    version_of(one).is_some() && version_of(one) == version_of(other)
}

/// Fetches the newest kernel of a series and unpacks it below `to`. Answers the package's name.
pub(super) fn unpack_kernel(series: &str, cache: &Path, scratch: &Path, to: &Path) -> Result<String> {
    let mut seen = BTreeSet::new();
    let mut failures = Vec::new();
    for release in RELEASES {
        let names = match Archive::open(release, cache).and_then(|a| Ok((a.names(KERNELS)?, a))) {
            Ok((names, archive)) => {
                for name in newest_first(names.iter().map(String::as_str), series).into_iter().take(TRIES) {
                    match unpack_parts(&archive, name, scratch, to) {
                        Ok(()) => return Ok(name.to_owned()),
                        Err(error) => failures.push(error.to_string()),
                    }
                }
                names
            }
            // A mirror may not carry it (any more); another release may have the series.
            Err(error) => {
                failures.push(error.to_string());
                continue;
            }
        };
        seen.extend(names.iter().filter_map(|name| numbers(version_of(name)?).get(..2).map(<[u64]>::to_vec)));
    }
    let names: Vec<&str> = RELEASES.iter().map(|r| r.name).collect();
    let seen: Vec<String> = seen.iter().map(|v| format!("{}.{}", v[0], v[1])).collect();
    let known = format!("Debian's {} have no kernel {series}, but {}", names.join(", "), seen.join(", "));
    Err(Error::new(if failures.is_empty() { known } else { failures.join("\n") }))
}

/// Unpacks a kernel whose package may only depend on those that hold its parts, as it does since
/// 6.19.
fn unpack_parts(archive: &Archive, name: &str, scratch: &Path, to: &Path) -> Result<()> {
    let mut parts = archive.dependencies(name)?;
    parts.retain(|part| PARTS.iter().any(|start| is_part(part, start)));
    parts.push(name.to_owned());
    archive.unpack(&parts, scratch, to)
}

/// Fetches user-mode Linux and unpacks it below `to`. Answers the package's name.
pub(super) fn unpack_uml(cache: &Path, scratch: &Path, to: &Path) -> Result<String> {
    // As that release was published: this kernel is there for what it does otherwise than later
    // ones.
    let name = format!("user-mode-linux/{}", archive::BOOKWORM.name);
    Archive::open(archive::BOOKWORM, cache)?.unpack(std::slice::from_ref(&name), scratch, to)?;
    Ok(name)
}

/// The plain amd64 kernels of a series, newest first. The `cloud` flavour has no 9p; `rt` is
/// another kernel; the signed and the `-unsigned` packages hold the same kernel, and the unsigned
/// one is there for every build.
fn newest_first<'a>(names: impl Iterator<Item = &'a str>, series: &str) -> Vec<&'a str> {
    let mut found: Vec<&str> = names.filter(|name| is_of_series(name, series)).collect();
    found.sort_by_key(|name| std::cmp::Reverse((numbers(name), name.ends_with("-unsigned"))));
    found
}

fn is_of_series(name: &str, series: &str) -> bool {
    let version = version_of(name).and_then(|version| version.strip_prefix(series));
    version.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '+', '-', '~']))
}

/// The version in the name of a package of a plain amd64 kernel.
fn version_of(name: &str) -> Option<&str> {
    let version = name.strip_prefix("linux-image-")?;
    let version = version.strip_suffix("-unsigned").unwrap_or(version).strip_suffix("-amd64")?;
    // A package called after the series alone (linux-image-6.12-amd64) only depends on the others.
    let whole = numbers(version).len() > 2;
    (whole && ["-cloud", "-rt"].iter().all(|flavour| !version.ends_with(flavour))).then_some(version)
}

/// Whether the name is `start` and a version.
fn is_part(name: &str, start: &str) -> bool {
    name.strip_prefix(start).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
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
    fn the_signed_and_the_unsigned_package_hold_the_same_kernel() {
        assert!(same_kernel("linux-image-7.3.4+deb13-amd64", "linux-image-7.3.4+deb13-amd64-unsigned"));
        assert!(!same_kernel("linux-image-7.3.4+deb13-amd64", "linux-image-7.3.5+deb13-amd64"));
        assert!(!same_kernel("user-mode-linux/bookworm", "user-mode-linux/bookworm"));
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
