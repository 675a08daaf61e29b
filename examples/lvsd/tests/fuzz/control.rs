//! Requests on the control socket: what is read is written and reads the same; what is asked for is
//! done or refused, and the table holds nothing that the file does not name.

use std::cell::RefCell;
use std::fmt::Debug;
use std::rc::Rc;
use std::time::Duration;

use lvs_core::embedded::EmbeddedDirector;
use lvs_core::plan::Place;
use lvsd::config::Cluster;
use lvsd::control::{DrainSpec, OverrideSpec, Reply, Request, Selection};
use lvsd::engine::{Engine, Moment, Setup};
use lvsd::instance::{Identity, Instance};
use lvsd::state::{Loaded, State, Store};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Reads it as each body, and each line of it as a request to a cluster.
pub(crate) fn run(bytes: &[u8]) {
    if let Some(what) = read::<Selection>(bytes, |_| None)
        && let Err(words) = what.target()
    {
        assert!(!words.is_empty());
    }
    read::<DrainSpec>(bytes, |spec| spec.deadline.take());
    read::<OverrideSpec>(bytes, |spec| spec.expires.take());
    let lines = bytes.split(|byte| *byte == b'\n');
    let requests: Vec<Request> = lines.filter_map(|line| read(line, seconds)).collect();
    if !requests.is_empty() {
        ask(requests);
    }
}

fn seconds(request: &mut Request) -> Option<f64> {
    match request {
        Request::Drain(spec) => spec.deadline.take(),
        Request::Override(spec) => spec.expires.take(),
        _ => None,
    }
}

/// Reads a value. The last bit of a number of seconds, which `seconds` takes out, may change as it
/// is written and read again.
fn read<T: DeserializeOwned + Serialize + PartialEq + Clone + Debug>(
    bytes: &[u8],
    seconds: fn(&mut T) -> Option<f64>,
) -> Option<T> {
    let value: T = serde_json::from_slice(bytes).ok()?;
    let text = serde_json::to_string(&value).expect("it is written");
    let mut again: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let mut rest = value.clone();
    match (seconds(&mut rest), seconds(&mut again)) {
        (Some(one), Some(other)) => assert!((one - other).abs() <= one.abs() * 4.0 * f64::EPSILON, "{text}"),
        (one, other) => assert_eq!(one, other, "{text}"),
    }
    assert_eq!(again, rest, "{text}");
    Some(value)
}

/// What was kept last, as text.
#[derive(Clone, Default)]
struct Memory(Rc<RefCell<Option<String>>>);

impl Store for Memory {
    fn save(&mut self, state: &State) -> std::io::Result<()> {
        *self.0.borrow_mut() = Some(serde_json::to_string(state)?);
        Ok(())
    }
}

thread_local! {
    static CLUSTER: Cluster = Cluster::parse(crate::cluster::FILES[0]).expect("a cluster file");
}

/// A cluster on an empty table, as after a start of the machine.
fn start(memory: &Memory, loaded: Loaded, moment: Moment) -> Engine {
    let identity = Identity { cluster: "/etc/lvs/web.toml".into(), table: "embedded:fuzz".to_owned() };
    let setup = Setup {
        instance: Instance { name: "web".to_owned(), identity },
        place: Place::embedded("fuzz"),
        director: Box::new(EmbeddedDirector::new()),
        store: Box::new(memory.clone()),
        resync: Duration::from_secs(10),
        adopt: false,
        whole: false,
    };
    let cluster = CLUSTER.with(Clone::clone);
    Engine::start(setup, cluster, loaded, moment).expect("the table is empty").0
}

/// Asks for one thing a second, and begins again from what was kept.
fn ask(requests: Vec<Request>) {
    let memory = Memory::default();
    let mut moment = Moment { now: Duration::ZERO, unix: 1_700_000_000 };
    let mut engine = start(&memory, Loaded::Absent, moment);
    for request in requests {
        let ends = request == Request::Stop;
        match engine.handle(request, moment) {
            Ok(Reply::Metrics(page)) => crate::metrics::check_page(&page),
            Ok(_) => {}
            Err(refused) => assert!(!refused.error.is_empty()),
        }
        if ends {
            assert!(engine.director().snapshot().expect("a snapshot").services.is_empty());
            break;
        }
        moment.now += Duration::from_secs(1);
        moment.unix += 1;
        engine.flush(moment);
        check_table(&mut engine);
    }
    let kept = memory.0.borrow().clone().expect("what is the cluster's is kept");
    let state: State = serde_json::from_str(&kept).unwrap_or_else(|error| panic!("{error}: {kept}"));
    check_table(&mut start(&Memory::default(), Loaded::State(Box::new(state)), moment));
}

/// Nothing but what the file names is in the table, and nothing was refused on the way there.
fn check_table(engine: &mut Engine) {
    assert!(engine.problems().is_empty(), "{:?}", engine.problems());
    let snapshot = engine.director().snapshot().expect("a snapshot");
    let services = engine.cluster().by_key();
    for service in &snapshot.services {
        let key = service.entry.service.key();
        let named = services.get(&key).unwrap_or_else(|| panic!("{key} is not in the file"));
        let sorry = named.policy.sorry_server.map(|sorry| sorry.key);
        for entry in &service.destinations {
            let server = entry.destination.key;
            assert!(
                sorry == Some(server) || named.destinations().any(|destination| destination.key == server),
                "{server} of {key} is not in the file"
            );
        }
    }
}

/// Requests, one a line.
const REQUESTS: [&str; 4] = [
    r#"{"drain":{"what":{"service":"tcp://192.0.2.1:80","server":"198.51.100.8"},"deadline":2.5,"reason":"kernel"}}
"status"
{"undrain":{"host":"198.51.100.8"}}
"plan"
"metrics""#,
    r#"{"override":{"what":{"host":"198.51.100.7"},"force":{"weight":5},"reason":"slow disk","expires":3}}
"history"
{"override":{"what":{"service":"udp://192.0.2.1:53"},"force":"down"}}
"check"
{"override":{"what":{"host":"198.51.100.7"}}}
"metrics""#,
    r#"{"drain":{"what":{"service":"udp://192.0.2.1:53"},"wait_for":"nothing"}}
{"drain":{"what":{"host":"198.51.100.7"},"wait_for":"persistent","keep":true}}
{"override":{"what":{"service":"tcp://192.0.2.1:80"},"force":"up"}}
"reload"
{"undrain":{"service":"udp://192.0.2.1:53"}}"#,
    r#"{"drain":{"what":{"service":"tcp://192.0.2.1:80"},"wait_for":"inactive","deadline":0}}
"stop""#,
];

/// Bodies as they are posted.
const BODIES: [&str; 3] = [
    r#"{"what":{"service":"tcp://192.0.2.1:80","server":"198.51.100.7:8080"},"wait_for":"active","deadline":1e3}"#,
    r#"{"what":{"host":"2001:db8:1::7"},"force":{"weight":4294967295},"expires":0.1}"#,
    r#"{"service":"fwmark:7/ipv6","server":"[2001:db8:1::7]:80"}"#,
];

/// Both.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    REQUESTS.iter().chain(&BODIES).map(|text| text.as_bytes().to_vec()).collect()
}

/// Each line is a request, each body one of the three.
pub(crate) fn seeds_are_requests() {
    for line in REQUESTS.iter().flat_map(|text| text.lines()) {
        assert!(read(line.as_bytes(), seconds).is_some(), "{line}");
    }
    let [drain, forced, what] = BODIES.map(str::as_bytes);
    assert!(read::<DrainSpec>(drain, |spec| spec.deadline.take()).is_some());
    assert!(read::<OverrideSpec>(forced, |spec| spec.expires.take()).is_some());
    assert!(read::<Selection>(what, |_| None).is_some_and(|what| what.target().is_ok()));
}
