//! QEMU's command line, and its monitor.

use super::kernel::Kernel;
use super::machine::Ports;
use super::options::{Clock, Options};
use crate::error::{Context, Error, Result};
use serde_json::{Value, json};
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::RawFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

pub(crate) const PROGRAM: &str = "qemu-system-x86_64";

/// What the guest's kernel is told. Measured: `norandmaps` makes starting programs under emulation
/// several times faster (translated code is found again at the same address), `cryptomgr.notests`
/// saves a third of the boot; a panic ends the machine instead of rebooting it. The rest is for
/// calm.
const KERNEL_ARGUMENTS: &str = "console=ttyS0 quiet loglevel=4 panic=-1 oops=panic norandmaps cryptomgr.notests \
    mitigations=off nokaslr no_timer_check random.trust_cpu=on tsc=reliable audit=0 selinux=0 apparmor=0 nowatchdog \
    rcupdate.rcu_expedited=1 8250.nr_uarts=1 net.ifnames=0";

/// What differs between booting, saving and resuming.
pub(crate) struct Setting<'a> {
    pub(crate) console: &'a Path,
    /// The directory shared as /out.
    pub(crate) out: &'a Path,
    pub(crate) interactive: bool,
    /// A saved state to start from.
    pub(crate) incoming: Option<&'a Path>,
    /// QEMU's monitor.
    pub(crate) monitor: Option<RawFd>,
}

pub(crate) fn command(options: &Options, kernel: &Kernel, ports: &Ports, setting: &Setting<'_>) -> Command {
    let mut qemu = pinned(options, PROGRAM.as_ref());
    let instructions = options.clock != Clock::Host;
    qemu.args(["-accel", if instructions { "tcg,tb-size=512,thread=single" } else { "tcg,tb-size=512" }])
        .args(["-M", "q35", "-cpu", &options.cpu, "-m", &options.mem.to_string(), "-smp", &options.smp.to_string()])
        .args(["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"])
        .arg("-kernel")
        .arg(kernel.vmlinux())
        .arg("-initrd")
        .arg(&kernel.initramfs)
        .args(["-append", &format!("{KERNEL_ARGUMENTS} {}", guest_arguments(options))])
        .arg("-serial");
    if setting.interactive {
        qemu.arg("stdio");
    } else {
        qemu.arg(joined("file:", setting.console, ""));
    }
    qemu.args(["-virtfs", "local,path=/,mount_tag=hostroot,security_model=none,readonly=on,multidevs=remap"])
        .arg("-virtfs")
        .arg(joined("local,path=", setting.out, ",mount_tag=out,security_model=none,multidevs=remap"))
        .args(["-device", "virtio-serial-pci"])
        .args(["-chardev", &format!("socket,id=control,fd={}", ports.control())])
        .args(["-device", "virtserialport,chardev=control,name=control"]);
    for (set, name, fd) in [(1, "out", ports.out()), (2, "err", ports.err())] {
        qemu.args(["-add-fd", &format!("fd={fd},set={set}")])
            .args(["-chardev", &format!("file,id={name},path=/dev/fdset/{set},append=on")])
            .args(["-device", &format!("virtserialport,chardev={name},name={name}")]);
    }
    match options.clock {
        Clock::Host => {}
        Clock::Instructions => drop(qemu.args(["-icount", "shift=0,sleep=on"])),
        Clock::Warp => drop(qemu.args(["-icount", "shift=0,sleep=off"])),
    }
    if let Some(file) = setting.incoming {
        // Every release of QEMU takes a program's output; `fd:` and `file:` are each refused by
        // some.
        let mut from = OsString::from("exec:cat ");
        from.push(super::guest::quoted(file.as_os_str()));
        qemu.arg("-incoming").arg(from);
    }
    if let Some(fd) = setting.monitor {
        qemu.args(["-chardev", &format!("socket,id=monitor,fd={fd}")]).args(["-mon", "chardev=monitor,mode=control"]);
    }
    qemu
}

/// What reaches the first process as its environment.
pub(crate) fn guest_arguments(options: &Options) -> String {
    // User-mode Linux has IPv6 as a module, which must be there before the first network namespace.
    let modules: Vec<&str> = match options.engine {
        super::Engine::Qemu => Vec::new(),
        super::Engine::Uml => vec!["ipv6"],
    };
    let modules: Vec<&str> = modules.into_iter().chain(options.modules.iter().map(String::as_str)).collect();
    format!("LAB_ENGINE={} LAB_MODULES={} {}", options.engine.name(), modules.join(","), options.append)
}

/// The program, kept on the processors that were asked for.
pub(crate) fn pinned(options: &Options, program: &Path) -> Command {
    match &options.cpus {
        None => Command::new(program),
        Some(list) => {
            let mut taskset = Command::new("taskset");
            taskset.args(["-c", list]).arg(program);
            taskset
        }
    }
}

/// A path inside an option's text, where QEMU wants commas doubled.
fn joined(before: &str, path: &Path, after: &str) -> OsString {
    let mut text = OsString::from(before);
    text.push(path.to_string_lossy().replace(',', ",,"));
    text.push(after);
    text
}

/// A conversation with QEMU over its monitor.
pub(crate) struct Monitor {
    stream: BufReader<UnixStream>,
}

impl Monitor {
    pub(crate) fn new(stream: UnixStream) -> Result<Self> {
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        let mut monitor = Self { stream: BufReader::new(stream) };
        monitor.line()?; // the greeting
        monitor.execute("qmp_capabilities", json!({}))?;
        Ok(monitor)
    }

    pub(crate) fn execute(&mut self, name: &str, arguments: Value) -> Result<Value> {
        let request = json!({ "execute": name, "arguments": arguments });
        writeln!(self.stream.get_mut(), "{request}")?;
        loop {
            // Events come in between.
            let mut answer = self.line()?;
            if let Some(error) = answer.get("error") {
                return Err(Error::new(format!("QEMU refuses {name}: {error}")));
            }
            if answer.get("return").is_some() {
                return Ok(answer["return"].take());
            }
        }
    }

    fn line(&mut self) -> Result<Value> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).context(|| "QEMU does not answer".into())? == 0 {
            return Err(Error::new("QEMU went away"));
        }
        serde_json::from_str(&line).context(|| format!("QEMU says {line}"))
    }
}
