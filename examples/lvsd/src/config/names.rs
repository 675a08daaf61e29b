//! Names of hosts as servers, and the addresses that are known of them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// The addresses that are known of names.
pub type Answers = BTreeMap<String, BTreeSet<IpAddr>>;

/// The longest name that DNS takes, in bytes (RFC 1035).
const LONGEST: usize = 253;

/// A name of a host and a port, if the text is one; without a port it is 0.
pub(super) fn host(text: &str) -> Option<(&str, u16)> {
    let (name, port) = match text.rsplit_once(':') {
        None => (text, 0),
        Some((name, port)) => (name, port.parse().ok()?),
    };
    let label = |label: &str| {
        let clean = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        (1..=63).contains(&label.len()) && label.chars().all(clean) && !label.starts_with('-') && !label.ends_with('-')
    };
    let mut labels = name.strip_suffix('.').unwrap_or(name).rsplit('.');
    // What ends in a number is meant as an address.
    let last = labels.next().filter(|last| label(last) && last.contains(|c: char| c.is_ascii_alphabetic()));
    (name.len() <= LONGEST && last.is_some() && labels.all(label)).then_some((name, port))
}

#[cfg(test)]
mod tests {
    use super::super::Cluster;
    use super::*;

    #[test]
    fn names_are_distinguished_from_addresses() {
        assert_eq!(host("web.example.org:8080"), Some(("web.example.org", 8080)));
        assert_eq!(host("web"), Some(("web", 0)));
        assert_eq!(host("_x.svc-1.example.org."), Some(("_x.svc-1.example.org.", 0)));
        for wrong in
            ["198.51.100.256", "198.51.100.7:80", "2001:db8::7", "web:http", "-a.org", "a..org", "", "a b", "web:70000"]
        {
            assert_eq!(host(wrong), None, "{wrong:?}");
        }
    }

    const FILE: &str = r#"
[[service]]
addresses = ["tcp://192.0.2.1:80", "tcp://[2001:db8::1]:80"]
forwarding = "masquerade"
check = { tcp = {} }
server = [{ address = "198.51.100.7" }, { address = "web.example.org:8080", weight = 4 }]
"#;

    fn servers(cluster: &Cluster) -> Vec<String> {
        let of = |entry: &super::super::ClusterService| {
            entry
                .members
                .iter()
                .map(|one| format!("{}*{}", one.destination.key, one.destination.weight))
                .collect::<Vec<_>>()
                .join(" ")
        };
        cluster.services.iter().map(of).collect()
    }

    #[test]
    fn a_name_is_as_many_servers_as_it_has_addresses() {
        let cluster = Cluster::parse(FILE).unwrap();
        assert_eq!(cluster.names.iter().collect::<Vec<_>>(), ["web.example.org"]);
        assert_eq!(servers(&cluster), ["198.51.100.7:80*1", ""]);
        let answers = |addresses: &[&str]| {
            Answers::from([(
                "web.example.org".to_owned(),
                addresses.iter().map(|addr| addr.parse().unwrap()).collect(),
            )])
        };
        let known = answers(&["198.51.100.9", "198.51.100.8", "2001:db8:1::7"]);
        let resolved = cluster.resolved(&known).unwrap();
        assert_eq!(
            servers(&resolved),
            ["198.51.100.7:80*1 198.51.100.8:8080*4 198.51.100.9:8080*4", "[2001:db8:1::7]:8080*4"]
        );
        assert_eq!(resolved.answers, known);
        assert!(resolved.services[0].members[1].check.is_some());
        // From then on it goes by the text that was read, however often.
        assert_eq!(servers(&resolved.resolved(&answers(&[])).unwrap()), ["198.51.100.7:80*1", ""]);
    }

    #[test]
    fn an_address_that_is_there_already_or_cannot_be_served_is_left_out_and_the_file_stays_valid() {
        let text = FILE.replace(":8080", "").replace("masquerade", "direct");
        let known = ["198.51.100.7", "198.51.100.8"].map(|addr| addr.parse().unwrap());
        let known = Answers::from([("web.example.org".to_owned(), known.into())]);
        let cluster = Cluster::parse(&text).unwrap().resolved(&known).unwrap();
        assert_eq!(servers(&cluster)[0], "198.51.100.7:80*1 198.51.100.8:80*4");
        // Direct routing cannot change the port.
        let cluster = Cluster::parse(&FILE.replace("masquerade", "direct")).unwrap().resolved(&known).unwrap();
        assert_eq!(servers(&cluster)[0], "198.51.100.7:80*1");
        assert!(cluster.warnings[0].contains("198.51.100.7:8080"), "{:?}", cluster.warnings);
    }

    #[test]
    fn a_name_server_has_an_address() {
        let cluster = Cluster::parse(&format!("resolver = [\"192.0.2.53\", \"[2001:db8::53]:5353\"]\n{FILE}")).unwrap();
        let servers: Vec<String> = cluster.resolver.iter().map(ToString::to_string).collect();
        assert_eq!(servers, ["192.0.2.53:53", "[2001:db8::53]:5353"]);
        let error = Cluster::parse("resolver = [\"ns.example.org\"]").unwrap_err().to_string();
        assert!(error.starts_with("cluster file:1:13: "), "{error}");
    }
}
