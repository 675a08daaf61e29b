//! What the entries of a snapshot share: a snapshot of ten thousand services is one allocation of
//! the core, and its entries are places in it.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use lvs_core::model::{
    AddressFamily, Coverage, DestinationEntry, Info, Protocol, Service, ServiceEntry, ServiceKey, ServiceSnapshot,
    Snapshot,
};

/// What all entries of a snapshot share.
pub(crate) struct Shared {
    pub(crate) snapshot: Snapshot,
    index: OnceLock<HashMap<ServiceKey, usize>>,
}

impl Shared {
    pub(crate) fn new(snapshot: Snapshot) -> Arc<Self> {
        Arc::new(Self { snapshot, index: OnceLock::new() })
    }

    pub(crate) fn find(&self, key: &ServiceKey) -> Option<usize> {
        let services = &self.snapshot.services;
        if services.len() < 8 {
            return services.iter().position(|service| service.entry.service.key() == *key);
        }
        let build = || services.iter().enumerate().map(|(i, service)| (service.entry.service.key(), i)).collect();
        self.index.get_or_init(build).get(key).copied()
    }
}

/// A destination that belongs to no director.
pub(crate) fn lone_destination(entry: DestinationEntry) -> Arc<Shared> {
    let key = ServiceKey::Endpoint { protocol: Protocol::Tcp, addr: AddressFamily::Ipv4.unspecified(), port: 0 };
    lone_service(ServiceSnapshot { entry: ServiceEntry::new(Service::new(key)), destinations: vec![entry] })
}

/// A service that belongs to no snapshot.
pub(crate) fn lone_service(service: ServiceSnapshot) -> Arc<Shared> {
    let mut snapshot = Snapshot::new(Info::default(), Coverage::FULL);
    snapshot.services.push(service);
    Shared::new(snapshot)
}
