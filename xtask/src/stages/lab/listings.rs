//! Listings of tables made up at random, ours against those of Debian's ipvsadm. The test plays the
//! kernel, so both run on this machine.

use crate::error::Result;
use crate::stages::Report;
use crate::stages::report::libtest;
use crate::{host, lab, project};

pub(super) fn run(report: &mut Report) -> Result<()> {
    let programs = lab::ipvsadm_binaries()?;
    let mut path = programs.join("sbin").into_os_string();
    for directory in host::search_path() {
        path.push(":");
        path.push(directory);
    }
    let mut test = project::cargo(&["test", "--quiet"]);
    // The packages of the lab's own tests: with others the library would be built once more.
    test.args(super::collect::PACKAGES).args(["--test", "listing_oracle", "--", "--ignored"]);
    test.env("PATH", path).env("LD_LIBRARY_PATH", programs.join("lib"));
    report.tests(&mut test, libtest)?;
    Ok(())
}
