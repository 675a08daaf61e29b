//! What Linux does since 7.1 that a director has to be set up for: its connection tables grow, are
//! limited, and keep templates in another way.

use crate::model::{DaemonRole, ServiceFlags, ServiceKey, Table};

use super::{Host, HostFinding, advice, missing};

/// The port that marks a template as invalid: templates that point to it are never found again.
const INVALID: u16 = u16::MAX;
/// The control port of FTP: templates of such a service hold for every port.
const FTP: u16 = 21;

/// A setting that is a number, if it is there.
fn value(host: &dyn Host, setting: &str) -> Option<i64> {
    host.sysctl(setting)?.parse().ok()
}

/// Nothing on older kernels.
pub(super) fn linux7(table: &Table, host: &dyn Host, findings: &mut Vec<HostFinding>) {
    if value(host, "net.ipv4.vs.conn_lfactor").is_none() {
        return;
    }
    templates(table, findings);
    backups(table, host, findings);
    fullness(host, findings);
}

fn is_persistent_by_port(key: &ServiceKey, flags: ServiceFlags) -> bool {
    flags.contains(ServiceFlags::PERSISTENT)
        && matches!(key, ServiceKey::Endpoint { port, .. } if ![0, FTP].contains(port))
}

fn templates(table: &Table, findings: &mut Vec<HostFinding>) {
    for entry in &table.services {
        let key = entry.service.key();
        if !is_persistent_by_port(&key, entry.service.flags) {
            continue;
        }
        for server in entry.destinations.iter().filter(|server| server.key.port == INVALID) {
            let what = format!(
                "{key} is not persistent for {}: this kernel never finds a template again that points to port {INVALID}",
                server.key
            );
            findings.push(HostFinding { mend: None, ..missing(what, "") });
        }
    }
    if table.services.iter().any(|entry| entry.service.engine.is_some()) {
        let what = "this kernel may send a call to another server when the connection table is resized after a server was taken \
                    out: a table that starts large is resized less often";
        findings.push(advice(what, Some("sysctl -w net.ipv4.vs.conn_lfactor=-8".to_owned())));
    }
}

fn backups(table: &Table, host: &dyn Host, findings: &mut Vec<HostFinding>) {
    let setting = "net.ipv4.vs.sync_refresh_period";
    let sends = table.daemons.iter().any(|daemon| daemon.role == DaemonRole::Master);
    let is_persistent = table.services.iter().any(|entry| entry.service.is_persistent());
    if sends && is_persistent && value(host, setting) == Some(0) {
        let what = "a backup director with this kernel gains a template with every packet of a connection whose server was \
                    taken out, until its table is full";
        findings.push(missing(what, format!("sysctl -w {setting}=10")));
    }
}

fn fullness(host: &dyn Host, findings: &mut Vec<HostFinding>) {
    let Some((entries, buckets)) = host.connections() else { return };
    let limit = "net.ipv4.vs.conn_max";
    if let Some(most) = value(host, limit).and_then(|most| u64::try_from(most).ok())
        && entries.saturating_mul(10) >= most.saturating_mul(9)
    {
        let what = format!(
            "{entries} of at most {most} connections: at the limit packets of new ones are dropped, and nothing else tells"
        );
        findings.push(missing(what, format!("sysctl -w {limit}={}", most.saturating_mul(2).clamp(1, 1 << 30))));
    }
    // The table grows by itself up to what the module was loaded with.
    if buckets > 0 && entries / buckets >= 8 {
        let bits = entries.max(2).ilog2().min(27);
        let what = format!("{entries} connections in {buckets} buckets: every packet searches a long chain");
        let mend =
            format!("echo options ip_vs conn_tab_bits={bits} >/etc/modprobe.d/ip_vs.conf   # and load ip_vs again");
        findings.push(advice(what, Some(mend)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{TestHost, daemon, served};
    use super::*;
    use crate::model::ForwardingMethod;

    fn new_kernel() -> TestHost {
        TestHost::new().with("net.ipv4.vs.conn_lfactor", -4)
    }

    fn found(table: &Table, host: &TestHost) -> Vec<String> {
        let mut findings = Vec::new();
        linux7(table, host, &mut findings);
        findings.into_iter().map(|finding| finding.what).collect()
    }

    fn persistent(key: &str, seconds: u32, port: u16) -> Table {
        let mut table = served(key, ForwardingMethod::Masquerade);
        let entry = &mut table.services[0];
        if seconds > 0 {
            entry.service = entry.service.with_persistence(seconds);
        }
        entry.destinations[0].key.port = port;
        table.daemons.push(daemon(DaemonRole::Master));
        table
    }

    #[test]
    fn templates_that_are_never_found_again_are_reported_where_the_kernel_loses_them() {
        for (key, seconds, port, expected) in [
            ("tcp://192.0.2.1:80", 300, 65535, 1),
            ("tcp://192.0.2.1:80", 300, 65534, 0),
            ("tcp://192.0.2.1:80", 0, 65535, 0),
            ("tcp://192.0.2.1:21", 300, 65535, 0),
            ("fwmark:7", 300, 65535, 0),
        ] {
            let table = persistent(key, seconds, port);
            assert_eq!(found(&table, &new_kernel()).len(), expected, "{key} {seconds} {port}");
            assert!(found(&table, &TestHost::new()).is_empty(), "an older kernel");
        }
    }

    #[test]
    fn a_master_that_floods_backups_with_templates_is_reported() {
        let period = |seconds| new_kernel().with("net.ipv4.vs.sync_refresh_period", seconds);
        let table = persistent("tcp://192.0.2.1:80", 300, 80);
        assert_eq!(found(&table, &period(0)).len(), 1);
        assert!(found(&table, &period(10)).is_empty());
        assert!(found(&persistent("tcp://192.0.2.1:80", 0, 80), &period(0)).is_empty());
    }

    #[test]
    fn a_table_that_is_nearly_full_or_crowded_is_reported() {
        let table = persistent("tcp://192.0.2.1:80", 0, 80);
        let limited = new_kernel().with("net.ipv4.vs.conn_max", 1000);
        for (entries, buckets, expected) in [(899, 4096, 0), (900, 4096, 1), (800, 256, 0), (2100, 256, 2)] {
            let host = limited.clone().with_connections(entries, buckets);
            assert_eq!(found(&table, &host).len(), expected, "{entries} in {buckets}");
        }
    }
}
