//! One virtual service with a random history, in the kernel and in our model.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use lvs_core::schedulers::{
    Balancer, DestinationId, Family, NewDestination, Pool, Profile, Random, Request, SchedulerOptions, SplitMix64,
    by_name,
};

use super::genl::{Attrs, Genl, attrs};
use super::packets::{ACK, FIN, Flow, Sender, TCP, UDP};

const NEW_SERVICE: u8 = 1;
const SET_SERVICE: u8 = 2;
const NEW_DEST: u8 = 5;
const SET_DEST: u8 = 6;
const DEL_DEST: u8 = 7;
const GET_DEST: u8 = 8;
const DIRECT_ROUTING: u32 = 3;
const TUNNEL: u32 = 2;

/// What the kernel and the model have in common: the clock is the number of the round.
pub(crate) struct Scenario {
    pub(crate) scheduler: &'static str,
    /// Connections whose choice is to be compared, and refusals.
    pub(crate) picks: usize,
    pub(crate) refusals: usize,
    seed: u64,
    random: SplitMix64,
    number: u32,
    family: Family,
    /// The firewall mark, or 0 for a service of one address, port and protocol.
    mark: u32,
    protocol: u8,
    options: SchedulerOptions,
    balancer: Balancer,
    known: Vec<Known>,
    /// Weights are drawn below this; several times each.
    heaviest: u32,
    live: Vec<Live>,
    /// Choices of this round, to be looked up in the kernel's table.
    expected: Vec<(Flow, DestinationId)>,
    history: String,
}

struct Known {
    id: DestinationId,
    addr: IpAddr,
    port: u16,
}

struct Live {
    flow: Flow,
    id: DestinationId,
    active: bool,
}

impl Scenario {
    /// Makes a service with a few destinations. `number` keeps scenarios of one network namespace
    /// apart.
    pub(crate) fn new(scheduler: &'static str, profile: Profile, number: u32, seed: u64, genl: &mut Genl) -> Self {
        let mut random = SplitMix64::new(seed);
        let family = if random.below(3) == 0 { Family::V6 } else { Family::V4 };
        let by_mark = match scheduler {
            // These look at the destination address, which only varies behind a mark.
            "dh" | "lblc" | "lblcr" => random.below(4) != 0,
            _ => random.below(4) == 0,
        };
        let flags = if matches!(scheduler, "sh" | "mh") {
            [0, SchedulerOptions::FALLBACK, SchedulerOptions::PORT, SchedulerOptions::FALLBACK | SchedulerOptions::PORT]
                [random.below(4) as usize]
        } else {
            0
        };
        let options = SchedulerOptions::default().with_flags(flags);
        let bound = by_name(scheduler, &options).expect("a known scheduler");
        let balancer = Balancer::new(Pool::new(profile, family), bound, 0).expect("an empty pool suits all");
        let heaviest = match scheduler {
            // The kernel's walk takes as many rounds as there are weights when everything is
            // overloaded.
            "wrr" => [4, 12, 300][random.below(3) as usize],
            _ => [3, 12, 300, 65_536, 0x7FFF_FFFF][random.below(5) as usize],
        };
        let mut scenario = Self {
            scheduler,
            picks: 0,
            refusals: 0,
            seed,
            number,
            family,
            mark: if by_mark { number + 1 } else { 0 },
            protocol: if random.below(3) == 0 { UDP } else { TCP },
            options,
            balancer,
            known: Vec::new(),
            heaviest,
            live: Vec::new(),
            expected: Vec::new(),
            history: String::new(),
            random,
        };
        let request = scenario.service(scheduler, flags);
        genl.request(NEW_SERVICE, false, Attrs::default().nest(1, request)).expect("a new service");
        let first = match scenario.random.below(12) {
            0 => 40,
            1 => 300,
            n => n % 6,
        };
        for _ in 0..first {
            scenario.add(genl);
        }
        scenario
    }

    /// The expiration of lblcr's sets, in the kernel already.
    pub(crate) fn set_expiration(&mut self, expiration: Duration) {
        self.options.lblcr_expiration = expiration.as_millis() as u64;
        self.balancer.reconfigure(&self.options);
    }

    fn note(&mut self, text: std::fmt::Arguments<'_>) {
        writeln!(self.history, "{text}").expect("a string grows");
    }

    fn identity(&self) -> Attrs {
        let family = if self.family == Family::V4 { 2 } else { 10 };
        let attrs = Attrs::default().u16(1, family);
        if self.mark != 0 {
            return attrs.u32(5, self.mark);
        }
        attrs.u16(2, self.protocol.into()).addr(3, self.vip()).put(4, &80u16.to_be_bytes())
    }

    fn service(&self, scheduler: &str, flags: u32) -> Attrs {
        let netmask = if self.family == Family::V4 { u32::MAX } else { 128 };
        let flags = [flags.to_ne_bytes(), u32::MAX.to_ne_bytes()].concat();
        self.identity().string(6, scheduler).put(7, &flags).u32(8, 0).u32(9, netmask)
    }

    fn vip(&self) -> IpAddr {
        match self.family {
            Family::V4 => Ipv4Addr::from_bits(0xC612_0001 + (self.number << 8)).into(),
            Family::V6 => {
                Ipv6Addr::from_bits(0x2001_0db8_0001_0000_0000_0000_0000_0001 | u128::from(self.number) << 64).into()
            }
        }
    }

    fn weight(&mut self) -> u32 {
        match self.random.below(12) {
            0 => 0,
            1 | 2 => self.heaviest,
            3 => 1,
            _ => 1 + self.random.below(self.heaviest),
        }
    }

    fn thresholds(&mut self) -> (u32, u32) {
        if self.random.below(10) < 7 {
            return (0, 0);
        }
        let upper = 1 + self.random.below(40);
        (upper, if self.random.below(2) == 0 { 0 } else { self.random.below(upper + 1) })
    }

    fn destination(&self, new: &NewDestination) -> Attrs {
        let family = if new.addr.is_ipv4() { 2 } else { 10 };
        let method = if Family::of(new.addr) == self.family { DIRECT_ROUTING } else { TUNNEL };
        Attrs::default()
            .addr(1, new.addr)
            .put(2, &new.port.to_be_bytes())
            .u32(3, method)
            .u32(4, new.weight as u32)
            .u32(5, new.upper_threshold)
            .u32(6, new.lower_threshold)
            .u16(11, family)
    }

    fn command(&mut self, genl: &mut Genl, command: u8, destination: Attrs) {
        let attrs = Attrs::default().nest(1, self.identity()).nest(2, destination);
        if let Err(errno) = genl.request(command, false, attrs) {
            panic!("command {command}: errno {errno}\n{}", self.story());
        }
    }

    fn add(&mut self, genl: &mut Genl) {
        let absent: Vec<usize> =
            (0..self.known.len()).filter(|&i| !self.balancer.pool().available(self.known[i].id)).collect();
        let (addr, port) = if !absent.is_empty() && self.random.below(2) == 0 {
            let again = &self.known[absent[self.random.below(absent.len() as u32) as usize]];
            (again.addr, again.port)
        } else {
            let n = self.known.len() as u32 + 1;
            let mixed = self.family == Family::V4 && self.random.below(12) == 0;
            let addr = if self.family == Family::V4 && !mixed {
                Ipv4Addr::from_bits(0x0A00_0000 + (self.number << 10) + n).into()
            } else {
                let low = u128::from(self.random.below(u32::MAX));
                let net = 0x2001_0db8_0002_0000 + u128::from(self.number);
                IpAddr::from(Ipv6Addr::from_bits(net << 64 | low << 32 | u128::from(n)))
            };
            (addr, [80, 8080, 0][self.random.below(3) as usize])
        };
        let (upper, lower) = self.thresholds();
        let new = NewDestination::new(addr, port, self.weight() as i32).with_thresholds(upper, lower);
        self.note(format_args!("add {new:?}"));
        let attrs = self.destination(&new);
        self.command(genl, NEW_DEST, attrs);
        let id = self.balancer.add(new).expect("an absent destination");
        if self.known.iter().all(|known| known.id != id) {
            self.known.push(Known { id, addr, port });
        }
    }

    fn any_listed(&mut self) -> Option<usize> {
        let pool = self.balancer.pool();
        let listed: Vec<usize> = (0..self.known.len()).filter(|&i| pool.available(self.known[i].id)).collect();
        (!listed.is_empty()).then(|| listed[self.random.below(listed.len() as u32) as usize])
    }

    fn edit(&mut self, genl: &mut Genl) {
        let Some(at) = self.any_listed() else { return };
        let Known { id, addr, port } = self.known[at];
        let pool = self.balancer.pool();
        let mut new = NewDestination::new(addr, port, pool.weight(id))
            .with_thresholds(pool.upper_threshold(id), pool.lower_threshold(id));
        let what = self.random.below(4);
        if what & 1 != 0 {
            new.weight = self.weight() as i32;
        }
        if what & 2 != 0 {
            (new.upper_threshold, new.lower_threshold) = self.thresholds();
        }
        self.note(format_args!("edit {new:?}"));
        let attrs = self.destination(&new);
        self.command(genl, SET_DEST, attrs);
        self.balancer.edit(id, new.weight, new.upper_threshold, new.lower_threshold);
    }

    fn remove(&mut self, genl: &mut Genl) {
        let Some(at) = self.any_listed() else { return };
        let Known { id, addr, port } = self.known[at];
        self.note(format_args!("remove {addr}:{port}"));
        let attrs = self.destination(&NewDestination::new(addr, port, 0));
        self.command(genl, DEL_DEST, attrs);
        self.balancer.remove(id);
    }

    fn rebind(&mut self, genl: &mut Genl) {
        if matches!(self.scheduler, "sh" | "mh") && self.random.below(2) == 0 {
            self.options.flags ^= [SchedulerOptions::FALLBACK, SchedulerOptions::PORT][self.random.below(2) as usize];
            let flags = self.options.flags;
            self.note(format_args!("flags {flags:#x}"));
            let request = self.service(self.scheduler, self.options.flags);
            genl.request(SET_SERVICE, false, Attrs::default().nest(1, request)).expect("other flags");
            self.balancer.reconfigure(&self.options);
            return;
        }
        self.note(format_args!("another scheduler and back"));
        let other = if self.scheduler == "rr" { "lc" } else { "rr" };
        for name in [other, self.scheduler] {
            let request = self.service(name, self.options.flags);
            genl.request(SET_SERVICE, false, Attrs::default().nest(1, request)).expect("another scheduler");
            let scheduler = by_name(name, &self.options).expect("a known scheduler");
            self.balancer.set_scheduler(scheduler, 0).expect("few destinations");
        }
    }

    fn flow(&mut self) -> Flow {
        let vip = self.vip();
        let mut word = || u128::from(self.random.below(u32::MAX));
        let (client, destination) = match self.family {
            Family::V4 => {
                // Class A without 0, 10 and 127, or anything up to 223.
                let client = loop {
                    let [a, b, c, d] = (word() as u32).to_be_bytes();
                    if !matches!(a, 0 | 10 | 127 | 224..) {
                        break Ipv4Addr::new(a, b, c, d);
                    }
                };
                (client.into(), Ipv4Addr::from_bits(0xC613_0000 + (word() as u32 % 24)).into())
            }
            Family::V6 => {
                let client = 0x2 << 124 | word() << 88 | word() << 64 | word() << 32 | word();
                let destination = 0x2001_0db8_0003_0000_0000_0000_0000_0000 | (word() % 24);
                (IpAddr::from(Ipv6Addr::from_bits(client)), IpAddr::from(Ipv6Addr::from_bits(destination)))
            }
        };
        let client_port = 1024 + (word() % 64_000) as u16;
        let (destination, destination_port) =
            if self.mark == 0 { (vip, 80) } else { (destination, [80, 443][(word() % 2) as usize]) };
        let protocol = match (self.mark, word() % 2) {
            (0, _) => self.protocol,
            (_, 0) => TCP,
            _ => UDP,
        };
        Flow { protocol, client, client_port, destination, destination_port }
    }

    fn open(&mut self, sender: &Sender, count: u32, now: u64) {
        let flows: Vec<Flow> = (0..count).map(|_| self.flow()).collect();
        let passed = sender.send(self.mark, &flows, ACK);
        for (flow, passed) in flows.into_iter().zip(passed) {
            let request = Request::new(
                flow.protocol,
                SocketAddr::new(flow.client, flow.client_port),
                SocketAddr::new(flow.destination, flow.destination_port),
            );
            let picked = self.balancer.pick(&request.at(now));
            self.picks += 1;
            self.note(format_args!("{flow:?} -> {picked:?}"));
            if picked.is_some() != passed {
                panic!("the kernel {} it\n{}", if passed { "took" } else { "refused" }, self.story());
            }
            let Some(id) = picked else {
                self.refusals += 1;
                continue;
            };
            self.balancer.connection_added(id);
            if flow.protocol == TCP {
                self.balancer.connection_activated(id);
            }
            self.expected.push((flow, id));
            self.live.push(Live { flow, id, active: flow.protocol == TCP });
        }
    }

    /// Draws connections that the kernel still forwards, at most one in `one_in`.
    fn draw(&mut self, one_in: u32) -> Vec<Live> {
        let mut drawn = Vec::new();
        let mut at = 0;
        while at < self.live.len() {
            // Packets to a removed destination are dropped before they change a connection's state.
            if self.balancer.pool().available(self.live[at].id) && self.random.below(one_in) == 0 {
                drawn.push(self.live.swap_remove(at));
            } else {
                at += 1;
            }
        }
        drawn
    }

    /// Half-closes some connections: no longer active, but there.
    fn half_close(&mut self, sender: &Sender) {
        let mut drawn = self.draw(8);
        let (closing, untouched): (Vec<Live>, Vec<Live>) =
            drawn.drain(..).partition(|live| live.active && live.flow.protocol == TCP);
        let flows: Vec<Flow> = closing.iter().map(|live| live.flow).collect();
        sender.send(self.mark, &flows, FIN);
        for mut live in closing {
            self.balancer.connection_deactivated(live.id);
            live.active = false;
            self.live.push(live);
        }
        self.live.extend(untouched);
        self.note(format_args!("half-closed {}", flows.len()));
    }

    /// Random commands and connections.
    pub(crate) fn play(&mut self, genl: &mut Genl, sender: &Sender, now: u64) {
        for _ in 0..3 {
            for _ in 0..self.random.below(4) {
                match self.random.below(24) {
                    0..7 => self.add(genl),
                    7..16 => self.edit(genl),
                    16..23 => self.remove(genl),
                    _ => self.rebind(genl),
                }
            }
            let count = 1 + self.random.below(100);
            self.open(sender, count, now);
            if self.random.below(2) == 0 {
                self.half_close(sender);
            }
        }
    }

    /// Compares this round's choices with the kernel's table of connections.
    pub(crate) fn compare(&mut self, table: &HashMap<(u8, IpAddr, u16), (IpAddr, u16)>) {
        for (flow, id) in std::mem::take(&mut self.expected) {
            let pool = self.balancer.pool();
            let port = match pool.port(id) {
                0 => flow.destination_port,
                port => port,
            };
            let kernel = table.get(&(flow.protocol, flow.client, flow.client_port));
            if kernel != Some(&(pool.addr(id), port)) {
                panic!("{flow:?}: the kernel chose {kernel:?}, we {:?}:{port}\n{}", pool.addr(id), self.story());
            }
        }
    }

    /// Begins to end some connections; the timeouts are short now. They are gone from the model at
    /// once.
    pub(crate) fn close(&mut self, sender: &Sender) {
        let drawn = self.draw(4);
        let flows: Vec<Flow> = drawn.iter().map(|live| live.flow).collect();
        sender.send(self.mark, &flows, FIN);
        for live in &drawn {
            if live.active {
                self.balancer.connection_deactivated(live.id);
            }
            self.balancer.connection_removed(live.id, false);
        }
        self.note(format_args!("closed {}", drawn.len()));
    }

    /// The difference between the kernel's list of destinations and ours, if any.
    pub(crate) fn difference(&self, genl: &mut Genl) -> Option<String> {
        let dump = genl.request(GET_DEST, true, Attrs::default().nest(1, self.identity())).expect("destinations");
        let theirs: Vec<[u32; 6]> = dump.iter().map(|message| settings(message)).collect();
        let pool = self.balancer.pool();
        let ours: Vec<[u32; 6]> = pool
            .iter()
            .map(|at| {
                [
                    pool.port(at).into(),
                    pool.weight(at) as u32,
                    pool.upper_threshold(at),
                    pool.lower_threshold(at),
                    pool.active(at) as u32,
                    pool.inactive(at) as u32,
                ]
            })
            .collect();
        (ours != theirs).then(|| {
            format!(
                "port, weight, upper, lower, active, inactive\nkernel {theirs:?}\nours   {ours:?}\n{}",
                self.story()
            )
        })
    }

    fn story(&self) -> String {
        let tail: String = self.history.lines().rev().take(60).collect::<Vec<_>>().join("\n");
        format!("{} seed {:#x} mark {} {:?}, latest first:\n{tail}", self.scheduler, self.seed, self.mark, self.family)
    }
}

fn settings(message: &[u8]) -> [u32; 6] {
    let mut found = [0; 6];
    for (kind, value) in attrs(message) {
        if kind != 2 {
            continue;
        }
        for (kind, value) in attrs(value) {
            let word = || u32::from_ne_bytes(value[..4].try_into().unwrap());
            match kind {
                2 => found[0] = u16::from_be_bytes([value[0], value[1]]).into(),
                4..=8 => found[kind as usize - 3] = word(),
                _ => {}
            }
        }
    }
    found
}
