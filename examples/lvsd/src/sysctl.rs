//! Kernel settings by their dotted names.

use std::fs;
use std::io;

use lvs_core::preflight::sysctl_path;

pub(crate) fn read(name: &str) -> io::Result<String> {
    Ok(fs::read_to_string(sysctl_path(name))?.trim().to_owned())
}

pub(crate) fn write(name: &str, value: &str) -> io::Result<()> {
    fs::write(sysctl_path(name), value)
}
