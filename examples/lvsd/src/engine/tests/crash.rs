//! Killed at every possible moment: what the next run finds is what was said, and nothing is left
//! behind.

use super::*;

/// A life of a cluster, the same each time.
fn live(machine: &mut Machine) -> Result<Run, StartError> {
    let one = service(80, "", &[(1, 1), (2, 1), (3, 1)]);
    let two = format!("{}{}", service(80, "", &[(1, 4), (2, 1), (4, 1)]), service(81, "", &[(1, 1)]));
    let three = format!("{}{}", service(81, "", &[(1, 1), (2, 1)]), service(82, "", &[(2, 1)]));
    let mut run = machine.try_start(&one)?;
    run.kill(2);
    let _ = run.reload(&two);
    let _ = run.ask(Request::Drain(DrainSpec { what: host(4), ..DrainSpec::default() }));
    run.pass(3);
    let spec = OverrideSpec { what: host(1), force: Some(Force::Weight(9)), reason: String::new(), expires: None };
    let _ = run.ask(Request::Override(spec));
    run.check(2, Outcome::Up);
    run.kill(2);
    let _ = run.reload(&three);
    run.pass(12);
    Ok(run)
}

#[test]
fn after_a_kill_at_any_moment_the_next_run_converges_and_forgets_nothing() {
    // How many effects a whole life has.
    let mut machine = Machine::new();
    live(&mut machine).unwrap();
    let effects = FOREVER - machine.fuse.get();
    assert!(effects > 25, "{effects} effects");
    let last = format!("{}{}", service(81, "", &[(1, 1), (2, 1)]), service(82, "", &[(2, 1)]));
    for moment in 0..=effects {
        let mut machine = Machine::new();
        let foreign = lvs_core::model::Service::new(ServiceKey::tcp("192.0.2.9", 90).unwrap());
        machine.table.borrow_mut().add_service(&foreign).unwrap();
        machine.fuse.set(moment);
        let killed = live(&mut machine).is_ok();
        let before = machine.table();
        machine.fuse.set(FOREVER);
        let kept = machine.disk.borrow().clone().unwrap_or_default();
        let run = machine.try_start(&last).unwrap_or_else(|error| panic!("killed after {moment} effects: {error}"));
        // A server that had no weight in the table has none now, unless it was recovering or is
        // new.
        let mut wanted = vec![format!("81 {}", weights(&kept, &[1, 2])), format!("82 {}", weights(&kept, &[2]))];
        wanted.push("90 ".to_owned());
        assert_eq!(machine.table(), wanted, "killed after {moment} effects ({killed}): {before:?}");
        assert!(run.engine.problems().is_empty());
    }
}

/// The weights that servers have by the state that was kept: services that it knows go on, others
/// begin.
fn weights(kept: &str, servers: &[u8]) -> String {
    let kept: Option<State> = serde_json::from_str(kept).ok();
    let weight = |last: u8, port: u16| -> u32 {
        let health = kept.as_ref().and_then(|state| state.health.as_ref());
        let service = health.and_then(|health| health.services.iter().find(|entry| entry.service.port() == port));
        let addr: std::net::IpAddr = [198, 51, 100, last].into();
        let server = service.and_then(|entry| entry.servers.iter().find(|server| server.server.addr == addr));
        let Some(server) = server else { return 1 };
        match server.overridden.as_ref().map(|decision| decision.forced) {
            Some(lvs_core::health::Forced::Weight(weight)) if server.healthy => weight,
            _ => u32::from(server.healthy),
        }
    };
    let port = if servers.len() == 2 { 81 } else { 82 };
    servers.iter().map(|last| format!("198.51.100.{last}={}", weight(*last, port))).collect::<Vec<_>>().join(" ")
}
