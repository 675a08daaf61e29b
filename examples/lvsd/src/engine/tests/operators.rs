//! Three operators at one table: one reloads, one clears it, one edits what is not theirs.

use lvs_core::model::{Destination, ForwardingMethod, Service};

use super::*;

/// A service of somebody else, with a weight that they change now and then.
struct Theirs {
    key: ServiceKey,
    weight: u32,
}

impl Theirs {
    fn server(&self) -> Destination {
        Destination::new([198, 51, 100, 9].into(), 90)
            .with_forwarding(ForwardingMethod::Masquerade)
            .with_weight(self.weight)
    }

    /// Sees to it as its owner does, whatever is there.
    fn put(&self, table: &mut EmbeddedDirector) {
        let _ = table.add_service(&Service::new(self.key));
        if table.add_destination(&self.key, &self.server()).is_err() {
            table.update_destination(&self.key, &self.server()).unwrap();
        }
    }
}

/// Something of the cluster's is made another thing.
fn vandalise(random: &mut fastrand::Rng, table: &mut EmbeddedDirector) {
    let key = ServiceKey::tcp("192.0.2.1", 80 + random.u16(..2)).unwrap();
    let server = Destination::new([198, 51, 100, random.u8(1..6)].into(), key.port())
        .with_forwarding(ForwardingMethod::Masquerade)
        .with_weight(random.u32(50..60));
    // What is not there cannot be edited.
    let _ = match random.u8(..5) {
        0 => table.remove_service(&key),
        1 => table.remove_destination(&key, &server.key),
        2 => table.update_destination(&key, &server),
        3 => table.add_destination(&key, &server),
        _ => table.update_service(&Service::new(key).with_scheduler("sed".parse().unwrap())),
    };
}

#[test]
fn what_others_do_is_repaired_within_one_look_and_logged_and_theirs_left_alone() {
    for seed in 0..20 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut machine = Machine::new();
        let mut theirs = Theirs { key: ServiceKey::tcp("192.0.2.9", 90).unwrap(), weight: 7 };
        theirs.put(&mut machine.table.borrow_mut());
        let mut weights = [1; 4];
        let text = |weights: &[u32; 4]| {
            let servers = |port: u16| -> Vec<(u8, u32)> {
                let of = |index: usize| (index as u8 + 1, weights[index]);
                if port == 80 { (0..2).map(of).collect() } else { (2..4).map(of).collect() }
            };
            format!("{}{}", service(80, "", &servers(80)), service(81, "", &servers(81)))
        };
        let mut run = machine.start(&text(&weights));
        for _ in 0..20 {
            run.kinds();
            for _ in 0..random.u8(1..6) {
                match random.u8(..4) {
                    0 => {
                        weights = std::array::from_fn(|_| random.u32(1..9));
                        run.reload(&text(&weights)).unwrap();
                    }
                    1 => {
                        machine.table.borrow_mut().flush().unwrap();
                        theirs.put(&mut machine.table.borrow_mut());
                    }
                    2 => vandalise(&mut random, &mut machine.table.borrow_mut()),
                    _ => {
                        theirs.weight = random.u32(1..9);
                        theirs.put(&mut machine.table.borrow_mut());
                    }
                }
            }
            let [a, b, c, d] = weights;
            let whole = [
                format!("80 198.51.100.1={a} 198.51.100.2={b}"),
                format!("81 198.51.100.3={c} 198.51.100.4={d}"),
                format!("90 198.51.100.9={}", theirs.weight),
            ];
            let is_harmed = machine.table() != whole;
            run.pass(10);
            assert_eq!(machine.table(), whole, "seed {seed}");
            let schedulers: Vec<String> = {
                let table = machine.table.borrow_mut().snapshot().unwrap().to_table();
                let ours = table.services.iter().filter(|entry| entry.service.key() != theirs.key);
                ours.map(|entry| entry.service.scheduler.to_string()).collect()
            };
            assert_eq!(schedulers, ["rr", "rr"], "seed {seed}");
            let kinds = run.kinds();
            assert!(!is_harmed || kinds.contains(&EventKind::DriftRepaired), "seed {seed}: {kinds:?}");
            assert!(!kinds.contains(&EventKind::Refused), "seed {seed}: {kinds:?}");
        }
    }
}
