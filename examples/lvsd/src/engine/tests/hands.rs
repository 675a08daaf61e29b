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
fn a_refused_operation_does_not_block_others() {
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
fn a_file_that_the_director_will_refuse_in_part_is_refused_before_anything_is_touched() {
    let mut machine = Machine::new();
    let good = service(80, "", &[(1, 1), (2, 1)]);
    let slip = format!("{good}{}", service(81, "", &[(3, 1)]).replace("\"rr\"", "\"nosuch\""));
    let mut run = machine.start(&good);
    let refused = run.reload(&format!("{slip}{}", service(82, "", &[(4, 1)]))).unwrap_err().error;
    assert!(refused.contains("tcp://192.0.2.1:81") && refused.contains("no scheduler nosuch"), "{refused}");
    assert_eq!(machine.table(), ["80 198.51.100.1=1 198.51.100.2=1"]);
    assert!(run.kinds().contains(&EventKind::ReloadRefused));
    run.kill(2);
    assert_eq!(machine.table(), ["80 198.51.100.1=1 198.51.100.2=0"], "the file before stays in force");
    let Reply::Findings(findings) = run.ask(Request::Check).unwrap() else { panic!() };
    assert!(!findings.findings.iter().any(|finding| finding.what.contains("scheduler nosuch")), "{findings:?}");
    drop(run);
    // A daemon that starts serves what it can, and its check says what it cannot.
    let mut run = machine.start(&slip);
    let Reply::Findings(findings) = run.ask(Request::Check).unwrap() else { panic!() };
    assert!(findings.findings.iter().any(|finding| finding.what.contains("no scheduler nosuch")), "{findings:?}");
    assert!(!findings.ready);
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
fn a_drain_reports_the_connections_it_cut() {
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

#[test]
fn an_override_holds_again_when_its_server_comes_back() {
    let mut machine = Machine::new();
    let both = format!("{}{}", service(80, "", &[(1, 1), (2, 1)]), service(81, "", &[(2, 1)]));
    let mut run = machine.start(&both);
    let spec = |force, expires| OverrideSpec { what: host(2), force, reason: "repair".to_owned(), expires };
    run.ask(Request::Override(spec(Some(Force::Down), Some(100.0)))).unwrap();
    let held = ["80 198.51.100.1=1 198.51.100.2=0", "81 198.51.100.2=0"];
    assert_eq!(machine.table(), held);
    // The server leaves one service, the other service leaves as a whole, and the daemon is killed
    // meanwhile.
    let without = service(80, "", &[(1, 1)]);
    run.reload(&without).unwrap();
    let Reply::Status(status) = run.ask(Request::Status).unwrap() else { panic!() };
    assert_eq!(status.absent.len(), 2, "{status:?}");
    assert_eq!(status.absent[0].overridden.reason, "repair");
    run.pass(10);
    drop(run);
    machine.unix += 50;
    let mut run = machine.start(&without);
    run.reload(&both).unwrap();
    assert_eq!(machine.table(), held);
    run.pass(60);
    assert_eq!(machine.table(), ["80 198.51.100.1=1 198.51.100.2=1", "81 198.51.100.2=1"], "it has expired");
    // Also over a start with another file, and it can be taken back while the server is away.
    run.ask(Request::Override(spec(Some(Force::Weight(7)), None))).unwrap();
    drop(run);
    let run = machine.start(&without);
    drop(run);
    let mut run = machine.start(&both);
    assert_eq!(machine.table(), ["80 198.51.100.1=1 198.51.100.2=7", "81 198.51.100.2=7"]);
    run.reload(&without).unwrap();
    run.ask(Request::Override(spec(None, None))).unwrap();
    run.reload(&both).unwrap();
    assert_eq!(machine.table(), ["80 198.51.100.1=1 198.51.100.2=1", "81 198.51.100.2=1"]);
}

#[test]
fn a_file_that_names_no_service_removes_nothing() {
    let mut machine = Machine::new();
    let mut run = machine.start(&service(80, "", &[(1, 1)]));
    let refused = run.reload("").unwrap_err();
    assert!(refused.error.contains("names no service") && refused.error.contains("lvsctl stop"), "{refused:?}");
    drop(run);
    assert!(machine.try_start("").is_err(), "nor at a start");
    assert_eq!(machine.table(), ["80 198.51.100.1=1"]);
    let mut run = machine.start(&service(80, "", &[(1, 1)]));
    run.ask(Request::Stop).unwrap();
    drop(run);
    machine.start("");
    assert_eq!(machine.table(), [""; 0]);
}

#[test]
fn what_could_not_be_kept_is_shown_and_kept_once_there_is_room() {
    let mut machine = Machine::new();
    let mut run = machine.start(&service(80, "", &[(1, 1), (2, 1)]));
    run.kinds();
    machine.full.set(true);
    let spec = OverrideSpec { what: host(2), force: Some(Force::Down), reason: String::new(), expires: None };
    run.ask(Request::Override(spec)).unwrap();
    assert_eq!(machine.table(), ["80 198.51.100.1=1 198.51.100.2=0"], "a full disk stops no operator");
    run.kill(1);
    run.pass(30);
    assert_eq!(machine.table(), ["80 198.51.100.1=0 198.51.100.2=0"], "nor any check");
    let Reply::Status(status) = run.ask(Request::Status).unwrap() else { panic!() };
    assert!(status.problems.iter().any(|problem| problem.contains("cannot keep state")), "{status:?}");
    assert_eq!(run.kinds().iter().filter(|kind| **kind == EventKind::Refused).count(), 1, "the same is logged once");
    machine.full.set(false);
    run.pass(11);
    let Reply::Status(status) = run.ask(Request::Status).unwrap() else { panic!() };
    assert!(status.problems.is_empty(), "{status:?}");
    drop(run);
    machine.start(&service(80, "", &[(1, 1), (2, 1)]));
    assert_eq!(machine.table(), ["80 198.51.100.1=0 198.51.100.2=0"]);
}

const KEEP: &str = "keep_weights = true";

/// Somebody sets the weight of a server of the service on port 80.
fn set_weight(machine: &Machine, last: u8, weight: u32) {
    let key = ServiceKey::tcp("192.0.2.1", 80).unwrap();
    let server = lvs_core::model::Destination::new([198, 51, 100, last].into(), 80)
        .with_forwarding(lvs_core::model::ForwardingMethod::Masquerade)
        .with_weight(weight);
    machine.table.borrow_mut().update_destination(&key, &server).unwrap();
}

#[test]
fn a_state_that_was_torn_freezes_nothing_and_loses_no_service() {
    let mut machine = Machine::new();
    let file = service(80, "", &[(1, 1), (2, 1)]);
    let mut run = machine.start(&file);
    run.kill(2);
    drop(run);
    let torn = machine.disk.borrow().as_ref().map(|text| text[..text.len() / 2].to_owned());
    *machine.disk.borrow_mut() = torn;
    let mut run = machine.start(&file);
    assert!(run.kinds().contains(&EventKind::Refused), "it is said");
    assert_eq!(machine.table(), ["80 198.51.100.1=1 198.51.100.2=0"], "the table says who was down");
    run.check(2, Outcome::Up);
    run.kill(1);
    assert_eq!(machine.table(), ["80 198.51.100.1=0 198.51.100.2=1"]);
    let stored: State = serde_json::from_str(machine.disk.borrow().as_ref().unwrap()).unwrap();
    assert_eq!(stored.ownership.services().count(), 1);
}

#[test]
fn metrics_requests_within_a_second_share_one_page() {
    let mut machine = Machine::new();
    let mut run = machine.start(&service(80, "", &[(1, 1)]));
    let mut page = || {
        let Reply::Metrics(page) = run.ask(Request::Metrics).unwrap() else { panic!() };
        run.pass(0);
        (page.open.as_ptr(), page.classic.as_ptr(), page)
    };
    let (first, second) = (page(), page());
    assert_eq!(first.0, second.0);
    assert_eq!(first.1, second.1);
    run.pass(1);
    let Reply::Metrics(later) = run.ask(Request::Metrics).unwrap() else { panic!() };
    assert_ne!(later.open.as_ptr(), first.0);
}

#[test]
fn a_quorum_that_is_never_reached_is_warned_of() {
    let mut machine = Machine::new();
    let mut run = machine.start(&service(80, "", &[(1, 1), (2, 1)]));
    let reloaded = run.reload(&service(80, "health = { quorum = 5 }", &[(1, 1), (2, 1)])).unwrap();
    assert!(reloaded.warnings.iter().any(|warning| warning.contains("the quorum 5 is never reached")), "{reloaded:?}");
}

#[test]
fn weights_set_by_hand_stay_with_keep_weights() {
    let mut machine = Machine::new();
    let text = service(80, KEEP, &[(1, 1), (2, 1)]);
    let mut run = machine.start(&text);
    run.kinds();
    set_weight(&machine, 1, 7);
    run.pass(11);
    assert_eq!(machine.table(), ["80 198.51.100.1=7 198.51.100.2=1"]);
    assert_eq!(run.kinds(), [EventKind::WeightKept], "it is no drift");
    // Nor does a reload change it, whether a look came first or not; new servers have the file's.
    set_weight(&machine, 2, 5);
    run.reload(&service(80, KEEP, &[(1, 3), (2, 3), (3, 3)])).unwrap();
    assert_eq!(machine.table(), ["80 198.51.100.1=7 198.51.100.2=5 198.51.100.3=3"]);
    // Checks and overrides go before, and leave it as it was.
    run.kill(1);
    assert_eq!(machine.table(), ["80 198.51.100.1=0 198.51.100.2=5 198.51.100.3=3"]);
    set_weight(&machine, 1, 9);
    run.pass(11);
    assert_eq!(machine.table(), ["80 198.51.100.1=0 198.51.100.2=5 198.51.100.3=3"], "it is down");
    run.check(1, Outcome::Up);
    assert_eq!(machine.table(), ["80 198.51.100.1=9 198.51.100.2=5 198.51.100.3=3"]);
    let force = |force| OverrideSpec { what: host(2), force, reason: String::new(), expires: None };
    run.ask(Request::Override(force(Some(Force::Weight(40))))).unwrap();
    set_weight(&machine, 2, 41);
    run.pass(11);
    assert!(machine.table()[0].contains("198.51.100.2=40"), "{:?}", machine.table());
    drop(run);
    let mut run = machine.start(&service(80, KEEP, &[(1, 3), (2, 3), (3, 3)]));
    run.ask(Request::Override(force(None))).unwrap();
    assert_eq!(machine.table(), ["80 198.51.100.1=9 198.51.100.2=5 198.51.100.3=3"]);
    // The table is emptied: they come back as they were.
    machine.table.borrow_mut().flush().unwrap();
    run.pass(11);
    assert_eq!(machine.table(), ["80 198.51.100.1=9 198.51.100.2=5 198.51.100.3=3"]);
    // Without a word in the file its weights hold.
    run.reload(&service(80, "", &[(1, 3), (2, 3), (3, 3)])).unwrap();
    assert_eq!(machine.table(), ["80 198.51.100.1=3 198.51.100.2=3 198.51.100.3=3"]);
}

#[test]
fn weights_that_are_kept_survive_restarts_and_a_weight_of_a_dead_server_is_none() {
    let mut machine = Machine::new();
    let text = service(80, KEEP, &[(1, 1), (2, 1)]);
    let mut run = machine.start(&text);
    set_weight(&machine, 1, 7);
    run.pass(11);
    run.kill(1);
    drop(run);
    // Set while nobody looks.
    set_weight(&machine, 2, 6);
    let mut run = machine.start(&text);
    assert_eq!(machine.table(), ["80 198.51.100.1=0 198.51.100.2=6"]);
    run.check(1, Outcome::Up);
    assert_eq!(machine.table(), ["80 198.51.100.1=7 198.51.100.2=6"]);
    run.kill(1);
    drop(run);
    // Without any state the table says what it can.
    *machine.disk.borrow_mut() = None;
    let mut run = machine.start(&format!("adopt = true\n{text}"));
    assert_eq!(machine.table(), ["80 198.51.100.1=0 198.51.100.2=6"]);
    run.check(1, Outcome::Up);
    assert_eq!(machine.table(), ["80 198.51.100.1=1 198.51.100.2=6"]);
}

#[test]
fn nothing_is_done_that_the_file_does_not_allow_and_it_is_said() {
    let mut machine = Machine::new();
    let bare = |port, servers: &[(u8, u32)]| service(port, "", servers).replace("check = { tcp = {} }", "");
    let mut run = machine.start(&format!("{}{}", bare(80, &[(1, 1), (2, 1)]), bare(81, &[(1, 1)])));
    let adding = "allowed_actions = [\"add_service\", \"add_server\"]\n";
    let other = format!("{adding}{}{}", bare(80, &[(1, 5), (3, 1)]), bare(82, &[(1, 1)]));
    let reloaded = run.reload(&other).unwrap();
    let added = ["80 198.51.100.1=1 198.51.100.2=1 198.51.100.3=1", "81 198.51.100.1=1", "82 198.51.100.1=1"];
    assert_eq!(machine.table(), added);
    assert_eq!(reloaded.refused.len(), 3, "{reloaded:?}");
    assert!(reloaded.refused.iter().all(|refused| refused.contains("not allowed")), "{reloaded:?}");
    let Reply::Status(status) = run.ask(Request::Status).unwrap() else { panic!() };
    assert!(!status.in_force && status.problems == reloaded.refused, "{status:?}");
    let Reply::Plan(plan) = run.ask(Request::Plan).unwrap() else { panic!() };
    assert!(plan.operations.is_empty(), "{plan:?}");
    run.kinds();
    run.pass(30);
    assert_eq!(run.kinds(), [], "the same is logged once");
    assert!(drain(&mut run, host(1), None).unwrap_err().error.contains("change_server"));
    // What is gone comes back; what is there and left the file stays its own, also over a restart.
    machine.table.borrow_mut().remove_service(&ServiceKey::tcp("192.0.2.1", 82).unwrap()).unwrap();
    run.pass(11);
    assert_eq!(machine.table(), added);
    drop(run);
    let mut run = machine.start(&other);
    run.reload(&other.replace(adding, "")).unwrap();
    assert_eq!(machine.table(), ["80 198.51.100.1=5 198.51.100.3=1", "82 198.51.100.1=1"]);
    run.reload(&format!("allowed_actions = []\n{}", bare(83, &[(1, 1)]))).unwrap();
    assert_eq!(machine.table(), ["80 198.51.100.1=5 198.51.100.3=1", "82 198.51.100.1=1"]);
    // An operator who says stop means it.
    run.ask(Request::Stop).unwrap();
    assert_eq!(machine.table(), [""; 0]);
}

#[test]
fn udp_servers_that_leave_the_table_are_named_for_connection_tracking() {
    let mut machine = Machine::new();
    let udp = |servers: &[(u8, u32)]| service(53, "", servers).replace("tcp 192.0.2.1", "udp 192.0.2.1");
    let mut run = machine.start(&format!("{}{}", udp(&[(1, 1), (2, 1)]), service(80, "", &[(1, 1), (2, 1)])));
    assert_eq!(run.engine.take_removed(), []);
    run.reload(&format!("{}{}", udp(&[(1, 3)]), service(80, "", &[(1, 1)]))).unwrap();
    let names = |run: &mut Run| -> Vec<String> {
        run.engine.take_removed().into_iter().map(|(service, server)| format!("{server} of {service}")).collect()
    };
    assert_eq!(names(&mut run), ["198.51.100.2:53 of udp://192.0.2.1:53"]);
    run.reload(&service(80, "", &[(1, 1)])).unwrap();
    assert_eq!(names(&mut run), ["198.51.100.1:53 of udp://192.0.2.1:53"], "a service goes with its servers");
    assert_eq!(names(&mut run), [""; 0]);
}
