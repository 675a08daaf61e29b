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
fn a_label_that_metrics_cannot_have_is_refused() {
    let with = |labels: &str| WEB.replace("name = \"shop\"", &format!("name = \"shop\"\nlabels = {{ {labels} }}"));
    let cluster = Cluster::parse(&with("site = \"a\", _rack = \"\"")).unwrap();
    assert_eq!(cluster.services[0].labels.len(), 2);
    for wrong in ["address", "\"7\"", "a-b", "\"a b\"", "\"\"", "__name__"] {
        let error = errors(&with(&format!("{wrong} = \"a\"")));
        assert!(error.starts_with("cluster file:10:10: ") && error.contains("label"), "{wrong}: {error}");
    }
}

#[test]
fn times_out_of_range_are_refused() {
    for interval in ["1e-9", "1e19", "-1.0", "nan", "inf"] {
        let error = errors(&WEB.replace("interval = 1.0", &format!("interval = {interval}")));
        assert!(error.contains(":15:"), "{error}");
    }
}

#[test]
fn persistence_lasts_no_longer_than_the_kernel_can_count() {
    let with = |seconds: u32| WEB.replace("persistent = 300", &format!("persistent = {seconds}"));
    for wrong in [0, 2_678_401, 17_179_870, u32::MAX] {
        let error = errors(&with(wrong));
        assert!(error.starts_with("cluster file:12:14: ") && error.contains("1..=2678400"), "{wrong}: {error}");
    }
    for right in [1, 2_678_400] {
        assert_eq!(Cluster::parse(&with(right)).unwrap().services[0].service.timeout, right);
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
fn an_invalid_address_is_refused_with_an_example() {
    for (wrong, right) in [
        ("tcp lb.example.org:80", "names of hosts are not looked up"),
        ("http://192.0.2.1", "tcp://192.0.2.1:80"),
        ("tcp://2001:db8::7:8080", "[2001:db8::1]:53"),
    ] {
        let error = errors(&WEB.replace("tcp 192.0.2.1:80", wrong));
        assert!(error.contains(":10:11:") && error.contains(right), "{error}");
    }
    let server = errors(&WEB.replace("198.51.100.7:8080", "2001:db8::7:8080"));
    assert!(server.contains(":19:11:") && server.contains("[2001:db8::7]:8080, or [2001:db8::7:8080]"), "{server}");
}

#[test]
fn the_reference_in_the_guides_is_a_cluster_file_and_right_about_defaults() {
    let guide = include_str!("../../guides/README.md");
    let text = guide.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let whole = Cluster::parse(text).unwrap();
    assert_eq!((whole.services.len(), whole.daemons.len(), whole.hooks.len()), (20, 1, 2));
    let said: Vec<_> = text.lines().filter(|line| !line.contains("# default")).collect();
    assert!(text.lines().count() - said.len() >= 10);
    // But for the text itself.
    let read = |text: &str| format!("{:?}", Cluster { text: None, ..Cluster::parse(text).unwrap() });
    assert!(read(&said.join("\n")) == read(text));
}

#[test]
fn checks_go_to_the_service_where_packets_can() {
    let text = |forwarding: &str, to: &str| {
        format!(
            "[[service]]\naddresses = [\"tcp://192.0.2.1:80,443\"]\nforwarding = \"{forwarding}\"\n\
             check = {{ tcp = {{}}, to = \"{to}\" }}\n[[service.server]]\naddress = \"198.51.100.7\"\n"
        )
    };
    let through = |forwarding: &str| -> Vec<_> {
        let cluster = Cluster::parse(&text(forwarding, "service")).unwrap();
        let members = cluster.services.iter().flat_map(|entry| &entry.members);
        members.map(|member| member.check.as_ref().unwrap().through.unwrap().to_string()).collect()
    };
    for method in ["direct", "tunnel"] {
        assert_eq!(through(method), ["192.0.2.1:80", "192.0.2.1:443"], "{method}");
    }
    let error = errors(&text("masquerade", "service"));
    assert!(error.contains(":4:9: ") && error.contains("check the server's own"), "{error}");
    assert!(errors(&text("direct", "the service")).contains("neither server, service"));
    let udp = text("direct", "service").replace("tcp = {}", "udp = {}");
    assert!(errors(&udp).contains("made over TCP, which udp is not"));
    let mark = text("direct", "service").replace("tcp://192.0.2.1:80,443", "fwmark:7");
    assert!(errors(&mark).contains("a mark has no address"));
    Cluster::parse(&mark.replace("to = \"service\"", "to = \"192.0.2.1:80\"")).unwrap();
    let v6 = text("direct", "service").replace("192.0.2.1", "[2001:db8::1]").replace("198.51.100.7", "[2001:db8::7]");
    assert!(errors(&v6).contains("IPv6"));
    Cluster::parse(&v6.replace("\"direct\"", "\"tunnel\"")).unwrap();
}

#[test]
fn a_mark_stands_for_many_addresses_and_ports_of_both_families() {
    let text = r#"
[[service]]
name = "shop"
mark = 7
addresses = ["tcp://192.0.2.1:80,443,1000-60000", "udp://192.0.2.1:443", "tcp://[2001:db8::1]", "sctp://192.0.2.2"]
[[service.server]]
address = "198.51.100.7"
[[service.server]]
address = "[2001:db8:1::7]"
"#;
    let cluster = Cluster::parse(text).unwrap();
    let services: Vec<_> = cluster.services.iter().map(|entry| entry.service.key().to_string()).collect();
    assert_eq!(services, ["fwmark:7", "fwmark:7/ipv6"]);
    assert_eq!(cluster.services[0].members.len(), 1);
    let script = crate::marks::script("lvsd_web", &cluster.marks);
    for rule in [
        "ip daddr 192.0.2.1 tcp dport { 80, 443, 1000-60000 } meta mark set 7",
        "ip daddr 192.0.2.1 udp dport { 443 } meta mark set 7",
        "ip6 daddr 2001:db8::1 meta l4proto tcp meta mark set 7",
        "ip daddr 192.0.2.2 meta l4proto sctp meta mark set 7",
    ] {
        assert!(script.contains(rule), "{rule}\n{script}");
    }
    assert!(errors(&text.replace("mark = 7", "mark = 0")).contains(":4:8:"));
    assert!(errors(&text.replace("udp://192.0.2.1:443", "fwmark:8")).contains("is a mark"));
    assert!(errors(&text.replace("1000-60000", "9-8")).contains("range"));
}

#[test]
fn sysctls_of_the_network_alone_are_set() {
    let cluster = Cluster::parse("[sysctl]\n\"net.ipv4.ip_forward\" = 1\n\"net.ipv4.vs.conntrack\" = \"1\"\n").unwrap();
    let set: Vec<_> = cluster.sysctls.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(set, ["net.ipv4.ip_forward=1", "net.ipv4.vs.conntrack=1"]);
    for wrong in ["kernel.core_pattern", "net.ipv4../../kernel/core_pattern", "net/../kernel"] {
        assert!(errors(&format!("[sysctl]\n\"{wrong}\" = \"x\"\n")).contains(":2:"), "{wrong}");
    }
}

#[test]
fn every_check_in_the_guides_is_one() {
    let guide = include_str!("../../guides/README.md");
    let text = guide.split("```toml\n").nth(2).and_then(|rest| rest.split("```").next()).unwrap();
    let mut kinds = Vec::new();
    for line in text.lines() {
        let kind: crate::probe::CheckKinds = toml::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        kinds.push(kind.one().unwrap_or_else(|error| panic!("{line}: {error}")).name());
    }
    kinds.dedup();
    assert_eq!(kinds, ["tcp", "http", "udp", "dns", "smtp", "grpc", "icmp", "file", "command"]);
}

#[test]
fn defaults_hold_for_services_that_do_not_say_otherwise() {
    let text = r#"
[defaults]
scheduler = "rr"
forwarding = "masquerade"
persistent = 60
weight = 5
upper_threshold = 100
keep_weights = true
check = { tcp = {} }
health = { fall = 7 }
[[service]]
address = "tcp://192.0.2.1:80"
server = [{ address = "198.51.100.7" }, { address = "198.51.100.8", weight = 2, upper_threshold = 0 }]
[[service]]
address = "tcp://192.0.2.1:81"
scheduler = "wlc"
forwarding = "direct"
persistent = 9
keep_weights = false
check = { icmp = {} }
health = { quorum = 2 }
server = [{ address = "198.51.100.7" }]
"#;
    let cluster = Cluster::parse(text).unwrap();
    let described: Vec<_> = cluster
        .services
        .iter()
        .map(|entry| {
            let first = &entry.members[0];
            let check = first.check.as_ref().unwrap().check.name();
            let destination = first.destination;
            format!(
                "{} {:?} {} {} {} {} {} {}",
                entry.service.scheduler,
                entry.service.persistence(),
                destination.forwarding,
                destination.weight,
                destination.upper_threshold,
                entry.keep_weights,
                check,
                entry.policy.fall
            )
        })
        .collect();
    assert_eq!(described, ["rr Some(60) masquerade 5 100 true tcp 7", "wlc Some(9) direct 5 100 false icmp 3"]);
    let own = cluster.services[0].members[1].destination;
    assert_eq!((own.weight, own.upper_threshold), (2, 0));
    // What is wrong with a default is named where it is, once.
    let error = errors(&text.replace("\"rr\"", "\"averyveryverylongname\"").replace("scheduler = \"wlc\"", ""));
    assert!(error.starts_with("cluster file:3:13: ") && error.lines().count() == 1, "{error}");
    assert!(errors(&text.replace("weight = 5", "wieght = 5")).starts_with("cluster file:6:1: "));
}

#[test]
fn what_is_allowed_has_to_be_enough_for_checks() {
    let text = |allowed: &str, settings: &str| {
        format!(
            "allowed_actions = {allowed}\n[[service]]\naddress = \"tcp://192.0.2.1:80\"\nforwarding = \"masquerade\"\n\
             {settings}\nserver = [{{ address = \"198.51.100.7\" }}]\n"
        )
    };
    let check = "check = { tcp = {} }";
    let cluster = Cluster::parse(&text("[\"add_service\", \"add_server\"]", "")).unwrap();
    assert!(cluster.allowed.allows(Action::AddServer) && !cluster.allowed.allows(Action::RemoveServer));
    assert!(Cluster::parse(&text("[\"add_service\", \"add_server\", \"change_server\"]", check)).is_ok());
    let error = errors(&text("[\"add_service\", \"add_server\"]", check));
    assert!(error.starts_with("cluster file:1:19: ") && error.contains("change_server"), "{error}");
    let removing = format!("{check}\nhealth = {{ remove = true }}");
    assert!(errors(&text("[\"change_server\"]", &removing)).contains("remove_server"));
    let sorry = "health = { sorry_server = \"198.51.100.9\" }";
    assert!(errors(&text("[\"add_server\"]", sorry)).contains("remove_server"));
    let unknown = errors(&text("[\"add_everything\"]", ""));
    assert!(unknown.starts_with("cluster file:1:20: ") && unknown.contains("remove_service"), "{unknown}");
}

#[test]
fn kept_weights_exclude_other_sources_of_weights() {
    let text = |settings: &str| {
        format!(
            "[[service]]\naddress = \"tcp://192.0.2.1:80\"\nkeep_weights = true\n{settings}\n\
             server = [{{ address = \"198.51.100.7\" }}]\n"
        )
    };
    assert!(Cluster::parse(&text("check = { http = {} }")).is_ok());
    for settings in [
        "health = { slow_start = 10.0 }",
        "check = { http = { weight_header = \"X-Weight\" } }",
        "check = { command = { argv = [\"/bin/true\"], dynamic = true } }",
        "check = { file = { path = \"/run/x\" } }",
    ] {
        let error = errors(&text(settings));
        assert!(error.starts_with("cluster file:3:16: keep_weights and"), "{settings}: {error}");
    }
}
