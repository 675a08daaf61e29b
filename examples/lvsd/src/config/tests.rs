use super::*;
use lvs_core::model::ForwardingMethod;

const WEB: &str = r#"
timeouts = { tcp = 600 }

[[daemon]]
role = "master"
interface = "eth1"

[[service]]
name = "shop"
address = "tcp 192.0.2.1:80"
scheduler = "wrr"
persistent = 300
netmask = "255.255.255.0"
forwarding = "masquerade"
check = { http = { path = "/health" }, interval = 1.0 }
health = { fall = 2, sorry_server = "198.51.100.99:80", slow_start = 30 }

[[service.server]]
address = "198.51.100.7:8080"
weight = 3

[[service.server]]
address = "198.51.100.8"
check = { tcp = {} }
"#;

fn errors(text: &str) -> String {
    Cluster::parse(text).unwrap_err().to_string()
}

#[test]
fn a_cluster_file_becomes_a_table() {
    let cluster = Cluster::parse(WEB).unwrap();
    let table = cluster.table();
    let web = &table.services[0];
    assert_eq!(web.service.persistence(), Some(300));
    assert_eq!(web.destinations[0].weight, 3);
    assert_eq!(web.destinations[1].key.to_string(), "198.51.100.8:80");
    assert_eq!(web.destinations[1].forwarding, ForwardingMethod::Masquerade);
    assert_eq!(table.timeouts, Some(Timeouts { tcp: 600, tcp_fin: 0, udp: 0 }));
    let shop = &cluster.services[0];
    assert_eq!((shop.policy.fall, shop.name.as_deref()), (2, Some("shop")));
    let checks: Vec<_> = shop.members.iter().map(|member| member.check.as_ref().unwrap().check.name()).collect();
    assert_eq!(checks, ["http", "tcp"]);
}

#[test]
fn every_invalid_value_is_named_with_line_and_column() {
    let text = WEB.replace("wrr", "averyveryverylongname").replace("198.51.100.8\"", "198.51.100.256\"");
    let error = errors(&text);
    let lines: Vec<_> = error.lines().collect();
    assert!(lines[0].contains(":11:13: "), "{error}");
    assert!(lines[1].contains(":23:11: ") && lines[1].contains("198.51.100.256"), "{error}");
    let error = errors(&WEB.replace("scheduler", "schedular"));
    assert!(error.contains(":11:1: ") && error.contains("schedular"), "{error}");
    assert!(errors(&WEB.replace("pers", "[pers")).contains(":12:"));
    assert!(errors(&WEB.replace("path =", "pth =")).contains("pth"));
}

#[test]
fn a_byte_order_mark_is_no_error() {
    Cluster::parse(&format!("\u{feff}{WEB}")).unwrap();
}

#[test]
fn a_health_policy_that_cannot_work_is_refused() {
    let with = |health: &str| errors(&WEB.replace("fall = 2", health));
    assert!(with("fall = 0").contains("fall is 0"));
    assert!(with("rise = 0").contains("rise is 0"));
    assert!(with("quorum = 2, hysteresis = 5").contains("hysteresis"));
    assert!(with("damping = { falls = 3, window = 10, hold = 1.8e19 }").contains("hold"));
    assert!(with("damping = { falls = 0, window = 10, hold = 1 }").contains("0 falls"));
}

#[test]
fn times_out_of_range_are_refused() {
    for interval in ["1e-9", "1e19", "-1.0", "nan", "inf"] {
        let error = errors(&WEB.replace("interval = 1.0", &format!("interval = {interval}")));
        assert!(error.contains(":15:"), "{error}");
    }
}

#[test]
fn one_server_list_serves_many_addresses_of_both_families() {
    let text = r#"
[[service]]
addresses = ["tcp 192.0.2.1:80,443", "udp 192.0.2.1:443", "tcp [2001:db8::1]:80"]
[[service.server]]
address = "198.51.100.7"
[[service.server]]
address = "[2001:db8:1::7]"
"#;
    let cluster = Cluster::parse(text).unwrap();
    let servers: Vec<_> = cluster
        .services
        .iter()
        .map(|entry| entry.destinations().map(|d| d.key.to_string()).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(servers, ["198.51.100.7:80", "198.51.100.7:443", "198.51.100.7:443", "[2001:db8:1::7]:80"]);
    assert!(errors(&text.replace("80,443", "80,80")).contains("twice"));
}

#[test]
fn a_service_of_all_ports_is_persistent() {
    let text = WEB.replace("192.0.2.1:80", "192.0.2.1").replace("persistent = 300", "").replace("netmask", "#");
    let error = errors(&text);
    assert!(error.contains(":10:11:") && error.contains("persistent"), "{error}");
}

#[test]
fn ports_and_families_that_the_method_cannot_honour_are_refused_with_the_way_out() {
    let direct = WEB.replace("\"masquerade\"", "\"direct\"");
    let error = errors(&direct);
    assert!(error.contains(":19:11:") && error.contains("use port 80, or masquerade"), "{error}");
    Cluster::parse(&direct.replace(":8080", "")).unwrap();
    let mixed = direct.replace(":8080", "").replace("\"198.51.100.8\"", "\"[2001:db8::8]\"");
    let error = errors(&mixed);
    assert!(error.contains(":23:11:") && error.contains("use a tunnel"), "{error}");
    // A sync daemon excludes a mixed family.
    let tunnel = mixed.replace("\"direct\"", "\"tunnel\"");
    assert!(errors(&tunnel).contains("sync daemon"));
    Cluster::parse(&tunnel.replace("[[daemon]]\nrole = \"master\"\ninterface = \"eth1\"", "")).unwrap();
    assert!(errors(&WEB.replace("weight = 3", "weight = 4294967295")).contains("2147483647"));
    let crossed = WEB.replace("weight = 3", "upper_threshold = 1\nlower_threshold = 2");
    assert!(errors(&crossed).contains("threshold"));
}

#[test]
fn addresses_that_are_none_are_told_what_one_is() {
    for (wrong, right) in [
        ("tcp lb.example.org:80", "names of hosts are not looked up"),
        ("http://192.0.2.1", "tcp://192.0.2.1:80"),
        ("tcp://2001:db8::7:8080", "[2001:db8::1]:53"),
    ] {
        let error = errors(&WEB.replace("tcp 192.0.2.1:80", wrong));
        assert!(error.contains(":10:11:") && error.contains(right), "{error}");
    }
}

#[test]
fn the_reference_in_the_guides_is_a_cluster_file_and_right_about_defaults() {
    let guide = include_str!("../../guides/README.md");
    let text = guide.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let whole = Cluster::parse(text).unwrap();
    assert_eq!((whole.services.len(), whole.daemons.len(), whole.hooks.len()), (18, 1, 1));
    let said: Vec<_> = text.lines().filter(|line| !line.contains("# default")).collect();
    assert!(text.lines().count() - said.len() >= 10);
    assert_eq!(format!("{:?}", Cluster::parse(&said.join("\n")).unwrap()), format!("{whole:?}"));
}
