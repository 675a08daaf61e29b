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
use lvs_core::wire::{destination, service, top};

use super::packets::Sender;
use super::socket::Both;

/// The kernel's tick by now.
pub(crate) fn jiffies() -> u64 {
    let text = std::fs::read_to_string("/proc/timer_list").expect("the kernel's timers");
    let line = text.lines().find_map(|line| line.strip_prefix("jiffies: ")).expect("a line with jiffies");
    line.trim().parse().expect("a number")
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
    destination::write(&mut buf, &Destination::new([10, 0, 0, 1].into(), 80));
    ask(both, Command::NewDest, &buf);
}

/// Entries by what they are, with the seconds that they have left.
fn entries(list: &mut BTreeMap<String, u32>, connection: &Connection<'_>) -> ControlFlow<()> {
    let Connection { protocol, client_port, target, state, expires, .. } = *connection;
    list.insert(format!("{protocol} {client_port} {target:?} {state}"), expires);
    ControlFlow::Continue(())
}

/// How late the kernel may be with an expired timer, and how far its clock's tick may be from the one we read.
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
        // A file that is read while entries leave may have missed others, which are then seen again.
        for name in entries.keys() {
            self.0.insert(name.clone(), Gone { after: began, before: None });
        }
    }

    fn names(&self, gone: bool) -> Vec<&String> {
        self.0.iter().filter(|(_, entry)| entry.before.is_some() == gone).map(|(name, _)| name).collect()
    }
}

/// Connections and templates of all three kinds, short and long; when each leaves the table of either.
///
/// No look at a table is taken to be short: what is compared are the spans in which an entry must have left each.
pub(crate) fn compare_expiry(both: &mut Both, began: Instant) -> usize {
    let sender = Sender::open();
    let udp = |port| ServiceKey::udp("198.18.0.1", port).unwrap();
    let mark = ServiceKey::fwmark(7, AddressFamily::Ipv4).unwrap();
    serve(both, &Service::new(udp(53)));
    serve(both, &Service::new(udp(80)).with_persistence(5));
    serve(both, &Service::new(udp(0)).with_persistence(9));
    serve(both, &Service::new(mark).with_persistence(2));
    let mut port = 1000;
    for seconds in [1, 4, 18] {
        let mut buf = Vec::new();
        top::write_timeouts(&mut buf, &Timeouts { tcp: 0, tcp_fin: 0, udp: seconds });
        ask(both, Command::SetConfig, &buf);
        for (to, mark) in [(53, 0), (80, 0), (443, 0), (53, 7)] {
            port += 1;
            let client = SocketAddr::new([203, 0, 113, 9].into(), port);
            let packet = Packet::udp(client, SocketAddr::new([198, 18, 0, 1].into(), to)).with_mark(mark);
            both.embedded.advance_to(began.elapsed());
            assert!(both.embedded.receive(&packet).is_forwarded());
            assert!(sender.send(&packet));
        }
    }
    let sent = Instant::now();
    let [mut embedded_gone, mut kernels] = [Watched::default(), Watched::default()];
    let files = Procfs::at("/proc/thread-self/net");
    let mut apart: BTreeMap<String, u32> = BTreeMap::new();
    let look_at_twin = |both: &mut Both, watched: &mut Watched| {
        let now = began.elapsed();
        both.embedded.advance_to(now);
        let mut list = BTreeMap::new();
        let _ = both.embedded.visit_connections(&mut |connection| entries(&mut list, connection));
        watched.saw(&list, now, now);
        list
    };
    // Until all but the templates that live on in steps of a minute are gone.
    while sent.elapsed() < Duration::from_secs(23) {
        let earlier = look_at_twin(both, &mut embedded_gone);
        let look = began.elapsed();
        let mut list = BTreeMap::new();
        files.connections().unwrap().visit(|connection| entries(&mut list, connection)).unwrap();
        kernels.saw(&list, look, began.elapsed());
        let later = look_at_twin(both, &mut embedded_gone);
        for (name, left) in &list {
            let (Some(most), Some(least)) = (earlier.get(name), later.get(name)) else { continue };
            // In between a template may begin a new minute.
            let fits = (least.saturating_sub(1)..=most + 1).contains(left);
            let times = apart.entry(name.clone()).or_insert(0_u32);
            *times = if fits { 0 } else { *times + 1 };
            assert!(*times < 8, "{name} has {most} to {least} s left in the embedded director, {left} in the kernel");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(embedded_gone.names(true), kernels.names(true));
    assert_eq!(embedded_gone.names(false), kernels.names(false), "what is left");
    let mut compared = 0;
    for (name, embedded) in &embedded_gone.0 {
        let kernel = kernels.0[name];
        let (Some(twins_end), Some(kernels_end)) = (embedded.before, kernel.before) else { continue };
        println!(
            "  {name}: gone after {:.3?} to {twins_end:.3?}, {:.3?} to {kernels_end:.3?}",
            embedded.after, kernel.after
        );
        let overlap = kernel.after <= twins_end + SLACK && embedded.after <= kernels_end + SLACK;
        assert!(
            overlap,
            "{name} left the embedded director between {:?} and {twins_end:?}, the kernel between {:?} and {kernels_end:?}",
            embedded.after, kernel.after
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

/// Bursts right after a pass of the estimator, and all figures until they have faded. Nothing if this machine was too
/// busy to do it between two passes.
pub(crate) fn compare_rates(both: &mut Both) -> Option<usize> {
    /// Between two looks there is one pass at most: they come every two seconds, and one may be late.
    const PAUSE: Duration = Duration::from_secs(1);
    let sender = Sender::open();
    let key = ServiceKey::tcp("198.18.0.1", 80).unwrap();
    serve(both, &Service::new(key).with_scheduler("rr".parse().unwrap()));
    let mut model = EmbeddedDirector::new();
    model.add_service(&Service::new(key).with_scheduler("rr".parse().unwrap())).unwrap();
    model.add_destination(&key, &Destination::new([10, 0, 0, 1].into(), 80)).unwrap();
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
