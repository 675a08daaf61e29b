//! How both defend themselves: what is dropped, how often, and how the modes follow the memory.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use lvs_core::Director;
use lvs_core::embedded::{Packet, Settings, TcpFlags};
use lvs_core::model::{Connection, Service, ServiceKey};
use lvs_core::procfs::Procfs;

use super::clocked::serve;
use super::common::set_sysctl;
use super::packets::Sender;
use super::socket::Both;

const VIP: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);

fn to(port: u16) -> SocketAddr {
    SocketAddr::new(VIP.into(), port)
}

fn client(number: u32) -> SocketAddr {
    SocketAddr::new(Ipv4Addr::from_bits(0xCB00_7100 + number / 50_000).into(), (2000 + number % 50_000) as u16)
}

fn sysctl(name: &str) -> i64 {
    let text = std::fs::read_to_string(format!("/proc/sys/net/ipv4/vs/{name}")).expect(name);
    text.trim().parse().expect("a number")
}

/// Pages that are free or hold buffers, as the kernel counts them for this.
fn available_pages() -> u64 {
    // SAFETY: all zero is a value of the structure, to which the pointer leads.
    let info = unsafe {
        let mut info: libc::sysinfo = std::mem::zeroed();
        assert_eq!(libc::sysinfo(&raw mut info), 0);
        info
    };
    (info.freeram + info.bufferram) * u64::from(info.mem_unit) / 4096
}

/// Sleeps, and answers by how much the machine was late, in all: what the kernel does every second
/// it may then have done so many times less.
fn sleep_in_steps(time: Duration) -> Duration {
    const STEP: Duration = Duration::from_millis(50);
    let began = Instant::now();
    let mut late = Duration::ZERO;
    while began.elapsed() < time {
        let step = Instant::now();
        std::thread::sleep(STEP);
        late += step.elapsed().saturating_sub(STEP * 2);
    }
    late
}

struct Defended<'a> {
    both: &'a mut Both,
    sender: Sender,
    settings: Settings,
    clients: u32,
}

impl Defended<'_> {
    /// A change of settings in both.
    fn set(&mut self, name: &str, value: i32) {
        let field = match name {
            "drop_entry" => &mut self.settings.drop_entry,
            "drop_packet" => &mut self.settings.drop_packet,
            "secure_tcp" => &mut self.settings.secure_tcp,
            _ => {
                match name {
                    "am_droprate" => self.settings.am_droprate = value,
                    "amemthresh" => self.settings.amemthresh = value,
                    other => panic!("{other}"),
                }
                &mut 0
            }
        };
        *field = value as u8;
        set_sysctl(name, value.into());
        self.both.embedded.set_available_pages(available_pages());
        self.both.embedded.set_settings(self.settings);
        self.settings = *self.both.embedded.settings();
    }

    /// A client's packet to both; whether each let it pass.
    fn send(&mut self, from: u32, port: u16, flags: TcpFlags) -> (bool, bool) {
        let packet = Packet::tcp(client(from), to(port), flags).with_length(60);
        (self.sender.send(&packet), self.both.embedded.receive(&packet).is_forwarded())
    }

    /// SYNs of so many new clients, and what became of each.
    fn open(&mut self, count: u32) -> Vec<(bool, bool)> {
        let first = self.clients;
        self.clients += count;
        (first..self.clients).map(|from| self.send(from, 80, TcpFlags::SYN)).collect()
    }

    /// Waits until the kernel's mode is this, and moves the embedded director to its next look at
    /// the memory.
    fn await_mode(&mut self, name: &str, mode: i64) {
        let deadline = Instant::now() + Duration::from_secs(300);
        while sysctl(name) != mode {
            assert!(Instant::now() < deadline, "{name} stays {}", sysctl(name));
            std::thread::sleep(Duration::from_millis(50));
        }
        self.both.embedded.advance(Duration::from_secs(1));
        self.settings = *self.both.embedded.settings();
    }

    /// Entries of either table, by the state that they are in.
    fn states(&mut self) -> [BTreeMap<String, usize>; 2] {
        self.states_of(|_| true)
    }

    /// Entries of clients with these ports.
    fn states_of(&mut self, wanted: impl Fn(u16) -> bool) -> [BTreeMap<String, usize>; 2] {
        let count = |into: &mut BTreeMap<String, usize>, connection: &Connection<'_>| {
            if wanted(connection.client_port) {
                let kind = if connection.is_template() { "template " } else { "" };
                *into.entry(format!("{kind}{}", connection.state)).or_default() += 1;
            }
            ControlFlow::Continue(())
        };
        let mut both: [BTreeMap<String, usize>; 2] = Default::default();
        let files = Procfs::at("/proc/thread-self/net");
        files.connections().unwrap().visit(|connection| count(&mut both[0], connection)).unwrap();
        let _ = self.both.embedded.visit_connections(&mut |connection| count(&mut both[1], connection));
        both
    }
}

/// Rates to the packet, and all automatic modes there and back.
pub(crate) fn compare_modes(both: &mut Both) {
    serve(both, &Service::new(ServiceKey::tcp("198.18.0.1", 80).unwrap()));
    let settings = *both.embedded.settings();
    let mut defended = Defended { both, sender: Sender::open(), settings, clients: 0 };
    for rate in [1, 2, 3, 7, 10] {
        defended.set("am_droprate", rate);
        defended.set("drop_packet", 3);
        for (number, (kernel, embedded)) in defended.open(43).into_iter().enumerate() {
            assert_eq!(kernel, embedded, "packet {number} at rate {rate}");
        }
        defended.set("drop_packet", 0);
    }
    assert!(defended.open(20).iter().all(|passed| *passed == (true, true)));

    // So little memory that everything is dropped; then enough.
    defended.set("drop_packet", 1);
    assert_eq!((sysctl("drop_packet"), defended.settings.drop_packet), (1, 1));
    defended.set("amemthresh", i32::MAX);
    defended.await_mode("drop_packet", 2);
    assert_eq!(defended.settings.drop_packet, 2);
    assert!(defended.open(20).iter().all(|passed| *passed == (false, false)));
    defended.set("amemthresh", 1);
    defended.await_mode("drop_packet", 1);
    assert_eq!(defended.settings.drop_packet, 1);
    assert!(defended.open(20).iter().all(|passed| *passed == (true, true)));
    // Seven twelfths of what there should be: every second packet. The count restarts every
    // second.
    defended.set("drop_packet", 0);
    defended.set("amemthresh", i32::try_from(available_pages() * 12 / 7).unwrap());
    defended.set("drop_packet", 1);
    assert_eq!((sysctl("drop_packet"), defended.settings.drop_packet), (2, 2));
    let began = Instant::now();
    let passed = defended.open(100);
    let looks = began.elapsed().as_secs() as usize + 1;
    let dropped = |side: fn(&(bool, bool)) -> bool| passed.iter().filter(|passed| !side(passed)).count();
    assert_eq!(dropped(|passed| passed.1), 50);
    let kernels = dropped(|passed| passed.0);
    assert!((50 - looks.min(50)..=50).contains(&kernels), "the kernel drops {kernels} of 100 in {looks} s");
    assert!(!passed.windows(2).any(|two| !two[0].0 && !two[1].0), "never two in succession");
    defended.set("drop_packet", 0);

    // The table of states, there and back.
    let opened = |defended: &mut Defended<'_>, expected: &str| {
        let from = client(defended.clients).port();
        assert_eq!(defended.open(1), [(true, true)]);
        assert_eq!(
            defended.states_of(|port| port == from),
            [[(expected.to_owned(), 1)].into(), [(expected.to_owned(), 1)].into()]
        );
    };
    defended.set("amemthresh", 1);
    defended.set("secure_tcp", 2);
    assert_eq!((sysctl("secure_tcp"), defended.settings.secure_tcp), (1, 1));
    opened(&mut defended, "SYN_RECV");
    defended.set("amemthresh", i32::MAX);
    defended.await_mode("secure_tcp", 2);
    assert_eq!(defended.settings.secure_tcp, 2);
    opened(&mut defended, "SYNACK");
    defended.set("amemthresh", 1);
    defended.await_mode("secure_tcp", 1);
    assert_eq!(defended.settings.secure_tcp, 1);
    opened(&mut defended, "SYN_RECV");
    defended.set("secure_tcp", 3);
    opened(&mut defended, "SYNACK");

    defended.set("drop_entry", 1);
    defended.set("amemthresh", i32::MAX);
    defended.await_mode("drop_entry", 2);
    assert_eq!(defended.settings.drop_entry, 2);
}

/// What `drop_entry` drops in so many seconds, and what it leaves alone.
pub(crate) fn compare_dropped_entries(both: &mut Both) {
    const HALF_OPEN: u32 = 3000;
    const OTHERS: u32 = 300;
    serve(both, &Service::new(ServiceKey::tcp("198.18.0.1", 80).unwrap()));
    let sticky = ServiceKey::tcp("198.18.0.1", 81).unwrap();
    serve(both, &Service::new(sticky).with_persistence(600));
    let settings = *both.embedded.settings();
    let mut defended = Defended { both, sender: Sender::open(), settings, clients: 0 };
    let began = Instant::now();
    defended.open(HALF_OPEN);
    for (port, flags) in [(80, TcpFlags::ACK), (80, TcpFlags::FIN)] {
        for _ in 0..OTHERS {
            let from = defended.clients;
            defended.clients += 1;
            assert_eq!(defended.send(from, port, TcpFlags::SYN), (true, true));
            assert_eq!(defended.send(from, port, flags), (true, true));
        }
    }
    // A template for one client's single connection, which nobody confirms.
    assert_eq!(defended.send(0, 81, TcpFlags::SYN), (true, true));
    defended.both.embedded.advance_to(began.elapsed());
    let [kernel, embedded] = defended.states();
    assert_eq!(kernel, embedded, "before");
    defended.set("drop_entry", 3);
    let late = sleep_in_steps(Duration::from_secs(10)).as_secs_f64();
    defended.both.embedded.advance_to(began.elapsed());
    // A file that is read while entries go may miss others, too.
    defended.set("drop_entry", 0);
    let [mut kernel, mut embedded] = defended.states();
    println!("after {:.1?}: kernel {kernel:?}, embedded {embedded:?}", began.elapsed());
    let half_open = [&mut kernel, &mut embedded].map(|states| states.remove("SYN_RECV").unwrap_or(0) as f64);
    // A second more or less, what the machine was late, and six standard deviations of the
    // difference of two such draws.
    let total = f64::from(HALF_OPEN);
    let allowed = total / 32.0 * (1.5 + late) + 6.0 * (2.0 * total * 0.27 * 0.73 * 1.75).sqrt();
    assert!((half_open[0] - half_open[1]).abs() < allowed, "{half_open:?}, within {allowed}");
    assert!(half_open[0] < total * 0.9 && half_open[1] < total * 0.9, "{half_open:?}");
    for states in [&mut kernel, &mut embedded] {
        // It goes with its connection, or neither does.
        states.remove("template NONE");
    }
    assert_eq!(kernel, embedded, "the others stay");
    let count = |state: &str| kernel[state];
    assert_eq!((count("ESTABLISHED"), count("TIME_WAIT")), (OTHERS as usize, OTHERS as usize));
}

/// How many silent connections are left, by the number of packets that they had.
pub(crate) fn compare_silent_entries(both: &mut Both, seconds: u64) {
    const EACH: u32 = 600;
    let key = ServiceKey::udp("198.18.0.1", 80).unwrap();
    serve(both, &Service::new(key));
    let sender = Sender::open();
    let began = Instant::now();
    for packets in 1..=9_u32 {
        for number in 0..EACH {
            let packet = Packet::udp(client(packets * EACH + number), to(80)).with_length(60);
            for _ in 0..packets {
                assert!(sender.send(&packet) && both.embedded.receive(&packet).is_forwarded());
            }
        }
    }
    both.embedded.advance_to(began.elapsed());
    set_sysctl("drop_entry", 3);
    let mut settings = *both.embedded.settings();
    settings.drop_entry = 3;
    both.embedded.set_settings(settings);
    let late = sleep_in_steps(Duration::from_secs(seconds)).as_secs_f64();
    // A file that is read while entries go may miss others, too.
    set_sysctl("drop_entry", 0);
    both.embedded.advance_to(began.elapsed());
    let mut left = [[0_u32; 10]; 2];
    let count = |left: &mut [u32; 10], connection: &Connection<'_>| {
        let number = u32::from(connection.client_port) - 2000;
        left[(number / EACH) as usize] += 1;
        ControlFlow::Continue(())
    };
    let files = Procfs::at("/proc/thread-self/net");
    files.connections().unwrap().visit(|connection| count(&mut left[0], connection)).unwrap();
    let _ = both.embedded.visit_connections(&mut |connection| count(&mut left[1], connection));
    println!("after {:.1?}, of {EACH} each: kernel {:?}, embedded {:?}", began.elapsed(), &left[0][1..], &left[1][1..]);
    assert_eq!((left[0][9], left[1][9]), (EACH, EACH), "who had nine packets stays");
    for packets in 1..=8 {
        let apart = left[0][packets].abs_diff(left[1][packets]);
        // Two seconds of it, what the machine was late, and six standard deviations.
        let seconds = 2.0 + late;
        let allowed =
            f64::from(EACH) / 32.0 * seconds / packets as f64 + 6.0 * (f64::from(EACH) / 2.0 / packets as f64).sqrt();
        assert!(f64::from(apart) < allowed, "{packets} packets: {left:?}, within {allowed}");
        assert!(left[0][packets] < EACH && left[1][packets] < EACH, "{left:?}");
    }
}
