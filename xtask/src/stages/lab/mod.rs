//! Tests that need root and a kernel with IPVS, run in the lab: one guest for each kernel, all tests inside.
//!
//! What is run (see `collect`): every test of the Rust programs `tests/kernel_*` that is ignored elsewhere, and every
//! program in a directory `tests/lab` of a member of the workspace.
//! Those in `tests/lab/reboot` are run twice: with the argument `before`, and in a kernel booted after that one was switched
//! off, with `after`; in `/out` the second finds what the first has left there. All find `LVS_TEST_KERNEL` (the series that must
//! be running), `LVS_LAB` (6.12, 6.1 or uml), and in PATH and LD_LIBRARY_PATH what cargo has built. A lab that does not run is a
//! failure, never a reason to skip.

mod collect;
mod guest;

use super::Report;
use crate::error::{Context, Error, Result};
use crate::lab::{self, End, Engine, Job, Options};
use crate::{host, project};
use collect::Item;
use fs_err as fs;
use guest::Watcher;
use std::ffi::OsString;
use std::time::Duration;

/// Longest time for all tests in one kernel.
const TIMEOUT: Duration = Duration::from_secs(3000);

/// A kernel to test in: an engine and its series. The last one is old enough to behave differently (before 6.1.183 and
/// 6.12.104, thresholds and connection counts were handled in another way).
const KERNELS: [(Engine, &str); 3] = [(Engine::Qemu, "6.12"), (Engine::Qemu, "6.1"), (Engine::Uml, "6.1")];

/// How the kernels are called.
pub(crate) fn kernels() -> impl Iterator<Item = &'static str> {
    KERNELS.into_iter().map(|(engine, series)| name(engine, series))
}

fn name(engine: Engine, series: &'static str) -> &'static str {
    if engine == Engine::Uml { "uml" } else { series }
}

pub(crate) fn run(report: &mut Report) -> Result<()> {
    let kernels: Vec<_> = KERNELS.into_iter().filter(|&(e, series)| report.wants_kernel(name(e, series))).collect();
    let mut items = collect::all(report)?;
    let reboots = collect::reboots()?;
    // The old behaviour is one of scheduling: what the twin and the schedulers must do differently there, and what is read.
    // The kernel's director and its plans are no part of that, and user-mode Linux has neither 250 ticks a second nor
    // modules to unload, as their tests expect.
    let other = |name: &str| ["kernel_director", "kernel_plan"].iter().any(|program| name.contains(program));
    let in_old = |item: &&Item| item.name.starts_with("lvs-core") && !other(&item.name);
    let old: Vec<Item> = items.iter().filter(in_old).cloned().collect();
    items.extend(reboots.before);
    let results = host::in_parallel(&kernels, |&(engine, series)| match engine {
        Engine::Uml => Ok(vec![in_kernel(engine, series, &old, false)?]),
        Engine::Qemu => {
            Ok(vec![in_kernel(engine, series, &items, false)?, in_kernel(engine, series, &reboots.after, true)?])
        }
    })?;
    if results.len() != kernels.len() {
        report.fail("not every kernel was tested");
    }
    for (&(engine, series), result) in kernels.iter().zip(results) {
        let name = name(engine, series);
        match result {
            Ok(watchers) => watchers.into_iter().for_each(|watcher| watcher.tell(name, report)),
            Err::<Vec<_>, Error>(error) => report.fail(format!("{name}: the lab did not run: {error}")),
        }
    }
    Ok(())
}

/// Runs everything in one guest. A second one is booted, and finds what the first has left in `/out`.
fn in_kernel<'a>(engine: Engine, series: &str, items: &'a [Item], second: bool) -> Result<Watcher<'a>> {
    let out = project::target_directory().join("lab").join(format!("out-{}-{series}", engine.name()));
    if out.exists() && !second {
        fs::remove_dir_all(&out)?;
    }
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
        cold: second,
        out: Some(out),
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
