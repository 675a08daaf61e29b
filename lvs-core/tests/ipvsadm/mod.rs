//! Debian's `ipvsadm` in front of a kernel that this test plays: any snapshot, any connection file,
//! any names.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command as Process;
use std::sync::{Arc, Mutex};

use crate::listing_case::Names;
use lvs_core::Errno;
use lvs_core::model::{ServiceKey, Snapshot};
use lvs_core::wire::message::{Command, Message, Messages, header, write, write_ack, write_done};
use lvs_core::wire::payload::Payload;
use lvs_core::wire::request::ReceivedRequest;
use lvs_core::wire::uapi::NLM_F_MULTIPART;
use lvs_core::wire::{family, service};
use netlink_packet_core::NetlinkHeader;

const FAMILY: u16 = 33;
const PORT: u32 = 4242;

/// Runs `ipvsadm`.
pub(crate) struct Oracle {
    directory: PathBuf,
    shim: PathBuf,
    snapshot: Arc<Mutex<Snapshot>>,
}

/// What the program gave.
pub(crate) struct Answer {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) status: Option<i32>,
}

impl Oracle {
    /// Compiles the shim and starts to play the kernel. `name` keeps tests apart.
    pub(crate) fn new(name: &str) -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("ipvsadm-{name}-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let shim = directory.join("shim.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ipvsadm/shim.c");
        let compiled =
            Process::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&shim).arg(source).arg("-ldl").status();
        assert!(compiled.expect("a C compiler").success(), "the shim compiles");
        let socket = UnixDatagram::bind(directory.join("socket")).unwrap();
        let snapshot = Arc::new(Mutex::new(Snapshot::new(Default::default(), lvs_core::model::Coverage::FULL)));
        let shared = Arc::clone(&snapshot);
        std::thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            while let Ok((length, peer)) = socket.recv_from(&mut buffer) {
                let snapshot = shared.lock().unwrap().clone();
                for message in Messages::new(&buffer[..length]) {
                    for datagram in answer(&snapshot, &message, &buffer[..length]) {
                        let _ = socket.send_to_addr(&datagram, &peer);
                    }
                }
            }
        });
        Self { directory, shim, snapshot }
    }

    /// What the kernel holds from now on.
    pub(crate) fn show(&self, snapshot: Snapshot) {
        *self.snapshot.lock().unwrap() = snapshot;
    }

    /// What stands in `/proc/net/ip_vs_conn` from now on.
    pub(crate) fn show_connections(&self, text: &[u8]) {
        fs::write(self.directory.join("ip_vs_conn"), text).unwrap();
    }

    /// The names that are known from now on, see the shim.
    pub(crate) fn name(&self, names: &Names) {
        let mut text = String::new();
        for (addr, name) in &names.hosts {
            text.push_str(&format!("host {addr} {name}\n"));
        }
        for ((port, protocol), name) in &names.ports {
            text.push_str(&format!("port {port} {protocol} {name}\n"));
        }
        fs::write(self.directory.join("names"), text).unwrap();
    }

    /// `ipvsadm` with these arguments.
    pub(crate) fn run(&self, arguments: &str) -> Answer {
        let output = Process::new("ipvsadm")
            .args(arguments.split(' '))
            .env("LD_PRELOAD", &self.shim)
            .env("LVS_FAKE_SOCKET", self.directory.join("socket"))
            .env("LVS_FAKE_PROC", &self.directory)
            .env("LVS_FAKE_NAMES", self.directory.join("names"))
            .env("LC_ALL", "C")
            .output()
            .expect("ipvsadm");
        Answer {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            status: output.status.code(),
        }
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn ours(flags: u16, sequence: u32) -> NetlinkHeader {
    let mut header = header(FAMILY, flags, sequence);
    header.port_number = PORT;
    header
}

/// The datagrams that answer a request.
fn answer(snapshot: &Snapshot, message: &Message<'_>, datagram: &[u8]) -> Vec<Vec<u8>> {
    let sequence = message.header.sequence_number;
    let mut buf = Vec::new();
    if family::read_request(message).is_some() {
        family::write_reply(&mut buf, ours(0, sequence), FAMILY);
        let mut ack = Vec::new();
        write_ack(&mut ack, datagram, PORT, None, &Default::default(), true);
        return vec![buf, ack];
    }
    let request = match ReceivedRequest::read(message) {
        Ok(request) => request,
        Err(refusal) => {
            write_ack(&mut buf, datagram, PORT, Some(refusal.errno), &refusal.extended, true);
            return vec![buf];
        }
    };
    let find = |key: ServiceKey| snapshot.services.iter().find(|service| service.entry.service.key() == key);
    let refused = |errno: Errno| {
        let mut buf = Vec::new();
        write_ack(&mut buf, datagram, PORT, Some(errno), &Default::default(), true);
        vec![buf]
    };
    let mut replies = Vec::new();
    let mut reply = |flags: u16, payload: Payload<'_>| {
        let mut buf = Vec::new();
        write(&mut buf, ours(flags, sequence), payload);
        replies.push(buf);
    };
    match request.command {
        Command::GetInfo => reply(0, Payload::Info(snapshot.info)),
        Command::GetConfig => reply(0, Payload::Timeouts(snapshot.timeouts)),
        Command::GetService if !request.is_dump() => {
            match service::read_request(request.service, false).map(|wanted| find(wanted.key)) {
                Ok(Some(found)) => {
                    reply(0, Payload::Service(found.entry));
                }
                Ok(None) => return refused(Errno::ESRCH),
                Err(errno) => return refused(errno),
            }
        }
        Command::GetService => {
            for found in &snapshot.services {
                reply(NLM_F_MULTIPART, Payload::Service(found.entry));
            }
        }
        Command::GetDest => {
            let found = service::read_request(request.service, false).ok().and_then(|wanted| find(wanted.key));
            for entry in found.map(|found| &found.destinations[..]).unwrap_or_default() {
                reply(NLM_F_MULTIPART, Payload::Destination(*entry));
            }
        }
        Command::GetDaemon => {
            for running in &snapshot.daemons {
                reply(NLM_F_MULTIPART, Payload::Daemon(*running));
            }
        }
        _ => return refused(Errno::EOPNOTSUPP),
    }
    // As few datagrams as the socket takes: a client reads them one by one.
    let mut datagrams: Vec<Vec<u8>> = Vec::new();
    for reply in replies {
        match datagrams.last_mut() {
            Some(last) if last.len() + reply.len() < 30_000 => last.extend_from_slice(&reply),
            _ => datagrams.push(reply),
        }
    }
    if request.is_dump() {
        let mut done = Vec::new();
        write_done(&mut done, sequence, PORT, None);
        datagrams.push(done);
    } else if request.wants_ack() {
        let mut ack = Vec::new();
        write_ack(&mut ack, datagram, PORT, None, &Default::default(), true);
        datagrams.push(ack);
    }
    datagrams
}
