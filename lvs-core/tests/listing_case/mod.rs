//! Recorded listings: what a kernel said, and what `ipvsadm` made of it. See
//! `data/listing/README.md`.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use lvs_core::listing::{
    ConnectionListing, ListingMode, ListingOptions, write_daemons, write_service, write_table, write_timeouts,
};
use lvs_core::model::{AddressFamily, Coverage, Info, Protocol, ServiceKey, ServiceSnapshot, Snapshot};
use lvs_core::procfs::Connections;
use lvs_core::rules::Resolver;
use lvs_core::wire::attr::Attributes;
use lvs_core::wire::{daemon, destination, info, service, top};

/// What stands in a file.
#[derive(Default)]
pub(crate) struct Case {
    /// Where it comes from.
    pub(crate) comment: String,
    /// The kernel's answers: what it is (`info`, `timeouts`, `daemon`, `service`, `destination`),
    /// and the attributes.
    pub(crate) answers: Vec<(String, Vec<u8>)>,
    /// Rows of `/proc/net/ip_vs_conn`.
    pub(crate) rows: Vec<String>,
    pub(crate) names: Names,
    /// Arguments and output.
    pub(crate) commands: Vec<(String, String)>,
}

/// Names of addresses and ports.
#[derive(Default)]
pub(crate) struct Names {
    pub(crate) hosts: HashMap<IpAddr, String>,
    pub(crate) ports: HashMap<(u16, Protocol), String>,
}

impl Resolver for Names {
    fn host_name(&self, addr: IpAddr) -> Option<String> {
        self.hosts.get(&addr).cloned()
    }

    fn port_name(&self, port: u16, protocol: Protocol) -> Option<String> {
        self.ports.get(&(port, protocol)).cloned()
    }
}

#[allow(dead_code, reason = "some tests record, others replay")]
impl Case {
    /// The path is valid from every package beside lvs-core: tests of others use this file, too.
    pub(crate) fn directory() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../lvs-core/tests/data/listing")
    }

    pub(crate) fn parse(text: &str) -> Self {
        let mut case = Self::default();
        for line in text.lines() {
            if let Some(output) = line.strip_prefix('|') {
                let (_, text) = case.commands.last_mut().expect("output follows a command");
                text.push_str(output);
                text.push('\n');
                continue;
            }
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "" => {}
                "#" => case.comment.push_str(rest),
                "$" => case.commands.push((rest.strip_prefix("ipvsadm ").unwrap().to_owned(), String::new())),
                "row" => case.rows.push(rest.to_owned()),
                "host" => {
                    let (addr, name) = rest.split_once(' ').unwrap();
                    case.names.hosts.insert(addr.parse().unwrap(), name.to_owned());
                }
                "port" => {
                    let words: Vec<_> = rest.split(' ').collect();
                    let key = (words[0].parse().unwrap(), words[1].parse().unwrap());
                    case.names.ports.insert(key, words[2].to_owned());
                }
                what => {
                    let bytes = rest.as_bytes().chunks(2).map(|digits| {
                        u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).expect("hexadecimal")
                    });
                    case.answers.push((what.to_owned(), bytes.collect()));
                }
            }
        }
        case
    }

    pub(crate) fn print(&self) -> String {
        let mut text = format!("# {}\n", self.comment);
        for (what, bytes) in &self.answers {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            writeln!(text, "{what} {hex}").unwrap();
        }
        for row in &self.rows {
            writeln!(text, "row {row}").unwrap();
        }
        let mut names: Vec<_> = self.names.hosts.iter().map(|(addr, name)| format!("host {addr} {name}\n")).collect();
        names
            .extend(self.names.ports.iter().map(|((port, protocol), name)| format!("port {port} {protocol} {name}\n")));
        names.sort();
        text.extend(names);
        for (arguments, output) in &self.commands {
            writeln!(text, "\n$ ipvsadm {arguments}").unwrap();
            for line in output.lines() {
                writeln!(text, "|{line}").unwrap();
            }
        }
        text
    }

    /// The kernel's answers as a snapshot.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot::new(Info::default(), Coverage::FULL);
        for (what, bytes) in &self.answers {
            let attributes = Attributes::new(bytes);
            match &**what {
                "info" => snapshot.info = info::read(attributes).unwrap(),
                "timeouts" => snapshot.timeouts = top::read_timeouts(attributes).unwrap(),
                "daemon" => snapshot.daemons.push(daemon::read_entry(attributes).unwrap()),
                "service" => {
                    let entry = service::read_entry(attributes).unwrap();
                    snapshot.services.push(ServiceSnapshot { entry, destinations: Vec::new() });
                }
                "destination" => {
                    let service = snapshot.services.last_mut().expect("a service comes first");
                    let family = service.entry.service.key().family();
                    service.destinations.push(destination::read_entry(attributes, family).unwrap());
                }
                other => panic!("{other} is no answer"),
            }
        }
        snapshot
    }

    /// `ip_vs_conn` as the kernel shows it.
    pub(crate) fn connections(&self) -> Vec<u8> {
        let mut text = b"Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n".to_vec();
        for row in &self.rows {
            text.extend_from_slice(row.as_bytes());
            text.push(b'\n');
        }
        text
    }
}

/// What our listing gives for a command line of `ipvsadm`.
#[allow(dead_code, reason = "some tests compare commands")]
pub(crate) fn ours(arguments: &str, snapshot: &Snapshot, connections: &[u8], names: &Names) -> String {
    let mut options = ListingOptions::new().with_resolver(names);
    let numeric = ListingOptions::new();
    let (mut list_connections, mut engines, mut key, mut system) = (false, false, None, None);
    let mut words = arguments.split(' ').peekable();
    while let Some(word) = words.next() {
        let mut service = |protocol: &str| key = Some(format!("{protocol} {}", words.next().unwrap()));
        match word {
            "-L" => {}
            "-n" => options = options.with_resolver(numeric.resolver),
            "-c" => list_connections = true,
            "--stats" => options.mode = ListingMode::Stats,
            "--rate" => options.mode = ListingMode::Rate,
            "--thresholds" => options.mode = ListingMode::Thresholds,
            "--persistent-conn" => {
                options.mode = ListingMode::PersistentConnections;
                engines = true;
            }
            "--tun-info" => options.mode = ListingMode::TunnelInfo,
            "--exact" => options.exact = true,
            "--nosort" => options.sort = false,
            "--timeout" | "--daemon" => system = Some(word),
            "-t" => service("tcp"),
            "-u" => service("udp"),
            "--sctp-service" => service("sctp"),
            "-f" => service("fwmark"),
            "-6" => key.as_mut().unwrap().push_str(" IPv6"),
            other => panic!("{other} is not an option of -L"),
        }
    }
    let mut out = Vec::new();
    if list_connections {
        let mut listing = ConnectionListing::new(&mut out, options, engines).unwrap();
        for connection in Connections::new(connections) {
            listing.write(&connection.unwrap()).unwrap();
        }
    } else if let Some(key) = key {
        let key: ServiceKey = key.parse().unwrap();
        write_service(&mut out, snapshot.service(&key).expect("it is there"), &options).unwrap();
    } else {
        match system {
            Some("--timeout") => write_timeouts(&mut out, &snapshot.timeouts),
            Some(_) => write_daemons(&mut out, &snapshot.daemons),
            None => write_table(&mut out, snapshot, &options),
        }
        .unwrap();
    }
    // Data of persistence engines is any bytes.
    String::from_utf8_lossy(&out).into_owned()
}

/// Every listing of a snapshot, and of each of its services one.
#[allow(dead_code, reason = "some tests record, others replay")]
pub(crate) fn all_listings(snapshot: &Snapshot, named: bool) -> Vec<String> {
    const MODES: [&str; 6] = ["", " --stats", " --rate", " --thresholds", " --persistent-conn", " --tun-info"];
    let mut all = Vec::new();
    for mode in MODES {
        all.extend(["-L -n", "-L -n --nosort", "-L -n --exact"].map(|start| format!("{start}{mode}")));
        if named {
            all.push(format!("-L{mode}"));
        }
    }
    for (service, mode) in snapshot.services.iter().zip(MODES.into_iter().cycle()) {
        let key = service.entry.service.key();
        let option = match key {
            ServiceKey::Endpoint { protocol, addr, port } => {
                let option = match protocol {
                    Protocol::Tcp => "-t",
                    Protocol::Udp => "-u",
                    Protocol::Sctp => "--sctp-service",
                    _ => continue,
                };
                format!("{option} {}", SocketAddr::new(addr, port))
            }
            ServiceKey::Fwmark { mark, family: AddressFamily::Ipv4 } => format!("-f {mark}"),
            ServiceKey::Fwmark { mark, family: AddressFamily::Ipv6 } => format!("-f {mark} -6"),
        };
        all.push(format!("-L -n{mode} {option}"));
    }
    all.extend(["-L --timeout", "-L --daemon", "-L -n -c", "-L -n -c --persistent-conn"].map(str::to_owned));
    if named {
        all.extend(["-L -c", "-L -c --persistent-conn"].map(str::to_owned));
    }
    all
}

/// What a kernel with that table answers, for a [`Case`]: attributes, of services, destinations and
/// daemons those inside the nest.
#[allow(dead_code, reason = "some tests record, others replay")]
pub(crate) fn answers(snapshot: &Snapshot) -> Vec<(String, Vec<u8>)> {
    let mut answers = Vec::new();
    let mut add = |what: &str, nested: bool, write: &dyn Fn(&mut Vec<u8>)| {
        let mut buf = Vec::new();
        write(&mut buf);
        answers.push((what.to_owned(), if nested { buf.split_off(4) } else { buf }));
    };
    add("info", false, &|buf| info::write(buf, &snapshot.info));
    add("timeouts", false, &|buf| top::write_timeouts(buf, &snapshot.timeouts));
    for running in &snapshot.daemons {
        add("daemon", true, &|buf| daemon::write_entry(buf, running));
    }
    for found in &snapshot.services {
        add("service", true, &|buf| service::write_entry(buf, &found.entry));
        for entry in &found.destinations {
            add("destination", true, &|buf| destination::write_entry(buf, entry));
        }
    }
    answers
}
