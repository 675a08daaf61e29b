use std::collections::{HashSet, TryReserveError};
use std::fmt;
use std::net::IpAddr;
use std::ops::RangeBounds;
use std::sync::Arc;

use crate::hash::Seedless;
use crate::model::{ModelError, Netmask, PrefixLength, ServiceKey, Table};

type Predicate = dyn Fn(&ServiceKey) -> bool + Send + Sync;

/// What a plan may touch. Everything else stays as it is.
///
/// Timeouts and sync daemons are the whole table's: only [`Scope::all`] owns them by itself, others
/// have to be told ([`Scope::with_timeouts`], [`Scope::with_daemons`]).
///
/// ```
/// use lvs_core::model::{AddressFamily, ServiceKey};
/// use lvs_core::plan::Scope;
///
/// let ours = Scope::network("192.0.2.0".parse()?, 24)?.or(Scope::marks(100..200));
/// assert!(ours.owns(&ServiceKey::tcp("192.0.2.9", 80)?));
/// assert!(ours.owns(&ServiceKey::fwmark(150, AddressFamily::Ipv6)?));
/// assert!(!ours.owns(&ServiceKey::tcp("203.0.113.1", 80)?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Scope {
    /// `None` owns all.
    services: Option<Arc<Predicate>>,
    timeouts: bool,
    daemons: bool,
}

impl Scope {
    /// The whole table.
    pub const fn all() -> Self {
        Self { services: None, timeouts: true, daemons: true }
    }

    /// No service, no timeouts, no daemons: to be combined by [`Scope::or`].
    pub fn none() -> Self {
        Self::matching(|_| false)
    }

    /// Whether there is no service that it does not own.
    pub(crate) const fn owns_all_services(&self) -> bool {
        self.services.is_none()
    }

    /// The services for which the predicate holds.
    pub fn matching(predicate: impl Fn(&ServiceKey) -> bool + Send + Sync + 'static) -> Self {
        Self { services: Some(Arc::new(predicate)), timeouts: false, daemons: false }
    }

    /// These services, there or not.
    pub fn services(keys: impl IntoIterator<Item = ServiceKey>) -> Self {
        let keys: HashSet<ServiceKey, Seedless> = keys.into_iter().collect();
        Self::matching(move |key| keys.contains(key))
    }

    /// The timeouts, too.
    #[must_use]
    pub const fn with_timeouts(mut self) -> Self {
        self.timeouts = true;
        self
    }

    /// The sync daemons, too.
    #[must_use]
    pub const fn with_daemons(mut self) -> Self {
        self.daemons = true;
        self
    }

    /// Firewall-mark services, of either family, with marks in a range.
    pub fn marks(range: impl RangeBounds<u32> + Send + Sync + 'static) -> Self {
        Self::matching(move |key| matches!(key, ServiceKey::Fwmark { mark, .. } if range.contains(&mark.get())))
    }

    /// Services with ports in a range; firewall-mark services have none.
    pub fn ports(range: impl RangeBounds<u16> + Send + Sync + 'static) -> Self {
        Self::matching(move |key| matches!(key, ServiceKey::Endpoint { port, .. } if range.contains(port)))
    }

    /// Services whose virtual address lies in a network. Prefix length 0 is the whole family. Bits
    /// of the address behind the prefix do not count: `192.0.2.77` with 24 is `192.0.2.0/24`.
    ///
    /// # Errors
    /// [`ModelError::PrefixLength`] when the length is longer than the address.
    pub fn network(network: IpAddr, prefix: u8) -> Result<Self, ModelError> {
        let bits = if network.is_ipv4() { 32 } else { 128 };
        if prefix > bits {
            return Err(ModelError::PrefixLength { length: prefix.into(), family: network.into() });
        }
        let mask = match (network, prefix) {
            (_, 0) => None,
            (IpAddr::V4(_), length) => Some(Netmask::V4((u32::MAX << (32 - u32::from(length))).into())),
            (IpAddr::V6(_), length) => Some(Netmask::V6(PrefixLength::new(length.into())?)),
        };
        let of = move |addr| {
            mask.map_or(if network.is_ipv4() { [0, 0, 0, 0].into() } else { [0u16; 8].into() }, |m| m.apply(addr))
        };
        Ok(Self::matching(move |key| {
            matches!(key, ServiceKey::Endpoint { addr, .. }
                if addr.is_ipv4() == network.is_ipv4() && of(*addr) == of(network))
        }))
    }

    /// What either scope owns.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let services = match (self.services, other.services) {
            (Some(a), Some(b)) => Some(Arc::new(move |key: &ServiceKey| a(key) || b(key)) as Arc<Predicate>),
            _ => None,
        };
        Self { services, timeouts: self.timeouts || other.timeouts, daemons: self.daemons || other.daemons }
    }

    /// What both scopes own.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let services = match (self.services, other.services) {
            (Some(a), Some(b)) => Some(Arc::new(move |key: &ServiceKey| a(key) && b(key)) as Arc<Predicate>),
            (a, b) => a.or(b),
        };
        Self { services, timeouts: self.timeouts && other.timeouts, daemons: self.daemons && other.daemons }
    }

    /// What this scope does not own.
    #[must_use]
    pub fn inverted(self) -> Self {
        let services: Arc<Predicate> = match self.services {
            Some(services) => Arc::new(move |key: &ServiceKey| !services(key)),
            None => Arc::new(|_: &ServiceKey| false),
        };
        Self { services: Some(services), timeouts: !self.timeouts, daemons: !self.daemons }
    }

    /// Whether a service is in the scope.
    pub fn owns(&self, key: &ServiceKey) -> bool {
        self.services.as_ref().is_none_or(|services| services(key))
    }

    /// Whether the timeouts are in the scope.
    pub const fn owns_timeouts(&self) -> bool {
        self.timeouts
    }

    /// Whether the sync daemons are in the scope.
    pub const fn owns_daemons(&self) -> bool {
        self.daemons
    }
}

impl Table {
    /// What of the table is in a scope: what a plan within that scope may want.
    #[must_use]
    ///
    /// # Panics
    /// As every collection does when there is no memory; [`Table::try_restricted_to`] says so
    /// instead.
    pub fn restricted_to(&self, scope: &Scope) -> Self {
        self.try_restricted_to(scope).expect("memory for a table")
    }

    /// The same with an error if there is not enough memory.
    ///
    /// # Errors
    /// [`TryReserveError`], as the standard library gives it.
    pub fn try_restricted_to(&self, scope: &Scope) -> Result<Self, TryReserveError> {
        let mut table = self.try_filtered(|key| scope.owns(key))?;
        table.timeouts = self.timeouts.filter(|_| scope.owns_timeouts());
        if !scope.owns_daemons() {
            table.daemons.clear();
        }
        Ok(table)
    }
}

impl Default for Scope {
    fn default() -> Self {
        Self::all()
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { services: _, timeouts, daemons } = self;
        f.debug_struct("Scope").field("timeouts", timeouts).field("daemons", daemons).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::AddressFamily;

    #[test]
    fn a_prefix_of_zero_is_the_family_and_not_the_other() {
        let v4 = Scope::network("0.0.0.0".parse().unwrap(), 0).unwrap();
        assert!(v4.owns(&ServiceKey::tcp("203.0.113.1", 80).unwrap()));
        assert!(!v4.owns(&ServiceKey::tcp("2001:db8::1", 80).unwrap()));
        assert!(!v4.owns(&ServiceKey::fwmark(1, AddressFamily::Ipv4).unwrap()));
        let too_long = Scope::network("192.0.2.0".parse().unwrap(), 33).unwrap_err();
        assert_eq!(too_long.to_string(), "prefix length 33 is not from 0 to 32 of ipv4");
        let with_host_bits = Scope::network("192.0.2.77".parse().unwrap(), 24).unwrap();
        assert!(with_host_bits.owns(&ServiceKey::tcp("192.0.2.1", 80).unwrap()));
    }

    #[test]
    fn scopes_combine() {
        let web = Scope::ports(80..=443).and(Scope::network("2001:db8::".parse().unwrap(), 32).unwrap()).inverted();
        assert!(!web.owns(&ServiceKey::tcp("2001:db8::1", 80).unwrap()));
        assert!(web.owns(&ServiceKey::tcp("2001:db8::1", 53).unwrap()));
        assert!(web.owns(&ServiceKey::tcp("192.0.2.1", 80).unwrap()));
    }
}
