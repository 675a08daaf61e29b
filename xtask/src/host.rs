//! What this machine has: programs, and the packages that bring them.

use crate::error::{Context, Error, Result};
use crate::sys;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Places that an ordinary user's PATH often leaves out.
const SYSTEM_DIRECTORIES: [&str; 6] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// PATH, completed with the system's own directories.
pub(crate) fn search_path() -> Vec<PathBuf> {
    let mut path: Vec<PathBuf> =
        std::env::var_os("PATH").map(|p| std::env::split_paths(&p).collect()).unwrap_or_default();
    for directory in SYSTEM_DIRECTORIES.map(PathBuf::from) {
        if !path.contains(&directory) {
            path.push(directory);
        }
    }
    path
}

/// The program's file, if there is one.
pub(crate) fn which(program: &str) -> Option<PathBuf> {
    search_path()
        .into_iter()
        .map(|directory| directory.join(program))
        .find(|file| fs::metadata(file).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0))
}

/// Runs a program to its end without a terminal. That it could not be started, or failed, is an
/// error that quotes the end of what it said.
pub(crate) fn capture(command: &mut Command) -> Result<Output> {
    let output = command.stdin(Stdio::null()).output().context(|| format!("cannot run {}", name(command)))?;
    if output.status.success() {
        return Ok(output);
    }
    Err(Error::new(format!("{} failed ({}){}", name(command), output.status, tail_of(&output))))
}

fn name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

/// The last lines that a program said, ready to follow a sentence.
pub(crate) fn tail_of(output: &Output) -> String {
    let mut text = String::from_utf8_lossy(&output.stderr).into_owned();
    if text.trim().is_empty() {
        text = String::from_utf8_lossy(&output.stdout).into_owned();
    }
    let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(8)..].iter().map(|l| format!("\n  | {l}")).collect()
}

/// A command that runs as root: directly, or through sudo if that asks no question.
fn as_root(program: &str) -> Command {
    let mut command = if sys::is_root() {
        Command::new(program)
    } else {
        let mut sudo = Command::new("sudo");
        sudo.args(["-n", program]);
        sudo
    };
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// Installs Debian packages, refreshing apt's lists if it does not know them.
pub(crate) fn install(packages: &[&str], what_for: &str) -> Result<()> {
    let list = packages.join(" ");
    eprintln!("xtask: installing {list} ({what_for})");
    let attempt = || {
        let mut command = as_root("apt-get");
        // Another installation may be running: wait for it instead of failing.
        command.args(["-o", "DPkg::Lock::Timeout=300", "install", "-y", "-qq", "--no-install-recommends"]);
        capture(command.args(packages))
    };
    if attempt().is_ok() {
        return Ok(());
    }
    refresh_package_lists();
    attempt()
        .map(drop)
        .context(|| format!("cannot install {list}: as root, run `apt-get update && apt-get install {list}`"))
}

/// Unpacks Debian packages below `to`: `packages` with all that they need and this machine lacks,
/// and `alone` without. Nothing is installed, and so nothing is started.
pub(crate) fn unpack(packages: &[&str], alone: &[&str], to: &Path) -> Result<()> {
    let list = [packages, alone].concat().join(" ");
    eprintln!("xtask: unpacking {list}");
    let downloads = to.join("downloads");
    let attempt = || -> Result<()> {
        let mut plan = Command::new("apt-get");
        let plan = capture(plan.args(["--simulate", "--no-install-recommends", "install"]).args(packages))?;
        let plan = String::from_utf8_lossy(&plan.stdout).into_owned();
        let mut names = missing(&plan);
        names.extend(packages.iter().chain(alone).map(|name| (*name).to_owned()));
        names.sort_unstable();
        names.dedup();
        let _ = fs::remove_dir_all(&downloads);
        fs::create_dir_all(&downloads)?;
        // apt's own user may not be able to enter the directory.
        let mut download = Command::new("apt-get");
        download.args(["-o", "APT::Sandbox::User=root", "download", "-qq"]).args(names).current_dir(&downloads);
        capture(&mut download).map(drop)
    };
    if attempt().is_err() {
        refresh_package_lists();
        attempt().context(|| format!("cannot download {list}"))?;
    }
    for entry in fs::read_dir(&downloads)? {
        capture(Command::new("dpkg-deb").arg("-x").arg(entry?.path()).arg(to))?;
    }
    Ok(fs::remove_dir_all(&downloads)?)
}

/// The directory's name below `lib` and `include` that has what is of this machine's kind.
pub(crate) fn multiarch() -> Result<String> {
    let output = capture(Command::new("gcc").arg("-print-multiarch"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The packages that `apt-get --simulate` would install and that are not there in another version:
/// `Inst NAME (VERSION ...)`, but `Inst NAME [OLD VERSION] (VERSION ...)`.
fn missing(plan: &str) -> Vec<String> {
    let new = plan.lines().filter_map(|line| line.strip_prefix("Inst ")?.split_once(' '));
    new.filter(|(_, rest)| rest.starts_with('(')).map(|(name, _)| name.to_owned()).collect()
}

/// Asks the package mirrors what there is. Best effort: what is then still missing says so itself.
pub(crate) fn refresh_package_lists() {
    eprintln!("xtask: refreshing the package lists (apt-get update)");
    let _ = capture(as_root("apt-get").args(["-o", "DPkg::Lock::Timeout=300", "update", "-qq"]));
}

/// Installs the packages of those programs that are missing. Pairs are (program, package).
pub(crate) fn ensure_programs(programs: &[(&str, &str)], what_for: &str) -> Result<()> {
    let mut missing: Vec<&str> = programs.iter().filter(|(p, _)| which(p).is_none()).map(|&(_, p)| p).collect();
    missing.sort_unstable();
    missing.dedup();
    if missing.is_empty() { Ok(()) } else { install(&missing, what_for) }
}

/// Does `work` on every item, as many at a time as this machine has processors; the results are in
/// the items' order.
pub(crate) fn in_parallel<'a, T: Sync, R: Send>(items: &'a [T], work: impl Fn(&'a T) -> R + Sync) -> Result<Vec<R>> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(items.len());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(i) else { break };
                    let result = work(item);
                    if let Ok(mut results) = results.lock() {
                        results.push((i, result));
                    }
                }
            });
        }
    });
    let mut results = results.into_inner().map_err(|_| Error::new("a worker panicked"))?;
    results.sort_by_key(|(i, _)| *i);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}

#[cfg(test)]
mod tests {
    #[test]
    fn packages_that_are_there_in_another_version_are_not_missing() {
        let plan = "Reading package lists...\n\
                    Inst libudev1 [254.1] (252.39 Debian:12 [amd64])\n\
                    Inst snmpd (5.9.3 Debian:12 [amd64]) []\n\
                    Conf snmpd (5.9.3 Debian:12 [amd64])\n";
        assert_eq!(super::missing(plan), ["snmpd"]);
    }
}
