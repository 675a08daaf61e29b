//! The kernel's client against a table that changes between the datagrams of a list.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::client::{Client, Resolve};
use super::transport::{Inbox, Transport};
use super::whole::Witness;
use crate::director::{Director, OnRefusal, Operation};
use crate::embedded::{EmbeddedDirector, EmbeddedTransport};
use crate::model::{AddressFamily, Completeness, Destination, DestinationKey, Protocol, Service, ServiceKey, Snapshot};

/// Services and destinations that stay.
const STAYING: u16 = 150;

/// A table, what others do to it, and chance.
struct Shared {
    table: Arc<Mutex<EmbeddedDirector>>,
    state: u64,
    /// Whether anybody changes it, and in which family.
    churn: Option<AddressFamily>,
    lock_held: bool,
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
        let Some(family) = self.churn else { return };
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
        self.inner.reset()
    }
}

/// What the kernel's locked lists show, and what they hide.
struct Locked(Arc<Mutex<Shared>>);

impl Witness for Locked {
    fn services(&mut self, _about: usize) -> Option<Vec<(ServiceKey, u32)>> {
        let mut shared = self.0.lock().unwrap();
        shared.churn();
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
}

fn client(churn: Option<AddressFamily>, staying: &[AddressFamily], lock_held: bool, seed: u64) -> Client {
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
    let shared = Arc::new(Mutex::new(Shared { table: table.clone(), state: seed, churn, lock_held }));
    let transport = Disturbed { inner: EmbeddedTransport::new(table), shared: shared.clone() };
    let mut client = Client::open(Box::new(transport), Resolve::ByName).unwrap();
    client.witness = Some(Box::new(Locked(shared)));
    client
}

/// How often each service and destination of those that stay is in a snapshot, where it says that it is complete.
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
fn ipv4_services_that_stay_are_never_missing_or_twice_while_others_come_and_go() {
    let mut client = client(Some(AddressFamily::Ipv4), &[AddressFamily::Ipv4], true, 1);
    let (mut settled, mut whole) = (0, 0);
    for _ in 0..100 {
        let snapshot = client.snapshot().unwrap();
        check(&snapshot, AddressFamily::Ipv4);
        settled += u32::from(snapshot.complete.ipv6);
        whole += u32::from(snapshot.complete.ipv4);
    }
    // What destinations are there can only be read, so four readings under this load may leave a doubt.
    assert!(whole > 60, "{whole} of 100 snapshots");
    assert!(settled < 100, "nothing was ever disturbed: the test shows nothing");
}

#[test]
fn without_a_locked_list_a_snapshot_claims_nothing_that_is_not_so() {
    for (family, lock_held) in [(AddressFamily::Ipv6, true), (AddressFamily::Ipv6, false), (AddressFamily::Ipv4, false)]
    {
        let mut client = client(Some(family), &[AddressFamily::Ipv4, AddressFamily::Ipv6], lock_held, 2);
        let mut doubtful = 0;
        for _ in 0..40 {
            let snapshot = client.snapshot().unwrap();
            check(&snapshot, AddressFamily::Ipv4);
            check(&snapshot, AddressFamily::Ipv6);
            doubtful += u32::from(!snapshot.complete.is_whole());
        }
        assert!(doubtful > 0, "nothing was ever disturbed: the test shows nothing");
    }
}

#[test]
fn a_table_at_rest_is_whole_with_and_without_locked_lists() {
    for lock_held in [true, false] {
        let mut client = client(None, &[AddressFamily::Ipv4, AddressFamily::Ipv6], lock_held, 3);
        let snapshot = client.snapshot().unwrap();
        assert_eq!(snapshot.complete, Completeness::WHOLE);
        assert_eq!(snapshot.services.len(), 2 * usize::from(STAYING));
        check(&snapshot, AddressFamily::Ipv4);
        check(&snapshot, AddressFamily::Ipv6);
    }
}
