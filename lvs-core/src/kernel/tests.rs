//! The kernel's client against a table that changes between the datagrams of a list.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::client::{Client, Resolve};
use super::director::{Backend, KernelDirector};
use super::transport::{Inbox, Transport};
use super::whole::{READINGS, Witness};
use crate::director::{Director, OnRefusal, Operation};
use crate::embedded::{EmbeddedDirector, EmbeddedTransport};
use crate::error::Error;
use crate::model::{
    AddressFamily, Completeness, Destination, DestinationEntry, DestinationKey, Protocol, Service, ServiceKey,
    ServiceSnapshot, Snapshot, Table, TableService, Tunnel,
};
use crate::plan::{OnFailure, PlanError, Scope, reconcile};

/// Services and destinations that stay.
const STAYING: u16 = 150;

/// A table, what others do to it, and chance.
struct Shared {
    table: Arc<Mutex<EmbeddedDirector>>,
    state: u64,
    /// Whether anybody changes it, and in which family.
    churn: Option<AddressFamily>,
    lock_held: bool,
    /// Whether no two datagrams ever show the same table.
    restless: bool,
    /// Whether some services are there only between the first request and the first datagram of
    /// each list.
    periodic: bool,
    /// What each locked list shows: a service that is removed after the first datagram is back in its
    /// place by then.
    passing: Option<Vec<(ServiceKey, u32)>>,
    /// After how many datagrams sent it comes to rest.
    rests_after: usize,
    /// Datagrams sent, and changes made by a restless neighbour.
    sent: usize,
    changes: u16,
}

impl Shared {
    fn below(&mut self, limit: u64) -> u64 {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) % limit
    }

    fn table(&self) -> MutexGuard<'_, EmbeddedDirector> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Others add or remove some services, all of theirs, or destinations of a service that stays.
    fn churn(&mut self) {
        if let Some(list) = self.passing.as_ref().filter(|_| self.sent == 1) {
            // Refused from the second datagram on.
            let _ = self.table().remove_service(&list[0].0);
        }
        let Some(family) = self.churn.filter(|_| self.sent <= self.rests_after) else { return };
        if self.restless {
            return self.replace_some(family);
        }
        if self.periodic {
            return self.passing(|port| Operation::RemoveService(key(family, port)));
        }
        if self.below(3) > 0 {
            return;
        }
        let (choice, count) = (self.below(4), 1 + self.below(60) as u16);
        let first = STAYING + self.below(200) as u16;
        let operations: Vec<Operation> = match choice {
            0 => (first..first + count).map(|port| Operation::AddService(Service::new(key(family, port)))).collect(),
            1 => (first..first + count).map(|port| Operation::RemoveService(key(family, port))).collect(),
            2 => (first..first + count)
                .map(|number| Operation::AddDestination(key(family, 0), destination(family, number)))
                .collect(),
            _ => (first..first + count)
                .map(|number| Operation::RemoveDestination(key(family, 0), destination(family, number).key))
                .collect(),
        };
        // Drawn at random: some of them are refused.
        let _ = self.table().apply(&operations, OnRefusal::Continue);
    }

    fn passing(&self, operation: impl Fn(u16) -> Operation) {
        // Refused where that has been done already.
        let operations: Vec<_> = (STAYING..STAYING + 30).map(operation).collect();
        let _ = self.table().apply(&operations, OnRefusal::Continue);
    }

    /// Others remove what they added before the last datagram, and add what was never there.
    fn replace_some(&mut self, family: AddressFamily) {
        const EACH: u16 = 8;
        let (old, new) = (STAYING + self.changes * EACH, STAYING + (self.changes + 1) * EACH);
        self.changes += 1;
        let mut operations = Vec::new();
        for number in old..new {
            operations.push(Operation::RemoveService(key(family, number)));
            operations.push(Operation::AddService(Service::new(key(family, number + EACH))));
            operations.push(Operation::RemoveDestination(key(family, 0), destination(family, number).key));
            operations.push(Operation::AddDestination(key(family, 0), destination(family, number + EACH)));
        }
        let _ = self.table().apply(&operations, OnRefusal::Continue);
    }
}

fn key(family: AddressFamily, port: u16) -> ServiceKey {
    let addr = match family {
        AddressFamily::Ipv4 => [192, 0, 2, 1].into(),
        AddressFamily::Ipv6 => [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into(),
    };
    ServiceKey::endpoint(Protocol::Tcp, addr, 1000 + port)
}

fn destination(family: AddressFamily, number: u16) -> Destination {
    let addr = match family {
        AddressFamily::Ipv4 => [198, 51, 100, 1].into(),
        AddressFamily::Ipv6 => [0x2001, 0xdb8, 0, 0, 0, 0, 0, 9].into(),
    };
    Destination::new(addr, 1000 + number)
}

/// A socket before whose every datagram others may change the table.
struct Disturbed {
    inner: EmbeddedTransport,
    shared: Arc<Mutex<Shared>>,
}

impl Transport for Disturbed {
    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        {
            let mut shared = self.shared.lock().unwrap();
            shared.sent += 1;
            if let Some(family) = shared.churn.filter(|_| shared.periodic) {
                shared.passing(|port| Operation::AddService(Service::new(key(family, port))));
            }
        }
        self.inner.send(datagram)
    }

    fn receive(&mut self, inbox: &mut Inbox, wait: bool) -> io::Result<()> {
        // One datagram at a time, so that something can happen between any two.
        let mut one = Inbox::new();
        one.prepare(inbox.chunk(), 1);
        self.inner.receive(&mut one, wait)?;
        for datagram in one.datagrams() {
            assert!(inbox.push(datagram.expect("what the embedded director sends fits")));
        }
        self.shared.lock().unwrap().churn();
        Ok(())
    }

    fn reset(&mut self) -> io::Result<()> {
        // On the same socket the kernel cuts all lists alike.
        if self.shared.lock().unwrap().periodic {
            return Err(io::ErrorKind::Unsupported.into());
        }
        self.inner.reset()
    }
}

/// What the kernel's locked lists show, and what they hide.
struct Locked(Arc<Mutex<Shared>>);

impl Witness for Locked {
    fn services(&mut self, _about: usize) -> Option<Vec<(ServiceKey, u32)>> {
        let mut shared = self.0.lock().unwrap();
        shared.churn();
        if let Some(list) = &shared.passing {
            return Some(list.clone());
        }
        if !shared.lock_held {
            return None;
        }
        let snapshot = shared.table().snapshot().unwrap();
        let shown =
            snapshot.services.iter().filter(|service| service.entry.service.key().family() == AddressFamily::Ipv4);
        Some(shown.map(|service| (service.entry.service.key(), service.destinations.len() as u32)).collect())
    }

    fn destinations(&mut self, service: &ServiceKey, _about: usize) -> Option<Vec<DestinationKey>> {
        let shared = self.0.lock().unwrap();
        if !shared.lock_held {
            return None;
        }
        let list = shared.table().destinations(service).ok()?;
        Some(list.iter().map(|entry| entry.destination.key).filter(|key| key.addr.is_ipv4()).collect())
    }

    fn service_entries(&mut self, about: usize) -> Option<(Vec<ServiceSnapshot>, Vec<u32>)> {
        let shown = self.services(about)?;
        let shared = self.0.lock().unwrap();
        let service = |(key, count): (ServiceKey, u32)| {
            let mut entry = shared.table().service(&key).unwrap();
            (entry.service.engine, entry.stats64) = (None, None);
            (ServiceSnapshot { entry, destinations: Vec::new() }, count)
        };
        Some(shown.into_iter().map(service).unzip())
    }

    fn destination_entries(&mut self, service: &ServiceKey, count: u32) -> Option<Vec<DestinationEntry>> {
        let shared = self.0.lock().unwrap();
        let mut list = shared.table().destinations(service).ok()?;
        list.retain(|entry| entry.destination.key.addr.is_ipv4());
        for entry in &mut list {
            (entry.destination.tunnel, entry.stats64) = (Tunnel::IPIP, None);
        }
        (list.len() == count as usize).then_some(list)
    }
}

fn client(churn: Option<AddressFamily>, staying: &[AddressFamily], lock_held: bool, seed: u64) -> Client {
    shared_client(churn, staying, lock_held, seed).0
}

fn shared_client(
    churn: Option<AddressFamily>,
    staying: &[AddressFamily],
    lock_held: bool,
    seed: u64,
) -> (Client, Arc<Mutex<Shared>>) {
    let table = Arc::new(Mutex::new(EmbeddedDirector::new()));
    {
        let mut table = table.lock().unwrap();
        for family in staying {
            for number in 0..STAYING {
                table.add_service(&Service::new(key(*family, number))).unwrap();
                table.add_destination(&key(*family, 0), &destination(*family, number)).unwrap();
            }
        }
    }
    let shared = Arc::new(Mutex::new(Shared {
        table: table.clone(),
        state: seed,
        churn,
        lock_held,
        restless: false,
        periodic: false,
        passing: None,
        rests_after: usize::MAX,
        sent: 0,
        changes: 0,
    }));
    let transport = Disturbed { inner: EmbeddedTransport::new(table), shared: shared.clone() };
    let mut client = Client::open(Box::new(transport), Resolve::ByName).unwrap();
    client.witness = Some(Box::new(Locked(shared.clone())));
    (client, shared)
}

/// A client of a table that is another one in every datagram.
fn restless_client(family: AddressFamily) -> (Client, Arc<Mutex<Shared>>) {
    let (client, shared) = shared_client(Some(family), &[family], true, 4);
    {
        let mut shared = shared.lock().unwrap();
        shared.restless = true;
        shared.sent = 0;
    }
    (client, shared)
}

/// How often each service and destination of those that stay is in a snapshot, where it says that
/// it is complete.
fn check(snapshot: &Snapshot, family: AddressFamily) {
    if !snapshot.complete.of(family) {
        return;
    }
    for number in 0..STAYING {
        let wanted = key(family, number);
        let found = snapshot.services.iter().filter(|service| service.entry.service.key() == wanted);
        assert_eq!(found.count(), 1, "{wanted}");
        let list = &snapshot.service(&key(family, 0)).unwrap().destinations;
        let wanted = destination(family, number).key;
        assert_eq!(list.iter().filter(|entry| entry.destination.key == wanted).count(), 1, "{wanted}");
    }
}

#[test]
fn stable_ipv4_services_are_never_missing_or_doubled_while_others_change() {
    let mut client = client(Some(AddressFamily::Ipv4), &[AddressFamily::Ipv4], true, 1);
    let (mut settled, mut whole) = (0, 0);
    for _ in 0..100 {
        let snapshot = client.snapshot().unwrap();
        check(&snapshot, AddressFamily::Ipv4);
        settled += u32::from(snapshot.complete.ipv6);
        whole += u32::from(snapshot.complete.ipv4);
    }
    // What destinations are there can only be read, so four readings under this load may leave a
    // doubt.
    assert!(whole > 60, "{whole} of 100 snapshots");
    assert!(settled < 100, "nothing was ever disturbed: the test shows nothing");
}

#[test]
fn without_a_locked_list_a_snapshot_claims_nothing_that_is_not_so() {
    for (family, lock_held) in [(AddressFamily::Ipv6, true), (AddressFamily::Ipv6, false), (AddressFamily::Ipv4, false)]
    {
        let mut client = client(Some(family), &[AddressFamily::Ipv4, AddressFamily::Ipv6], lock_held, 2);
        let mut doubtful = 0;
        for _ in 0..12 {
            let snapshot = client.snapshot().unwrap();
            check(&snapshot, AddressFamily::Ipv4);
            check(&snapshot, AddressFamily::Ipv6);
            doubtful += u32::from(!snapshot.complete.is_whole());
        }
        assert!(doubtful > 0, "nothing was ever disturbed: the test shows nothing");
    }
}

/// The locked list shows nothing of IPv6, and is the same before and after.
#[test]
fn a_client_that_knows_an_ipv6_service_never_passes_it_over() {
    let mut passed_over = 0;
    let ipv6 = key(AddressFamily::Ipv6, 0);
    for place in 1..30 {
        for knows in [false, true] {
            let (mut client, shared) = shared_client(None, &[], true, 6);
            let mut all: Vec<_> = (0..30).map(|port| key(AddressFamily::Ipv4, port)).collect();
            all.insert(place, ipv6);
            for key in all {
                shared.lock().unwrap().table().add_service(&Service::new(key)).unwrap();
            }
            if knows {
                client.services().unwrap();
            }
            {
                let mut shared = shared.lock().unwrap();
                shared.sent = 0;
                let all = shared.table().services().unwrap();
                let ipv4 = all.iter().map(|entry| (entry.service.key(), 0)).filter(|(key, _)| *key != ipv6);
                shared.passing = Some(ipv4.collect());
            }
            let services = client.services().unwrap();
            let found = services.iter().any(|entry| entry.service.key() == ipv6);
            assert!(found || !knows, "at place {place}");
            passed_over += usize::from(!found);
        }
    }
    assert!(passed_over > 0, "no list ever passed it over: the test shows nothing");
}

#[test]
fn two_readings_that_lack_the_same_services_do_not_settle_the_matter() {
    let family = AddressFamily::Ipv6;
    let (mut client, shared) = shared_client(Some(family), &[family], true, 5);
    shared.lock().unwrap().periodic = true;
    let mut short = 0;
    for _ in 0..3 {
        let snapshot = client.snapshot().unwrap();
        check(&snapshot, family);
        short += usize::from(!snapshot.complete.ipv6);
    }
    assert_eq!(short, 3, "nothing tells that such a list is whole");
}

/// Also where a list is as long as a small part of the kernel's, so that its length alone does not
/// tell whether it was cut.
#[test]
fn lists_of_an_unchanging_table_are_complete_after_few_readings() {
    const TABLES: usize = 24;
    let family = AddressFamily::Ipv6;
    for count in [1, 8, 9, 10, 11, 12, 19, 20, 21, 22, 23, 44, 45, 46, 91, 92, 93, 150] {
        let (mut client, shared) = shared_client(None, &[], false, 4);
        for port in 0..TABLES as u16 {
            let mut shared = shared.lock().unwrap();
            shared.table().add_service(&Service::new(key(family, port))).unwrap();
            for number in 0..count {
                shared.table().add_destination(&key(family, port), &destination(family, number)).unwrap();
            }
            shared.sent = 0;
        }
        let snapshot = client.snapshot().unwrap();
        assert_eq!(snapshot.complete, Completeness::WHOLE, "{count} destinations");
        assert!(snapshot.services.iter().all(|entry| entry.destinations.len() == usize::from(count)));
        let sent = shared.lock().unwrap().sent;
        assert!(sent <= 3 * TABLES + 12, "{sent} requests for {TABLES} lists of {count} destinations");
    }
}

#[test]
fn an_unchanging_table_is_complete_with_and_without_locked_lists() {
    for lock_held in [true, false] {
        let mut client = client(None, &[AddressFamily::Ipv4, AddressFamily::Ipv6], lock_held, 3);
        let snapshot = client.snapshot().unwrap();
        assert_eq!(snapshot.complete, Completeness::WHOLE);
        assert_eq!(snapshot.services.len(), 2 * usize::from(STAYING));
        check(&snapshot, AddressFamily::Ipv4);
        check(&snapshot, AddressFamily::Ipv6);
    }
}

#[test]
fn a_changing_table_costs_a_bounded_number_of_requests() {
    for family in [AddressFamily::Ipv4, AddressFamily::Ipv6] {
        for _ in 0..3 {
            let (mut client, shared) = restless_client(family);
            let snapshot = client.snapshot().unwrap();
            check(&snapshot, family);
            // One request for each service's destinations, and what repeated readings of two lists
            // and questions of single services add.
            let (sent, services) = (shared.lock().unwrap().sent, snapshot.services.len());
            assert!(sent < services + 3 * READINGS as usize + services / 8, "{sent} for {services} services");
            if family == AddressFamily::Ipv6 {
                assert!(!snapshot.complete.ipv6, "nothing tells that this list is whole");
                assert!(client.services().is_err());
            }
        }
    }
}

#[test]
fn reconciling_a_changing_table_adds_but_never_removes() {
    let family = AddressFamily::Ipv6;
    let (client, shared) = restless_client(family);
    let mut director = KernelDirector::new(Backend::Netlink(Box::new(client)), None);
    let ours = Scope::ports(1001..1000 + STAYING);
    let mut wanted = Table::new();
    wanted.services = (1..STAYING).map(|number| TableService::new(Service::new(key(family, number)))).collect();
    for round in 1..=4_usize {
        let service = &mut wanted.services[round];
        let (key, server) = (service.service.key(), destination(family, service.service.key().port() - 1000));
        service.destinations.push(server);
        let applied = reconcile(&mut director, &wanted, &ours, OnFailure::Keep).unwrap();
        let steps: Vec<_> = applied.plan.operations().copied().collect();
        assert_eq!(steps, [Operation::AddDestination(key, server)]);
    }
    let last = wanted.services.pop().unwrap().service.key();
    shared.lock().unwrap().sent = 0;
    let refused = reconcile(&mut director, &wanted, &ours, OnFailure::Keep);
    assert!(matches!(refused, Err(Error::Plan(PlanError::Incomplete(AddressFamily::Ipv6)))), "{refused:?}");
    assert!(shared.lock().unwrap().table().service(&last).is_ok());
    // Three snapshots, each with less than two requests for a service, and then it gives up.
    let sent = shared.lock().unwrap().sent;
    assert!((2 * usize::from(STAYING)..6 * usize::from(STAYING)).contains(&sent), "{sent} requests");

    // It rests while the second snapshot is taken, so the third is whole.
    {
        let mut shared = shared.lock().unwrap();
        shared.sent = 0;
        shared.rests_after = usize::from(STAYING) * 3 / 2;
    }
    let applied = reconcile(&mut director, &wanted, &ours, OnFailure::Keep).unwrap();
    assert_eq!(applied.plan.operations().copied().collect::<Vec<_>>(), [Operation::RemoveService(last)]);
    assert!(shared.lock().unwrap().table().service(&last).is_err());
}

/// The same but for what a snapshot after another may leave open: IPv6.
fn assert_same(mut again: Snapshot, mut whole: Snapshot, what: &str) {
    assert_eq!(whole.complete, Completeness::WHOLE);
    again.complete.ipv6 = true;
    again.sort();
    whole.sort();
    for (again, whole) in again.services.iter().zip(&whole.services) {
        assert_eq!(again.entry, whole.entry, "{what}");
        assert_eq!(again.destinations.len(), whole.destinations.len(), "{what}: {}", again.entry.service.key());
        for (again, whole) in again.destinations.iter().zip(&whole.destinations) {
            assert_eq!(again, whole, "{what}");
        }
    }
    assert!(again == whole, "{what}");
}

#[test]
fn a_table_read_again_is_what_a_whole_reading_shows() {
    let v4 = AddressFamily::Ipv4;
    let (mut client, shared) = shared_client(None, &[v4], true, 6);
    let apply = |operations: &[Operation]| {
        let report = shared.lock().unwrap().table().apply(operations, OnRefusal::Continue);
        assert!(report.is_complete(), "{:?}", report.refused);
    };
    let (first, second) = (key(v4, 1), key(v4, 2));
    let (server, gre) = (destination(v4, 7), Tunnel::gre(Default::default()));
    let in_ipv6 = destination(AddressFamily::Ipv6, 1).with_tunnel(Tunnel::IPIP);
    let steps: &[(&str, usize, &[Operation])] = &[
        ("nothing has happened", 0, &[]),
        ("a destination is new", 1, &[Operation::AddDestination(first, server.with_tunnel(gre))]),
        ("its weight is another", 1, &[Operation::UpdateDestination(first, server.with_tunnel(gre).with_weight(9))]),
        (
            "it has another tunnel, and came back to its place",
            1,
            &[
                Operation::RemoveDestination(first, server.key),
                Operation::AddDestination(first, server.with_tunnel(Tunnel::IPIP).with_weight(8)),
            ],
        ),
        ("a destination is hidden", 1, &[Operation::AddDestination(second, in_ipv6)]),
        ("nothing has happened since, but it is there", 1, &[]),
        (
            "a service has an engine",
            1,
            &[Operation::UpdateService(Service::new(first).with_engine("sip".parse().unwrap()).with_persistence(60))],
        ),
        (
            "a service is gone and one is new",
            2,
            &[Operation::RemoveService(second), Operation::AddService(Service::new(key(v4, STAYING)))],
        ),
    ];
    let mut last = client.snapshot().unwrap();
    for (what, lists, operations) in steps {
        apply(operations);
        shared.lock().unwrap().sent = 0;
        let again = client.snapshot_after(&last).unwrap();
        let sent = shared.lock().unwrap().sent;
        assert_eq!(again.complete, Completeness { ipv4: true, ipv6: false }, "{what}");
        // One for version, timeouts and daemons; and each list, with what is asked of its service.
        assert!(sent <= 1 + 2 * lists, "{what}: {sent} requests");
        assert_same(again.clone(), client.snapshot().unwrap(), what);
        last = again;
    }

    // The first IPv6 service is the one thing of these that it cannot show; all later ones it does.
    let v6 = |port| Operation::AddService(Service::new(key(AddressFamily::Ipv6, port)));
    apply(&[v6(1)]);
    let again = client.snapshot_after(&last).unwrap();
    assert!(again.service(&key(AddressFamily::Ipv6, 1)).is_none() && !again.complete.ipv6);
    last = client.snapshot().unwrap();
    apply(&[v6(2), Operation::AddDestination(key(AddressFamily::Ipv6, 1), destination(AddressFamily::Ipv6, 1))]);
    let again = client.snapshot_after(&last).unwrap();
    assert_eq!(again.complete, Completeness::WHOLE);
    assert_same(again, client.snapshot().unwrap(), "IPv6");

    // Without locked lists it is a whole snapshot.
    shared.lock().unwrap().lock_held = false;
    assert_same(client.snapshot_after(&last).unwrap(), client.snapshot().unwrap(), "no locked lists");
}

#[test]
fn a_table_that_is_read_again_while_it_changes_lacks_nothing_that_stays() {
    let family = AddressFamily::Ipv4;
    let (mut client, shared) = shared_client(Some(family), &[family], true, 7);
    let mut last = client.snapshot().unwrap();
    let mut whole = 0;
    for _ in 0..100 {
        last = client.snapshot_after(&last).unwrap();
        check(&last, family);
        whole += u32::from(last.complete.ipv4);
    }
    assert!(whole > 60, "{whole} of 100 readings");
    shared.lock().unwrap().churn = None;
    let again = client.snapshot_after(&last).unwrap();
    assert_same(again, client.snapshot().unwrap(), "at rest");
}
