//! The cache of kernels: one directory a series, filled from Debian's package once.

use super::options::{Engine, Options};
use super::{archive, image, packages, programs};
use crate::error::{Context, Error, Result};
use crate::sys::Lock;
use crate::{host, project};
use fs_err as fs;
use std::fs::File;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

/// For how long a kernel counts as the newest of its series.
const NEWEST_FOR: Duration = archive::DAY;
/// The file that was written when a newer one was looked for last.
const LOOKED: &str = "looked-for-newer";
/// Raised when what lies in a kernel's directory changes its meaning: old caches are then filled
/// again.
const FORMAT: u32 = 1;
/// How many initramfs files of other versions of this program are left alone.
const KEPT_INITRAMFS: usize = 3;
const INIT: &str = include_str!("init.sh");
const PTRACE_SHIM: &str = include_str!("ptrace_shim.c");

/// A kernel that is ready to boot.
pub(crate) struct Kernel {
    pub(crate) directory: PathBuf,
    /// Includes the guest's first process.
    pub(crate) initramfs: PathBuf,
    /// What takes the place of this machine's programs in the guest.
    pub(crate) programs: PathBuf,
    /// Shared by all runs of this kernel: it is not replaced while one of them goes on.
    _in_use: Lock,
}

impl Kernel {
    pub(crate) fn vmlinux(&self) -> PathBuf {
        self.directory.join("vmlinux")
    }

    /// The library that user-mode Linux is started with.
    pub(crate) fn ptrace_shim(&self) -> PathBuf {
        self.directory.join("ptrace_shim.so")
    }

    /// Which package it came from, and what it holds.
    pub(crate) fn description(&self) -> Result<String> {
        Ok(fs::read_to_string(self.directory.join("info"))?)
    }

    /// Lets one process at a time do something in this kernel's directory.
    pub(crate) fn lock(&self, waiting: impl FnOnce()) -> Result<Lock> {
        lock(&self.directory.join("lock"), waiting)
    }
}

/// Where everything is kept.
pub(crate) fn cache() -> Result<PathBuf> {
    let directory = project::cache("LVS_LAB_CACHE", "lvs-lab")?;
    fs::create_dir_all(&directory).context(|| format!("cannot make the cache {}", directory.display()))?;
    Ok(fs::canonicalize(directory)?)
}

/// A short name for what `value` consists of.
pub(crate) fn digest(value: &impl Hash) -> String {
    let mut hasher = std::hash::DefaultHasher::new();
    value.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

pub(super) fn lock(file: &Path, waiting: impl FnOnce()) -> Result<Lock> {
    Ok(Lock::take(open_lock(file)?, waiting)?)
}

fn open_lock(file: &Path) -> Result<File> {
    File::options().create(true).append(true).open(file).context(|| format!("cannot open {}", file.display()))
}

/// A directory of one run, gone when the value is. What a killed process left behind, a later one
/// removes.
pub(crate) struct Scratch {
    pub(crate) path: PathBuf,
    _lock: Lock,
}

impl Scratch {
    pub(crate) fn new(cache: &Path) -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let all = cache.join("run");
        fs::create_dir_all(&all)?;
        for entry in fs::read_dir(&all)?.flatten() {
            let path = entry.path();
            // Its lock is free if whoever made it is gone.
            if let Ok(file) = File::open(path.join("lock"))
                && let Ok(Some(_lock)) = Lock::try_take(file)
            {
                let _ = fs::remove_dir_all(&path);
            }
        }
        loop {
            let path = all.join(format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
            match fs::create_dir(&path) {
                Ok(()) => {
                    let lock = lock(&path.join("lock"), || {})?;
                    return Ok(Self { path, _lock: lock });
                }
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    return Err(error).context(|| format!("cannot make {}", path.display()));
                }
            }
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Makes sure that the kernel of a run, and the programs it needs, are there.
pub(crate) fn prepare(options: &Options) -> Result<Kernel> {
    let cache = cache()?;
    let directory = cache.join(options.label());
    let say = |text: &str| {
        if !options.quiet {
            eprintln!("lab: {text}");
        }
    };
    let _one = lock(&cache.join("lock"), || say("waiting for another lab that is preparing a kernel"))?;
    packages::ensure(options.engine, options.tools)?;
    let programs = programs::prepare(&cache, options.update)?;
    let users = cache.join(format!("{}.users", options.label()));
    let (complete, wanted) = (is_complete(&directory), options.update || is_outdated(options, &cache, &directory)?);
    // Whoever asks for it waits until nobody runs the old one; otherwise the next run may find it
    // unused.
    let alone = match (options.update || !complete, wanted) {
        (true, _) => Some(lock(&users, || say("waiting for labs that run this kernel"))?),
        (false, true) => Lock::try_take(open_lock(&users)?)?,
        (false, false) => None,
    };
    if alone.is_some() {
        let scratch = Scratch::new(&cache)?;
        let why = match (complete, options.update) {
            (false, _) => "once",
            (true, true) => "again",
            (true, false) => "Debian has a newer one",
        };
        say(&format!("preparing kernel {} ({why})", options.label()));
        match build(options, &cache, &scratch.path) {
            Ok(built) => {
                let _ = fs::remove_dir_all(&directory);
                fs::rename(built, &directory)?;
            }
            // A mirror may be away, or have dropped the package: what was fetched before still
            // works.
            Err(error) if complete => {
                eprintln!("lab: warning: {error}\nlab: going on with the kernel in the cache");
                fs::write(directory.join(LOOKED), "")?;
            }
            Err(error) => return Err(error),
        }
    }
    drop(alone);
    // Nobody takes it in between: preparing is done by one process at a time.
    let in_use = Lock::share(open_lock(&users)?)?;
    let initramfs = directory.join(format!("initramfs-{}", digest(&INIT)));
    if !initramfs.exists() {
        let temporary = directory.join("initramfs.new");
        image::add_init(&directory.join("base.cpio"), INIT, &temporary)?;
        fs::rename(temporary, &initramfs)?;
        remove_oldest(&directory, "initramfs-", KEPT_INITRAMFS)?;
    }
    Ok(Kernel { directory, initramfs, programs, _in_use: in_use })
}

fn is_complete(directory: &Path) -> bool {
    fs::read_to_string(directory.join("info"))
        .is_ok_and(|info| info.lines().next() == Some(&format!("format {FORMAT}")))
}

/// Whether Debian has a newer kernel of the series than the one in the cache. That is looked up
/// once a day; without a network, what is there is good.
fn is_outdated(options: &Options, cache: &Path, directory: &Path) -> Result<bool> {
    // The one release that user-mode Linux comes from keeps it as it is.
    if options.engine == Engine::Uml || !is_complete(directory) {
        return Ok(false);
    }
    let info = fs::read_to_string(directory.join("info"))?;
    let looked = directory.join(LOOKED);
    let last = fs::metadata(&looked).or_else(|_| fs::metadata(directory.join("info")))?.modified()?;
    if SystemTime::now().duration_since(last).is_ok_and(|age| age < NEWEST_FOR) {
        return Ok(false);
    }
    let here = info.lines().find_map(|line| line.strip_prefix("package ")).unwrap_or_default();
    let newest = packages::newest_kernel(&options.kernel, cache);
    let outdated = newest.is_ok_and(|newest| !packages::same_kernel(&newest, here));
    if !outdated {
        fs::write(looked, "")?;
    }
    Ok(outdated)
}

/// Fills a directory below `scratch`: `vmlinux`, `base.cpio`, `info`, and what else the engine
/// needs.
fn build(options: &Options, cache: &Path, scratch: &Path) -> Result<PathBuf> {
    let unpacked = scratch.join("package");
    let (package, modules) = match options.engine {
        Engine::Qemu => (packages::unpack_kernel(&options.kernel, cache, scratch, &unpacked)?, "usr/lib/modules"),
        Engine::Uml => (packages::unpack_uml(cache, scratch, &unpacked)?, "usr/lib/uml/modules"),
    };
    // Everything of one release: where depmod looks for it, and where packages put it, differs
    // between Debian's.
    let modules = [modules, "lib/modules"].map(|at| unpacked.join(at)).into_iter().find(|at| at.is_dir());
    let modules = only(&modules.context(|| format!("{package} has no modules"))?, "")?;
    let release = modules.file_name().and_then(|n| n.to_str()).context(|| "odd kernel release".into())?;
    let built = scratch.join("kernel");
    fs::create_dir(&built)?;
    match options.engine {
        Engine::Qemu => {
            let image = Some(modules.join("vmlinuz")).filter(|file| file.is_file());
            let image = image.map_or_else(|| only(&unpacked.join("boot"), "vmlinuz-"), Ok)?;
            if !image::extract_kernel(&image, &built.join("vmlinux"))? {
                eprintln!("lab: warning: no ELF file inside {package}: it boots the slow way");
            }
        }
        Engine::Uml => {
            fs::copy(unpacked.join("usr/bin/linux.uml"), built.join("vmlinux"))?;
            let source = built.join("ptrace_shim.c");
            fs::write(&source, PTRACE_SHIM)?;
            let library = built.join("ptrace_shim.so");
            host::capture(
                Command::new("cc").args(["-O2", "-shared", "-fPIC", "-o"]).arg(library).arg(source).arg("-ldl"),
            )?;
        }
    }
    let count = image::write_initramfs(&modules, release, scratch, &built.join("base.cpio"))?;
    let info = format!("format {FORMAT}\npackage {package}\nrelease {release}\nmodules {count}\n");
    fs::write(built.join("info"), info)?;
    Ok(built)
}

/// The entry of a directory whose name starts so.
fn only(directory: &Path, start: &str) -> Result<PathBuf> {
    fs::read_dir(directory)
        .context(|| format!("cannot read {}", directory.display()))?
        .flatten()
        .find(|entry| entry.file_name().to_string_lossy().starts_with(start))
        .map(|entry| entry.path())
        .ok_or_else(|| Error::new(format!("the package has nothing like {}/{start}*", directory.display())))
}

/// Keeps the `keep` files used last among those whose name starts so.
pub(crate) fn remove_oldest(directory: &Path, start: &str, keep: usize) -> Result<()> {
    let mut files: Vec<_> = fs::read_dir(directory)?
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(start))
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    files.sort();
    let surplus = files.len().saturating_sub(keep);
    for (_, file) in &files[..surplus] {
        let _ = fs::remove_file(file);
    }
    Ok(())
}
