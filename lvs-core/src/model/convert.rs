//! Conversions to and from the types of `std`, and between the types of the model.

use std::iter::Sum;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::time::Duration;

use super::{
    Counters, Destination, DestinationKey, ModelError, Protocol, Rates, Service, ServiceKey, Snapshot, Table,
    TableService,
};

mod sealed {
    pub trait Sealed {}
}

/// What names an IP address: an address, or its text.
pub trait IntoAddr: sealed::Sealed {
    /// The address.
    ///
    /// # Errors
    /// [`ModelError::Address`] when a text is not an IP address.
    fn into_addr(self) -> Result<IpAddr, ModelError>;
}

macro_rules! addr_of_text {
    ($($text:ty),*) => { $(
        impl sealed::Sealed for $text {}
        impl IntoAddr for $text {
            fn into_addr(self) -> Result<IpAddr, ModelError> {
                self.parse().map_err(|_| ModelError::Address(self.to_string()))
            }
        }
    )* };
}

macro_rules! addr_of_addr {
    ($($addr:ty),*) => { $(
        impl sealed::Sealed for $addr {}
        impl IntoAddr for $addr {
            fn into_addr(self) -> Result<IpAddr, ModelError> {
                Ok(self.into())
            }
        }
    )* };
}

addr_of_text!(&str, &String, String);
addr_of_addr!(IpAddr, Ipv4Addr, Ipv6Addr);

/// A time that the kernel keeps in whole seconds: a number of them, or a [`Duration`], of which a
/// part of a second counts as a whole one.
pub trait IntoSeconds: sealed::Sealed {
    /// The seconds, at most `u32::MAX`.
    fn into_seconds(self) -> u32;
}

impl sealed::Sealed for u32 {}
impl IntoSeconds for u32 {
    fn into_seconds(self) -> u32 {
        self
    }
}

impl sealed::Sealed for Duration {}
impl IntoSeconds for Duration {
    fn into_seconds(self) -> u32 {
        let seconds = self.as_secs().saturating_add(u64::from(self.subsec_nanos() > 0));
        u32::try_from(seconds).unwrap_or(u32::MAX)
    }
}

impl From<SocketAddr> for DestinationKey {
    /// The scope and flow label of an IPv6 address are left out: IPVS has neither.
    fn from(address: SocketAddr) -> Self {
        Self::new(address.ip(), address.port())
    }
}

impl From<(IpAddr, u16)> for DestinationKey {
    fn from((addr, port): (IpAddr, u16)) -> Self {
        Self::new(addr, port)
    }
}

impl From<DestinationKey> for SocketAddr {
    fn from(key: DestinationKey) -> Self {
        Self::new(key.addr, key.port)
    }
}

impl From<DestinationKey> for Destination {
    fn from(key: DestinationKey) -> Self {
        Self::with_key(key)
    }
}

impl From<SocketAddr> for Destination {
    fn from(address: SocketAddr) -> Self {
        Self::with_key(address.into())
    }
}

impl From<(Protocol, SocketAddr)> for ServiceKey {
    fn from((protocol, address): (Protocol, SocketAddr)) -> Self {
        Self::endpoint(protocol, address.ip(), address.port())
    }
}

impl ServiceKey {
    /// The virtual address, none of a firewall mark.
    pub const fn addr(&self) -> Option<IpAddr> {
        match *self {
            Self::Endpoint { addr, .. } => Some(addr),
            Self::Fwmark { .. } => None,
        }
    }

    /// The virtual address and port, none of a firewall mark.
    pub const fn socket_addr(&self) -> Option<SocketAddr> {
        match *self {
            Self::Endpoint { addr, port, .. } => Some(SocketAddr::new(addr, port)),
            Self::Fwmark { .. } => None,
        }
    }
}

impl From<ServiceKey> for Service {
    fn from(key: ServiceKey) -> Self {
        Self::new(key)
    }
}

impl From<Service> for TableService {
    fn from(service: Service) -> Self {
        Self::new(service)
    }
}

impl TableService {
    /// With one more destination, or with this one in the place of that with its key.
    #[must_use]
    pub fn with_destination(mut self, destination: impl Into<Destination>) -> Self {
        let destination = destination.into();
        match self.destination_mut(&destination.key) {
            Some(present) => *present = destination,
            None => self.destinations.push(destination),
        }
        self
    }

    /// The destination of a key.
    pub fn destination(&self, key: &DestinationKey) -> Option<&Destination> {
        self.destinations.iter().find(|destination| destination.key == *key)
    }

    /// The destination of a key, to be changed.
    pub fn destination_mut(&mut self, key: &DestinationKey) -> Option<&mut Destination> {
        self.destinations.iter_mut().find(|destination| destination.key == *key)
    }
}

impl Table {
    /// The service of a key, to be changed.
    pub fn service_mut(&mut self, key: &ServiceKey) -> Option<&mut TableService> {
        self.services.iter_mut().find(|entry| entry.service.key() == *key)
    }

    /// Puts a service last, or in the place of the one with its key, which is returned. Looks
    /// through all services: many that are known to differ are [pushed](Vec::push) to
    /// [`services`](Self::services).
    pub fn insert(&mut self, service: impl Into<TableService>) -> Option<TableService> {
        let service = service.into();
        match self.service_mut(&service.service.key()) {
            Some(present) => Some(std::mem::replace(present, service)),
            None => {
                self.services.push(service);
                None
            }
        }
    }

    /// Takes a service out.
    pub fn remove(&mut self, key: &ServiceKey) -> Option<TableService> {
        let at = self.services.iter().position(|entry| entry.service.key() == *key)?;
        Some(self.services.remove(at))
    }
}

impl FromIterator<TableService> for Table {
    fn from_iter<I: IntoIterator<Item = TableService>>(services: I) -> Self {
        Self { services: services.into_iter().collect(), ..Self::new() }
    }
}

impl Extend<TableService> for Table {
    /// Adds services at the end; none of their keys may be there already, see [`Table::insert`].
    fn extend<I: IntoIterator<Item = TableService>>(&mut self, services: I) {
        self.services.extend(services);
    }
}

/// Over its services.
impl IntoIterator for Table {
    type Item = TableService;
    type IntoIter = std::vec::IntoIter<TableService>;

    fn into_iter(self) -> Self::IntoIter {
        self.services.into_iter()
    }
}

/// Over its services.
impl<'a> IntoIterator for &'a Table {
    type Item = &'a TableService;
    type IntoIter = std::slice::Iter<'a, TableService>;

    fn into_iter(self) -> Self::IntoIter {
        self.services.iter()
    }
}

impl From<&Snapshot> for Table {
    fn from(snapshot: &Snapshot) -> Self {
        snapshot.to_table()
    }
}

/// Addition, field by field, for both kinds of figures; a sum that is too large stays at the
/// largest number.
macro_rules! sums {
    ($($name:ident)*) => { $(
        impl Add for $name {
            type Output = Self;
            /// Field by field; a sum that is too large stays at the largest number.
            fn add(self, other: Self) -> Self {
                self.each(other, u64::saturating_add)
            }
        }

        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                *self = *self + other;
            }
        }

        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
                all.fold(Self::default(), Self::add)
            }
        }

        impl<'a> Sum<&'a Self> for $name {
            fn sum<I: Iterator<Item = &'a Self>>(all: I) -> Self {
                all.copied().sum()
            }
        }

        impl $name {
            pub(crate) fn each(self, other: Self, with: impl Fn(u64, u64) -> u64) -> Self {
                Self {
                    connections: with(self.connections, other.connections),
                    packets_in: with(self.packets_in, other.packets_in),
                    packets_out: with(self.packets_out, other.packets_out),
                    bytes_in: with(self.bytes_in, other.bytes_in),
                    bytes_out: with(self.bytes_out, other.bytes_out),
                }
            }
        }
    )* };
}

sums!(Counters Rates);

impl Sub for Counters {
    type Output = Self;
    /// What was counted since an earlier look, field by field; 0 where counters have been reset
    /// since, which [`watch`](crate::watch) tells apart.
    fn sub(self, earlier: Self) -> Self {
        self.each(earlier, u64::saturating_sub)
    }
}

impl SubAssign for Counters {
    fn sub_assign(&mut self, earlier: Self) {
        *self = *self - earlier;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_put_in_the_place_of_the_one_with_its_key() {
        let key = ServiceKey::tcp("192.0.2.1", 80).unwrap();
        let server: SocketAddr = "198.51.100.7:80".parse().unwrap();
        let mut table = Table::new();
        assert_eq!(table.insert(Service::new(key)), None);
        let changed = TableService::from(Service::new(key)).with_destination(server).with_destination(server);
        assert_eq!(table.insert(changed.clone()), Some(TableService::new(key.into())));
        assert_eq!(table.services, [changed]);
        table.service_mut(&key).unwrap().destination_mut(&server.into()).unwrap().weight = 0;
        assert_eq!(table.service(&key).unwrap().destination(&server.into()).unwrap().weight, 0);
        assert_eq!(table.remove(&key).unwrap().destinations.len(), 1);
        assert_eq!(table.remove(&key), None);
    }

    #[test]
    fn a_part_of_a_second_counts_as_a_whole_one() {
        for (time, seconds) in [(0, 0), (1, 1), (1000, 1), (1001, 2), (u64::MAX, u32::MAX)] {
            assert_eq!(Duration::from_millis(time).into_seconds(), seconds);
        }
    }

    #[test]
    fn sums_stay_within_their_range() {
        let most = Counters { connections: u64::MAX, packets_in: 3, ..Counters::default() };
        let sum: Counters = [most, most].iter().sum();
        assert_eq!((sum.connections, sum.packets_in), (u64::MAX, 6));
        assert_eq!(Counters::default() - most, Counters::default());
    }
}
