//! Listings of a table that has seen traffic.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use crate::run::{self, call, must};

/// Services of every kind with connections of every kind, their counters frozen.
pub(crate) fn in_new_namespace(work: impl FnOnce() + Send) {
    run::in_new_namespace(|| {
        must(
            "set -e
            ip addr add 192.0.2.1/32 dev lo; ip addr add 10.0.0.1/32 dev lo; ip addr add 198.51.100.7/32 dev lo
            ip addr add 198.51.100.8/32 dev lo; ip -6 addr add 2001:db8::1/128 dev lo nodad
            ip -6 addr add 2001:db8::7/128 dev lo nodad",
        );
        let (status, out, complaints) = call(crate::THEIRS, &["-R".to_owned()], RULES);
        assert_eq!((status, out.as_str(), complaints.as_str()), (0, "", ""));
        let servers: Vec<TcpListener> = ["198.51.100.7:8080", "198.51.100.8:8080", "[2001:db8::7]:8080"]
            .iter()
            .map(|addr| TcpListener::bind(addr).unwrap())
            .collect();
        let datagrams = UdpSocket::bind("198.51.100.7:5353").unwrap();
        let mut kept = Vec::new();
        for (count, addr) in [(7, "192.0.2.1:80"), (3, "192.0.2.1:443"), (5, "[2001:db8::1]:80")] {
            let addr: SocketAddr = addr.parse().unwrap();
            for round in 0..count {
                kept.extend(converse(addr, &servers, round));
            }
        }
        let client = UdpSocket::bind("0.0.0.0:0").unwrap();
        for round in 0..4usize {
            let _ = client.send_to(&[b'x'; 300][..100 * (round % 3) + 1], "192.0.2.1:53");
        }
        datagrams.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let mut buffer = [0; 512];
        let mut arrived = 0;
        while datagrams.recv_from(&mut buffer).is_ok() {
            arrived += 1;
        }
        assert!(arrived > 0, "no datagram came through");
        sctp("192.0.2.1:38412");
        // The kernel adds its counters up every two seconds. Once it has, it is made never to do so
        // again.
        let limit = Instant::now() + Duration::from_secs(300);
        loop {
            let (_, seen, _) = call(crate::THEIRS, &["-Ln".to_owned(), "--stats".to_owned()], "");
            if seen.lines().filter(|line| line.split_whitespace().nth(2).is_some_and(|n| n != "0")).count() > 6 {
                break;
            }
            assert!(Instant::now() < limit, "{seen}");
            std::thread::sleep(Duration::from_millis(100));
        }
        must("echo 0 > /proc/sys/net/ipv4/vs/run_estimation");
        work();
        drop(kept);
    });
}

const RULES: &str = "-A -t 192.0.2.1:80 -s rr\n\
    -a -t 192.0.2.1:80 -r 198.51.100.7:8080 -m -w 3 -x 1000 -y 10\n\
    -a -t 192.0.2.1:80 -r 198.51.100.8:8080 -m -w 0\n\
    -e -t 192.0.2.1:80 -r 198.51.100.8:8080 -m -w 2147483647\n\
    -A -t 192.0.2.1:443 -s sh -b sh-port,sh-fallback -p 300 -M 255.255.255.0\n\
    -a -t 192.0.2.1:443 -r 198.51.100.7:8080 -m\n\
    -A -t 10.0.0.1:80 -s mh -b flag-3\n\
    -a -t 10.0.0.1:80 -r 198.51.100.9 -i --tun-type gue --tun-port 6080 --tun-csum\n\
    -a -t 10.0.0.1:80 -r 198.51.100.10 -i --tun-type gre\n\
    -a -t 10.0.0.1:80 -r 198.51.100.11 -i\n\
    -a -t 10.0.0.1:80 -r [2001:db8::9]:80 -i --tun-type gue --tun-port 65535 --tun-remcsum\n\
    -A -u 192.0.2.1:53 -s wrr -o -p 50\n\
    -a -u 192.0.2.1:53 -r 198.51.100.7:5353 -m\n\
    -A -t [2001:db8::1]:80 -s wlc -p 77 -M 64\n\
    -a -t [2001:db8::1]:80 -r [2001:db8::7]:8080 -m\n\
    -A --sctp-service 192.0.2.1:38412 -s rr -b flag-1,flag-3\n\
    -a --sctp-service 192.0.2.1:38412 -r 198.51.100.7:38412 -m\n\
    -A -f 7 -s rr -p 60\n\
    -a -f 7 -r 198.51.100.7:0 -g\n\
    -A -f 4294967295 -6 -p --pe sip\n\
    -a -f 4294967295 -6 -r [2001:db8::7]:8080 -m\n\
    -A -t [2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535 -s none\n\
    -a -t [2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535 -r [2001:db8:aaaa:bbbb:cccc:dddd:eeee:fff0]:65535 -m -w 100000\n";

/// One connection through the director; some stay open.
fn converse(addr: SocketAddr, servers: &[TcpListener], round: usize) -> Vec<TcpStream> {
    for server in servers {
        server.set_nonblocking(true).unwrap();
    }
    let mut client = TcpStream::connect_timeout(&addr, Duration::from_secs(5)).unwrap();
    let mut accepted = None;
    for _ in 0..10_000 {
        accepted = servers.iter().find_map(|server| server.accept().ok());
        if accepted.is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let (mut server, _) = accepted.expect("the connection reaches a server");
    server.set_nonblocking(false).unwrap();
    client.write_all(&vec![b'q'; 100 + 1000 * round]).unwrap();
    let mut buffer = [0; 64];
    assert!(server.read(&mut buffer).unwrap() > 0);
    server.write_all(&vec![b'a'; 5000]).unwrap();
    assert!(client.read(&mut buffer).unwrap() > 0);
    if round.is_multiple_of(2) { vec![client, server] } else { Vec::new() }
}

/// An SCTP handshake's first packet. Nobody answers, and a kernel without SCTP sends none.
fn sctp(addr: &str) {
    let addr: SocketAddr = addr.parse().unwrap();
    let SocketAddr::V4(addr) = addr else { return };
    // SAFETY: plain system calls on a socket of ours; `name` is a whole address and outlives the
    // call.
    unsafe {
        let socket = libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_NONBLOCK, 132);
        if socket < 0 {
            println!("no SCTP here: {}", std::io::Error::last_os_error());
            return;
        }
        let name = libc::sockaddr_in {
            sin_family: libc::AF_INET as libc::sa_family_t,
            sin_port: addr.port().to_be(),
            sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(addr.ip().octets()) },
            sin_zero: [0; 8],
        };
        libc::connect(socket, (&raw const name).cast(), size_of::<libc::sockaddr_in>() as libc::socklen_t);
        std::thread::sleep(Duration::from_millis(50));
        libc::close(socket);
    }
}

/// Every mode, numeric and not, whole and cut, of all services and of one.
pub(crate) fn listings() -> Vec<Vec<String>> {
    let modes = ["", "--stats", "--rate", "--thresholds", "--persistent-conn", "--tun-info"];
    let subjects = [
        "",
        "-t 192.0.2.1:80",
        "-t 192.0.2.1:443",
        "-t 10.0.0.1:80",
        "-u 192.0.2.1:53",
        "-t [2001:db8::1]:80",
        "--sctp-service 192.0.2.1:38412",
        "-f 7",
        "-f 4294967295 -6",
        "-f 9",
        "-t 192.0.2.9:80",
    ];
    let mut all = Vec::new();
    for mode in modes {
        for subject in subjects {
            for variant in ["-n", "", "-n --exact", "-n --nosort"] {
                all.push(format!("-L {variant} {subject} {mode}"));
            }
        }
    }
    for rest in ["-c -n", "-c", "-c -n --persistent-conn", "--timeout", "--daemon", "-n --stats --rate --exact"] {
        all.push(format!("-L {rest}"));
    }
    all.extend(["-S -n".to_owned(), "-S".to_owned(), String::new()]);
    all.iter().map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}

/// Asks both programs; where time passes (connections expire), theirs is asked twice and has to
/// agree with itself.
pub(crate) fn same(theirs: &str, ours: &str, args: &[String]) -> Result<(), String> {
    let mut last = String::new();
    for _ in 0..10 {
        let before = call(theirs, args, "");
        let found = call(ours, args, "");
        if before == found {
            return Ok(());
        }
        let steady = call(theirs, args, "") == before;
        last = format!("theirs {before:?}\nours   {found:?}");
        if steady {
            break;
        }
    }
    Err(last.replace("\\n", "\n  "))
}
