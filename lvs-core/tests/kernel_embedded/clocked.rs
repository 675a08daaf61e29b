//! What happens by itself: expiry to the tick, and the estimator's figures.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use lvs_core::Director;
use lvs_core::embedded::{EmbeddedDirector, Packet, TcpFlags};
use lvs_core::model::{AddressFamily, Connection, Destination, Service, ServiceKey, Stats, Timeouts};
use lvs_core::procfs::Procfs;
use lvs_core::wire::attr::Attributes;
use lvs_core::wire::message::Command;
use lvs_core::wire::{self, service, top};

use super::packets::Sender;
use super::socket::Both;

/// The kernel's clock beside ours.
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    /// Just before the tick was read, and how long that took.
    began: Instant,
    reading: Duration,
    jiffies: u64,
}

impl Clock {
    pub(crate) fn read() -> Self {
        let began = Instant::now();
        let text = std::fs::read_to_string("/proc/timer_list").expect("the kernel's timers");
        let line = text.lines().find_map(|line| line.strip_prefix("jiffies: ")).expect("a line with jiffies");
        let jiffies = line.trim().parse().expect("a number");
        Self { began, reading: began.elapsed(), jiffies }
    }

    /// The earliest and the latest tick that it may have been.
    pub(crate) fn ticks(self) -> [u64; 2] {
        [self.jiffies, self.jiffies + 1]
    }

    /// The time by now of a director that counts from the earliest tick, and of one that counts
    /// from the latest.
    fn now(self) -> [Duration; 2] {
        let now = self.began.elapsed();
        [now.saturating_sub(self.reading), now]
    }
}

fn ask(both: &mut Both, command: Command, buf: &[u8]) {
    let (kernel, embedded) = both.ask(command, false, buf);
    assert_eq!(kernel, embedded, "{command:?}");
    assert_eq!(kernel.last().unwrap().error, Some(0), "{command:?}");
}

pub(crate) fn serve(both: &mut Both, service: &Service) {
    let mut buf = Vec::new();
    service::write(&mut buf, service);
    ask(both, Command::NewService, &buf);
    buf.clear();
    service::write_key(&mut buf, &service.key());
    wire::destination::write(&mut buf, &destination());
    ask(both, Command::NewDest, &buf);
}

fn destination() -> Destination {
    Destination::new([10, 0, 0, 1].into(), 80)
}

/// Entries by what they are, with the seconds that they have left.
fn entries(list: &mut BTreeMap<String, u32>, connection: &Connection<'_>) -> ControlFlow<()> {
    let Connection { protocol, client_port, target, state, expires, .. } = *connection;
    list.insert(format!("{protocol} {client_port} {target:?} {state}"), expires);
    ControlFlow::Continue(())
}

/// How late the kernel may be with an expired timer.
const SLACK: Duration = Duration::from_millis(50);

/// When an entry left a table: after it was last seen there, before it was first missed.
#[derive(Clone, Copy)]
struct Gone {
    after: Duration,
    before: Option<Duration>,
}

/// The entries of one table, over many looks.
#[derive(Default)]
struct Watched(BTreeMap<String, Gone>);

impl Watched {
    /// A look at the table that began and ended then.
    fn saw(&mut self, entries: &BTreeMap<String, u32>, began: Duration, ended: Duration) {
        for (name, gone) in &mut self.0 {
            if !entries.contains_key(name) {
                gone.before.get_or_insert(ended);
            }
        }
        // A file that is read while entries leave may have missed others, which are then seen
        // again.
        for name in entries.keys() {
            self.0.insert(name.clone(), Gone { after: began, before: None });
        }
    }

    fn names(&self, gone: bool) -> Vec<&String> {
        self.0.iter().filter(|(_, entry)| entry.before.is_some() == gone).map(|(name, _)| name).collect()
    }
}

/// Connections and templates of all three kinds, short and long; when each leaves the table of
/// either.
///
/// The kernel rounds long timeouts to a tick in many, seconds apart: one tick of its clock earlier
/// or later can be the difference. A director that got each packet before the kernel did, and one
/// that got it after, by the earliest and by the latest reading of that clock, must leave the
/// kernel between them.
///
/// No look at a table is taken to be short: what is compared are the spans in which an entry must
/// have left each.
pub(crate) fn compare_expiry(both: &mut Both, mut late: EmbeddedDirector, clock: Clock) -> usize {
    let sender = Sender::open();
    let udp = |port| ServiceKey::udp("198.18.0.1", port).unwrap();
    let mark = ServiceKey::fwmark(7, AddressFamily::Ipv4).unwrap();
    for service in [
        Service::new(udp(53)),
        Service::new(udp(80)).with_persistence(5),
        Service::new(udp(0)).with_persistence(9),
        Service::new(mark).with_persistence(2),
    ] {
        serve(both, &service);
        late.add_service(&service).unwrap();
        late.add_destination(&service.key(), &destination()).unwrap();
    }
    let mut port = 1000;
    for seconds in [1, 4, 18] {
        let timeouts = Timeouts { tcp: 0, tcp_fin: 0, udp: seconds };
        let mut buf = Vec::new();
        top::write_timeouts(&mut buf, &timeouts);
        ask(both, Command::SetConfig, &buf);
        late.set_timeouts(timeouts).unwrap();
        for (to, mark) in [(53, 0), (80, 0), (443, 0), (53, 7)] {
            port += 1;
            let client = SocketAddr::new([203, 0, 113, 9].into(), port);
            let packet = Packet::udp(client, SocketAddr::new([198, 18, 0, 1].into(), to)).with_mark(mark);
            both.embedded.advance_to(clock.now()[0]);
            assert!(both.embedded.receive(&packet).is_forwarded());
            assert!(sender.send(&packet));
            late.advance_to(clock.now()[1]);
            assert!(late.receive(&packet).is_forwarded());
        }
    }
    let sent = Instant::now();
    let [mut gone_early, mut gone_late, mut gone_from_kernel] = [(); 3].map(|()| Watched::default());
    let files = Procfs::at("/proc/thread-self/net");
    let mut apart: BTreeMap<String, u32> = BTreeMap::new();
    let look = |director: &mut EmbeddedDirector, watched: &mut Watched, time: Duration| {
        director.advance_to(time);
        let mut list = BTreeMap::new();
        let _ = director.visit_connections(&mut |connection| entries(&mut list, connection));
        let now = clock.began.elapsed();
        watched.saw(&list, now, now);
        list
    };
    // Until all but the templates that live on in steps of a minute are gone.
    while sent.elapsed() < Duration::from_secs(23) {
        let before = look(&mut both.embedded, &mut gone_early, clock.now()[0]);
        let began = clock.began.elapsed();
        let mut list = BTreeMap::new();
        files.connections().unwrap().visit(|connection| entries(&mut list, connection)).unwrap();
        gone_from_kernel.saw(&list, began, clock.began.elapsed());
        let after = look(&mut late, &mut gone_late, clock.now()[1]);
        for (name, left) in &list {
            let (Some(one), Some(other)) = (before.get(name), after.get(name)) else { continue };
            // In between a template may begin a new minute.
            let fits = (one.min(other).saturating_sub(1)..=one.max(other) + 1).contains(left);
            let times = apart.entry(name.clone()).or_insert(0_u32);
            *times = if fits { 0 } else { *times + 1 };
            assert!(*times < 8, "{name} has {one} to {other} s left in the embedded director, {left} in the kernel");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(gone_early.names(true), gone_from_kernel.names(true));
    assert_eq!(gone_late.names(true), gone_from_kernel.names(true));
    assert_eq!(gone_early.names(false), gone_from_kernel.names(false), "what is left");
    let mut compared = 0;
    for (name, early) in &gone_early.0 {
        let (late, kernel) = (gone_late.0[name], gone_from_kernel.0[name]);
        let (Some(latest), Some(kernel_latest)) = (late.before, kernel.before) else { continue };
        println!(
            "  {name}: gone after {:.3?} to {latest:.3?}, {:.3?} to {kernel_latest:.3?}",
            early.after, kernel.after
        );
        assert!(
            kernel.after <= latest + SLACK && early.after <= kernel_latest + SLACK,
            "{name} left the embedded director between {:?} and {latest:?}, the kernel between {:?} and {kernel_latest:?}",
            early.after,
            kernel.after
        );
        compared += 1;
    }
    compared
}

fn stats_of_kernel(both: &mut Both, key: &ServiceKey) -> Stats {
    let mut buf = Vec::new();
    service::write_key(&mut buf, key);
    let (kernel, _) = both.ask(Command::GetService, false, &buf);
    let nest = Attributes::new(&kernel[0].payload[4..]).next().unwrap();
    service::read_entry(nest.nested()).unwrap().statistics()
}

/// Bursts right after a pass of the estimator, and all figures until they have faded. Nothing if
/// this machine was too busy to do it between two passes.
pub(crate) fn compare_rates(both: &mut Both) -> Option<usize> {
    /// Between two looks there is one pass at most: they come every two seconds, and one may be
    /// late.
    const PAUSE: Duration = Duration::from_secs(1);
    let sender = Sender::open();
    let key = ServiceKey::tcp("198.18.0.1", 80).unwrap();
    serve(both, &Service::new(key).with_scheduler("rr".parse().unwrap()));
    let mut model = EmbeddedDirector::new();
    model.add_service(&Service::new(key).with_scheduler("rr".parse().unwrap())).unwrap();
    model.add_destination(&key, &destination()).unwrap();
    let mut port = 2000;
    let mut compared = 0;
    let mut shown = stats_of_kernel(both, &key);
    for (count, length) in [(1, 60), (50, 900), (7, 1400), (0, 0), (200, 100), (0, 0), (0, 0), (3, 40)] {
        for _ in 0..count {
            port += 1;
            let client = SocketAddr::new([203, 0, 113, 9].into(), port);
            let to = SocketAddr::new([198, 18, 0, 1].into(), 80);
            let packet = Packet::tcp(client, to, TcpFlags::SYN).with_length(length);
            assert!(model.receive(&packet).is_forwarded());
            assert!(sender.send(&packet));
        }
        // A pass has come in between: it saw a part of the burst.
        if stats_of_kernel(both, &key) != shown {
            return None;
        }
        model.advance(Duration::from_secs(2));
        let expected = model.service(&key).unwrap().statistics();
        // The pass that sees the burst shows itself by a change.
        let before = shown;
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut look = Instant::now();
        while shown == before {
            assert!(Instant::now() < deadline, "the estimator does not count {count} packets of {length} bytes");
            std::thread::sleep(Duration::from_millis(20));
            shown = stats_of_kernel(both, &key);
            if look.elapsed() > PAUSE {
                return None;
            }
            look = Instant::now();
        }
        assert_eq!(shown, expected, "after {count} packets of {length} bytes");
        compared += 1;
    }
    Some(compared)
}
