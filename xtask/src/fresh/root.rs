//! The clean roots: made by debootstrap, copied for every run.

use super::{Options, Suite};
use crate::error::{Context, Error, Result};
use crate::sys::{self, Lock};
use crate::{host, lab, project};
use fs_err as fs;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

/// What README.md asks for beside Rust, and what https needs.
const PACKAGES: &str = "gcc,libc6-dev,python3,ca-certificates";
/// Roots older than this are made again.
const AGE: Duration = Duration::from_secs(24 * 3600);
/// How this machine gets at Debian's packages; the rest of its settings stays its own.
const APT_SETTINGS: [&str; 4] = ["Acquire::http", "Acquire::ftp", "Acquire::Check-", "Acquire::Retries"];

/// Where the roots and their downloads are kept.
pub(super) fn cache() -> Result<PathBuf> {
    let directory = project::cache("LVS_FRESH_CACHE", "lvs-fresh")?;
    fs::create_dir_all(&directory)?;
    Ok(fs::canonicalize(directory)?)
}

/// A copy of a suite's root, for one run. It is removed when the value is dropped; what a killed
/// process left behind, a later one removes.
pub(super) struct Copy {
    pub(super) path: PathBuf,
    _lock: Lock,
}

impl Copy {
    pub(super) fn new(options: Options) -> Result<Self> {
        if !sys::is_root() {
            return Err(Error::new("a clean root is made, and entered, as root"));
        }
        let cache = cache()?;
        let pristine = {
            let _one = lock(&cache.join(format!("{}.lock", options.suite.name)), options.suite)?;
            pristine(options, &cache)?
        };
        let runs = cache.join("run");
        fs::create_dir_all(&runs)?;
        remove_abandoned(&runs)?;
        let path = runs.join(format!("{}-{}", options.suite.name, std::process::id()));
        let lock_file = path.with_extension("lock");
        let lock = lock(&lock_file, options.suite)?;
        if path.exists() {
            fs::remove_dir_all(&path)?;
        }
        host::capture(Command::new("cp").args(["-a", "--reflink=auto"]).arg(pristine).arg(&path))?;
        Ok(Self { path, _lock: lock })
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
        let _ = fs::remove_file(self.path.with_extension("lock"));
    }
}

fn lock(file: &Path, suite: Suite) -> Result<Lock> {
    let open = std::fs::File::options().create(true).append(true).open(file);
    let open = open.context(|| format!("cannot open {}", file.display()))?;
    let waiting = || eprintln!("xtask: waiting for another run that makes the root of Debian {}", suite.name);
    Lock::take(open, waiting).context(|| format!("cannot lock {}", file.display()))
}

/// Removes the copies of runs that have been killed: their locks are free.
fn remove_abandoned(runs: &Path) -> Result<()> {
    for entry in fs::read_dir(runs)? {
        let file = entry?.path();
        if file.extension().is_some_and(|e| e == "lock")
            && let Ok(open) = std::fs::File::open(&file)
            && let Ok(Some(_lock)) = Lock::try_take(open)
        {
            let _ = fs::remove_dir_all(file.with_extension(""));
            let _ = fs::remove_file(file);
        }
    }
    Ok(())
}

/// The root that is copied: the one at hand, or a new one.
fn pristine(options: Options, cache: &Path) -> Result<PathBuf> {
    let root = cache.join(options.suite.name);
    let made = root.with_extension("made");
    let age = std::fs::metadata(&made).and_then(|m| m.modified()).map(|at| SystemTime::now().duration_since(at));
    if options.cache && age.is_ok_and(|age| age.is_ok_and(|age| age < AGE)) {
        return Ok(root);
    }
    let programs = [
        ("debootstrap", "debootstrap"),
        ("unshare", "util-linux"),
        ("mount", "mount"),
        ("chroot", "coreutils"),
        ("git", "git"),
    ];
    host::ensure_programs(&programs, "clean roots are made with them")?;
    eprintln!("xtask: making a clean root of Debian {}", options.suite.name);
    let _ = fs::remove_file(&made);
    let new = root.with_extension("new");
    for directory in [&root, &new] {
        if directory.exists() {
            fs::remove_dir_all(directory)?;
        }
    }
    let (mirror, security) = lab::mirrors();
    let (mirror, security) = (address(&mirror)?, address(&security)?);
    let mut debootstrap = Command::new("debootstrap");
    debootstrap.args(["--variant=minbase", "--include", PACKAGES, options.suite.name]).arg(&new).arg(&mirror);
    host::capture(&mut debootstrap).context(|| format!("cannot make a root of Debian {}", options.suite.name))?;
    // What it was made from; every copy would hold it, too.
    let downloads = new.join("var/cache/apt/archives");
    fs::remove_dir_all(&downloads)?;
    fs::create_dir_all(downloads.join("partial"))?;
    fs::write(new.join("etc/apt/sources.list"), sources(options.suite, &mirror, &security))?;
    fs::write(new.join("etc/apt/apt.conf.d/90lvs"), settings()?)?;
    fs::rename(&new, &root)?;
    fs::write(made, "")?;
    Ok(root)
}

/// As Debian's installer leaves it: the release, its updates, its security fixes.
fn sources(suite: Suite, mirror: &str, security: &str) -> String {
    let name = suite.name;
    let mut text = format!("deb {mirror} {name} main\n");
    if suite.released {
        let _ = write!(text, "deb {mirror} {name}-updates main\ndeb {security} {name}-security main\n");
    }
    text
}

/// The machine's settings for apt that concern the way to the packages; and what was downloaded is
/// kept.
fn settings() -> Result<String> {
    let dump = host::capture(Command::new("apt-config").arg("dump"))?;
    let dump = String::from_utf8_lossy(&dump.stdout).into_owned();
    let mut text: String = dump
        .lines()
        .filter(|line| APT_SETTINGS.iter().any(|name| line.starts_with(name)))
        .map(|line| format!("{line}\n"))
        .collect();
    text.push_str("APT::Keep-Downloaded-Packages \"true\";\n");
    Ok(text)
}

/// A mirror's address. Some machines name a file of addresses instead (`mirror+file:`): then its
/// first one.
fn address(mirror: &str) -> Result<String> {
    let Some(file) = mirror.strip_prefix("mirror+file:") else { return Ok(mirror.to_owned()) };
    let file = Path::new("/").join(file.trim_start_matches('/'));
    let text = fs::read_to_string(&file)?;
    let first = text.lines().filter(|line| !line.starts_with('#')).find_map(|line| line.split_whitespace().next());
    first.map(str::to_owned).context(|| format!("{} names no mirror", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fresh::{SUITES, TRIXIE};

    #[test]
    fn a_release_has_its_updates_and_security_fixes() {
        let text = sources(TRIXIE, "http://m/debian", "http://m/debian-security");
        assert!(text.contains("deb http://m/debian trixie-updates main\n"), "{text}");
        assert!(text.contains("deb http://m/debian-security trixie-security main\n"), "{text}");
        assert_eq!(sources(SUITES[2], "http://m/debian", ""), "deb http://m/debian sid main\n");
    }

    #[test]
    fn an_address_is_taken_as_it_is() {
        assert_eq!(address("http://m/debian/").unwrap(), "http://m/debian/");
        assert!(address("mirror+file:/no/such/file").unwrap_err().to_string().contains("/no/such/file"));
    }
}
