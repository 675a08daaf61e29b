//! What checks cost and how soon the dead are out: 1,000 real servers on this machine's loopback
//! addresses, checked as `lvsd` does, on an embedded director.
//!
//! The processor time is that of the checking thread alone; the servers run on another one. The
//! dead refuse connections, so that a check's timeout does not count.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement may fail loudly and prints")]

mod common;

use std::cell::RefCell;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use common::{Nowhere, processor_time, raise_descriptor_limit, setup};
use lvsd::config::Cluster;
use lvsd::control::Request;
use lvsd::control::server::Question;
use lvsd::daemon::{self, Clock, Options};
use lvsd::engine::Engine;
use lvsd::event::{Event, EventKind};
use lvsd::state::Loaded;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, LocalSet};

const SERVERS: usize = 1000;
const PER_SERVICE: usize = 100;
const PORT: u16 = 18080;
const FALL: u32 = 3;
/// How many servers die at once, spread over all.
const DEATHS: usize = 20;

fn main() {
    // A listener each, and the connections.
    raise_descriptor_limit();
    let farm = Farm::start();
    for (kind, interval) in [("tcp", 5.0), ("http", 5.0), ("http", 1.0)] {
        cost(kind, interval);
    }
    println!("from a server's death to its removal, {DEATHS} deaths of {SERVERS}, fall {FALL}:");
    for interval in [0.5, 1.0, 2.0, 5.0] {
        removal(&farm, interval);
    }
}

fn address(index: usize) -> SocketAddr {
    SocketAddr::from(([127, 1, (index / PER_SERVICE) as u8, (index % PER_SERVICE) as u8 + 1], PORT))
}

fn cluster(kind: &str, interval: f64) -> Cluster {
    let mut text = String::new();
    for service in 0..SERVERS / PER_SERVICE {
        writeln!(text, "[[service]]\naddress = \"tcp://192.0.2.{}:80\"", service + 1).unwrap();
        writeln!(text, "check = {{ {kind} = {{}}, interval = {interval}, timeout = 60.0 }}").unwrap();
        writeln!(text, "health = {{ fall = {FALL} }}").unwrap();
        for index in service * PER_SERVICE..(service + 1) * PER_SERVICE {
            writeln!(text, "[[service.server]]\naddress = \"{}\"", address(index)).unwrap();
        }
    }
    Cluster::parse(&text).unwrap()
}

/// Checks until the future comes, on this thread, and shows the events.
fn check(cluster: &Cluster, end: impl Future<Output = ()>, mut event: impl FnMut(&Event)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let clock = Clock::default();
    let (engine, _) = Engine::start(setup(Box::new(Nowhere)), cluster.clone(), Loaded::Absent, clock.moment()).unwrap();
    LocalSet::new().block_on(&runtime, async {
        let (owner, inbox) = daemon::inbox();
        let mut events = owner.events.subscribe();
        let options = Options { withdraw: false, checks: 4096 };
        let mut run = std::pin::pin!(daemon::run(
            engine,
            Box::new(Nowhere),
            daemon::System::new(None, "bench"),
            daemon::Names::new(&cluster.answers),
            clock,
            inbox,
            options
        ));
        let mut end = std::pin::pin!(end);
        loop {
            tokio::select! {
                result = &mut run => return result.unwrap(),
                Ok(next) = events.recv() => event(&next),
                () = &mut end => break,
            }
        }
        let (answer, _) = tokio::sync::oneshot::channel();
        owner.questions.send(Question { request: Request::Stop, answer }).await.unwrap();
        run.await.unwrap();
    });
}

fn cost(kind: &str, interval: f64) {
    let cluster = cluster(kind, interval);
    let time = Duration::from_secs(10);
    let (used, started) = (processor_time(), Instant::now());
    let mut down = 0;
    check(&cluster, async { tokio::time::sleep(time).await }, |event| {
        down += usize::from(event.kind == EventKind::ServerDown);
    });
    let (used, elapsed) = (processor_time() - used, started.elapsed());
    assert_eq!(down, 0, "all servers are up");
    println!(
        "{SERVERS} servers, {kind} every {interval} s: {:.2} % of one processor",
        100.0 * used.as_secs_f64() / elapsed.as_secs_f64()
    );
}

fn removal(farm: &Farm, interval: f64) {
    let cluster = cluster("tcp", interval);
    let died = RefCell::new(None);
    let times = RefCell::new(Vec::new());
    // Every server has been well at least once.
    let settled = Duration::from_secs_f64(1.5 * interval);
    let end = async {
        tokio::time::sleep(settled).await;
        *died.borrow_mut() = Some(farm.kill());
        while times.borrow().len() < DEATHS {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    check(&cluster, end, |event| {
        if event.kind == EventKind::ServerDown
            && let Some(died) = *died.borrow()
        {
            times.borrow_mut().push(Instant::duration_since(&Instant::now(), died).as_secs_f64());
        }
    });
    farm.revive();
    let mut times = times.into_inner();
    times.sort_by(f64::total_cmp);
    println!(
        "  interval {interval:.1} s: {:.2} s to {:.2} s, median {:.2} s; the bound is {:.1} s",
        times[0],
        times[DEATHS - 1],
        times[DEATHS / 2],
        interval * f64::from(FALL),
    );
}

/// The real servers.
struct Farm {
    orders: tokio::sync::mpsc::UnboundedSender<Order>,
    done: mpsc::Receiver<Instant>,
}

enum Order {
    Kill,
    Revive,
}

impl Farm {
    fn start() -> Self {
        let (orders, mut taken) = tokio::sync::mpsc::unbounded_channel();
        let (tell, done) = mpsc::channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            LocalSet::new().block_on(&runtime, async {
                let mut servers: Vec<_> = (0..SERVERS).map(serve).collect();
                tell.send(Instant::now()).unwrap();
                while let Some(order) = taken.recv().await {
                    let now = Instant::now();
                    for index in (0..SERVERS).step_by(SERVERS / DEATHS) {
                        match order {
                            Order::Kill => {
                                servers[index].abort();
                                let _ = (&mut servers[index]).await;
                            }
                            Order::Revive => servers[index] = serve(index),
                        }
                    }
                    tell.send(now).unwrap();
                }
            });
        });
        done.recv().unwrap();
        Self { orders, done }
    }

    /// Returns when the first one dies, once all are dead.
    fn kill(&self) -> Instant {
        let _ = self.orders.send(Order::Kill);
        self.done.recv().unwrap()
    }

    fn revive(&self) {
        let _ = self.orders.send(Order::Revive);
        self.done.recv().unwrap();
    }
}

/// A server that answers every request with OK, until it is aborted.
fn serve(index: usize) -> JoinHandle<()> {
    let listener = std::net::TcpListener::bind(address(index)).unwrap_or_else(|e| panic!("{}: {e}", address(index)));
    listener.set_nonblocking(true).unwrap();
    let listener = TcpListener::from_std(listener).unwrap();
    tokio::task::spawn_local(async move {
        loop {
            let Ok((mut stream, _)) = listener.accept().await else { continue };
            tokio::task::spawn_local(async move {
                let mut request = [0; 1024];
                // A check that only connects asks for nothing.
                if stream.read(&mut request).await.is_ok_and(|length| length > 0) {
                    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
                    let _ = stream.write_all(answer).await;
                }
            });
        }
    })
}
