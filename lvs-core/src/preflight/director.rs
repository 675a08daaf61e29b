//! A host as the director of a table.

use crate::model::{AddressFamily, DaemonRole, ForwardingMethod, Protocol, SchedulerName, ServiceKey, Table};

use super::linux7::linux7;
use super::{Host, HostFinding, Severity, advice, missing};

/// What a host lacks to be the director of a table, and what to look at there.
pub fn director(table: &Table, host: &dyn Host) -> Vec<HostFinding> {
    let mut findings = Vec::new();
    module(host, &mut findings);
    schedulers(table, host, &mut findings);
    settings(table, host, &mut findings);
    daemons(table, host, &mut findings);
    findings
}

/// Whether a setting is there and has this value.
fn has(host: &dyn Host, setting: &str, value: &str) -> bool {
    host.sysctl(setting).is_some_and(|now| now == value)
}

fn settings(table: &Table, host: &dyn Host, findings: &mut Vec<HostFinding>) {
    addresses(table, host, findings);
    forwarding(table, host, findings);
    leavers(table, host, findings);
    loops(table, host, findings);
    linux7(table, host, findings);
}

fn module(host: &dyn Host, findings: &mut Vec<HostFinding>) {
    if !host.has_ipvs() {
        findings.push(missing("the kernel has no IPVS loaded", "modprobe ip_vs"));
    }
}

fn schedulers(table: &Table, host: &dyn Host, findings: &mut Vec<HostFinding>) {
    let mut names: Vec<_> = table.services.iter().map(|entry| entry.service.scheduler).collect();
    names.sort();
    names.dedup();
    for name in names.into_iter().filter(|name| *name != SchedulerName::NONE) {
        let module = format!("ip_vs_{name}");
        if !host.has_module(&module) {
            let what = format!("the scheduler {name} is neither loaded nor to be found as module {module}");
            findings.push(advice(what, Some(format!("modprobe {module}"))));
        }
    }
}

fn addresses(table: &Table, host: &dyn Host, findings: &mut Vec<HostFinding>) {
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

fn forwarding(table: &Table, host: &dyn Host, findings: &mut Vec<HostFinding>) {
    let uses = |method: ForwardingMethod, family: AddressFamily| {
        table.services.iter().any(|entry| {
            entry.service.key().family() == family && entry.destinations.iter().any(|d| d.forwarding == method)
        })
    };
    for (family, name) in
        [(AddressFamily::Ipv4, "net.ipv4.ip_forward"), (AddressFamily::Ipv6, "net.ipv6.conf.all.forwarding")]
    {
        if uses(ForwardingMethod::Masquerade, family) && has(host, name, "0") {
            findings.push(missing(
                format!("masquerading over {family} needs forwarding: replies of real servers are dropped"),
                format!("sysctl -w {name}=1"),
            ));
        }
    }
    let conntrack = "net.ipv4.vs.conntrack";
    if (uses(ForwardingMethod::Masquerade, AddressFamily::Ipv4)
        || uses(ForwardingMethod::Masquerade, AddressFamily::Ipv6))
        && host.sysctl("net.netfilter.nf_conntrack_count").is_some_and(|value| value != "0")
        && has(host, conntrack, "0")
    {
        let what = "connection tracking is in use here but IPVS does not take part: stateful firewall and SNAT rules do not match \
                    balanced connections";
        findings.push(advice(what, Some(format!("sysctl -w {conntrack}=1"))));
    }
    let strict =
        ["all", "default"].iter().any(|interface| has(host, &format!("net.ipv4.conf.{interface}.rp_filter"), "1"));
    if strict && uses(ForwardingMethod::Direct, AddressFamily::Ipv4) {
        let what =
            "strict reverse path filtering: with direct routing replies of a local client's server come from elsewhere";
        findings.push(advice(what, Some("sysctl -w net.ipv4.conf.all.rp_filter=2".to_owned())));
    }
}

/// What a removed server leaves behind. Where the director sees the clients' packets alone, it
/// keeps a closed connection for two minutes as one that may still say something, and its server
/// with it. UDP has no end that it could see, so a flow goes on to the removed server with every
/// forwarding method.
fn leavers(table: &Table, host: &dyn Host, findings: &mut Vec<HostFinding>) {
    let one_way = |method| matches!(method, ForwardingMethod::Direct | ForwardingMethod::Tunnel);
    let setting = "net.ipv4.vs.expire_nodest_conn";
    if !has(host, setting, "0") {
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

fn daemons(table: &Table, host: &dyn Host, findings: &mut Vec<HostFinding>) {
    for daemon in &table.daemons {
        if !host.has_interface(daemon.interface.as_str()) {
            findings.push(HostFinding {
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

/// A backup that holds a virtual address as a real server sends what it gets on to another one,
/// which may be the master's backup in turn (`ipvs-sysctl.rst`, `backup_only`).
fn loops(table: &Table, host: &dyn Host, findings: &mut Vec<HostFinding>) {
    let is_backup = table.daemons.iter().any(|daemon| daemon.role == DaemonRole::Backup);
    let one_way = |method| matches!(method, ForwardingMethod::Direct | ForwardingMethod::Tunnel);
    let mut servers = table.services.iter().flat_map(|entry| &entry.destinations);
    let is_server = servers.any(|server| one_way(server.forwarding) && host.is_local(server.key.addr));
    let setting = "net.ipv4.vs.backup_only";
    if is_backup && is_server && has(host, setting, "0") {
        let what = "this host is a backup director and a real server of the same cluster: packets can go in circles \
                    between the directors";
        findings.push(missing(what, format!("sysctl -w {setting}=1")));
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{TestHost, daemon, served};
    use super::*;

    #[test]
    fn a_backup_that_is_also_a_real_server_is_warned_of_loops() {
        let setting = "net.ipv4.vs.backup_only";
        let mut table = served("tcp://192.0.2.1:80", ForwardingMethod::Direct);
        let host = |unset, server| TestHost::new().with(setting, unset).holding("192.0.2.1").holding(server);
        assert_eq!(director(&table, &host(0, "198.51.100.7")), [], "it is no backup");
        table.daemons.push(daemon(DaemonRole::Backup));
        let findings = director(&table, &host(0, "198.51.100.7"));
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].mend.as_deref().unwrap().contains("backup_only=1"));
        assert_eq!(director(&table, &host(1, "198.51.100.7")), [], "it is set");
        assert_eq!(director(&table, &host(0, "198.51.100.8")), [], "it is no real server");
    }

    #[test]
    fn flows_to_removed_servers_are_reported_with_every_method() {
        use ForwardingMethod::{Direct, Masquerade};
        let host = TestHost::new().with("net.ipv4.vs.expire_nodest_conn", 0).holding("192.0.2.1");
        for (key, method, expected) in [
            ("udp://192.0.2.1:53", Masquerade, 1),
            ("udp://192.0.2.1:53", Direct, 2),
            ("tcp://192.0.2.1:80", Direct, 1),
            ("tcp://192.0.2.1:80", Masquerade, 0),
        ] {
            let findings = director(&served(key, method), &host);
            assert_eq!(findings.len(), expected, "{key} {method}: {findings:?}");
        }
    }

    #[test]
    fn preflight_finds_missing_module_address_scheduler_interface_and_forwarding() {
        let mut table = served("tcp://192.0.2.1:80", ForwardingMethod::Masquerade);
        table.daemons.push(daemon(DaemonRole::Master));
        let found = |host: &TestHost| -> Vec<String> {
            director(&table, host).into_iter().map(|finding| finding.what).collect()
        };
        let good = TestHost::new().holding("192.0.2.1");
        assert_eq!(found(&good), [""; 0]);
        for (host, expected) in [
            (TestHost::new(), "the virtual address 192.0.2.1 is not this host's"),
            (good.clone().without("ip_vs"), "the kernel has no IPVS loaded"),
            (good.clone().without("ip_vs_wlc"), "the scheduler wlc is neither loaded"),
            (good.clone().without("eth1"), "the master sync daemon needs the interface eth1"),
            (good.clone().with("net.ipv4.ip_forward", 0), "masquerading over ipv4 needs forwarding"),
        ] {
            let found = found(&host);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].contains(expected), "{found:?}");
        }
    }
}
