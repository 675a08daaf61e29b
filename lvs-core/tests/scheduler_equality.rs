//! The schedulers of the library choose what plain walks over the list choose, whatever happens to
//! the pool.
#![allow(clippy::unwrap_used)]

mod linear;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use linear::linear;
use lvs_core::schedulers::{
    Balancer, DestinationId, Family, NewDestination, Pool, Profile, Request, SCHEDULERS, SchedulerOptions, by_name,
};
use proptest::prelude::*;

/// What happens to a service. Destinations and connections are named by numbers, taken modulo how
/// many there are.
#[derive(Clone, Debug)]
enum Event {
    Add { host: u16, weight: i32, upper: u32, lower: u32 },
    Remove(u16),
    Edit { which: u16, weight: i32, upper: u32, lower: u32 },
    Touch(u16),
    Pick { client: u32, destination: u8, keep: Keep },
    Close(u16),
    Deactivate(u16),
    Template(u16),
    Flags(u32),
    Rebind,
    Later(u16),
}

#[derive(Clone, Copy, Debug)]
enum Keep {
    Nothing,
    Inactive,
    Active,
}

fn weight() -> impl Strategy<Value = i32> {
    prop_oneof![3 => 0..4, 3 => 0..40, 1 => 0..300, 1 => Just(250), 1 => Just(6)]
}

fn thresholds() -> impl Strategy<Value = (u32, u32)> {
    prop_oneof![2 => Just((0, 0)), 1 => (1u32..12).prop_flat_map(|upper| (Just(upper), 0..=upper))]
}

fn event(hosts: u16) -> impl Strategy<Value = Event> {
    let pick = (any::<u32>(), 0u8..12, prop_oneof![Just(Keep::Nothing), Just(Keep::Inactive), Just(Keep::Active)]);
    prop_oneof![
        4 => (0..hosts, weight(), thresholds())
            .prop_map(|(host, weight, (upper, lower))| Event::Add { host, weight, upper, lower }),
        2 => any::<u16>().prop_map(Event::Remove),
        3 => (any::<u16>(), weight(), thresholds())
            .prop_map(|(which, weight, (upper, lower))| Event::Edit { which, weight, upper, lower }),
        1 => any::<u16>().prop_map(Event::Touch),
        16 => pick.prop_map(|(client, destination, keep)| Event::Pick { client, destination, keep }),
        4 => any::<u16>().prop_map(Event::Close),
        3 => any::<u16>().prop_map(Event::Deactivate),
        1 => any::<u16>().prop_map(Event::Template),
        1 => (0u32..4).prop_map(|flags| Event::Flags(flags << 3)),
        1 => Just(Event::Rebind),
        1 => any::<u16>().prop_map(Event::Later),
    ]
}

/// The same pool twice, under the library's scheduler and under the linear one.
struct Pair {
    both: [Balancer; 2],
    options: SchedulerOptions,
    connections: Vec<(DestinationId, bool)>,
    now: u64,
    picked: usize,
}

impl Pair {
    fn new(name: &str, profile: Profile) -> Self {
        let mut options = SchedulerOptions::default();
        options.lblcr_expiration = 5000;
        let schedulers = [by_name(name, &options).unwrap(), linear(name, &options).unwrap()];
        let both = schedulers.map(|s| Balancer::new(Pool::new(profile, Family::V4), s, 0).unwrap());
        Self { both, options, connections: Vec::new(), now: 0, picked: 0 }
    }

    fn each<T: PartialEq + std::fmt::Debug>(&mut self, mut act: impl FnMut(&mut Balancer) -> T) -> T {
        let [ours, reference] = &mut self.both;
        let result = act(ours);
        assert_eq!(result, act(reference), "{}", reference.scheduler().name());
        result
    }

    fn listed(&self, which: u16) -> Option<DestinationId> {
        let pool = self.both[0].pool();
        pool.iter().nth(usize::from(which).checked_rem(pool.len())?)
    }

    fn step(&mut self, event: &Event) {
        match *event {
            Event::Add { host, weight, upper, lower } => {
                let addr: IpAddr = Ipv4Addr::from_bits(0x0A02_0000 + u32::from(host)).into();
                let new = NewDestination::new(addr, 80, weight).with_thresholds(upper, lower);
                let _ = self.each(|b| b.add(new));
            }
            Event::Remove(which) => {
                if let Some(at) = self.listed(which) {
                    self.each(|b| b.remove(at));
                    // Sometimes its id is free for another.
                    if which % 4 == 0 {
                        self.each(|b| b.release(at));
                    }
                }
            }
            Event::Edit { which, weight, upper, lower } => {
                if let Some(at) = self.listed(which) {
                    self.each(|b| b.edit(at, weight, upper, lower));
                }
            }
            Event::Touch(which) => {
                if let Some(at) = self.listed(which) {
                    self.each(|b| b.set_weight(at, b.pool().weight(at)));
                }
            }
            Event::Pick { client, destination, keep } => {
                let client = SocketAddr::new(Ipv4Addr::from_bits(client).into(), client as u16);
                let destination = SocketAddr::new([198, 51, 100, destination].into(), 80);
                let request = Request::tcp(client, destination).at(self.now);
                let picked = self.each(|b| b.pick(&request));
                self.picked += usize::from(picked.is_some());
                let Some(at) = picked else { return };
                match keep {
                    Keep::Nothing => return,
                    Keep::Inactive => self.each(|b| b.connection_added(at)),
                    Keep::Active => self.each(|b| {
                        b.connection_added(at);
                        b.connection_activated(at);
                    }),
                }
                self.connections.push((at, matches!(keep, Keep::Active)));
            }
            Event::Close(which) => {
                if let Some(which) = usize::from(which).checked_rem(self.connections.len()) {
                    let (at, active) = self.connections.swap_remove(which);
                    self.each(|b| b.connection_removed(at, active));
                }
            }
            Event::Deactivate(which) => {
                if let Some(which) = usize::from(which).checked_rem(self.connections.len()) {
                    let (at, active) = self.connections[which];
                    self.connections[which].1 = !active;
                    self.each(|b| if active { b.connection_deactivated(at) } else { b.connection_activated(at) });
                }
            }
            Event::Template(which) => {
                if let Some(at) = self.listed(which) {
                    self.each(|b| if which % 2 == 0 { b.template_added(at) } else { b.template_removed(at) });
                }
            }
            Event::Flags(flags) => {
                self.options.flags = flags;
                let options = self.options;
                self.each(|b| b.reconfigure(&options));
            }
            Event::Rebind => {
                let name = self.both[0].scheduler().name();
                let options = self.options;
                self.both[0].set_scheduler(by_name(name, &options).unwrap(), self.now).unwrap();
                self.both[1].set_scheduler(linear(name, &options).unwrap(), self.now).unwrap();
            }
            Event::Later(by) => self.now += u64::from(by) / 4,
        }
    }
}

fn profile() -> impl Strategy<Value = Profile> {
    prop::sample::select(Profile::ALL.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn few_destinations_are_chosen_alike(profile in profile(), events in prop::collection::vec(event(12), 0..300)) {
        for info in SCHEDULERS.iter().filter(|info| info.deterministic) {
            let mut pair = Pair::new(info.name, profile);
            events.iter().for_each(|event| pair.step(event));
        }
    }

    #[test]
    fn many_destinations_are_chosen_alike(
        profile in profile(),
        weights in prop::collection::vec(weight(), 0..400),
        events in prop::collection::vec(event(500), 0..150),
    ) {
        for info in SCHEDULERS.iter().filter(|info| info.deterministic) {
            let mut pair = Pair::new(info.name, profile);
            for (&weight, host) in weights.iter().zip(0..) {
                pair.step(&Event::Add { host, weight, upper: u32::from(host % 7), lower: 0 });
            }
            events.iter().for_each(|event| pair.step(event));
        }
    }
}
