//! Reloads in random order with random edits, while servers die and recover and clients ask all the
//! time.

use lvs_core::embedded::Flow;

use super::*;

/// How often each server is checked.
const INTERVAL: Duration = Duration::from_secs(1);
/// How fine the simulated time is.
const STEP: Duration = Duration::from_millis(100);
/// After so long a dead server is known to be dead: three checks, each up to a twentieth late, and
/// a step.
const DETECTION: Duration = Duration::from_millis(3_350);
/// After so long a server that is well again is known to be: one check.
const RECOVERY: Duration = Duration::from_millis(1_250);
/// Requests in each step.
const REQUESTS: u32 = 3;
const SORRY: u8 = 99;

/// A real server.
#[derive(Debug, Clone, Copy)]
struct Real {
    dead: bool,
    /// When it died or recovered, or came into the file, whichever is later.
    since: Duration,
    /// When it is checked next; nobody checks what is not in the file.
    due: Option<Duration>,
}

#[derive(Debug, Default)]
struct Figures {
    reloads: u32,
    deaths: u32,
    requests: u32,
    to_healthy: u32,
    /// To servers that nobody could know to be dead yet.
    to_dying: u32,
    to_sorry: u32,
    /// How often the sorry server began to serve.
    apologies: u32,
}

struct Storm {
    machine: Machine,
    run: Run,
    random: fastrand::Rng,
    servers: Vec<Real>,
    /// Those in the file.
    members: BTreeSet<u8>,
    figures: Figures,
    client: u32,
    apologising: bool,
    /// Since when no server of the file is well.
    outage: Option<Duration>,
}

impl Storm {
    fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut machine = Machine::new();
        let mut members = BTreeSet::from([1, 2, 3, 4]);
        let file = edit(&mut random, &mut members);
        let run = machine.start(&file);
        let servers = vec![Real { dead: false, since: Duration::ZERO, due: None }; 8];
        let figures = Figures::default();
        let mut storm =
            Self { machine, run, random, servers, members, figures, client: 0, apologising: false, outage: None };
        storm.follow();
        storm
    }

    /// Checks whom the file names, from now on.
    fn follow(&mut self) {
        let now = self.run.moment.now;
        for (last, server) in (1..).zip(&mut self.servers) {
            match (self.members.contains(&last), server.due) {
                (true, None) => {
                    server.due = Some(now + INTERVAL.mul_f64(self.random.f64()));
                    server.since = now;
                }
                (false, Some(_)) => server.due = None,
                _ => {}
            }
        }
    }

    fn reload(&mut self) {
        let file = edit(&mut self.random, &mut self.members);
        self.run.reload(&file).unwrap();
        self.follow();
        self.figures.reloads += 1;
    }

    fn step(&mut self) {
        self.machine.table.borrow_mut().advance(STEP);
        self.run.moment.now += STEP;
        self.run.moment.unix = 1_700_000_000 + self.run.moment.now.as_secs();
        let now = self.run.moment.now;
        for index in 0..self.servers.len() {
            // In the long run three in five of them are dead; sometimes all are.
            let (odds, dead) = (self.random.u32(0..1000), self.servers[index].dead);
            if (dead && odds < 8) || (!dead && odds < 12) {
                self.servers[index].dead = !dead;
                self.servers[index].since = now;
                self.figures.deaths += u32::from(!dead);
            }
            if self.servers[index].due.is_some_and(|due| due <= now) {
                let late = INTERVAL.mul_f64(0.95 + 0.1 * self.random.f64());
                self.servers[index].due = self.servers[index].due.map(|due| due + late);
                let outcome = match self.servers[index].dead {
                    true => Outcome::Down("connection refused".to_owned()),
                    false => Outcome::Up,
                };
                self.run.check(u8::try_from(index + 1).unwrap(), outcome);
            }
        }
        if self.run.engine.next_wakeup() <= now {
            self.run.engine.flush(self.run.moment);
        }
        let well = self.servers.iter().any(|server| server.due.is_some() && !server.dead);
        self.outage = if well { None } else { self.outage.or(Some(now)) };
        for _ in 0..REQUESTS {
            self.request(now);
        }
    }

    fn request(&mut self, now: Duration) {
        self.client += 1;
        self.figures.requests += 1;
        let addr = std::net::Ipv4Addr::from(0x0a00_0000 + self.client / 50_000);
        let port = u16::try_from(1024 + self.client % 50_000).unwrap();
        let flow = Flow::tcp((addr, port).into(), "192.0.2.1:80".parse().unwrap());
        let verdict = self.machine.table.borrow_mut().open(&flow);
        self.machine.table.borrow_mut().close(&flow);
        let Some(server) = verdict.destination() else { panic!("{now:?}: a request was lost: {verdict}") };
        let std::net::IpAddr::V4(addr) = server.addr else { panic!("{server}") };
        let last = addr.octets()[3];
        if last == SORRY {
            // Each server of the file is dead, or has been well for less than it takes to notice.
            for server in self.servers.iter().filter(|server| server.due.is_some()) {
                assert!(server.dead || now < server.since + RECOVERY, "{now:?}: sorry although {server:?}");
            }
            self.figures.to_sorry += 1;
            self.figures.apologies += u32::from(!self.apologising);
            self.apologising = true;
            return;
        }
        let server = self.servers[usize::from(last) - 1];
        assert!(server.due.is_some(), "{now:?}: {last} is not in the file");
        if server.dead {
            assert!(now < server.since + DETECTION, "{now:?}: {last} is known to be dead: {server:?}");
            self.figures.to_dying += 1;
        } else {
            self.figures.to_healthy += 1;
        }
        if self.apologising {
            // It does not flap: as long as nobody is well, it goes on to serve.
            let joined = self.servers.iter().any(|server| server.due.is_some() && now < server.since + DETECTION);
            assert!(!server.dead || joined, "{now:?}: {last} serves instead of the sorry server");
        }
        self.apologising = false;
    }
}

/// Another file: one or two servers come or go, weights, order, scheduler and another service
/// change.
fn edit(random: &mut fastrand::Rng, members: &mut BTreeSet<u8>) -> String {
    for _ in 0..random.u8(0..3) {
        let last = random.u8(1..=8);
        if !members.remove(&last) {
            members.insert(last);
        }
    }
    if members.is_empty() {
        members.insert(1);
    }
    let mut servers: Vec<(u8, u32)> = members.iter().map(|last| (*last, random.u32(1..5))).collect();
    random.shuffle(&mut servers);
    let settings = "health = { sorry_server = \"198.51.100.99\" }";
    let scheduler = ["rr", "wrr", "lc", "wlc", "sed", "nq"][random.usize(0..6)];
    let mut file = service(80, settings, &servers).replace("\"rr\"", &format!("\"{scheduler}\""));
    if random.bool() {
        file += &service(81, "", &[(1, 1)]);
    }
    file
}

#[test]
fn a_storm_of_reloads_sends_no_request_to_a_server_known_to_be_dead() {
    let reloads: u32 = std::env::var("LVS_RELOADS").map_or(100, |reloads| reloads.parse().unwrap());
    let mut storm = Storm::new(1);
    while storm.figures.reloads < reloads {
        storm.step();
        match storm.random.u8(..) {
            0..8 => storm.reload(),
            // Several at once, as from an editor that saves on every key.
            8 => (0..5).for_each(|_| storm.reload()),
            _ => {}
        }
    }
    let drifts = storm.run.engine.journal.kept().filter(|event| event.kind == EventKind::DriftRepaired);
    let drifts: Vec<_> = drifts.map(ToString::to_string).collect();
    assert_eq!(drifts, [""; 0], "nobody else was at the table");
    assert!(storm.figures.to_sorry > 0 && storm.figures.to_dying > 0, "the storm was too mild: {:?}", storm.figures);
    eprintln!("{:?} in {:?} of simulated time", storm.figures, storm.run.moment.now);
}
