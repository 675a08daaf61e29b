use super::*;

#[test]
fn a_reload_of_an_unchanged_file_does_nothing_at_all() {
    let mut machine = Machine::new();
    let file = service(80, "", &[(1, 1), (2, 1)]);
    let mut run = machine.start(&file);
    run.kill(2);
    assert_eq!(machine.table(), ["80 198.51.100.1=1 198.51.100.2=0"]);
    for _ in 0..5 {
        assert_eq!(run.reload(&file).unwrap().operations, [""; 0]);
        run.pass(1);
        assert_eq!(machine.table(), ["80 198.51.100.1=1 198.51.100.2=0"]);
    }
}

#[test]
fn a_reload_with_all_servers_down_keeps_the_sorry_server() {
    let mut machine = Machine::new();
    let sorry = "health = { sorry_server = \"198.51.100.99\" }";
    let mut run = machine.start(&service(80, sorry, &[(1, 1), (2, 1)]));
    run.kill(1);
    run.kill(2);
    let apology = ["80 198.51.100.1=0 198.51.100.2=0 198.51.100.99=1"];
    assert_eq!(machine.table(), apology);
    assert_eq!(run.reload(&service(80, sorry, &[(1, 5), (2, 1)])).unwrap().operations, [""; 0]);
    assert_eq!(machine.table(), apology);
    run.check(1, Outcome::Up);
    assert_eq!(machine.table(), ["80 198.51.100.1=5 198.51.100.2=0"]);
}

#[test]
fn an_edit_of_one_server_leaves_the_dead_one_dead() {
    let mut machine = Machine::new();
    let mut run = machine.start(&service(80, "", &[(1, 4), (2, 1)]));
    run.kill(2);
    let operations = run.reload(&service(80, "", &[(1, 3), (2, 1), (3, 2)])).unwrap().operations;
    assert_eq!(operations.len(), 2, "{operations:?}");
    assert_eq!(machine.table(), ["80 198.51.100.1=3 198.51.100.2=0 198.51.100.3=2"]);
    // A server that was added stays: nobody works with an older file.
    run.pass(30);
    assert_eq!(machine.table(), ["80 198.51.100.1=3 198.51.100.2=0 198.51.100.3=2"]);
}

#[test]
fn a_dead_server_is_as_it_should_be() {
    let mut machine = Machine::new();
    let mut run = machine.start(&service(80, "", &[(1, 1), (2, 1)]));
    run.kill(2);
    let Reply::Status(status) = run.ask(Request::Status).unwrap() else { panic!() };
    assert!(status.in_force && status.services[0].servers[1].reason.as_deref() == Some("refused"), "{status:?}");
    let Reply::Plan(plan) = run.ask(Request::Plan).unwrap() else { panic!() };
    assert_eq!(plan.operations, [""; 0]);
}

#[test]
fn a_restart_without_state_begins_from_what_the_table_says() {
    let mut machine = Machine::new();
    let file = format!("adopt = true\n{}", service(80, "", &[(1, 1), (2, 1)]));
    let mut run = machine.start(&file);
    run.kill(2);
    drop(run);
    *machine.disk.borrow_mut() = None;
    let mut run = machine.start(&file);
    assert_eq!(machine.table(), ["80 198.51.100.1=1 198.51.100.2=0"]);
    run.check(2, Outcome::Up);
    assert_eq!(machine.table(), ["80 198.51.100.1=1 198.51.100.2=1"]);
}

#[test]
fn states_drains_and_overrides_survive_a_restart() {
    let mut machine = Machine::new();
    let file = service(80, "", &[(1, 1), (2, 1), (3, 1), (4, 1)]);
    let mut run = machine.start(&file);
    run.kill(2);
    run.ask(Request::Drain(DrainSpec { what: host(3), keep: true, ..DrainSpec::default() })).unwrap();
    let force = Some(Force::Weight(7));
    let spec = OverrideSpec { what: host(4), force, reason: "try".to_owned(), expires: Some(100.0) };
    run.ask(Request::Override(spec)).unwrap();
    let before = ["80 198.51.100.1=1 198.51.100.2=0 198.51.100.3=0 198.51.100.4=7"];
    assert_eq!(machine.table(), before);
    drop(run);
    machine.table.borrow_mut().flush().unwrap();
    machine.unix += 40;
    let mut run = machine.start(&file);
    assert_eq!(machine.table(), before);
    run.pass(59);
    assert_eq!(machine.table(), before);
    run.pass(2);
    assert_eq!(machine.table(), ["80 198.51.100.1=1 198.51.100.2=0 198.51.100.3=0 198.51.100.4=1"], "it has expired");
    run.ask(Request::Undrain(host(3))).unwrap();
    assert_eq!(machine.table(), ["80 198.51.100.1=1 198.51.100.2=0 198.51.100.3=1 198.51.100.4=1"]);
}

#[test]
fn a_server_that_is_no_longer_checked_comes_back() {
    let mut machine = Machine::new();
    let mut run = machine.start(&service(80, "", &[(1, 1), (2, 1)]));
    run.kill(2);
    run.reload(&service(80, "", &[(1, 1), (2, 1)]).replace("check =", "#")).unwrap();
    assert_eq!(machine.table(), ["80 198.51.100.1=1 198.51.100.2=1"]);
}

#[test]
fn a_service_that_leaves_the_file_goes_and_no_other() {
    let mut machine = Machine::new();
    let other = lvs_core::model::Service::new(ServiceKey::tcp("192.0.2.9", 90).unwrap());
    machine.table.borrow_mut().add_service(&other).unwrap();
    let mut run = machine.start(&format!("{}{}", service(80, "", &[(1, 1)]), service(81, "", &[(1, 1)])));
    run.reload(&service(81, "", &[(1, 1)])).unwrap();
    assert_eq!(machine.table(), ["81 198.51.100.1=1", "90 "]);
    // Also if it left while the daemon was not running.
    drop(run);
    let mut run = machine.start(&service(82, "", &[(1, 1)]));
    assert_eq!(machine.table(), ["82 198.51.100.1=1", "90 "]);
    run.ask(Request::Stop).unwrap();
    assert_eq!(machine.table(), ["90 "]);
}

#[test]
fn servers_dying_and_recovering_through_a_storm_of_reloads() {
    let mut random = fastrand::Rng::with_seed(7);
    let mut machine = Machine::new();
    let edit = |random: &mut fastrand::Rng| -> (Vec<(u8, u32)>, String) {
        let servers: Vec<(u8, u32)> =
            (1..=8).map(|last| (last, random.u32(0..5))).filter(|(_, weight)| *weight > 0).collect();
        let sorry = "health = { sorry_server = \"198.51.100.99\" }";
        (servers.clone(), service(80, sorry, &servers))
    };
    let (mut servers, file) = edit(&mut random);
    let mut run = machine.start(&file);
    let mut dead: BTreeSet<u8> = BTreeSet::new();
    for _ in 0..500 {
        match random.u8(..4) {
            0 => {
                let last = random.u8(1..=8);
                if servers.iter().any(|(other, _)| *other == last) {
                    run.kill(last);
                    dead.insert(last);
                }
            }
            1 => {
                let last = random.u8(1..=8);
                run.check(last, Outcome::Up);
                dead.remove(&last);
            }
            _ => {
                let (next, file) = edit(&mut random);
                run.reload(&file).unwrap();
                // What left the file is forgotten: it comes back as the policy says, and is
                // checked.
                dead.retain(|last| next.iter().any(|(other, _)| other == last));
                servers = next;
            }
        }
        run.pass(u64::from(random.u8(..3)));
        let alive = servers.iter().any(|(last, _)| !dead.contains(last));
        let mut wanted: Vec<_> = servers
            .iter()
            .map(|(last, weight)| format!("198.51.100.{last}={}", if dead.contains(last) { 0 } else { *weight }))
            .collect();
        if !alive {
            wanted.push("198.51.100.99=1".to_owned());
        }
        assert_eq!(machine.table(), [format!("80 {}", wanted.join(" "))]);
    }
    assert_eq!(run.engine.counts.drifts, 0);
}
