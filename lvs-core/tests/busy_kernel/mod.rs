//! A network namespace of a running kernel, with services of every kind and connections through
//! them.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::process::{Command, Stdio};

/// Sockets that keep their connections open.
#[derive(Default)]
#[allow(dead_code, reason = "held, not read")]
pub(crate) struct Traffic {
    tcp: Vec<TcpStream>,
    udp: Vec<UdpSocket>,
    listeners: Vec<TcpListener>,
    other: Vec<OwnedFd>,
}

/// Runs `body` in a thread with a network namespace of its own.
pub(crate) fn in_new_namespace<T: Send>(body: impl FnOnce() -> T + Send) -> T {
    assert_expected_kernel();
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            // SAFETY: no pointers.
            let made = unsafe { libc::unshare(libc::CLONE_NEWNET) };
            assert_eq!(made, 0, "a network namespace: {}", std::io::Error::last_os_error());
            feed(
                Command::new("ip").args(["-batch", "-"]),
                "link set lo up\n\
                 addr add 192.0.2.1/32 dev lo\n\
                 addr add 198.51.100.7/32 dev lo\n\
                 addr add 198.51.100.8/32 dev lo\n\
                 addr add 2001:db8::1/128 dev lo nodad\n\
                 addr add 2001:db8::9/128 dev lo nodad\n\
                 link add dummy0 type dummy\n\
                 link set dummy0 up multicast on\n\
                 addr add 203.0.113.1/24 dev dummy0\n",
            );
            body()
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn assert_expected_kernel() {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    if let Ok(expected) = std::env::var("LVS_TEST_KERNEL") {
        assert!(release.starts_with(&format!("{expected}.")), "kernel {expected} is expected, {release} runs");
    }
}

pub(crate) fn feed(command: &mut Command, text: &str) {
    let mut child = command.stdin(Stdio::piped()).spawn().expect("the program is there");
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "{command:?}");
}

pub(crate) fn load(modules: &[&str]) {
    for module in modules {
        assert!(Command::new("modprobe").arg(module).status().unwrap().success(), "module {module}");
    }
}

/// Services of every kind. `sort` of a listing meets high and low addresses and marks.
const SERVICES: &str = "\
-A -t 192.0.2.1:80 -s wlc
-a -t 192.0.2.1:80 -r 198.51.100.7:8080 -m -w 3
-a -t 192.0.2.1:80 -r 198.51.100.8:8080 -m -x 100 -y 50
-A -t 192.0.2.1:81 -s wrr -p 60 -M 255.255.255.0
-a -t 192.0.2.1:81 -r 198.51.100.7:8080 -m -w 2147483647
-A -t 192.0.2.1:0 -s sh -b sh-fallback,sh-port -p 2678400
-a -t 192.0.2.1:0 -r 198.51.100.8:0 -g
-A -t 10.0.0.1:443 -s mh -b mh-fallback
-a -t 10.0.0.1:443 -r 192.168.0.1 -i --tun-type gue --tun-port 6080 --tun-remcsum
-a -t 10.0.0.1:443 -r 10.0.0.2 -i --tun-type gre --tun-csum
-a -t 10.0.0.1:443 -r 172.16.0.1 -i
-A -t 172.16.0.1:443 -s rr -b flag-1,flag-3
-A -t 192.168.0.1:443 -s rr
-A -u 192.0.2.1:53 -s rr
-a -u 192.0.2.1:53 -r 198.51.100.7:5353 -m
-A -u 192.0.2.1:54 -s rr --ops
-a -u 192.0.2.1:54 -r 198.51.100.8:5353 -m
-A -u 192.0.2.1:5060 -s rr -p 100 --pe sip
-a -u 192.0.2.1:5060 -r 198.51.100.7:5060 -m
-A --sctp-service 192.0.2.1:90 -s lc
-a --sctp-service 192.0.2.1:90 -r 198.51.100.7:90 -m -w 0
-a --sctp-service 192.0.2.1:90 -r 198.51.100.8:90 -m
-A -t [2001:db8::1]:80 -s rr -p 100 -M 64
-a -t [2001:db8::1]:80 -r [2001:db8::9]:8080 -m
-A -u [fe80::1]:80 -s sed --ops
-a -u [fe80::1]:80 -r [2001:db8::9]:80 -g
-a -u [fe80::1]:80 -r 198.51.100.8:80 -i
-A -f 77 -s rr -p 60 -M 255.255.0.0
-a -f 77 -r 198.51.100.7 -m
-A -f 4294967295 -6 -s rr -p 60 -M 96
-a -f 4294967295 -6 -r [2001:db8::9]:0 -m
-A -f 2147483648 -s nq --ops
--set 901 122 303
";

/// Makes the services, and connections to those that are local. Counters take a few seconds to show
/// them.
pub(crate) fn make() -> Traffic {
    load(&["ip_vs_ftp", "ip_vs_pe_sip", "sctp", "fou"]);
    feed(Command::new("ipvsadm").arg("-R"), SERVICES);
    let mut traffic = Traffic::default();
    for addr in ["198.51.100.7:8080", "198.51.100.8:8080", "[2001:db8::9]:8080"] {
        traffic.listeners.push(TcpListener::bind(addr).unwrap());
    }
    for round in 0..5 {
        for target in ["192.0.2.1:80", "192.0.2.1:81", "[2001:db8::1]:80"] {
            let mut stream = TcpStream::connect(target).unwrap();
            stream.write_all(&[b'x'; 1000]).unwrap();
            // Half of them end, and wait.
            if round % 2 == 0 {
                traffic.tcp.push(stream);
            }
        }
        let invite =
            format!("INVITE sip:x@y SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1\r\nCall-ID: {round}b@192.0.2.1\r\n\r\n");
        traffic.datagram("192.0.2.1:53", b"query", 0);
        traffic.datagram("192.0.2.1:54", b"query", 0);
        traffic.datagram("192.0.2.1:5060", invite.as_bytes(), 0);
        traffic.datagram("198.51.100.7:7000", b"marked", 77);
        traffic.datagram("[2001:db8::9]:7000", b"marked", u32::MAX);
        traffic.sctp([192, 0, 2, 1], 90);
    }
    traffic
}

impl Traffic {
    fn datagram(&mut self, target: &str, data: &[u8], mark: u32) {
        let target: SocketAddr = target.parse().unwrap();
        let socket = UdpSocket::bind(if target.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" }).unwrap();
        // SAFETY: the pointer and the length are those of `mark`.
        let set = unsafe {
            let value: *const u32 = &raw const mark;
            libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_MARK, value.cast(), 4)
        };
        assert_eq!(set, 0, "{}", std::io::Error::last_os_error());
        // What is answered does not matter: nobody listens.
        let _ = socket.send_to(data, target);
        self.udp.push(socket);
    }

    fn sctp(&mut self, addr: [u8; 4], port: u16) {
        // SAFETY: an all-zero `sockaddr_in` is one; the pointer and the length are those of
        // `target`; the descriptor is checked and owned once.
        unsafe {
            let fd = libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_NONBLOCK, libc::IPPROTO_SCTP);
            assert!(fd >= 0, "{}", std::io::Error::last_os_error());
            let mut target: libc::sockaddr_in = std::mem::zeroed();
            target.sin_family = libc::AF_INET as u16;
            target.sin_port = port.to_be();
            target.sin_addr.s_addr = u32::from_ne_bytes(addr);
            let target: *const libc::sockaddr_in = &raw const target;
            libc::connect(fd, target.cast(), size_of::<libc::sockaddr_in>() as u32);
            self.other.push(OwnedFd::from_raw_fd(fd));
        }
    }
}
