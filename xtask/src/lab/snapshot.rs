//! The state of a machine that has booted and waits for its command: saved once a configuration,
//! then resumed.
//!
//! The host's files are mounted only afterwards: QEMU cannot save a machine with a mounted 9p file
//! system.

use super::kernel::{Kernel, Scratch, digest, remove_oldest};
use super::machine::{Machine, Sinks, Start, Waited};
use super::options::Options;
use super::qemu;
use crate::error::{Error, Result};
use crate::host;
use fs_err as fs;
use serde_json::json;
use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// Saved states kept per kernel, about 130 MB each.
const KEPT: usize = 6;
/// A boot takes 3 s on an idle machine.
const BOOT: Duration = Duration::from_secs(180);

/// For how long it is believed that a state cannot be had.
const DOUBT: Duration = Duration::from_secs(24 * 3600);

/// The saved state for these options, made if there is none; nothing if it was found lately that
/// there cannot be one.
pub(crate) fn prepared(options: &Options, kernel: &Kernel) -> Result<Option<PathBuf>> {
    let program = host::which(qemu::PROGRAM).map(fs::metadata).transpose()?;
    let key = digest(&(
        fs::read(&kernel.initramfs)?.len(),
        (&kernel.initramfs, kernel.description()?, qemu::guest_arguments(options)),
        (options.mem, options.smp, &options.cpu),
        options.clock as u8,
        // Another QEMU may not understand the state.
        program.map(|m| (m.len(), m.modified().ok())),
    ));
    let file = kernel.directory.join(format!("snapshot-{key}"));
    let say = |text: &str| {
        if !options.quiet {
            eprintln!("lab: {text}");
        }
    };
    let _one = kernel.lock(|| say("waiting for another lab that is saving a booted machine"))?;
    if let Ok(open) = File::options().append(true).open(&file) {
        let metadata = open.metadata()?;
        if metadata.len() > 0 {
            // The ones used last are kept.
            let _ = open.set_modified(SystemTime::now());
            return Ok(Some(file));
        }
        if metadata.modified()?.elapsed().is_ok_and(|age| age < DOUBT) {
            return Ok(None);
        }
    }
    say(&format!("booting kernel {} to save its state (once for these options)", options.label()));
    let temporary = file.with_extension("new");
    let made = save(options, kernel, &temporary).and_then(|()| Ok(fs::rename(&temporary, &file)?));
    let _ = fs::remove_file(&temporary);
    if let Err(error) = made {
        eprintln!("lab: warning: no saved state: {error}");
        give_up(&file)?;
        return Ok(None);
    }
    remove_oldest(&kernel.directory, "snapshot-", KEPT)?;
    Ok(Some(file))
}

/// Notes that this state cannot be had: runs boot instead, without trying it each time.
pub(crate) fn give_up(file: &Path) -> Result<()> {
    eprintln!("lab: booting, from now on every time (--update tries again)");
    File::create(file)?;
    Ok(())
}

fn save(options: &Options, kernel: &Kernel, to: &Path) -> Result<()> {
    let scratch = Scratch::new(kernel.directory.parent().unwrap_or(&kernel.directory))?;
    let out = scratch.path.join("out");
    fs::create_dir(&out)?;
    let console = scratch.path.join("console");
    let (monitor, machine_end) = UnixStream::pair()?;
    let machine_end = OwnedFd::from(machine_end);
    let monitor_fd = machine_end.as_raw_fd();
    let start = Start {
        scratch: &scratch.path,
        console: console.clone(),
        stdout_is_console: false,
        interactive: false,
        inherit: vec![machine_end],
    };
    let mut machine = Machine::start(start, |ports| {
        let setting = qemu::Setting {
            console: &console,
            out: &out,
            interactive: false,
            incoming: None,
            monitor: Some(monitor_fd),
        };
        Ok(qemu::command(options, kernel, ports, &setting))
    })?;
    let mut nowhere = (std::io::sink(), std::io::sink());
    let mut sinks = Sinks { out: &mut nowhere.0, err: &mut nowhere.1 };
    match machine.wait_for("ready", Instant::now() + BOOT, &mut sinks, None)? {
        Waited::Said => {}
        waited => {
            return Err(Error::new(format!("the kernel did not boot ({waited:?}){}", machine.last_words())));
        }
    }
    // Let the guest come to rest in its read of the control port.
    std::thread::sleep(Duration::from_millis(300));
    let mut monitor = qemu::Monitor::new(monitor)?;
    monitor.execute("migrate-set-parameters", json!({ "max-bandwidth": 1_u64 << 40 }))?;
    let target = super::guest::quoted(to.as_os_str());
    monitor.execute("migrate", json!({ "uri": format!("exec:cat > {}", target.to_string_lossy()) }))?;
    let deadline = Instant::now() + BOOT;
    loop {
        match monitor.execute("query-migrate", json!({}))?["status"].as_str() {
            Some("completed") => return Ok(()),
            Some("failed") => {
                return Err(Error::new("QEMU failed to save the machine (is the disk full?)"));
            }
            _ if Instant::now() > deadline => {
                return Err(Error::new("QEMU did not save the machine in time"));
            }
            _ => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}
