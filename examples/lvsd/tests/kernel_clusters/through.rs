//! Checks of the service's address through the real server, as the director sends clients' packets.

use std::time::{Duration, Instant};

use crate::direct::{self, Direct, VIPS, take_addresses};
use crate::files::{Files, service};
use crate::nat::mend;
use crate::net::{Host, endpoint, keep_raw};
use crate::tunnel::{self, Tunnel};
use crate::web::serve;

/// What status says of the servers once this is so.
fn wait_for(director: &Host, files: &Files, what: &str, seen: impl Fn(&serde_json::Value) -> bool) {
    let start = Instant::now();
    loop {
        let output = director.try_program("lvsctl", &["--run", files.state(), "--json", "status"]);
        let status: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        if seen(&status) {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(300), "{what}: {status:#}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn up(status: &serde_json::Value, service: usize) -> Vec<bool> {
    let servers = status["services"][service]["servers"].as_array().cloned().unwrap_or_default();
    servers.iter().map(|server| server["up"] == true).collect()
}

fn reason(status: &serde_json::Value, service: usize, server: usize) -> String {
    status["services"][service]["servers"][server]["reason"].as_str().unwrap_or_default().to_owned()
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn direct_routing_is_checked_on_the_way_of_clients_packets() {
    let files = Files::new("thr");
    let Direct { net: _net, directors, servers, .. } = direct::direct("thr", 1, 2, &files);
    let director = &directors[0];
    take_addresses(director);
    // The start waits for the checks: they say who is up.
    let settings = "check = { http = {}, to = \"service\", interval = 0.5, timeout = 5 }\nhealth = { fall = 1, start_down = true }";
    let address = format!("tcp://{}:80", VIPS[0]);
    let file = files.write("web.toml", &service(&address, settings, &[("192.0.2.11:80", 1), ("192.0.2.12:80", 1)]));
    mend(director, &file);
    let _web: Vec<_> = ["rs1", "rs2"]
        .into_iter()
        .zip(&servers)
        .map(|(name, host)| serve(host, "[::]:80".parse().unwrap(), name))
        .collect();
    let _lvsd = keep_raw(director, &files, &file);
    wait_for(director, &files, "both answer at the service's address", |status| up(status, 0) == [true, true]);
    // The server answers at its own address still, and a check of that would see nothing.
    servers[1].sh(&format!("ip addr del {}/32 dev lo", VIPS[0]));
    wait_for(director, &files, "one no longer has the service's address", |status| {
        up(status, 0) == [true, false] && !reason(status, 0, 1).is_empty()
    });
    servers[1].sh(&format!("ip addr add {}/32 dev lo", VIPS[0]));
    wait_for(director, &files, "it has it again", |status| up(status, 0) == [true, true]);
    // Its packets were not scheduled: IPVS has seen no connection.
    let listing = director.sh("cat /proc/net/ip_vs_conn");
    assert!(!listing.contains("C0000264"), "the checks went through IPVS: {listing}");
}

/// One encapsulation, with one server whose tunnel is not there.
fn tunnels(prefix: &'static str, arrival: &str, kind: &str, pairs: &[(&str, &str)]) {
    let Tunnel { net: _net, director, servers, .. } = tunnel::tunnel(prefix);
    let files = Files::new(prefix);
    let settings = format!(
        "forwarding = \"tunnel\"\n{kind}\ncheck = {{ http = {{}}, to = \"service\", interval = 0.5, timeout = 5 }}\n\
         health = {{ fall = 1, start_down = true }}"
    );
    let mut text = String::new();
    for (vip, outer) in pairs {
        let addresses = match *outer {
            "ipv4" => ["198.51.100.131:80", "198.51.100.132:80"],
            _ => ["[2001:db8:3::11]:80", "[2001:db8:3::12]:80"],
        };
        text += &service(&format!("tcp://{}", endpoint(vip, 80)), &settings, &[(addresses[0], 1), (addresses[1], 1)]);
        let state = files.path().join("rs0");
        let arguments = ["realserver", "apply", vip, "--arrival", arrival, "--outer", outer, "--state"];
        servers[0].program("lvsctl", &[&arguments[..], &[state.to_str().unwrap()]].concat());
    }
    let file = files.write("web.toml", &text);
    mend(&director, &file);
    let _web: Vec<_> = ["rs1", "rs2"]
        .into_iter()
        .zip(&servers)
        .map(|(name, host)| serve(host, "[::]:80".parse().unwrap(), name))
        .collect();
    let _lvsd = keep_raw(&director, &files, &file);
    for index in 0..pairs.len() {
        // The web server of the second listens, but nothing takes packets out of tunnels there.
        wait_for(&director, &files, "the one with a tunnel is up, the other is not", |status| {
            up(status, index) == [true, false] && !reason(status, index, 1).is_empty()
        });
    }
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn ipip_tunnels_are_checked_through_the_tunnel() {
    tunnels("thi", "ipip", "", &[("192.0.2.1", "ipv4"), ("2001:db8::1", "ipv6")]);
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn gue_and_gre_tunnels_are_checked_through_the_tunnel() {
    tunnels("thu", "gue", "tunnel = { kind = \"gue\", port = 6080 }", &[("192.0.2.1", "ipv4")]);
    tunnels("thg", "gre", "tunnel = { kind = \"gre\" }", &[("192.0.2.1", "ipv4"), ("2001:db8::1", "ipv6")]);
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn a_check_that_needs_what_lvsd_gives_up_is_refused_when_the_file_is_loaded() {
    let files = Files::new("thp");
    let Direct { net: _net, directors, .. } = direct::link("thp", 1, 1);
    let address = format!("tcp://{}:80", VIPS[0]);
    let settings = "check = { tcp = {}, to = \"service\" }";
    let file = files.write("web.toml", &service(&address, settings, &[("192.0.2.11:80", 1)]));
    let output = directors[0].try_program("lvsd", &["--state", files.state(), "--run", files.state(), &file]);
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("CAP_NET_RAW") && said.contains("--keep-raw"), "{said}");
    // Nothing was put in force.
    assert!(!directors[0].sh("cat /proc/net/ip_vs").contains("TCP"));
}
