//! A run in a clean root: what is mounted and copied into it, and what the command's environment
//! holds.

use super::Options;
use super::root::{Copy, cache};
use crate::error::Result;
use crate::{host, lab, project, sys};
use fs_err as fs;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where commands run: the clone, or what is given instead.
const PROJECT: &str = "/root/lvs";
/// Where the toolchain is.
const TOOLCHAIN: &str = "/opt/rust";
/// What tells programs how this machine gets at the network: whole names, or how they begin.
const NETWORK: [&str; 10] = [
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "PIP_INDEX_URL",
    "CARGO_HTTP_",
    "CARGO_NET_",
    "CARGO_SOURCE_",
];
/// Files that say the same.
const NETWORK_FILES: [&str; 4] =
    ["/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs/ca-certificates.crt", "/etc/pip.conf"];

/// Mounts what stands in pairs (from, to) before `--`, the first one read-only, and runs what
/// follows. It stays the first process of its namespace, so that nothing outlives it.
const ENTER: &str = r#"
root=$1; shift
mount -t proc proc "$root/proc" && mount --rbind /sys "$root/sys" && mount --rbind /dev "$root/dev" || exit 125
option=--options=bind,ro
while [ "$1" != -- ]; do
  mount $option "$1" "$root$2" || exit 125
  option=--options=bind
  shift 2
done
shift
chroot "$root" "$@"
exit $?
"#;

/// A clean root with the project in it.
pub(crate) struct Fresh {
    copy: Copy,
    /// What is mounted: from, to.
    binds: Vec<(PathBuf, &'static str)>,
}

impl Fresh {
    /// With a clone of HEAD.
    pub(crate) fn new(options: Options) -> Result<Self> {
        let fresh = Self::empty(options)?;
        fresh.clone_project()?;
        Ok(fresh)
    }

    /// With the files of a directory instead.
    pub(crate) fn with_files(options: Options, files: &Path) -> Result<Self> {
        let fresh = Self::empty(options)?;
        fresh.take(files, "")?;
        Ok(fresh)
    }

    /// Copies a directory into one where commands run.
    pub(crate) fn take(&self, files: &Path, name: &str) -> Result<()> {
        project::copy(files, &self.inside(PROJECT).join(name), &[])
    }

    fn empty(options: Options) -> Result<Self> {
        let copy = Copy::new(options)?;
        let mut fresh = Self { copy, binds: vec![(sysroot()?, TOOLCHAIN)] };
        for file in NETWORK_FILES.map(Path::new).into_iter().filter(|file| file.exists()) {
            fs::write(fresh.inside(file), fs::read(file)?)?;
        }
        let home = project::cargo_home();
        fs::create_dir_all(fresh.inside("/root/.cargo"))?;
        if home.join("config.toml").exists() {
            fs::copy(home.join("config.toml"), fresh.inside("/root/.cargo/config.toml"))?;
        }
        if options.cache {
            fresh.caches(options, &home)?;
        }
        for (from, to) in &fresh.binds {
            let to = fresh.inside(to);
            if from.is_dir() {
                fs::create_dir_all(to)?;
            } else {
                fs::write(to, "")?;
            }
        }
        Ok(fresh)
    }

    /// Whatever was downloaded before: by cargo, by pip, by the lab, and by apt for this suite.
    fn caches(&mut self, options: Options, cargo: &Path) -> Result<()> {
        // Cargo's lock must be the same one, too.
        let lock = cargo.join(".package-cache");
        let registry = cargo.join("registry");
        let pip = project::cache("PIP_CACHE_DIR", "pip")?;
        let packages = cache()?.join(format!("{}.packages", options.suite.name));
        for directory in [&registry, &pip, &packages.join("partial")] {
            fs::create_dir_all(directory)?;
        }
        if !lock.exists() {
            fs::write(&lock, "")?;
        }
        self.binds.extend([
            (registry, "/root/.cargo/registry"),
            (lock, "/root/.cargo/.package-cache"),
            (pip, "/root/.cache/pip"),
            (lab::cache()?, "/root/.cache/lvs-lab"),
            (packages, "/var/cache/apt/archives"),
        ]);
        Ok(())
    }

    fn clone_project(&self) -> Result<()> {
        // Whoever else owns the sources: they were run already.
        let trust = [("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "safe.directory"), ("GIT_CONFIG_VALUE_0", "*")];
        let mut clone = project::command("git");
        clone.args(["clone", "--quiet", "--no-hardlinks"]).arg(project::root()).arg(self.inside(PROJECT));
        host::capture(clone.envs(trust))?;
        let status = host::capture(project::command("git").args(["status", "--porcelain"]).envs(trust))?;
        if !status.stdout.is_empty() {
            eprintln!("xtask: what is not committed is not in the clone");
        }
        Ok(())
    }

    /// Writes a file where commands run.
    pub(crate) fn write(&self, name: &str, contents: &str) -> Result<()> {
        Ok(fs::write(self.inside(PROJECT).join(name), contents)?)
    }

    /// A path of the root as it is seen from outside.
    fn inside(&self, path: impl AsRef<Path>) -> PathBuf {
        self.copy.path.join(path.as_ref().strip_prefix("/").unwrap_or(path.as_ref()))
    }

    /// A command that runs there.
    pub(crate) fn command(&self, command: &[impl AsRef<OsStr>]) -> Command {
        let mut run = Command::new("unshare");
        run.args(["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER, "enter"]).arg(&self.copy.path);
        for (from, to) in &self.binds {
            run.arg(from).arg(to);
        }
        // A clean root builds everything once, and nobody debugs there: what serves later builds,
        // and line tables, would only cost time.
        run.args(["--", "env", "-i", "HOME=/root", "LANG=C.UTF-8"]);
        run.args(["CARGO_INCREMENTAL=0", "CARGO_PROFILE_DEV_DEBUG=none"]);
        run.arg(format!("PATH={TOOLCHAIN}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
        for (name, value) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if matches!(&*text, "CI" | "TERM") || NETWORK.iter().any(|n| text.starts_with(n)) {
                let mut variable = OsString::from(&name);
                variable.push("=");
                variable.push(value);
                run.arg(variable);
            }
        }
        run.args(["sh", "-c", "cd \"$0\" && exec \"$@\"", PROJECT]).args(command);
        // Whoever kills this program ends the command, and with its namespace every mount.
        sys::hand_over(&mut run, Vec::new());
        run
    }
}

/// The toolchain that is in use here: programs, libraries, nothing that cargo has installed.
fn sysroot() -> Result<PathBuf> {
    let output = host::capture(project::command("rustc").args(["--print", "sysroot"]))?;
    Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
}
