//! The plainest web: servers that say who they are, and clients that ask.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};

use crate::net::Host;

/// A web server on a host. Once it is dropped nobody listens any more; answers under way go on.
pub struct Server {
    listener: Arc<TcpListener>,
    accepting: Option<JoinHandle<()>>,
}

/// How many more pieces `/gated` sends once the gate is open, and in which rhythm it sends all.
const BEHIND_GATE: (usize, Duration) = (10, Duration::from_millis(100));
/// How `/gated` ends.
const END: &str = "END";
/// How long a client waits for a connection, or for anything at all on it. Far more than any answer
/// takes: the machine may have other things to do.
const PATIENCE: Duration = Duration::from_secs(120);

/// Holds `/gated` transfers under way until it is opened.
pub type Gate = Arc<AtomicBool>;

/// A server that answers every request with its name.
pub fn serve(host: &Host, address: SocketAddr, name: &'static str) -> Server {
    serve_gated(host, address, name, &Gate::default())
}

/// The same, whose `/gated` goes on until some time after the gate is opened.
pub fn serve_gated(host: &Host, address: SocketAddr, name: &'static str, gate: &Gate) -> Server {
    let listener = host.enter(|| TcpListener::bind(address).unwrap_or_else(|e| panic!("{name} on {address}: {e}")));
    let listener = Arc::new(listener);
    let (listening, gate) = (Arc::clone(&listener), Arc::clone(gate));
    let accepting = thread::spawn(move || {
        loop {
            match listening.accept() {
                Ok((stream, _)) => {
                    let gate = Arc::clone(&gate);
                    thread::spawn(move || answer(stream, name, &gate));
                }
                // It listens no more.
                Err(error) if error.kind() == ErrorKind::InvalidInput => return,
                Err(_) => {}
            }
        }
    });
    Server { listener, accepting: Some(accepting) }
}

impl Drop for Server {
    fn drop(&mut self) {
        // This ends the accepting thread as well.
        let _ = SockRef::from(&*self.listener).shutdown(Shutdown::Both);
        let _ = self.accepting.take().map(JoinHandle::join);
    }
}

fn answer(mut stream: TcpStream, name: &str, gate: &AtomicBool) {
    let mut reader = BufReader::new(stream.try_clone().expect("a socket can be cloned"));
    let mut path = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        if let Some(rest) = line.strip_prefix("GET ") {
            path = rest.split(' ').next().unwrap_or_default().to_owned();
        }
        if line == "\r\n" {
            break;
        }
    }
    // A client that goes away is no error of the server's.
    let _ = match path.as_str() {
        "/gated" => send_gated(&mut stream, gate),
        _ => send(&mut stream, name),
    };
}

fn send_gated(stream: &mut TcpStream, gate: &AtomicBool) -> std::io::Result<()> {
    let (mut left, pause) = BEHIND_GATE;
    write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
    while left > 0 {
        stream.write_all(b"piece ")?;
        thread::sleep(pause);
        left -= usize::from(gate.load(Ordering::Relaxed));
    }
    stream.write_all(END.as_bytes())
}

/// Asks for `/gated` and says whether it came whole.
pub fn comes_whole(address: SocketAddr) -> bool {
    let fetch = || -> std::io::Result<String> {
        let mut stream = connect(any_of(address), address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "GET /gated HTTP/1.1\r\nHost: test\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok(text)
    };
    fetch().is_ok_and(|text| text.ends_with(END))
}

fn send(stream: &mut TcpStream, name: &str) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{name}", name.len())
}

/// Asks for a path and returns the body. Call it on the client's host.
pub fn get(address: SocketAddr, path: &str) -> std::io::Result<String> {
    get_as(any_of(address), address, path)
}

/// The same from one of the client's addresses, and from one of its ports unless that is 0.
pub fn get_as(source: SocketAddr, address: SocketAddr, path: &str) -> std::io::Result<String> {
    get_from(connect(source, address)?, path)
}

fn any_of(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}

fn connect(mut source: SocketAddr, address: SocketAddr) -> std::io::Result<TcpStream> {
    if source.port() == 0 {
        source.set_port(fresh_port());
    }
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.bind(&source.into())?;
    socket.connect_timeout(&address.into(), PATIENCE)?;
    Ok(socket.into())
}

/// A port that no test has used yet. The kernel would choose one again now and then within minutes;
/// the director would still have its connection, and so not schedule the new one, which is no
/// error but spoils exact shares.
fn fresh_port() -> u16 {
    const FIRST: u16 = 1024;
    static NEXT: AtomicU16 = AtomicU16::new(FIRST);
    loop {
        let port = NEXT.fetch_add(1, Ordering::Relaxed);
        if port >= FIRST {
            return port;
        }
    }
}

fn get_from(mut stream: TcpStream, path: &str) -> std::io::Result<String> {
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: test\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let length: usize = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "))
        .and_then(|length| length.parse().ok())
        .ok_or(std::io::ErrorKind::InvalidData)?;
    if body.len() == length { Ok(body.to_owned()) } else { Err(std::io::ErrorKind::UnexpectedEof.into()) }
}

/// Who answers so many requests from a host, one after the other. Every request must succeed.
pub fn answers(client: &Host, address: SocketAddr, count: usize) -> Vec<String> {
    client.enter(|| (0..count).map(|i| get(address, "/").unwrap_or_else(|e| panic!("request {i}: {e}"))).collect())
}

/// How often each name is among them, sorted by name.
pub fn shares(answers: &[String]) -> Vec<(&str, usize)> {
    let mut names: Vec<&str> = answers.iter().map(String::as_str).collect();
    names.sort_unstable();
    names.chunk_by(|a, b| a == b).map(|run| (run[0], run.len())).collect()
}
