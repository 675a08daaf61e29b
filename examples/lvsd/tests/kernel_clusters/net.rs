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
        let links: String = bridges
            .iter()
            .map(|bridge| format!("link add {bridge} type bridge forward_delay 0\nlink set {bridge} up\n"))
            .collect();
        net.add("switch", "", &links);
        net
    }

    /// A namespace: the commands that join it to others, and what `ip` does in it. Programs start
    /// slowly in an emulated machine: they are few here.
    fn add(&mut self, name: &str, join: &str, inside: &str) -> Host {
        let namespace = format!("{}-{name}", self.prefix);
        // Nobody answers for names there: a program that asks for its host's own name would wait
        // for a DNS server.
        let hostname = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let etc = etc(&namespace);
        fs::create_dir_all(&etc).expect("root may write there");
        fs::write(etc.join("hosts"), format!("127.0.0.1 localhost {hostname}\n::1 localhost\n")).expect("a short file");
        // A link-local address that is still being checked for duplicates cannot ask for its
        // neighbours' addresses.
        sh(&format!(
            "ip netns add {namespace}\n{join}\
             ip netns exec {namespace} sh -ec 'cd /proc/sys/net\n\
             echo 0 > ipv4/conf/all/rp_filter; echo 0 > ipv4/conf/default/rp_filter\n\
             echo 0 > ipv6/conf/all/accept_dad; echo 0 > ipv6/conf/default/accept_dad\n\
             exec ip -batch -' <<END\nlink set lo up\n{inside}END\n"
        ));
        self.namespaces.push(namespace.clone());
        Host { namespace }
    }

    /// A host with a link to each of these bridges, named as the bridge is, and the addresses on
    /// it.
    pub fn host(&mut self, name: &str, links: &[(&str, &[&str])]) -> Host {
        let switch = format!("{}-switch", self.prefix);
        let (mut cables, mut inside) = (String::new(), String::new());
        for (bridge, addresses) in links {
            // Interface names have 15 characters at most.
            let port = format!("{name}-{bridge}");
            cables += &format!(
                "ip -n {switch} -batch - <<END\nlink add {port} type veth peer name {bridge} netns {}-{name}\n\
                 link set {port} master {bridge} up\nEND\n",
                self.prefix
            );
            inside += &format!("link set {bridge} up\n");
            for address in *addresses {
                inside += &format!("addr add {address} dev {bridge}{}\n", unchecked(address));
            }
        }
        self.add(name, &cables, &inside)
    }
}

/// Addresses are used at once: nobody looks for duplicates.
fn unchecked(address: &str) -> &'static str {
    if address.contains(':') { " nodad" } else { "" }
}

impl Drop for Net {
    fn drop(&mut self) {
        // What a test has left running there would keep a namespace alive.
        let kill = |namespace| format!("ip netns pids {namespace} | xargs -r kill -9\nip netns del {namespace}\n");
        let _ = Command::new("sh").args(["-c", &self.namespaces.iter().map(kill).collect::<String>()]).status();
        for namespace in &self.namespaces {
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
        let mut command = Command::new("ip");
        run(command.args(["netns", "exec", &self.namespace, "sh", "-ec", line]))
    }

    /// Gives an interface an address, without duplicate address detection.
    pub fn address(&self, address: &str, interface: &str) {
        self.sh(&format!("ip addr add {address} dev {interface}{}", unchecked(address)));
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
    keep_with(host, files, &[file])
}

/// The same with raw sockets for its checks.
pub fn keep_raw(host: &Host, files: &crate::files::Files, file: &str) -> Running {
    keep_with(host, files, &["--keep-raw", file])
}

fn keep_with(host: &Host, files: &crate::files::Files, arguments: &[&str]) -> Running {
    let running = host.start("lvsd", &[&["--state", files.state(), "--run", files.state()], arguments].concat());
    let start = std::time::Instant::now();
    while !host.try_program("lvsctl", &["--run", files.state(), "status"]).status.success() {
        assert!(start.elapsed().as_secs() < 300, "lvsd does not answer");
        thread::sleep(std::time::Duration::from_millis(50));
    }
    running
}

/// Runs a shell line; it must succeed.
pub fn sh(line: &str) -> String {
    run(Command::new("sh").args(["-ec", line]))
}

fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().expect("it starts");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{out}{err}", output.status);
    out.into_owned()
}

/// An address and port as text, with brackets where they belong.
pub fn endpoint(addr: &str, port: u16) -> String {
    SocketAddr::new(addr.parse::<IpAddr>().expect("an address"), port).to_string()
}
