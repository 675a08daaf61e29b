//! Reading a running kernel's table while another process adds and removes services in bulk and,
//! where the kernel has `svc_lfactor` (Linux 7.1 and later), has it rebuild its table of services
//! every few milliseconds.
//!
//! Beside each snapshot a [`PlainClient`] reads the same table once, as a client does that trusts
//! the kernel: each test goes on until the churn has made that one miss or repeat a service.
//!
//! `LVS_LAB_SNAPSHOTS` sets how many snapshots each test takes. For many of them build with
//! `--config profile.dev.opt-level=2`: without optimisation nearly all the time goes into the
//! test program.
#![cfg(all(target_os = "linux", feature = "kernel"))]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail loudly and says what it has seen")]

mod common;
#[path = "kernel_churn/plain.rs"]
mod plain;

use std::collections::HashMap;
use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use common::{environment, in_new_namespace};
use lvs_core::Director;
use lvs_core::director::{Follower, OnRefusal, Operation};
use lvs_core::kernel::{KernelDirector, TransportChoice};
use lvs_core::model::*;
use lvs_core::plan::{OnFailure, Scope, reconcile};
use plain::PlainClient;

/// Set for the process that changes the table.
const CHURNER: &str = "LVS_TEST_CHURNER";
const LFACTOR: &str = "/proc/sys/net/ipv4/vs/svc_lfactor";

/// What it writes there in turn. The sizes of the table that follow differ by four: each is another
/// table, with another order, and none is so large that an emulated machine does little else than
/// walk it for every datagram of a list.
const LFACTORS: [&str; 2] = ["1", "-1"];

/// Services that stay: more than the largest datagram of a list holds (101), in either family.
const STAYING: u16 = 110;
/// Services that come and go.
const PASSING: u16 = 40;
/// Destinations that stay at the first service, and that come and go there: a small datagram holds
/// ten.
const SERVERS: u16 = 30;

fn key(family: AddressFamily, number: u16) -> ServiceKey {
    let addr = match family {
        AddressFamily::Ipv4 => [192, 0, 2, 1].into(),
        AddressFamily::Ipv6 => [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into(),
    };
    ServiceKey::endpoint(Protocol::Tcp, addr, 1000 + number)
}

fn server(family: AddressFamily, number: u16) -> Destination {
    let addr = match family {
        AddressFamily::Ipv4 => [198, 51, 100, 1].into(),
        AddressFamily::Ipv6 => [0x2001, 0xdb8, 0, 0, 0, 0, 0, 9].into(),
    };
    Destination::new(addr, 1000 + number)
}

/// The tables that stay.
fn staying(families: &[AddressFamily]) -> Table {
    let mut table = Table::new();
    for family in families {
        for number in 0..STAYING {
            let mut service = TableService::new(Service::new(key(*family, number)));
            let servers = if number == 0 { SERVERS } else { number % 3 };
            service.destinations = (0..servers).map(|number| server(*family, number)).collect();
            table.services.push(service);
        }
    }
    table
}

fn operations(table: &Table) -> Vec<Operation> {
    let service = |entry: &TableService| {
        let key = entry.service.key();
        let add = entry.destinations.iter().map(move |destination| Operation::AddDestination(key, *destination));
        [Operation::AddService(entry.service)].into_iter().chain(add).collect::<Vec<_>>()
    };
    table.services.iter().flat_map(service).collect()
}

/// The other process, until its standard input ends.
#[test]
#[ignore = "run by the other tests of this file"]
fn churner() {
    let Ok(families) = std::env::var(CHURNER) else { return };
    let families: Vec<AddressFamily> = match families.as_str() {
        "ipv4" => vec![AddressFamily::Ipv4],
        _ => vec![AddressFamily::Ipv4, AddressFamily::Ipv6],
    };
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let _ = std::io::stdin().read(&mut [0]);
            ended.store(true, Ordering::Relaxed);
        });
        scope.spawn(|| {
            // While a table is rebuilt the kernel lets nobody read it: without a pause the readers
            // would do little but wait.
            let mut factors = LFACTORS.iter().cycle();
            while !ended.load(Ordering::Relaxed) && std::fs::write(LFACTOR, factors.next().unwrap()).is_ok() {
                thread::sleep(Duration::from_millis(25));
            }
        });
        let mut director = KernelDirector::open().unwrap();
        let services = || families.iter().flat_map(|family| (0..PASSING).map(|number| key(*family, STAYING + number)));
        let first = |family: &AddressFamily| key(*family, 0);
        let servers = || {
            let of = |family| (0..SERVERS).map(move |number| (first(family), server(*family, SERVERS + number)));
            families.iter().flat_map(of)
        };
        let mut add: Vec<_> = services().map(|key| Operation::AddService(Service::new(key))).collect();
        add.extend(servers().map(|(service, server)| Operation::AddDestination(service, server)));
        let mut remove: Vec<_> = services().map(Operation::RemoveService).collect();
        remove.extend(servers().map(|(service, server)| Operation::RemoveDestination(service, server.key)));
        while !ended.load(Ordering::Relaxed) {
            for operations in [&add, &remove] {
                assert!(director.apply(operations, OnRefusal::Continue).into_result().is_ok());
                thread::sleep(Duration::from_millis(5));
            }
        }
    });
}

/// The other process, in the caller's network namespace; it ends with this value.
struct Churn(Child);

impl Churn {
    fn start(families: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "churner", "--ignored", "--quiet"]).env(CHURNER, families);
        Self(command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap())
    }

    /// Ends it, and looks that it did its work to the end.
    fn end(mut self) {
        drop(self.0.stdin.take());
        assert!(self.0.wait().unwrap().success(), "what was to disturb the readers failed");
    }
}

/// How often each service that stays, and each destination of the first, is there.
fn missing_or_twice(snapshot: &Snapshot, family: AddressFamily) -> (usize, usize) {
    let mut services = HashMap::new();
    let mut servers = HashMap::new();
    for service in &snapshot.services {
        *services.entry(service.entry.service.key()).or_insert(0) += 1;
        if service.entry.service.key() == key(family, 0) {
            for entry in &service.destinations {
                *servers.entry(entry.destination.key).or_insert(0) += 1;
            }
        }
    }
    let services = (0..STAYING).filter(|number| services.get(&key(family, *number)) != Some(&1));
    let servers = (0..SERVERS).filter(|number| servers.get(&server(family, *number).key) != Some(&1));
    (services.count(), servers.count())
}

/// Rounds beyond those wanted in which the churn may yet show on a plain client.
const PATIENCE: usize = 2000;

/// A plain client, and how often it was told of the services that stay otherwise than once.
struct Contrast {
    client: PlainClient,
    families: Vec<AddressFamily>,
    lists: usize,
    wrong: usize,
}

impl Contrast {
    fn new(families: &[AddressFamily]) -> Self {
        Self { client: PlainClient::open(), families: families.to_vec(), lists: 0, wrong: 0 }
    }

    fn read(&mut self) {
        let mut seen = HashMap::new();
        for key in self.client.services() {
            *seen.entry(key).or_insert(0) += 1;
        }
        let mut staying = self.families.iter().flat_map(|family| (0..STAYING).map(|number| key(*family, number)));
        self.lists += 1;
        self.wrong += usize::from(staying.any(|key| seen.get(&key) != Some(&1)));
    }

    /// Whether another round is wanted after so many.
    fn goes_on(&self, rounds: usize) -> bool {
        assert!(rounds < snapshots() + PATIENCE, "the churn never showed on a plain client: the test shows nothing");
        rounds < snapshots() || self.wrong == 0
    }
}

/// What came of the snapshots of a watch.
#[derive(Default)]
struct Watched {
    snapshots: usize,
    /// How many were complete.
    ipv4: usize,
    ipv6: usize,
}

/// Takes snapshots under churn and looks at what each claims.
fn watch(
    mut read: impl FnMut() -> Snapshot,
    families: &[AddressFamily],
    mut goes_on: impl FnMut(usize) -> bool,
) -> Watched {
    let mut watched = Watched::default();
    while goes_on(watched.snapshots) {
        let snapshot = read();
        for family in families {
            let (services, servers) = missing_or_twice(&snapshot, *family);
            let round = watched.snapshots;
            // The list of IPv4 services is certain whatever happens; what else is, the snapshot
            // says.
            let certain = snapshot.complete.of(*family);
            assert!(
                services == 0 || !(certain || *family == AddressFamily::Ipv4),
                "{services} services, round {round}"
            );
            assert!(servers == 0 || !certain, "{servers} destinations, {family}, round {round}");
        }
        watched.snapshots += 1;
        watched.ipv4 += usize::from(snapshot.complete.ipv4);
        watched.ipv6 += usize::from(snapshot.complete.ipv6);
    }
    watched
}

/// The same, with a plain client beside it for which the churn is too much.
fn watch_beside_a_plain_client(director: &mut KernelDirector, families: &[AddressFamily]) -> Watched {
    let mut plain = Contrast::new(families);
    let watched = watch(
        || director.snapshot().unwrap(),
        families,
        |rounds| {
            if rounds > 0 {
                plain.read();
            }
            plain.goes_on(rounds)
        },
    );
    let Watched { snapshots, ipv4, ipv6 } = &watched;
    println!("{snapshots} snapshots, complete in IPv4 {ipv4}, in IPv6 {ipv6}");
    println!("{} of {} plain lists miss or repeat a service that stays", plain.wrong, plain.lists);
    watched
}

fn snapshots() -> usize {
    environment("LVS_LAB_SNAPSHOTS", 10) as usize
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn no_service_that_stays_is_ever_missing_or_twice() {
    in_new_namespace(|| {
        let mut director = KernelDirector::open().unwrap();
        director.apply(&operations(&staying(&[AddressFamily::Ipv4])), OnRefusal::Stop).into_result().unwrap();
        let churn = Churn::start("ipv4");
        let watched = watch_beside_a_plain_client(&mut director, &[AddressFamily::Ipv4]);
        assert!(watched.ipv4 * 2 > watched.snapshots, "most are complete");
        let mut old = KernelDirector::options().transport(TransportChoice::SocketOptions).open().unwrap();
        let watched = watch(|| old.snapshot().unwrap(), &[AddressFamily::Ipv4], |rounds| rounds < snapshots());
        assert_eq!((watched.ipv4, watched.ipv6), (snapshots(), snapshots()));
        let mut follower = Follower::new();
        let read = || follower.read(&mut director).unwrap().clone();
        let watched = watch(read, &[AddressFamily::Ipv4], |rounds| rounds < snapshots());
        assert!(watched.ipv4 * 2 > watched.snapshots, "most are complete");
        churn.end();
        // At rest everything is certain, and nothing is left of what came and went.
        let snapshot = director.snapshot().unwrap();
        assert!(snapshot.complete.is_whole());
        assert_eq!(missing_or_twice(&snapshot, AddressFamily::Ipv4), (0, 0));
        assert_eq!(snapshot.services.len(), usize::from(STAYING));
    });
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn of_ipv6_a_snapshot_claims_no_more_than_is_so() {
    in_new_namespace(|| {
        let families = [AddressFamily::Ipv4, AddressFamily::Ipv6];
        let mut director = KernelDirector::open().unwrap();
        director.apply(&operations(&staying(&families)), OnRefusal::Stop).into_result().unwrap();
        let at_rest = director.snapshot().unwrap();
        assert!(at_rest.complete.is_whole());
        let churn = Churn::start("both");
        watch_beside_a_plain_client(&mut director, &families);
        churn.end();
        let snapshot = director.snapshot().unwrap();
        assert!(snapshot.complete.is_whole());
        assert_eq!(snapshot.services.len(), 2 * usize::from(STAYING));
    });
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn a_reconciler_that_runs_all_the_while_touches_nothing_but_what_is_to_change() {
    in_new_namespace(|| {
        let mut wanted = staying(&[AddressFamily::Ipv4, AddressFamily::Ipv6]);
        let mut director = KernelDirector::open().unwrap();
        director.apply(&operations(&wanted), OnRefusal::Stop).into_result().unwrap();
        let ours = Scope::ports(..1000 + STAYING);
        // Of the first services others add and remove destinations: they are theirs.
        wanted.services.retain(|entry| entry.service.key().port() != 1000);
        let ours = ours.and(Scope::ports(1001..));
        let churn = Churn::start("both");
        let mut plain = Contrast::new(&[AddressFamily::Ipv4, AddressFamily::Ipv6]);
        let mut rounds = 0;
        while plain.goes_on(rounds) {
            let index = 2 + rounds % 100;
            let destinations = &mut wanted.services[index].destinations;
            let changed = !destinations.is_empty();
            for destination in destinations.iter_mut().take(1) {
                destination.weight += 1;
            }
            let applied = reconcile(&mut director, &wanted, &ours, OnFailure::Keep).unwrap();
            let steps: Vec<_> = applied.plan.operations().collect();
            let change = |step: &&Operation| matches!(step, Operation::UpdateDestination(..));
            assert!(steps.len() == usize::from(changed) && steps.iter().all(change), "{steps:?}");
            plain.read();
            rounds += 1;
        }
        println!("{rounds} plans; {} of {} plain lists miss or repeat a service that stays", plain.wrong, plain.lists);
        churn.end();
    });
}
