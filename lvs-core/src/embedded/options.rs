use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use super::connections::Rounding;
use super::{EmbeddedDirector, Settings};
use crate::model::{AddressFamily, EngineName, InterfaceName, SchedulerName};
use crate::schedulers::{self, Profile, Random, SCHEDULERS};

/// A network interface that the director is to know: sync daemons run on one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
// Exhaustive: what a daemon asks of an interface.
pub struct Interface {
    /// Its name.
    pub name: InterfaceName,
    /// The longest packet, in bytes.
    pub mtu: u32,
}

/// In which order services are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ServiceOrder {
    /// In the order of their making, address services before firewall marks.
    #[default]
    Made,
    /// As a kernel lists them: in the order of a hash, whose random key is the
    /// [seed](EmbeddedOptions::seed) here. Before Linux 7.1 address services come first; since then
    /// both kinds are mixed, and the order changes whenever the table is resized.
    Hashed,
}

/// Numbers that somebody else draws.
#[derive(Clone)]
pub(super) struct Draws(Arc<Mutex<dyn FnMut(u32) -> u32 + Send>>);

impl Random for Draws {
    fn below(&mut self, bound: u32) -> u32 {
        let mut below = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (*below)(bound)
    }
}

impl fmt::Debug for Draws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draws").finish_non_exhaustive()
    }
}

/// The kernel that an [`EmbeddedDirector`] follows, and the machine around it.
///
/// ```
/// use lvs_core::embedded::EmbeddedDirector;
/// use lvs_core::schedulers::Profile;
///
/// let director = EmbeddedDirector::options().profile(Profile::Old).seed(7).build();
/// # drop(director);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EmbeddedOptions {
    pub(super) profile: Profile,
    pub(super) connection_table_size: u32,
    pub(super) schedulers: Vec<SchedulerName>,
    pub(super) engines: Vec<EngineName>,
    pub(super) interfaces: Vec<Interface>,
    pub(super) local: Vec<(IpAddr, u8)>,
    pub(super) ipv6: bool,
    pub(super) settings: Settings,
    pub(super) scheduling: schedulers::SchedulerOptions,
    pub(super) rounding: Rounding,
    pub(super) ftp_helper: bool,
    pub(super) draws: Option<Draws>,
    pub(super) service_order: ServiceOrder,
    pub(super) seed: u64,
    pub(super) hz: u64,
}

/// A current kernel with all schedulers, IPv6, the interfaces `lo` and `eth0`, and no address but
/// the loopback ones.
impl Default for EmbeddedOptions {
    fn default() -> Self {
        let interface = |name, mtu| Interface { name: InterfaceName::new(name).expect("the name is short"), mtu };
        Self {
            profile: Profile::New,
            connection_table_size: 4096,
            schedulers: SCHEDULERS
                .iter()
                .map(|info| SchedulerName::new(info.name).expect("the kernel's names fit the kernel's field"))
                .collect(),
            engines: vec![EngineName::new("sip").expect("the name is short")],
            interfaces: vec![interface("lo", 65536), interface("eth0", 1500)],
            local: vec![(IpAddr::V4(Ipv4Addr::LOCALHOST), 8), (IpAddr::V6(Ipv6Addr::LOCALHOST), 128)],
            ipv6: true,
            settings: Settings::default(),
            scheduling: schedulers::SchedulerOptions::default(),
            rounding: Rounding::Exact,
            ftp_helper: false,
            draws: None,
            service_order: ServiceOrder::Made,
            seed: 0,
            hz: 250,
        }
    }
}

impl EmbeddedOptions {
    /// Which behaviour of the kernel to follow.
    #[must_use]
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// The seed of everything that is random in a kernel: twos' draws, the hash of the connection
    /// table, what `drop_entry` looks at.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self.scheduling = self.scheduling.with_seed(seed);
        self
    }

    /// Where twos draws its numbers, if not from a generator with the [seed](Self::seed). Called
    /// with a bound, it gives a number below that; all services draw from it. So it can follow a
    /// kernel whose choices were observed: twos takes the destination that is drawn twice.
    #[must_use]
    pub fn draws(mut self, below: impl FnMut(u32) -> u32 + Send + 'static) -> Self {
        self.draws = Some(Draws(Arc::new(Mutex::new(below))));
        self
    }

    /// The number of buckets of the kernel's connection table, which is reported and decides how
    /// much `drop_entry` looks at. Since Linux 7.1 it is the most that a table grows to. The
    /// director's own table grows as it must.
    #[must_use]
    pub fn connection_table_size(mut self, buckets: u32) -> Self {
        self.connection_table_size = buckets;
        self
    }

    /// In which order services are listed. A program that is to work with a kernel should work with
    /// [`ServiceOrder::Hashed`], too.
    #[must_use]
    pub fn service_order(mut self, order: ServiceOrder) -> Self {
        self.service_order = order;
        self
    }

    /// The schedulers that the kernel has or can load. Names that this crate does not implement are
    /// ignored.
    #[must_use]
    pub fn schedulers(mut self, names: impl IntoIterator<Item = SchedulerName>) -> Self {
        self.schedulers = names.into_iter().collect();
        self
    }

    /// The persistence engines that the kernel has or can load.
    #[must_use]
    pub fn engines(mut self, names: impl IntoIterator<Item = EngineName>) -> Self {
        self.engines = names.into_iter().collect();
        self
    }

    /// Whether the kernel has loaded `ip_vs_ftp`. Of what that does, only this is modelled:
    /// masqueraded connections to port 21 [stay tracked](Settings::conntrack). It opens no data
    /// connections here.
    #[must_use]
    pub fn ftp_helper(mut self, loaded: bool) -> Self {
        self.ftp_helper = loaded;
        self
    }

    /// The network interfaces.
    #[must_use]
    pub fn interfaces(mut self, interfaces: impl IntoIterator<Item = Interface>) -> Self {
        self.interfaces = interfaces.into_iter().collect();
        self
    }

    /// One more address of the machine, with the prefix length of its network. The loopback ones
    /// are there already.
    ///
    /// A local address may be a destination whatever its kind; the broadcast address of its network
    /// may not.
    #[must_use]
    pub fn local_address(mut self, addr: IpAddr, prefix_length: u8) -> Self {
        self.local.push((addr, prefix_length));
        self
    }

    /// Whether the kernel has IPv6.
    #[must_use]
    pub fn ipv6(mut self, available: bool) -> Self {
        self.ipv6 = available;
        self
    }

    /// The sysctls to begin with.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// How often the kernel's clock ticks, in a second (`CONFIG_HZ`): 100, 250 (the default, and
    /// Debian's), 300 or 1000. It decides how long a timeout can be, and is the grain of all
    /// timers.
    #[must_use]
    pub fn ticks_per_second(mut self, hz: u16) -> Self {
        self.hz = u64::from(hz.clamp(1, 1000));
        self
    }

    /// Lets connections expire as late as the kernel's timer wheel does, which began to turn so
    /// many ticks before the director's clock: up to an eighth later than their timeout, the longer
    /// the coarser (`kernel/time/timer.c`). Without this they expire to the tick.
    #[must_use]
    pub fn kernel_timers(mut self, ticks_since_boot: u64) -> Self {
        self.rounding = Rounding::Kernel(ticks_since_boot);
        self
    }

    /// Table sizes and expirations of the schedulers; the service's flags come from the services.
    #[must_use]
    pub fn scheduling(mut self, options: schedulers::SchedulerOptions) -> Self {
        self.scheduling = options;
        self
    }

    /// The director.
    pub fn build(self) -> EmbeddedDirector {
        EmbeddedDirector::with_options(self)
    }

    /// Whether an address is unicast and not the machine's own.
    pub(super) fn is_elsewhere(&self, addr: IpAddr) -> bool {
        !self.local.iter().any(|(local, _)| *local == addr) && self.takes_destination(addr)
    }

    pub(super) fn supports(&self, family: AddressFamily) -> bool {
        self.ipv6 || family == AddressFamily::Ipv4
    }

    /// Whether the kernel takes an address as that of a real server: its own, or unicast by the
    /// routing tables' rules (`ip_vs_new_dest()`, `inet_addr_type()`, `ipv6_addr_type()`).
    pub(super) fn takes_destination(&self, addr: IpAddr) -> bool {
        if self.local.iter().any(|(local, _)| *local == addr) {
            return true;
        }
        match addr {
            IpAddr::V4(addr) => {
                let broadcast = |(local, length): &(IpAddr, u8)| match local {
                    IpAddr::V4(local) if *length < 31 => {
                        addr.to_bits() == local.to_bits() | (u32::MAX.checked_shr(u32::from(*length)).unwrap_or(0))
                    }
                    _ => false,
                };
                !(addr.is_unspecified()
                    || addr.is_broadcast()
                    || addr.is_multicast()
                    || self.local.iter().any(broadcast))
            }
            IpAddr::V6(addr) => {
                let mapped = addr.to_ipv4_mapped().is_some();
                !(addr.is_unspecified() || addr.is_multicast() || addr.is_unicast_link_local() || mapped)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_classed_as_the_routing_tables_do() {
        let options = EmbeddedOptions::default().local_address("192.0.2.9".parse().unwrap(), 24);
        for (addr, taken) in [
            ("192.0.2.9", true),
            ("192.0.2.255", false),
            ("192.0.2.0", true),
            ("0.0.0.0", false),
            ("0.0.0.1", true),
            ("127.0.0.1", true),
            ("127.255.255.255", false),
            ("224.0.0.1", false),
            ("240.0.0.1", true),
            ("255.255.255.255", false),
            ("198.51.100.7", true),
            ("::", false),
            ("::1", true),
            ("fe80::1", false),
            ("ff02::1", false),
            ("2001:db8::7", true),
        ] {
            assert_eq!(options.takes_destination(addr.parse().unwrap()), taken, "{addr}");
        }
    }
}
