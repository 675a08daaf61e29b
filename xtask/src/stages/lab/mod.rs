//! Tests that need root and a kernel with IPVS, run in the lab, in several kernels.
//!
//! What is run (see `collect`): every test of the Rust programs `tests/kernel_*` that is ignored
//! elsewhere, and every program in a directory `tests/lab` of a member of the workspace; on this machine
//! itself, which has the lab's ipvsadm then, `tests/listing_oracle.rs` of lvs-core. Those in
//! `tests/lab/reboot` are run twice: with the argument `before`, and in a kernel booted after that
//! one was switched off, with `after`; in `/out` the second finds what the first has left there.
//! All find `LVS_TEST_KERNEL` (the series that must be running), `LVS_LAB` (7, 6.12, 6.1 or uml),
//! and in PATH and LD_LIBRARY_PATH what cargo has built. A lab that does not run is a failure,
//! never a reason to skip.

mod collect;
mod guest;
mod libipvs;
mod listings;
mod slot;

use super::Report;
use crate::error::{Context, Error, Result};
use crate::lab::{self, End, Engine, Job, Options};
use crate::{host, project};
use collect::{Item, Reboots};
use fs_err as fs;
use guest::Watcher;
use slot::Slot;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

/// Longest time for one guest.
const TIMEOUT: Duration = Duration::from_secs(3000);
/// Into how many guests the tests of a kernel are dealt out. With more parts this machine's
/// processors end closer together; each costs the seconds in which it resumes.
const PARTS: usize = 6;

/// A kernel to test in.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Kernel {
    engine: Engine,
    series: &'static str,
}

/// Those of Debian's stable releases; one that is old enough to behave differently (before 6.1.183
/// and 6.12.104, thresholds and connection counts were handled in another way); and the newest that
/// Debian has.
const KERNELS: [Kernel; 4] = [
    // The longest guest comes first: all of user-mode Linux is one.
    Kernel { engine: Engine::Uml, series: "6.1" },
    Kernel { engine: Engine::Qemu, series: "7" },
    Kernel { engine: Engine::Qemu, series: "6.12" },
    Kernel { engine: Engine::Qemu, series: "6.1" },
];

impl Kernel {
    fn name(self) -> &'static str {
        if self.engine == Engine::Uml { "uml" } else { self.series }
    }
}

/// How the kernels are called.
pub(crate) fn kernels() -> impl Iterator<Item = &'static str> {
    KERNELS.into_iter().map(Kernel::name)
}

/// What one machine runs; and what another one runs once that is off.
struct Guest {
    kernel: Kernel,
    part: usize,
    items: Vec<Item>,
    after: Vec<Item>,
}

pub(crate) fn run(report: &mut Report) -> Result<()> {
    let kernels: Vec<_> = KERNELS.into_iter().filter(|kernel| report.wants_kernel(kernel.name())).collect();
    let items = collect::all()?;
    let reboots = collect::reboots()?;
    let guests: Vec<Guest> = kernels.iter().flat_map(|&kernel| guests(kernel, &items, &reboots)).collect();
    let results = host::in_parallel(&guests, Guest::run)?;
    if results.len() != guests.len() {
        report.fail("not every kernel was tested");
    }
    let mut results = guests.iter().zip(results).peekable();
    for kernel in kernels {
        let mut time = Duration::ZERO;
        while let Some((_, result)) = results.next_if(|(guest, _)| guest.kernel == kernel) {
            match result {
                Ok(watchers) => watchers.into_iter().for_each(|watcher| time += watcher.tell(kernel.name(), report)),
                Err::<Vec<_>, Error>(error) => report.fail(format!("{}: the lab did not run: {error}", kernel.name())),
            }
        }
        report.note(format!("{}: {:.0} s of one processor", kernel.name(), time.as_secs_f64()));
    }
    listings::run(report)
}

/// Deals out what is run in a kernel.
fn guests(kernel: Kernel, items: &[Item], reboots: &Reboots) -> Vec<Guest> {
    if kernel.engine == Engine::Uml {
        // The old behaviour is one of scheduling: what the embedded director and the schedulers
        // must do differently there, and what is read. The kernel's director, its plans and the
        // programs built on them are no part of that, and user-mode Linux has neither 250 ticks a
        // second nor modules to unload, as their tests expect; its estimators' 2 s take 2.08.
        let others = ["kernel_director", "kernel_plan", "kernel_examples"];
        let other = |name: &str| others.iter().any(|program| name.contains(program));
        let in_old = |item: &&Item| item.name.starts_with("lvs-core") && !other(&item.name);
        let items = items.iter().filter(in_old).cloned().collect();
        return vec![Guest { kernel, part: 0, items, after: Vec::new() }];
    }
    let mut guests: Vec<Guest> =
        (0..PARTS).map(|part| Guest { kernel, part, items: Vec::new(), after: Vec::new() }).collect();
    for (i, item) in items.iter().enumerate() {
        guests[i % PARTS].items.push(item.clone());
    }
    guests[0].items.extend_from_slice(&reboots.before);
    guests[0].after.clone_from(&reboots.after);
    guests
}

impl Guest {
    fn run(&self) -> Result<Vec<Watcher<'_>>> {
        let out = format!("out-{}-{}-{}", self.kernel.engine.name(), self.kernel.series, self.part);
        let out = project::target_directory().join("lab").join(out);
        if out.exists() {
            fs::remove_dir_all(&out)?;
        }
        let _slot = Slot::take()?;
        let mut watchers = vec![self.boot(&self.items, &out, false)?];
        if !self.after.is_empty() {
            watchers.push(self.boot(&self.after, &out, true)?);
        }
        Ok(watchers)
    }

    /// Runs `items`, in a machine that finds in `/out` what another has left there.
    fn boot<'a>(&self, items: &'a [Item], out: &Path, cold: bool) -> Result<Watcher<'a>> {
        let Kernel { engine, series } = self.kernel;
        let target = project::target_directory().join("debug");
        let mut path = OsString::from(&target);
        let venv = project::root().join(".venv/bin");
        for directory in [venv].into_iter().filter(|d| d.exists()).chain(host::search_path()) {
            path.push(":");
            path.push(directory);
        }
        let variable = |name: &str, value: &std::ffi::OsStr| {
            let mut text = OsString::from(name);
            text.push("=");
            text.push(value);
            text
        };
        let options = Options {
            engine,
            kernel: series.into(),
            mem: 2048,
            timeout: TIMEOUT,
            cold,
            out: Some(out.into()),
            cwd: Some(project::root().into()),
            env: vec![
                format!("LVS_TEST_KERNEL={series}").into(),
                variable("LD_LIBRARY_PATH", target.as_os_str()),
                variable("PATH", &path),
            ],
            ..Options::default()
        };
        let label = options.label().to_owned();
        let mut watcher = Watcher::new(&label, items);
        let job = Job::Script(guest::script(items).into());
        match lab::run(&options, &job, &mut watcher, &mut std::io::stderr(), None)? {
            End::Exited(0) => Ok(watcher),
            End::Exited(status) => Err(Error::new(format!("the script that runs the tests ended with {status}"))),
            // What has run so far is told by the watcher's output, and which test hung.
            End::TimedOut(why) => Err(Error::new(format!("{why}; last test: {}", watcher.current()))),
            End::Interrupted => Err(Error::new("interrupted")),
        }
        .context(|| format!("kernel {label}"))
    }
}
