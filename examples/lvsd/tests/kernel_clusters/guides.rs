//! The guides, word for word: each block of commands runs on the host that it names and prints what
//! stands below it.

use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::direct::link;
use crate::files::Files;
use crate::nat::nat;
use crate::net::Host;
use crate::tunnel::tunnel;

/// A fenced block of a guide: its words behind the fence, and its text.
struct Block {
    line: usize,
    kind: String,
    name: String,
    text: String,
}

fn blocks(guide: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in guide.lines().enumerate() {
        match (line.strip_prefix("```"), open.as_mut()) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(words), None) => {
                let (kind, name) = words.split_once(' ').unwrap_or((words, ""));
                open = Some(Block { line: index + 1, kind: kind.into(), name: name.into(), text: String::new() });
            }
            (None, Some(block)) => {
                block.text += line;
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block of the guide has no end");
    blocks
}

fn follow(name: &str, guide: &str, hosts: &HashMap<&str, &Host>) {
    let files = Files::new(&format!("guide-{name}"));
    let mut printed: Option<(usize, String)> = None;
    let mut ran = 0;
    for block in blocks(guide) {
        let place = format!("{name}.md, line {}", block.line);
        match block.kind.as_str() {
            "toml" => {
                files.write(&block.name, &block.text);
            }
            "sh" => {
                expect_silence(printed.take(), name);
                let host =
                    hosts.get(block.name.as_str()).unwrap_or_else(|| panic!("{place}: no host {:?}", block.name));
                printed = Some((block.line, run(host, &block.text, files.path(), &place)));
                ran += 1;
            }
            "output" => {
                let (_, text) = printed.take().unwrap_or_else(|| panic!("{place}: nothing was run"));
                assert_eq!(text, block.text, "{place}");
            }
            "text" => {}
            other => panic!("{place}: a block of kind {other:?}"),
        }
    }
    expect_silence(printed, name);
    assert!(ran > 3, "{name}.md has hardly any commands");
}

fn expect_silence(printed: Option<(usize, String)>, name: &str) {
    if let Some((line, text)) = printed {
        assert_eq!(text, "", "{name}.md, line {line}: the guide does not show what is printed");
    }
}

fn run(host: &Host, script: &str, directory: &Path, place: &str) -> String {
    let programs = Path::new(env!("CARGO_BIN_EXE_lvsctl")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let output = Command::new("ip")
        .args(["netns", "exec", host.namespace(), "sh", "-ec", script])
        .current_dir(directory)
        .env("PATH", path)
        .env("LVS_STATE", directory.join("state"))
        .env("LVS_RUN", directory.join("run"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{place}: {}\n{err}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

fn hosts<'a>(client: &'a Host, directors: &[&'a Host], servers: &'a [Host]) -> HashMap<&'static str, &'a Host> {
    let mut hosts = HashMap::from([("client", client)]);
    hosts.extend(["director", "director2"].into_iter().zip(directors.iter().copied()));
    hosts.extend(["rs1", "rs2"].into_iter().zip(servers));
    hosts
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn the_guide_to_nat_works_as_written() {
    let nat = nat("gnat", 2);
    follow("nat", include_str!("../../guides/nat.md"), &hosts(&nat.client, &[&nat.director], &nat.servers));
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn the_guide_to_persistence_works_as_written() {
    let nat = nat("gpers", 2);
    let hosts = hosts(&nat.client, &[&nat.director], &nat.servers);
    follow("persistence", include_str!("../../guides/persistence.md"), &hosts);
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn the_guide_to_a_fleet_works_as_written() {
    let nat = nat("gfleet", 2);
    follow("fleet", include_str!("../../guides/fleet.md"), &hosts(&nat.client, &[&nat.director], &nat.servers));
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn the_guide_to_direct_routing_works_as_written() {
    let link = link("gdr", 1, 2);
    let hosts = hosts(&link.client, &[&link.directors[0]], &link.servers);
    follow("direct-routing", include_str!("../../guides/direct-routing.md"), &hosts);
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn the_guide_to_tunnels_works_as_written() {
    let tunnel = tunnel("gtun");
    let hosts = hosts(&tunnel.client, &[&tunnel.director], &tunnel.servers);
    follow("tunnel", include_str!("../../guides/tunnel.md"), &hosts);
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn the_guide_to_failover_works_as_written() {
    let link = link("gfail", 2, 2);
    let hosts = hosts(&link.client, &[&link.directors[0], &link.directors[1]], &link.servers);
    follow("failover", include_str!("../../guides/failover.md"), &hosts);
}
