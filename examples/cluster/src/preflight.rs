//! What is missing on this host for a cluster to work, and the command that mends it.

use std::fmt;
use std::net::{IpAddr, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};

use lvs_core::model::{AddressFamily, ForwardingMethod, SchedulerName, ServiceKey, Table};

use crate::sysctl;

/// Something that is not as the cluster needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether the cluster cannot work so, or only may not.
    pub severity: Severity,
    /// What is wrong.
    pub what: String,
    /// The command that mends it, if there is one.
    pub mend: Option<String>,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It works, but look at it.
    Advice,
    /// It cannot work.
    Missing,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Advice => "advice ",
            Severity::Missing => "MISSING",
        };
        write!(f, "{severity} {}", self.what)?;
        match &self.mend {
            Some(mend) => write!(f, "\n        mend: {mend}"),
            None => Ok(()),
        }
    }
}

fn missing(what: impl Into<String>, mend: impl Into<String>) -> Finding {
    Finding { severity: Severity::Missing, what: what.into(), mend: Some(mend.into()) }
}

fn advice(what: impl Into<String>, mend: Option<String>) -> Finding {
    Finding { severity: Severity::Advice, what: what.into(), mend }
}

/// Looks at this host as the director of a table.
pub fn director(table: &Table) -> Vec<Finding> {
    let mut findings = Vec::new();
    module(&mut findings);
    schedulers(table, &mut findings);
    addresses(table, &mut findings);
    forwarding(table, &mut findings);
    leavers(table, &mut findings);
    daemons(table, &mut findings);
    findings
}

fn module(findings: &mut Vec<Finding>) {
    if !Path::new("/proc/net/ip_vs").exists() {
        findings.push(missing("the kernel has no IPVS loaded", "modprobe ip_vs"));
    }
}

fn schedulers(table: &Table, findings: &mut Vec<Finding>) {
    let mut names: Vec<_> = table.services.iter().map(|entry| entry.service.scheduler).collect();
    names.sort();
    names.dedup();
    let loaded = std::fs::read_to_string("/proc/modules").unwrap_or_default();
    for name in names.into_iter().filter(|name| *name != SchedulerName::NONE) {
        let module = format!("ip_vs_{name}");
        let is_loaded = loaded.lines().any(|line| line.split(' ').next() == Some(&module));
        if !is_loaded && !can_load(&module) {
            let what = format!("the scheduler {name} is neither loaded nor to be found as module {module}");
            findings.push(advice(what, Some(format!("modprobe {module}"))));
        }
    }
}

fn can_load(module: &str) -> bool {
    let mut modprobe = Command::new("modprobe");
    modprobe.args(["-n", "-q", module]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    modprobe.status().is_ok_and(|status| status.success())
}

/// Whether an address is this host's: only then can a socket be bound to it, unless `ip_nonlocal_bind` lets it.
fn is_local(addr: IpAddr) -> bool {
    UdpSocket::bind((addr, 0)).is_ok()
}

fn addresses(table: &Table, findings: &mut Vec<Finding>) {
    for entry in &table.services {
        match entry.service.key() {
            ServiceKey::Endpoint { addr, .. } if !is_local(addr) => {
                let prefix = if addr.is_ipv4() { 32 } else { 128 };
                findings.push(missing(
                    format!("the virtual address {addr} is not this host's: its packets do not reach IPVS"),
                    format!("ip addr add {addr}/{prefix} dev lo"),
                ));
            }
            ServiceKey::Endpoint { .. } => {}
            key @ ServiceKey::Fwmark { mark, family } => {
                let (ip, tool) = match family {
                    AddressFamily::Ipv4 => ("ip", "iptables"),
                    AddressFamily::Ipv6 => ("ip -6", "ip6tables"),
                };
                let what = format!("{key} needs a rule that marks its packets, delivered to this host");
                let mend = format!(
                    "{tool} -t mangle -A PREROUTING ... -j MARK --set-mark {mark}   # and, for addresses of others: \
                     {ip} rule add fwmark {mark} lookup 100; {ip} route add local default dev lo table 100"
                );
                findings.push(advice(what, Some(mend)));
            }
        }
    }
    findings.dedup();
}

fn forwarding(table: &Table, findings: &mut Vec<Finding>) {
    let uses = |method: ForwardingMethod, family: AddressFamily| {
        table.services.iter().any(|entry| {
            entry.service.key().family() == family && entry.destinations.iter().any(|d| d.forwarding == method)
        })
    };
    for (family, name) in
        [(AddressFamily::Ipv4, "net.ipv4.ip_forward"), (AddressFamily::Ipv6, "net.ipv6.conf.all.forwarding")]
    {
        if uses(ForwardingMethod::Masquerade, family) && sysctl::read(name).is_ok_and(|value| value == "0") {
            findings.push(missing(
                format!("masquerading over {family} needs forwarding: replies of real servers are dropped"),
                format!("sysctl -w {name}=1"),
            ));
        }
    }
    let conntrack = "net.ipv4.vs.conntrack";
    if (uses(ForwardingMethod::Masquerade, AddressFamily::Ipv4)
        || uses(ForwardingMethod::Masquerade, AddressFamily::Ipv6))
        && sysctl::read("net.netfilter.nf_conntrack_count").is_ok_and(|value| value != "0")
        && sysctl::read(conntrack).is_ok_and(|value| value == "0")
    {
        let what = "connection tracking is in use here but IPVS does not take part: stateful firewall and SNAT rules do not match \
                    balanced connections";
        findings.push(advice(what, Some(format!("sysctl -w {conntrack}=1"))));
    }
    let strict = ["all", "default"]
        .iter()
        .any(|interface| sysctl::read(&format!("net.ipv4.conf.{interface}.rp_filter")).is_ok_and(|value| value == "1"));
    if strict && uses(ForwardingMethod::Direct, AddressFamily::Ipv4) {
        let what =
            "strict reverse path filtering: with direct routing replies of a local client's server come from elsewhere";
        findings.push(advice(what, Some("sysctl -w net.ipv4.conf.all.rp_filter=2".to_owned())));
    }
}

/// Where the director sees the clients' packets alone, it keeps a closed connection for two minutes as one that may still
/// say something, and its server with it.
fn leavers(table: &Table, findings: &mut Vec<Finding>) {
    let one_way = |method| matches!(method, ForwardingMethod::Direct | ForwardingMethod::Tunnel);
    let setting = "net.ipv4.vs.expire_nodest_conn";
    if table.services.iter().any(|entry| entry.destinations.iter().any(|d| one_way(d.forwarding)))
        && sysctl::read(setting).is_ok_and(|value| value == "0")
    {
        let what = "a client that uses a port again within two minutes of a connection to a server that has been removed since is not \
                    answered";
        findings.push(advice(what, Some(format!("sysctl -w {setting}=1"))));
    }
}

fn daemons(table: &Table, findings: &mut Vec<Finding>) {
    for daemon in &table.daemons {
        if !Path::new("/sys/class/net").join(daemon.interface.as_str()).exists() {
            findings.push(Finding {
                severity: Severity::Missing,
                what: format!(
                    "the {} sync daemon needs the interface {}, which is not there",
                    daemon.role, daemon.interface
                ),
                mend: None,
            });
        }
    }
}

/// Looks at this host as a real server that holds a VIP for direct routing or tunnelling.
pub fn real_server(vip: IpAddr, tunnel: Option<&str>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !is_local(vip) {
        let prefix = if vip.is_ipv4() { 32 } else { 128 };
        findings.push(missing(format!("{vip} is not this host's"), format!("ip addr add {vip}/{prefix} dev lo")));
    }
    if vip.is_ipv4() {
        for (name, wanted) in [("arp_ignore", "1"), ("arp_announce", "2")] {
            let name = format!("net.ipv4.conf.all.{name}");
            if sysctl::read(&name).is_ok_and(|value| value.as_str() < wanted) {
                findings.push(missing(
                    format!("{name} is too low: this host answers ARP for {vip}, which is the director's"),
                    format!("sysctl -w {name}={wanted}"),
                ));
            }
        }
    }
    for interface in tunnel.into_iter().chain(tunnel.map(|_| "all")) {
        let name = format!("net.ipv4.conf.{interface}.rp_filter");
        if vip.is_ipv4() && sysctl::read(&name).is_ok_and(|value| value == "1") {
            findings.push(missing(
                format!("{name} is strict: tunnelled packets are dropped"),
                format!("sysctl -w {name}=0"),
            ));
        }
    }
    findings
}
