//! Hosts on one machine: network namespaces, joined by bridges in a namespace of their own.

use std::fs::{self, File};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;

use nix::sched::{CloneFlags, setns};

/// A set of hosts that goes when it is dropped.
pub struct Net {
    prefix: &'static str,
    namespaces: Vec<String>,
}

/// One host.
#[derive(Clone, Debug)]
pub struct Host {
    namespace: String,
}

impl Net {
    /// A net with bridges of these names and nobody on them.
    pub fn new(prefix: &'static str, bridges: &[&str]) -> Self {
        let mut net = Self { prefix, namespaces: Vec::new() };
        let switch = net.add("switch");
        for bridge in bridges {
            switch.sh(&format!("ip link add {bridge} type bridge forward_delay 0 && ip link set {bridge} up"));
        }
        net
    }

    fn add(&mut self, name: &str) -> Host {
        let namespace = format!("{}-{name}", self.prefix);
        sh(&format!("ip netns add {namespace}"));
        self.namespaces.push(namespace.clone());
        // Nobody answers for names there: a program that asks for its host's own name would wait for a DNS server.
        let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let etc = etc(&namespace);
        fs::create_dir_all(&etc).expect("root may write there");
        fs::write(etc.join("hosts"), format!("127.0.0.1 localhost {name}\n::1 localhost\n")).expect("a short file");
        let host = Host { namespace };
        // A link-local address that is still being checked for duplicates cannot ask for its neighbours' addresses.
        host.sh("ip link set lo up; \
                 sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
                 net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0");
        host
    }

    /// A host with a link to each of these bridges, named as the bridge is, and the addresses on it.
    pub fn host(&mut self, name: &str, links: &[(&str, &[&str])]) -> Host {
        let host = self.add(name);
        let switch = format!("{}-switch", self.prefix);
        for (bridge, addresses) in links {
            // Interface names have 15 characters at most.
            let port = format!("{name}-{bridge}");
            sh(&format!(
                "ip -n {switch} link add {port} type veth peer name {bridge} netns {}; ip -n {switch} link set {port} master \
                 {bridge} up",
                host.namespace
            ));
            host.sh(&format!("ip link set {bridge} up"));
            for address in *addresses {
                host.address(address, bridge);
            }
        }
        host
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        for namespace in &self.namespaces {
            // What a test has left running there would keep the namespace alive.
            let kill = format!("ip netns pids {namespace} | xargs -r kill -9");
            let _ = Command::new("sh").args(["-c", &kill]).status();
            let _ = Command::new("ip").args(["netns", "del", namespace]).status();
            let _ = fs::remove_dir_all(etc(namespace));
        }
    }
}

/// Where `ip netns exec` takes the files from that a namespace has instead of those in `/etc`.
fn etc(namespace: &str) -> PathBuf {
    Path::new("/etc/netns").join(namespace)
}

impl Host {
    /// The name of its namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Runs a shell line on the host; it must succeed.
    pub fn sh(&self, line: &str) -> String {
        sh(&format!("ip netns exec {} sh -ec '{line}'", self.namespace))
    }

    /// Gives an interface an address, without duplicate address detection.
    pub fn address(&self, address: &str, interface: &str) {
        let nodad = if address.contains(':') { " nodad" } else { "" };
        self.sh(&format!("ip addr add {address} dev {interface}{nodad}"));
    }

    /// Runs one of our programs on the host; it must succeed.
    pub fn program(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.try_program(program, arguments);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{program} {arguments:?}: {}\n{out}{err}", output.status);
        out.into_owned()
    }

    /// Runs one of our programs on the host.
    pub fn try_program(&self, program: &str, arguments: &[&str]) -> Output {
        self.command(program).args(arguments).output().expect("ip runs")
    }

    /// Starts one of our programs on the host; it is killed when the handle is dropped.
    pub fn start(&self, program: &str, arguments: &[&str]) -> Running {
        let mut command = self.command(program);
        command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        Running(command.spawn().expect("ip runs"))
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace]).arg(path(program)).stdin(Stdio::null());
        command
    }

    /// Runs a closure on a thread that lives on the host: its sockets are the host's.
    pub fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        thread::scope(|scope| {
            let inside = scope.spawn(|| {
                self.move_in();
                work()
            });
            inside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Moves the calling thread to the host for good.
    pub fn move_in(&self) {
        let namespace = File::open(format!("/run/netns/{}", self.namespace)).expect("the namespace is there");
        setns(namespace, CloneFlags::CLONE_NEWNET).expect("root may enter it");
    }
}

/// A program that runs beside the test.
pub struct Running(Child);

impl Running {
    /// Kills it without warning.
    pub fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

fn path(program: &str) -> PathBuf {
    match program {
        "lvsd" => env!("CARGO_BIN_EXE_lvsd").into(),
        "lvsctl" => env!("CARGO_BIN_EXE_lvsctl").into(),
        other => panic!("not one of our programs: {other}"),
    }
}

/// Runs lvsd on a host and waits until the cluster is in force.
pub fn keep(host: &Host, files: &crate::files::Files, file: &str) -> Running {
    let running = host.start("lvsd", &["--state", files.state(), "--run", files.state(), file]);
    let start = std::time::Instant::now();
    while !host.try_program("lvsctl", &["--run", files.state(), "status"]).status.success() {
        assert!(start.elapsed().as_secs() < 300, "lvsd does not answer");
        thread::sleep(std::time::Duration::from_millis(50));
    }
    running
}

/// Runs a shell line; it must succeed.
pub fn sh(line: &str) -> String {
    let output = Command::new("sh").args(["-ec", line]).stdin(Stdio::null()).output().expect("sh runs");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{line}: {}\n{out}{err}", output.status);
    out.into_owned()
}

/// An address and port as text, with brackets where they belong.
pub fn endpoint(addr: &str, port: u16) -> String {
    SocketAddr::new(addr.parse::<IpAddr>().expect("an address"), port).to_string()
}
