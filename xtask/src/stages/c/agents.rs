//! The examples that are a part of another program: built against that program's headers, and run
//! by the program itself, as Debian has it.
//!
//! Its packages are unpacked, not installed: installing a daemon starts it.

use fs_err as fs;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use super::install::{built, prepared};
use crate::error::{Context, Error, Result};
use crate::stages::Report;
use crate::{host, project};

/// The programs, with what they need; and what only those who build for them need, without that.
const PROGRAMS: [&str; 3] = ["collectd-core", "snmp", "snmpd"];
const HEADERS: [&str; 3] = ["collectd-dev", "libsnmp-dev", "libssl-dev"];

/// A daemon that has not done its work by then, will not.
const PATIENCE: Duration = Duration::from_secs(120);

/// What `traffic` of the examples opens for each service at each reading.
const CONNECTIONS: u64 = 20;

pub(super) fn run(report: &mut Report, base: &Path, prefix: &Path) -> Result<()> {
    let root = base.join("programs");
    host::unpack(&PROGRAMS, &HEADERS, &root)?;
    let triplet = host::multiarch()?;
    let libraries = root.join("usr/lib").join(&triplet);
    // The sockets' names have to be short.
    let out = std::env::temp_dir().join(format!("lvs-agents-{}", std::process::id()));
    fs::create_dir_all(&out)?;
    let headers = [prefix.join("include"), root.join("usr/include"), root.join("usr/include").join(triplet)];
    let place =
        Place { examples: project::root().join("examples/c"), prefix: prefix.into(), root, headers, libraries, out };
    let done = place.collectd(report).and_then(|()| place.snmp(report));
    if report.counts().failed == 0 && done.is_ok() {
        fs::remove_dir_all(&place.out)?;
    }
    done
}

struct Place {
    examples: PathBuf,
    /// Where the library is installed.
    prefix: PathBuf,
    /// Where Debian's programs are unpacked.
    root: PathBuf,
    headers: [PathBuf; 3],
    libraries: PathBuf,
    out: PathBuf,
}

impl Place {
    /// The compiler, with what both examples need.
    fn cc(&self) -> Command {
        let mut cc = prepared("cc", &self.prefix);
        cc.args(["-g", "-Wall", "-Wextra", "-Werror", "-I"]).arg(&self.examples);
        for headers in &self.headers {
            cc.arg("-I").arg(headers);
        }
        cc.arg("-L").arg(self.prefix.join("lib")).arg("-L").arg(&self.libraries);
        cc
    }

    fn program(&self, file: &Path) -> Command {
        let path =
            [self.prefix.join("lib"), self.libraries.clone()].map(|p| p.to_string_lossy().into_owned()).join(":");
        let mut command = project::command(&file.to_string_lossy());
        command.env("LD_LIBRARY_PATH", path).current_dir(&self.out);
        // Nothing of this machine's own configuration.
        command.env("MIBS", "").env("SNMPCONFPATH", &self.out).env("SNMP_PERSISTENT_DIR", self.out.join("persistent"));
        command
    }

    /// collectd asks the plugin, and writes what it says to files.
    fn collectd(&self, report: &mut Report) -> Result<()> {
        let mut cc = self.cc();
        cc.args(["-shared", "-fPIC", "-DHAVE_CONFIG_H", "-I"]).arg(self.root.join("usr/include/collectd"));
        cc.arg(self.examples.join("collectd/lvs.c")).arg("-o").arg(self.out.join("lvs.so"));
        built(cc.arg("-llvs"))?;
        fs::copy(self.root.join("usr/lib/collectd/csv.so"), self.out.join("csv.so"))?;
        fs::copy(self.examples.join("cluster.rules"), self.out.join("cluster.rules"))?;
        let configuration = fs::read_to_string(self.examples.join("collectd/test.conf.in"))?;
        let configuration = configuration.replace("@OUT@", &self.out.to_string_lossy());
        fs::write(self.out.join("collectd.conf"), configuration.replace("@ROOT@", &self.root.to_string_lossy()))?;

        eprintln!("-> collectd with examples/c/collectd");
        let mut collectd = self.program(&self.root.join("usr/sbin/collectd"));
        let mut collectd = Daemon::start(collectd.arg("-f").arg("-C").arg(self.out.join("collectd.conf")))?;
        let service = self.out.join("csv/here/lvs-tcp_192.0.2.1_80");
        let total = || last(&service, "connections-total-").unwrap_or_default();
        collectd.until("collectd writes that there were connections", || total() > 0.0)?;
        let status = collectd.stop()?;
        let total = total();
        let seen = [
            ("ends well", status.success()),
            ("counts connections", total > 0.0 && total % CONNECTIONS as f64 == 0.0),
            ("weight", last(&service, "gauge-weight-198.51.100.1_8080-") == Some(3.0)),
            ("active", last(&service, "gauge-active-198.51.100.1_8080-").is_some_and(|active| active >= 15.0)),
            ("octets", last(&service, "if_octets-198.51.100.2_8080-").is_some_and(|octets| octets > 0.0)),
            ("mark", self.out.join("csv/here/lvs-fwmark_7_ipv6").is_dir()),
            ("IPv6", self.out.join("csv/here/lvs-udp_2001:db8::1_53").is_dir()),
            ("SCTP", self.out.join("csv/here/lvs-sctp_192.0.2.1_9899").is_dir()),
        ];
        judge(report, "collectd", &seen);

        // What the plugin cannot open, collectd says, and goes on without it.
        fs::write(self.out.join("cluster.rules"), "-A nonsense\n")?;
        let mut collectd = self.program(&self.root.join("usr/sbin/collectd"));
        let output = collectd.arg("-T").arg("-C").arg(self.out.join("collectd.conf")).output()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        judge(
            report,
            "collectd",
            &[("says why the plugin does not start", said.contains("lvs plugin: ") && said.contains("nonsense"))],
        );
        Ok(())
    }

    /// snmpd asks the sub-agent, and answers what it says.
    fn snmp(&self, report: &mut Report) -> Result<()> {
        let program = self.out.join("lvs_snmp");
        let mut cc = self.cc();
        cc.arg(self.examples.join("snmp/lvs_snmp.c")).arg("-o").arg(&program).arg("-llvs");
        // By the names that programs have in them: what is unpacked may have no others.
        built(cc.args(["-l:libnetsnmpagent.so.40", "-l:libnetsnmp.so.40", "-Wl,--allow-shlib-undefined"]))?;
        let (agentx, socket) = (self.address("agentx"), self.address("snmp"));
        let configuration = fs::read_to_string(self.examples.join("snmp/test.conf.in"))?;
        fs::write(self.out.join("snmpd.conf"), configuration.replace("@AGENTX@", &agentx))?;
        fs::copy(self.examples.join("cluster.rules"), self.out.join("cluster.rules"))?;

        eprintln!("-> snmpd with examples/c/snmp");
        let mut snmpd = self.program(&self.root.join("usr/sbin/snmpd"));
        snmpd.args(["-f", "-LE", "3", "-C", "-c"]).arg(self.out.join("snmpd.conf")).arg(&socket);
        let mut snmpd = Daemon::start(&mut snmpd)?;
        snmpd.until("snmpd listens", || self.out.join("agentx").exists() && self.out.join("snmp").exists())?;
        let mut agent = self.program(&program);
        let mut agent = Daemon::start(agent.args(["--rules", "cluster.rules", "--agentx", &agentx]))?;
        let walk = || -> Result<BTreeMap<String, String>> {
            let mut walk = self.program(&self.root.join("usr/bin/snmpwalk"));
            // The arc of experiments, numbers for names, no types.
            walk.args(["-v2c", "-c", "public", "-t", "60", "-OnqU", &socket, TABLES]);
            let output = walk.output().context(|| "cannot run snmpwalk".into())?;
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            Ok(text.lines().filter_map(|line| line.strip_prefix(TABLES)?.split_once(' ')).map(owned).collect())
        };
        // snmpd does not say when the sub-agent has registered its tables.
        agent.until("snmpd knows the sub-agent", || walk().is_ok_and(|rows| rows.len() > 1))?;
        let rows = walk()?;
        let is = |column: &str, value: &str| rows.get(column).is_some_and(|found| found.trim_matches('"') == value);
        let number = |column: &str| rows.get(column).and_then(|value| value.parse::<u64>().ok());
        let connections = number(".1.1.1.3.1").unwrap_or_default();
        let seen = [
            // 4 services with 6 columns, 6 servers with 7.
            ("all rows", rows.len() == 4 * 6 + 6 * 7),
            ("services", is(".1.1.1.2.1", "tcp://192.0.2.1:80") && is(".1.1.1.2.2", "udp://[2001:db8::1]:53")),
            ("marks", is(".1.1.1.2.4", "fwmark:7/ipv6")),
            ("servers", is(".1.2.1.3.1.2", "198.51.100.2:8080") && is(".1.2.1.3.3.2", "198.51.100.4:9899")),
            ("weights", is(".1.2.1.4.1.1", "3") && is(".1.2.1.4.3.2", "0")),
            ("connections", connections > 0 && connections.is_multiple_of(CONNECTIONS)),
            ("of servers", number(".1.2.1.7.1.1").is_some_and(|number| number >= 15)),
            ("bytes", number(".1.1.1.6.1").is_some_and(|bytes| bytes > 0)),
            ("the sub-agent ends well", agent.stop()?.success()),
            ("snmpd ends well", snmpd.stop()?.success()),
        ];
        judge(report, "snmpd", &seen);
        Ok(())
    }

    fn address(&self, name: &str) -> String {
        format!("unix:{}", self.out.join(name).display())
    }
}

/// Where the sub-agent's tables are.
const TABLES: &str = ".1.3.6.1.4.1.8072.9999.9999";

fn owned((column, value): (&str, &str)) -> (String, String) {
    (column.to_owned(), value.to_owned())
}

fn judge(report: &mut Report, program: &str, seen: &[(&str, bool)]) {
    for (what, holds) in seen {
        if *holds {
            report.pass(1);
        } else {
            report.fail(format!("{program}: {what}"));
        }
    }
}

/// The last value in collectd's file of that name, which goes on with the date.
fn last(directory: &Path, name: &str) -> Option<f64> {
    let entries = fs::read_dir(directory).ok()?;
    let mut files = entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(name));
    let text = fs::read_to_string(files.next()?.path()).ok()?;
    text.lines().last()?.split(',').nth(1)?.parse().ok()
}

/// A program that runs until it is stopped.
struct Daemon(Child);

impl Daemon {
    fn start(command: &mut Command) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        Ok(Self(command.spawn().context(|| format!("cannot run {name}"))?))
    }

    fn until(&mut self, what: &str, holds: impl Fn() -> bool) -> Result<()> {
        let start = Instant::now();
        while !holds() {
            if let Some(status) = self.0.try_wait()? {
                return Err(Error::new(format!("{what}: no, it has ended ({status})")));
            }
            if start.elapsed() > PATIENCE {
                return Err(Error::new(format!("{what}: not within {} s", PATIENCE.as_secs())));
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    fn stop(&mut self) -> Result<ExitStatus> {
        let id = i32::try_from(self.0.id()).map_err(|_| Error::new("a process with a strange number"))?;
        kill(Pid::from_raw(id), Signal::SIGTERM).map_err(std::io::Error::from)?;
        Ok(self.0.wait()?)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // One that has ended already cannot be ended again.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
