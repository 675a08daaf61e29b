//! Kernel settings by their dotted names.

use std::fs;
use std::io;
use std::path::PathBuf;

/// An interface's dots belong to its name: `net.ipv4.conf.eth0/1.rp_filter` is that of `eth0.1`.
fn path(name: &str) -> PathBuf {
    let file: String = name
        .chars()
        .map(|c| match c {
            '.' => '/',
            '/' => '.',
            c => c,
        })
        .collect();
    PathBuf::from("/proc/sys").join(file)
}

pub(crate) fn read(name: &str) -> io::Result<String> {
    Ok(fs::read_to_string(path(name))?.trim().to_owned())
}

pub(crate) fn write(name: &str, value: &str) -> io::Result<()> {
    fs::write(path(name), value)
}
