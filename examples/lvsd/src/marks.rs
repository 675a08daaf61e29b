//! Marks on packets: for services that are marks, the nftables rules that set them.

use std::fmt::Write as _;
use std::hash::Hasher;
use std::net::IpAddr;

use lvs_core::model::Protocol;

use crate::daemon::Tools;

/// Packets that get a mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The mark.
    pub mark: u32,
    /// Where they go.
    pub addr: IpAddr,
    /// With which protocol.
    pub protocol: Protocol,
    /// To which ports, first and last; all of them if there is none.
    pub ports: Vec<(u16, u16)>,
}

/// The name of a cluster's table.
pub fn table(instance: &str) -> String {
    let clean: String = instance.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if clean == instance {
        return format!("lvsd_{clean}");
    }
    // No two names become one.
    let mut sum = fnv::FnvHasher::default();
    sum.write(instance.as_bytes());
    format!("lvsd_{clean}_{:016x}", sum.finish())
}

/// The script that replaces a cluster's table as a whole, or removes it if there are no marks.
pub fn script(table: &str, marks: &[Mark]) -> String {
    // It is declared first, so that it can be deleted whether it was there or not; nft carries a
    // script out as one.
    let mut text = format!("table inet {table}\ndelete table inet {table}\n");
    if marks.is_empty() {
        return text;
    }
    let _ = writeln!(
        text,
        "table inet {table} {{\n\tchain prerouting {{\n\t\ttype filter hook prerouting priority mangle; policy accept;"
    );
    for Mark { mark, addr, protocol, ports } in marks {
        let family = if addr.is_ipv4() { "ip" } else { "ip6" };
        let ports: Vec<_> = ports
            .iter()
            .map(|(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") })
            .collect();
        let protocol = match ports.as_slice() {
            [] => format!("meta l4proto {protocol}"),
            ports => format!("{protocol} dport {{ {} }}", ports.join(", ")),
        };
        let _ = writeln!(text, "\t\t{family} daddr {addr} {protocol} meta mark set {mark}");
    }
    text.push_str("\t}\n}\n");
    text
}

/// The table of a cluster in the kernel.
#[derive(Debug)]
pub struct Marks {
    tools: Tools,
    table: String,
    /// The marks in force, and how nft lists them.
    in_force: Option<(Vec<Mark>, String)>,
}

impl Marks {
    /// Nothing is done yet.
    pub fn new(tools: Tools, instance: &str) -> Self {
        Self { tools, table: table(instance), in_force: None }
    }

    /// Whether the kernel would take them.
    ///
    /// # Errors
    /// What nft says.
    pub fn check(&self, marks: &[Mark]) -> Result<(), String> {
        if marks.is_empty() { Ok(()) } else { self.nft(&["-c", "-f", "-"], &script(&self.table, marks)).map(drop) }
    }

    /// Replaces what is in force. Without marks, nothing is left.
    ///
    /// # Errors
    /// What nft says; then what was in force still is.
    pub fn put(&mut self, marks: &[Mark]) -> Result<(), String> {
        if marks.is_empty() && self.in_force.is_none() && self.list().is_err() {
            // Neither there nor wanted: a host without nft has no use for it.
            return Ok(());
        }
        self.nft(&["-f", "-"], &script(&self.table, marks))?;
        self.in_force = if marks.is_empty() { None } else { Some((marks.to_vec(), self.list()?)) };
        Ok(())
    }

    /// Looks whether what is in force still is, and sees to it; says whether there was something to
    /// repair.
    ///
    /// # Errors
    /// What nft says.
    pub fn look(&mut self) -> Result<bool, String> {
        let Some((marks, listing)) = self.in_force.clone() else { return Ok(false) };
        if self.list().is_ok_and(|now| now == listing) {
            return Ok(false);
        }
        self.put(&marks).map(|()| true)
    }

    fn list(&self) -> Result<String, String> {
        self.nft(&["list", "table", "inet", &self.table], "")
    }

    fn nft(&self, arguments: &[&str], input: &str) -> Result<String, String> {
        self.tools.run(&[&["nft"], arguments].concat(), input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_become_one_script_that_replaces_the_table() {
        let mark = |addr: &str, protocol, ports: &[(u16, u16)]| Mark {
            mark: 7,
            addr: addr.parse().unwrap(),
            protocol,
            ports: ports.to_vec(),
        };
        let marks = [
            mark("192.0.2.1", Protocol::Tcp, &[(80, 80), (8000, 8010)]),
            mark("2001:db8::1", Protocol::Udp, &[(443, 443)]),
            mark("192.0.2.2", Protocol::Sctp, &[]),
        ];
        assert_eq!(
            script("lvsd_web", &marks),
            "table inet lvsd_web\ndelete table inet lvsd_web\ntable inet lvsd_web {\n\tchain prerouting {\n\t\ttype filter hook \
             prerouting priority mangle; policy accept;\n\t\tip daddr 192.0.2.1 tcp dport { 80, 8000-8010 } meta mark set \
             7\n\t\tip6 daddr 2001:db8::1 udp dport { 443 } meta mark set 7\n\t\tip daddr 192.0.2.2 meta l4proto sctp meta \
             mark set 7\n\t}\n}\n"
        );
        assert_eq!(script("lvsd_web", &[]), "table inet lvsd_web\ndelete table inet lvsd_web\n");
    }

    #[test]
    fn no_two_clusters_share_a_table() {
        assert_eq!(table("web"), "lvsd_web");
        let names = ["web-a", "web_a", "web.a", "web@ns\\x3a1"].map(table);
        assert!(names.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')));
        assert_eq!(std::collections::HashSet::from(names).len(), 4);
    }
}
