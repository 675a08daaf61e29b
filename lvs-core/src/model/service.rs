use std::net::IpAddr;
use std::num::NonZeroU32;

use super::{
    AddressFamily, EngineName, IntoAddr, IntoSeconds, ModelError, Netmask, Protocol, SchedulerName, ServiceFlags, Stats,
};

/// What identifies a virtual service: an address and port of a protocol, or a firewall mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
// Exhaustive: the kernel has these two tables of services (ip_vs_ctl.c).
pub enum ServiceKey {
    /// Packets of a protocol to a virtual address and port.
    Endpoint {
        /// The transport protocol.
        protocol: Protocol,
        /// The virtual IP address (VIP).
        addr: IpAddr,
        /// The port; 0 stands for all ports of a persistent service.
        port: u16,
    },
    /// Packets that carry a firewall mark, of any scheduled protocol, address and port.
    Fwmark {
        /// The mark. IPv4 and IPv6 services of one mark are two services.
        mark: NonZeroU32,
        /// Which packets are meant.
        family: AddressFamily,
    },
}

impl ServiceKey {
    /// A service of any protocol at an address.
    pub const fn endpoint(protocol: Protocol, addr: IpAddr, port: u16) -> Self {
        Self::Endpoint { protocol, addr, port }
    }

    /// A TCP service, at an address or its text.
    ///
    /// # Errors
    /// [`ModelError::Address`] when a text is not an IP address.
    pub fn tcp(addr: impl IntoAddr, port: u16) -> Result<Self, ModelError> {
        Self::parse(Protocol::Tcp, addr, port)
    }

    /// A UDP service, at an address or its text.
    ///
    /// # Errors
    /// [`ModelError::Address`] when a text is not an IP address.
    pub fn udp(addr: impl IntoAddr, port: u16) -> Result<Self, ModelError> {
        Self::parse(Protocol::Udp, addr, port)
    }

    /// An SCTP service, at an address or its text.
    ///
    /// # Errors
    /// [`ModelError::Address`] when a text is not an IP address.
    pub fn sctp(addr: impl IntoAddr, port: u16) -> Result<Self, ModelError> {
        Self::parse(Protocol::Sctp, addr, port)
    }

    /// A service for packets with a firewall mark.
    ///
    /// # Errors
    /// [`ModelError::ZeroMark`]: to the kernel mark 0 is no mark.
    pub fn fwmark(mark: u32, family: AddressFamily) -> Result<Self, ModelError> {
        NonZeroU32::new(mark).map(|mark| Self::Fwmark { mark, family }).ok_or(ModelError::ZeroMark)
    }

    fn parse(protocol: Protocol, addr: impl IntoAddr, port: u16) -> Result<Self, ModelError> {
        Ok(Self::Endpoint { protocol, addr: addr.into_addr()?, port })
    }

    /// The address family of the service.
    pub const fn family(&self) -> AddressFamily {
        match *self {
            Self::Endpoint { addr, .. } => AddressFamily::of(addr),
            Self::Fwmark { family, .. } => family,
        }
    }

    /// The port, 0 for a firewall mark.
    pub const fn port(&self) -> u16 {
        match *self {
            Self::Endpoint { port, .. } => port,
            Self::Fwmark { .. } => 0,
        }
    }

    /// The protocol, none for a firewall mark.
    pub const fn protocol(&self) -> Option<Protocol> {
        match *self {
            Self::Endpoint { protocol, .. } => Some(protocol),
            Self::Fwmark { .. } => None,
        }
    }
}

/// A virtual service as you configure it.
///
/// The key and the netmask agree in family, which is why they are read through methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Service {
    key: ServiceKey,
    /// The scheduler, [`SchedulerName::NONE`] for none.
    pub scheduler: SchedulerName,
    /// The flags, persistence among them.
    pub flags: ServiceFlags,
    /// How long persistence lasts, in seconds; kept by the kernel for services that are not
    /// persistent, too. The kernel multiplies by its tick rate in 32 bits: at 250 Hz values above
    /// 17179869 wrap (`ip_vs_ctl.c`).
    pub timeout: u32,
    netmask: Netmask,
    /// The persistence engine, if any.
    pub engine: Option<EngineName>,
}

impl Service {
    /// Seconds of persistence where none are named, as `ipvsadm` has it.
    pub const DEFAULT_PERSISTENCE: u32 = 360;

    /// Most seconds that `ipvsadm` and cluster files take for a timeout: 31 days, well below those
    /// that wrap in the kernel.
    pub const MAX_TIMEOUT: u32 = 31 * 24 * 3600;

    /// A service with `ipvsadm`'s defaults: scheduler wlc, no flags, full netmask.
    pub const fn new(key: ServiceKey) -> Self {
        Self {
            scheduler: SchedulerName::WLC,
            flags: ServiceFlags::EMPTY,
            timeout: 0,
            netmask: Netmask::full(key.family()),
            engine: None,
            key,
        }
    }

    /// What identifies the service.
    pub const fn key(&self) -> ServiceKey {
        self.key
    }

    /// Which clients persistence counts as one.
    pub const fn netmask(&self) -> Netmask {
        self.netmask
    }

    /// With another scheduler.
    #[must_use]
    pub const fn with_scheduler(mut self, scheduler: SchedulerName) -> Self {
        self.scheduler = scheduler;
        self
    }

    /// With these flags instead.
    #[must_use]
    pub const fn with_flags(mut self, flags: ServiceFlags) -> Self {
        self.flags = flags;
        self
    }

    /// Persistent, for a number of seconds (or a [`Duration`](std::time::Duration)) after a client's
    /// last new connection.
    #[must_use]
    pub fn with_persistence(mut self, time: impl IntoSeconds) -> Self {
        self.flags = self.flags.with(ServiceFlags::PERSISTENT);
        self.timeout = time.into_seconds();
        self
    }

    /// With a netmask for persistence.
    ///
    /// # Errors
    /// [`ModelError::NetmaskFamily`] when it is of the other family.
    pub fn with_netmask(mut self, netmask: Netmask) -> Result<Self, ModelError> {
        if netmask.family() != self.key.family() {
            return Err(ModelError::NetmaskFamily);
        }
        self.netmask = netmask;
        Ok(self)
    }

    /// With a persistence engine.
    #[must_use]
    pub const fn with_engine(mut self, engine: EngineName) -> Self {
        self.engine = Some(engine);
        self
    }

    /// Scheduling each UDP datagram by itself.
    #[must_use]
    pub const fn with_one_packet(mut self) -> Self {
        self.flags = self.flags.with(ServiceFlags::ONE_PACKET);
        self
    }

    /// Seconds of persistence, if the service is persistent.
    pub const fn persistence(&self) -> Option<u32> {
        if self.is_persistent() { Some(self.timeout) } else { None }
    }

    /// Whether connections of a client stick to a destination.
    pub const fn is_persistent(&self) -> bool {
        self.flags.contains(ServiceFlags::PERSISTENT)
    }

    /// Whether each UDP datagram is scheduled by itself.
    pub const fn is_one_packet(&self) -> bool {
        self.flags.contains(ServiceFlags::ONE_PACKET)
    }
}

/// A virtual service as a director reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ServiceEntry {
    /// Its configuration.
    pub service: Service,
    /// The 32-bit statistics (bytes are 64 bits wide here, too).
    pub stats: Option<Stats>,
    /// The 64-bit statistics; absent from kernels before 4.1 and from the old socket options.
    pub stats64: Option<Stats>,
}

impl ServiceEntry {
    /// An entry without statistics.
    pub const fn new(service: Service) -> Self {
        Self { service, stats: None, stats64: None }
    }

    /// The widest statistics reported, all zero if there are none.
    pub fn statistics(&self) -> Stats {
        self.stats64.or(self.stats).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_netmask_of_the_other_family_is_refused() {
        let service = Service::new(ServiceKey::tcp("192.0.2.1", 80).unwrap());
        assert_eq!(service.with_netmask(Netmask::full(AddressFamily::Ipv6)), Err(ModelError::NetmaskFamily));
    }

    #[test]
    fn mark_zero_is_no_service() {
        assert_eq!(ServiceKey::fwmark(0, AddressFamily::Ipv4), Err(ModelError::ZeroMark));
    }
}
