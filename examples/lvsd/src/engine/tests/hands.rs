//! What servers, operators and other programs do to a cluster.

use super::*;
use crate::control::Draining;

fn drain(run: &mut Run, what: Selection, deadline: Option<f64>) -> Result<u64, Refused> {
    match run.ask(Request::Drain(DrainSpec { what, deadline, ..DrainSpec::default() }))? {
        Reply::Draining(Draining { id }) => Ok(id),
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_refused_operation_holds_up_nobody_else() {
    let mut machine = Machine::new();
    let file = format!("{}{}", service(80, "", &[(1, 1), (2, 1)]), service(81, "", &[(3, 1)])).replacen(
        "[[service]]\naddress = \"tcp 192.0.2.1:81\"\nscheduler = \"rr\"",
        "[[service]]\naddress = \"tcp 192.0.2.1:81\"\nscheduler = \"nosuch\"",
        1,
    );
    let mut run = machine.start(&file);
    let Reply::Status(status) = run.ask(Request::Status).unwrap() else { panic!() };
    assert!(!status.in_force && status.problems[0].contains("nosuch"), "{status:?}");
    run.kill(2);
    assert_eq!(machine.table(), ["80 198.51.100.1=1 198.51.100.2=0"]);
    run.kinds();
    run.pass(60);
    assert!(!run.kinds().contains(&EventKind::Refused), "the same refusal is logged once");
}

#[test]
fn a_server_does_not_get_more_weight_than_a_check_may_give() {
    let mut machine = Machine::new();
    let mut run = machine.start(&format!("{}{}", service(80, "", &[(1, 1), (2, 1)]), service(81, "", &[(3, 1)])));
    for weight in [2_147_483_648, u32::MAX, 2_147_483_647] {
        run.check(3, Outcome::UpWithWeight(weight));
        assert_eq!(machine.table(), ["80 198.51.100.1=1 198.51.100.2=1", "81 198.51.100.3=256"]);
    }
    run.kill(1);
    run.check(3, Outcome::UpWithWeight(9));
    assert_eq!(machine.table(), ["80 198.51.100.1=0 198.51.100.2=1", "81 198.51.100.3=9"]);
}

#[test]
fn what_this_host_lacks_is_no_failure_of_a_server() {
    let mut machine = Machine::new();
    let mut run = machine.start(&service(80, "", &[(1, 1), (2, 1)]));
    for _ in 0..100 {
        run.check(1, Outcome::NotRun("too many open files".to_owned()));
    }
    assert_eq!(machine.table(), ["80 198.51.100.1=1 198.51.100.2=1"]);
    assert_eq!(run.kinds().iter().filter(|kind| **kind == EventKind::CheckNotRun).count(), 1);
    assert_eq!(run.engine.counts.checks_not_run, 100);
}

#[test]
fn a_service_that_is_somebodys_is_left_to_them_unless_it_is_adopted() {
    let mut machine = Machine::new();
    let file = service(80, "", &[(1, 1)]);
    let key = ServiceKey::tcp("192.0.2.1", 80).unwrap();
    let other = lvs_core::model::Service::new(key).with_scheduler("wlc".parse().unwrap());
    machine.table.borrow_mut().add_service(&other).unwrap();
    let error = machine.try_start(&file).err().unwrap().to_string();
    assert!(error.contains(&key.to_string()) && error.contains("adopt = true"), "{error}");
    assert_eq!(machine.table(), ["80 "]);
    // Nor is it taken over by a reload.
    let mut run = machine.start(&service(81, "", &[(1, 1)]));
    let refused = run.reload(&format!("{}{file}", service(81, "", &[(1, 2)]))).unwrap_err();
    assert!(refused.error.contains("adopt"), "{refused:?}");
    assert_eq!(machine.table(), ["80 ", "81 198.51.100.1=1"], "nothing of the refused file is in force");
    run.reload(&format!("adopt = true\n{file}")).unwrap();
    assert_eq!(machine.table(), ["80 198.51.100.1=1"]);
}

#[test]
fn other_peoples_edits_are_repaired_within_one_look_and_logged_and_theirs_left_alone() {
    let mut machine = Machine::new();
    let mut run = machine.start(&service(80, "", &[(1, 1), (2, 1)]));
    run.kinds();
    machine.table.borrow_mut().flush().unwrap();
    let other = lvs_core::model::Service::new(ServiceKey::tcp("192.0.2.9", 90).unwrap());
    machine.table.borrow_mut().add_service(&other).unwrap();
    run.pass(11);
    assert_eq!(machine.table(), ["80 198.51.100.1=1 198.51.100.2=1", "90 "]);
    assert_eq!(run.kinds(), [EventKind::DriftRepaired, EventKind::Applied]);
    // A change of health meets the edit before the regular look does.
    machine.table.borrow_mut().remove_service(&ServiceKey::tcp("192.0.2.1", 80).unwrap()).unwrap();
    run.kill(1);
    assert_eq!(machine.table(), ["80 198.51.100.1=0 198.51.100.2=1", "90 "]);
    assert!(run.engine.problems().is_empty());
}

#[test]
fn a_drain_says_what_it_has_cut() {
    let mut machine = Machine::new();
    let mut run = machine.start(&service(80, "", &[(1, 1), (2, 1)]));
    open_connection(&machine);
    let last = busy(&machine);
    let id = drain(&mut run, host(last), Some(3.0)).unwrap();
    run.pass(2);
    let Reply::Status(status) = run.ask(Request::Status).unwrap() else { panic!() };
    assert!(!status.drains[0].done && status.drains[0].waiting[0].contains("1 active"), "{status:?}");
    run.kinds();
    run.pass(4);
    let kinds = run.kinds();
    assert!(kinds.contains(&EventKind::DrainCut) && kinds.contains(&EventKind::Drained), "{kinds:?}");
    let Reply::Status(status) = run.ask(Request::Status).unwrap() else { panic!() };
    assert_eq!((status.drains[0].id, status.drains[0].done, status.drains[0].cut), (id, true, 1));
    assert!(!machine.table()[0].contains(&format!("198.51.100.{last}=")), "{:?}", machine.table());
    // Checks do not bring it back, nor does a reload.
    run.check(last, Outcome::Up);
    run.reload(&service(80, "", &[(1, 2), (2, 2)])).unwrap();
    assert!(!machine.table()[0].contains(&format!("198.51.100.{last}=")), "{:?}", machine.table());
    run.ask(Request::Undrain(host(last))).unwrap();
    assert_eq!(machine.table(), ["80 198.51.100.1=2 198.51.100.2=2"]);
}

/// One established connection through the service on port 80.
fn open_connection(machine: &Machine) {
    use lvs_core::embedded::Flow;
    let flow = Flow::tcp("203.0.113.1:40000".parse().unwrap(), "192.0.2.1:80".parse().unwrap());
    let verdict = machine.table.borrow_mut().open(&flow);
    assert!(verdict.destination().is_some(), "{verdict}");
}

/// The last byte of the server with an active connection.
fn busy(machine: &Machine) -> u8 {
    let snapshot = machine.table.borrow_mut().snapshot().unwrap();
    let busy = snapshot.services[0].destinations.iter().find(|entry| entry.active > 0).unwrap();
    busy.destination.key.addr.to_string().rsplit('.').next().unwrap().parse().unwrap()
}

#[test]
fn what_is_not_there_cannot_be_drained_or_overridden() {
    let mut machine = Machine::new();
    let mut run = machine.start(&service(80, "", &[(1, 1)]));
    let error = drain(&mut run, host(9), None).unwrap_err().error;
    assert!(error.contains("no server 198.51.100.9"), "{error}");
    let what = Selection { service: Some("tcp 192.0.2.1:8".to_owned()), ..Selection::default() };
    assert!(drain(&mut run, what.clone(), None).unwrap_err().error.contains("no service"));
    let spec = OverrideSpec { what, force: Some(Force::Down), reason: String::new(), expires: None };
    assert!(run.ask(Request::Override(spec)).unwrap_err().error.contains("no service"));
    assert!(drain(&mut run, Selection::default(), None).is_err());
}

#[test]
fn overrides_win_over_checks_and_end() {
    let mut machine = Machine::new();
    let mut run = machine.start(&service(80, "", &[(1, 1), (2, 1)]));
    let force = |run: &mut Run, force, expires| {
        let spec = OverrideSpec { what: host(2), force, reason: "because".to_owned(), expires };
        run.ask(Request::Override(spec))
    };
    force(&mut run, Some(Force::Up), None).unwrap();
    run.kill(2);
    assert_eq!(machine.table(), ["80 198.51.100.1=1 198.51.100.2=1"]);
    force(&mut run, None, None).unwrap();
    assert_eq!(machine.table(), ["80 198.51.100.1=1 198.51.100.2=0"]);
    run.check(2, Outcome::Up);
    force(&mut run, Some(Force::Down), Some(5.0)).unwrap();
    assert_eq!(machine.table(), ["80 198.51.100.1=1 198.51.100.2=0"]);
    run.pass(6);
    assert_eq!(machine.table(), ["80 198.51.100.1=1 198.51.100.2=1"]);
    assert!(force(&mut run, Some(Force::Weight(u32::MAX)), None).is_err());
    assert!(force(&mut run, Some(Force::Down), Some(-1.0)).is_err());
}

#[test]
fn with_all_servers_drained_the_sorry_server_serves() {
    let mut machine = Machine::new();
    let mut run = machine.start(&service(80, "health = { sorry_server = \"198.51.100.99\" }", &[(1, 1), (2, 1)]));
    drain(&mut run, host(1), None).unwrap();
    assert_eq!(machine.table(), ["80 198.51.100.2=1"]);
    drain(&mut run, host(2), None).unwrap();
    assert_eq!(machine.table(), ["80 198.51.100.99=1"]);
    run.ask(Request::Undrain(host(1))).unwrap();
    assert_eq!(machine.table(), ["80 198.51.100.1=1"]);
}
