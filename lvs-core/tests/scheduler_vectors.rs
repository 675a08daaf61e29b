//! The kernel's recorded choices, `data/schedulers/`, against ours.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use lvs_core::schedulers::hash::{fold, hash_32, hsiphash};
use lvs_core::schedulers::{
    Balancer, DestinationId, Family, Mh, NewDestination, Pool, Profile, Request, SCHEDULERS, SchedulerOptions, Sh,
    by_name,
};

fn data() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/schedulers")
}

fn lines(text: &str) -> impl Iterator<Item = (usize, Vec<&str>)> {
    (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(number, line)| (number, line.split_whitespace().collect()))
}

fn plus(addr: IpAddr, n: u32) -> IpAddr {
    match addr {
        IpAddr::V4(a) => Ipv4Addr::from_bits(a.to_bits() + n).into(),
        IpAddr::V6(a) => Ipv6Addr::from_bits(a.to_bits() + u128::from(n)).into(),
    }
}

/// One case under one profile.
struct Run {
    profile: Profile,
    family: Family,
    options: SchedulerOptions,
    balancer: Option<Balancer>,
    ids: HashMap<char, DestinationId>,
    client: (IpAddr, u32),
    port: (u16, u16),
    destination: (IpAddr, u32),
}

impl Run {
    fn new(profile: Profile) -> Self {
        Self {
            profile,
            family: Family::V4,
            options: SchedulerOptions::default(),
            balancer: None,
            ids: HashMap::new(),
            client: ([203, 0, 113, 1].into(), 0),
            port: (40000, 0),
            destination: ([198, 51, 100, 1].into(), 0),
        }
    }

    fn id(&self, name: &str) -> DestinationId {
        self.ids[&name.chars().next().expect("a name")]
    }

    fn name(&self, id: DestinationId) -> char {
        *self.ids.iter().find(|&(_, &known)| known == id).expect("a named destination").0
    }

    fn step(&mut self, words: &[&str]) {
        let number = |at: usize| words[at].parse::<u32>().expect("a number");
        if words[0] == "family" {
            self.family = Family::V6;
            return;
        }
        if words[0] == "scheduler" {
            let flag = |word, bit| if words.contains(&word) { bit } else { 0 };
            self.options = SchedulerOptions::default()
                .with_flags(flag("port", SchedulerOptions::PORT) | flag("fallback", SchedulerOptions::FALLBACK));
            let scheduler = by_name(words[1], &self.options).expect("a known scheduler");
            let pool = self.balancer.take().map_or(Pool::new(self.profile, self.family), |b| b.into_parts().0);
            self.balancer = Some(Balancer::new(pool, scheduler, 0).expect("it binds"));
            return;
        }
        if let "slots" | "last-slots" | "counts" = words[0] {
            return self.check_slots(words);
        }
        let mut balancer = self.balancer.take().expect("scheduler comes first");
        let step = || u32::from(words.get(2) == Some(&"+1"));
        match words[0] {
            "add" => {
                let mut new = NewDestination::new(words[2].parse().unwrap(), number(3) as u16, number(4) as i32);
                if words.len() > 5 {
                    new = new.with_thresholds(number(5), number(6));
                }
                let id = balancer.add(new).expect("a new destination");
                self.ids.insert(words[1].chars().next().unwrap(), id);
            }
            "edit" => {
                let id = self.id(words[1]);
                if words.len() > 3 {
                    balancer.edit(id, number(2) as i32, number(3), number(4));
                } else {
                    balancer.set_weight(id, number(2) as i32);
                }
            }
            "remove" => balancer.remove(self.id(words[1])),
            "connections" => {
                let id = self.id(words[1]);
                let (active, inactive) = (number(2), number(3));
                for i in 0..active + inactive {
                    balancer.connection_added(id);
                    if i < active {
                        balancer.connection_activated(id);
                    }
                }
            }
            "close" => (0..number(2)).for_each(|_| balancer.connection_removed(self.id(words[1]), true)),
            "client" => self.client = (words[1].parse().unwrap(), step()),
            "port" => self.port = (number(1) as u16, step() as u16),
            "destination" => self.destination = (words[1].parse().unwrap(), step()),
            "picks" => {
                let mut got = String::new();
                for _ in words[1].chars() {
                    let request = Request::tcp(
                        SocketAddr::new(self.client.0, self.port.0),
                        SocketAddr::new(self.destination.0, 80),
                    );
                    let picked = balancer.pick(&request);
                    if let Some(id) = picked {
                        balancer.connection_added(id);
                        balancer.connection_activated(id);
                    }
                    got.push(picked.map_or('-', |id| self.name(id)));
                    self.client.0 = plus(self.client.0, self.client.1);
                    self.destination.0 = plus(self.destination.0, self.destination.1);
                    self.port.0 += self.port.1;
                }
                assert_eq!(got, words[1]);
            }
            other => panic!("unknown command {other}"),
        }
        self.balancer = Some(balancer);
    }

    fn check_slots(&mut self, words: &[&str]) {
        let balancer = self.balancer.as_ref().expect("scheduler comes first");
        let pool = balancer.pool();
        let slots: String = match balancer.scheduler().name() {
            "sh" => Sh::new(&self.options).table(pool).iter().map(|&at| self.name(at)).collect(),
            "mh" => Mh::new(&self.options).table(pool).iter().map(|&at| self.name(at)).collect(),
            other => panic!("{other} has no table"),
        };
        match words[0] {
            "slots" => assert!(slots.starts_with(words[1]), "{slots:.40}"),
            "last-slots" => assert!(slots.ends_with(words[1]), "{}", &slots[slots.len() - 10..]),
            _ => {
                let mut counts = String::new();
                for word in &words[1..] {
                    let name = word.chars().next().unwrap();
                    write!(counts, " {name}{}", slots.matches(name).count()).unwrap();
                }
                assert_eq!(counts.trim(), words[1..].join(" "));
            }
        }
    }
}

#[test]
fn choices_are_those_that_kernels_made() {
    let mut picked_by = HashMap::<&str, usize>::new();
    for entry in std::fs::read_dir(data()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "txt") || path.file_name().unwrap() == "hashes.txt" {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let all: Vec<_> = lines(&text).collect();
        for case in all.chunk_by(|_, (_, words)| words[0] != "case") {
            assert_eq!(case[0].1[0], "case", "{} line {}", path.display(), case[0].0);
            // What was recorded of the second behaviour holds for the third one.
            for (profile, name) in [(Profile::Old, "old"), (Profile::New, "new"), (Profile::Linux7, "new")] {
                let body = match &case[1].1 {
                    words if words[0] != "profiles" => &case[1..],
                    words if words.contains(&name) => &case[2..],
                    _ => continue,
                };
                let mut run = Run::new(profile);
                for (number, words) in body {
                    println!("{} line {number}, profile {name}: {}", path.display(), words.join(" "));
                    run.step(words);
                    if words[0] == "picks" {
                        let used = run.balancer.as_ref().unwrap().scheduler().name();
                        *picked_by.entry(used).or_default() += words[1].len();
                    }
                }
            }
        }
    }
    for info in SCHEDULERS.iter().filter(|info| info.deterministic) {
        assert!(picked_by.get(info.name).is_some_and(|&n| n >= 40), "no vectors for {}: {picked_by:?}", info.name);
    }
}

#[test]
fn hashes_are_those_behind_the_recorded_choices() {
    let text = std::fs::read_to_string(data().join("hashes.txt")).unwrap();
    let mut checked = 0;
    for (line, words) in lines(&text) {
        let n = |at: usize| match words[at].strip_prefix("0x") {
            Some(hex) => u32::from_str_radix(hex, 16).unwrap(),
            None => words[at].parse().unwrap(),
        };
        match words[0] {
            "hash_32" => {
                let folded = fold(words[1].parse().unwrap());
                assert_eq!((folded, hash_32(folded, 8), hash_32(folded, 10)), (n(2), n(3), n(4)), "line {line}");
            }
            "sh_port" => {
                assert_eq!(hash_32(fold(words[1].parse().unwrap()).wrapping_add(n(2)), 8), n(3), "line {line}")
            }
            "hsiphash" => {
                let (first, second) = (hsiphash(n(1), 2_654_435_761), hsiphash(n(1), 2_654_446_892));
                assert_eq!((first, first % 4093, second, second % 4092 + 1), (n(2), n(3), n(4), n(5)), "line {line}");
            }
            other => panic!("unknown command {other}"),
        }
        checked += 1;
    }
    assert_eq!(checked, 24);
}
