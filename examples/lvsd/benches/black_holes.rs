//! 5,000 real servers of which half answer nothing at all, checked as `lvsd` does, on an embedded
//! director: the share of one processor, how late checks are, memory.
//!
//! The servers are addresses of this machine's loopback. A black hole is a listener whose queue is
//! full: the kernel drops what comes in, as a router would. The processor time is that of the
//! checking thread alone.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement may fail loudly and prints")]

mod common;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use common::{Nowhere, processor_time, raise_descriptor_limit, setup};
use lvsd::config::Cluster;
use lvsd::control::Request;
use lvsd::control::server::Question;
use lvsd::daemon::{self, Clock, Names, Options, System};
use lvsd::engine::Engine;
use lvsd::event::EventKind;
use lvsd::state::Loaded;
use socket2::{Domain, Socket, Type};
use tokio::sync::broadcast::error::RecvError;
use tokio::task::LocalSet;

const SERVERS: usize = 5000;
const PER_SERVICE: usize = 100;
const ALIVE: u16 = 18_080;
const BLACK_HOLE: u16 = 18_081;
/// In seconds, as in a file that does not say.
const INTERVAL: f64 = 5.0;
const TIMEOUT: f64 = 2.0;
/// For so long it is measured, once the dead are out.
const TIME: Duration = Duration::from_secs(60);

/// When each server was asked.
type Asked = Arc<Mutex<HashMap<IpAddr, Vec<Instant>>>>;

fn main() {
    raise_descriptor_limit();
    let asked = serve();
    let _full = black_hole();
    let (share, before, after) = check(&asked);
    let mut late: Vec<f64> = Vec::new();
    for times in asked.lock().unwrap().values() {
        // A beat is up to a twentieth off on purpose.
        late.extend(times.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64() - 1.05 * INTERVAL));
    }
    late.sort_by(f64::total_cmp);
    let at = |share: f64| late[((late.len() - 1) as f64 * share) as usize].max(0.0) * 1e3;
    println!("{SERVERS} servers, half of them black holes, tcp every {INTERVAL} s, timeout {TIMEOUT} s:");
    println!("  {:.2} % of one processor", 100.0 * share);
    println!(
        "  {} checks, late by {:.0} ms (median), {:.0} ms (99 %), {:.0} ms (all)",
        late.len(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
    println!("  resident memory of the whole process: {before} KiB before, {after} KiB after");
}

fn address(index: usize) -> SocketAddr {
    let (network, port) = if index.is_multiple_of(2) { (1, ALIVE) } else { (2, BLACK_HOLE) };
    SocketAddr::from(([127, network, (index / 250) as u8, (index % 250) as u8 + 1], port))
}

/// Takes every connection, and notes when.
fn serve() -> Asked {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_reuse_address(true).unwrap();
    socket.bind(&SocketAddr::from(([0, 0, 0, 0], ALIVE)).into()).unwrap();
    socket.listen(4096).unwrap();
    let listener = TcpListener::from(socket);
    let asked = Asked::default();
    let notes = Arc::clone(&asked);
    thread::spawn(move || {
        loop {
            let Ok((stream, _)) = listener.accept() else { continue };
            if let Ok(local) = stream.local_addr() {
                notes.lock().unwrap().entry(local.ip()).or_default().push(Instant::now());
            }
        }
    });
    asked
}

/// A listener that takes nobody, and the connections that fill its queue.
fn black_hole() -> (Socket, Vec<TcpStream>) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_reuse_address(true).unwrap();
    socket.bind(&SocketAddr::from(([0, 0, 0, 0], BLACK_HOLE)).into()).unwrap();
    socket.listen(0).unwrap();
    let connect = || TcpStream::connect_timeout(&address(1), Duration::from_millis(500));
    let full = std::iter::from_fn(|| connect().ok()).collect();
    (socket, full)
}

fn cluster() -> Cluster {
    let mut text = String::new();
    for service in 0..SERVERS / PER_SERVICE {
        writeln!(text, "[[service]]\naddress = \"tcp://192.0.2.{}:80\"\nforwarding = \"masquerade\"", service + 1)
            .unwrap();
        writeln!(text, "check = {{ tcp = {{}}, interval = {INTERVAL}, timeout = {TIMEOUT} }}").unwrap();
        for index in service * PER_SERVICE..(service + 1) * PER_SERVICE {
            writeln!(text, "[[service.server]]\naddress = \"{}\"", address(index)).unwrap();
        }
    }
    Cluster::parse(&text).unwrap()
}

/// The share of a processor, and memory before and after, in KiB.
fn check(asked: &Asked) -> (f64, u64, u64) {
    let before = resident();
    let cluster = cluster();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let clock = Clock::default();
    let names = Names::new(&cluster.answers);
    let (engine, _) = Engine::start(setup(Box::new(Nowhere)), cluster, Loaded::Absent, clock.moment()).unwrap();
    LocalSet::new().block_on(&runtime, async {
        let (owner, inbox) = daemon::inbox();
        let mut events = owner.events.subscribe();
        let options = Options { withdraw: false, checks: 8192 };
        let system = System::new(None, "bench");
        let run = daemon::run(engine, Box::new(Nowhere), system, names, clock, inbox, options);
        let mut run = std::pin::pin!(run);
        let mut down = 0;
        while down < SERVERS / 2 {
            tokio::select! {
                result = &mut run => panic!("{result:?}"),
                event = events.recv() => match event {
                    Ok(event) => down += usize::from(event.kind == EventKind::ServerDown),
                    Err(RecvError::Lagged(missed)) => down += missed as usize,
                    Err(RecvError::Closed) => panic!("it has ended"),
                },
            }
        }
        asked.lock().unwrap().clear();
        let (used, started) = (processor_time(), Instant::now());
        tokio::select! {
            result = &mut run => panic!("{result:?}"),
            () = tokio::time::sleep(TIME) => {}
        }
        let share = (processor_time() - used).as_secs_f64() / started.elapsed().as_secs_f64();
        let after = resident();
        while let Ok(event) = events.try_recv() {
            assert_ne!(event.kind, EventKind::ServerDown, "a server that answers went down: {event}");
        }
        let (answer, _) = tokio::sync::oneshot::channel();
        owner.questions.send(Question { request: Request::Stop, answer }).await.unwrap();
        run.await.unwrap();
        (share, before, after)
    })
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
