use std::net::{IpAddr, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};

use lvs_core::model::{AddressFamily, DaemonRole, ForwardingMethod, Protocol, SchedulerName, ServiceKey, Table};

use super::{Finding, Severity, advice, missing};
use crate::sysctl;

/// Looks at this host as the director of a table.
pub fn director(table: &Table) -> Vec<Finding> {
    let mut findings = Vec::new();
    module(&mut findings);
    schedulers(table, &mut findings);
    settings(table, &ThisHost, &mut findings);
    daemons(table, &mut findings);
    findings
}

/// What the advice rests on: settings by name, and addresses.
trait Host {
    /// Whether a setting is there and has this value.
    fn has(&self, setting: &str, value: &str) -> bool;
    /// Whether an address is the host's.
    fn is_local(&self, addr: IpAddr) -> bool;
}

struct ThisHost;

impl Host for ThisHost {
    fn has(&self, setting: &str, value: &str) -> bool {
        sysctl::read(setting).is_ok_and(|now| now == value)
    }

    /// Only to an address of its own can a socket be bound, unless `ip_nonlocal_bind` lets it.
    fn is_local(&self, addr: IpAddr) -> bool {
        UdpSocket::bind((addr, 0)).is_ok()
    }
}

fn settings(table: &Table, host: &dyn Host, findings: &mut Vec<Finding>) {
    addresses(table, host, findings);
    forwarding(table, host, findings);
    leavers(table, host, findings);
    loops(table, host, findings);
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

fn addresses(table: &Table, host: &dyn Host, findings: &mut Vec<Finding>) {
    for entry in &table.services {
        match entry.service.key() {
            ServiceKey::Endpoint { addr, .. } if !host.is_local(addr) => {
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

fn forwarding(table: &Table, host: &dyn Host, findings: &mut Vec<Finding>) {
    let uses = |method: ForwardingMethod, family: AddressFamily| {
        table.services.iter().any(|entry| {
            entry.service.key().family() == family && entry.destinations.iter().any(|d| d.forwarding == method)
        })
    };
    for (family, name) in
        [(AddressFamily::Ipv4, "net.ipv4.ip_forward"), (AddressFamily::Ipv6, "net.ipv6.conf.all.forwarding")]
    {
        if uses(ForwardingMethod::Masquerade, family) && host.has(name, "0") {
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
        && host.has(conntrack, "0")
    {
        let what = "connection tracking is in use here but IPVS does not take part: stateful firewall and SNAT rules do not match \
                    balanced connections";
        findings.push(advice(what, Some(format!("sysctl -w {conntrack}=1"))));
    }
    let strict =
        ["all", "default"].iter().any(|interface| host.has(&format!("net.ipv4.conf.{interface}.rp_filter"), "1"));
    if strict && uses(ForwardingMethod::Direct, AddressFamily::Ipv4) {
        let what =
            "strict reverse path filtering: with direct routing replies of a local client's server come from elsewhere";
        findings.push(advice(what, Some("sysctl -w net.ipv4.conf.all.rp_filter=2".to_owned())));
    }
}

/// What a removed server leaves behind. Where the director sees the clients' packets alone, it keeps a
/// closed connection for two minutes as one that may still say something, and its server with it. UDP has
/// no end that it could see, so a flow goes on to the removed server with every forwarding method.
fn leavers(table: &Table, host: &dyn Host, findings: &mut Vec<Finding>) {
    let one_way = |method| matches!(method, ForwardingMethod::Direct | ForwardingMethod::Tunnel);
    let setting = "net.ipv4.vs.expire_nodest_conn";
    if !host.has(setting, "0") {
        return;
    }
    let udp = |key: &ServiceKey| key.protocol().is_none_or(|protocol| protocol == Protocol::Udp);
    if table.services.iter().any(|entry| udp(&entry.service.key()) && !entry.destinations.is_empty()) {
        let what = "what clients keep sending over UDP to a server that has been removed is dropped for as long as they \
                    send";
        findings.push(advice(what, Some(format!("sysctl -w {setting}=1"))));
    }
    if table.services.iter().any(|entry| entry.destinations.iter().any(|d| one_way(d.forwarding))) {
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

/// A backup that holds a virtual address as a real server sends what it gets on to another one, which may
/// be the master's backup in turn (`ipvs-sysctl.rst`, `backup_only`).
fn loops(table: &Table, host: &dyn Host, findings: &mut Vec<Finding>) {
    let is_backup = table.daemons.iter().any(|daemon| daemon.role == DaemonRole::Backup);
    let one_way = |method| matches!(method, ForwardingMethod::Direct | ForwardingMethod::Tunnel);
    let mut servers = table.services.iter().flat_map(|entry| &entry.destinations);
    let is_server = servers.any(|server| one_way(server.forwarding) && host.is_local(server.key.addr));
    let setting = "net.ipv4.vs.backup_only";
    if is_backup && is_server && host.has(setting, "0") {
        let what = "this host is a backup director and a real server of the same cluster: packets can go in circles \
                    between the directors";
        findings.push(missing(what, format!("sysctl -w {setting}=1")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Cluster;

    /// A host with these settings at 0 and this address.
    struct Fake(&'static [&'static str], &'static str);

    impl Host for Fake {
        fn has(&self, setting: &str, value: &str) -> bool {
            value == "0" && self.0.contains(&setting)
        }

        fn is_local(&self, addr: IpAddr) -> bool {
            addr.to_string() == self.1 || addr.to_string() == "192.0.2.1"
        }
    }

    fn found(text: &str, host: &Fake) -> Vec<Finding> {
        let mut findings = Vec::new();
        settings(&Cluster::parse(text).unwrap().table(), host, &mut findings);
        findings
    }

    fn cluster(address: &str, forwarding: &str, daemon: &str) -> String {
        format!(
            "{daemon}\n[[service]]\naddress = \"{address}\"\nforwarding = \"{forwarding}\"\n\
             [[service.server]]\naddress = \"198.51.100.7\"\n"
        )
    }

    #[test]
    fn a_backup_that_is_also_a_real_server_is_warned_of_loops() {
        let backup = "[[daemon]]\nrole = \"backup\"\ninterface = \"eth1\"";
        let text = cluster("tcp://192.0.2.1:80", "direct", backup);
        let host = Fake(&["net.ipv4.vs.backup_only"], "198.51.100.7");
        let findings = found(&text, &host);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].mend.as_deref().unwrap().contains("backup_only=1"));
        assert_eq!(found(&text, &Fake(&[], "198.51.100.7")), [], "it is set");
        assert_eq!(found(&text, &Fake(&["net.ipv4.vs.backup_only"], "198.51.100.8")), [], "it is no real server");
        assert_eq!(found(&cluster("tcp://192.0.2.1:80", "direct", ""), &host), [], "it is no backup");
    }

    #[test]
    fn flows_to_removed_servers_are_spoken_of_with_every_method() {
        let host = Fake(&["net.ipv4.vs.expire_nodest_conn"], "");
        for (address, method, expected) in [
            ("udp://192.0.2.1:53", "masquerade", 1),
            ("udp://192.0.2.1:53", "direct", 2),
            ("tcp://192.0.2.1:80", "direct", 1),
            ("tcp://192.0.2.1:80", "masquerade", 0),
        ] {
            let findings = found(&cluster(address, method, ""), &host);
            assert_eq!(findings.len(), expected, "{address} {method}: {findings:?}");
        }
    }
}
