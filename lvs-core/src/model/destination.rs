use std::net::IpAddr;

use super::named::{Named, text_by_name};
use super::{AddressFamily, Stats, TunnelFlags};

/// What identifies a destination inside its service: address and port.
///
/// One address with two ports is two destinations. The key cannot be edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
// Exhaustive: this is the kernel's key (ip_vs_ctl.c).
pub struct DestinationKey {
    /// The real server's address (RIP).
    pub addr: IpAddr,
    /// The real server's port; 0 keeps the port that the client asked for.
    pub port: u16,
}

impl DestinationKey {
    /// The key of an address and port.
    pub const fn new(addr: IpAddr, port: u16) -> Self {
        Self { addr, port }
    }

    /// The address family of the real server.
    pub const fn family(&self) -> AddressFamily {
        AddressFamily::of(self.addr)
    }
}

/// How packets reach a destination (`IP_VS_CONN_F_*`, three bits).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[non_exhaustive]
pub enum ForwardingMethod {
    /// LVS-NAT: the destination address and port are rewritten, replies pass the director.
    Masquerade,
    /// The director itself. The kernel finds local addresses by route and never reports this by
    /// itself.
    Local,
    /// LVS-TUN: packets travel inside a tunnel, see [`Tunnel`].
    Tunnel,
    /// LVS-DR: packets go to the real server on the same link, unchanged. The default of `ipvsadm`.
    #[default]
    Direct,
    /// The kernel's internal method for `cache_bypass`.
    Bypass,
    /// 5, 6 or 7: no meaning, but the kernel stores them.
    Other(u8),
}

impl ForwardingMethod {
    /// The kernel's number, 0..=7.
    pub const fn number(self) -> u8 {
        match self {
            Self::Masquerade => 0,
            Self::Local => 1,
            Self::Tunnel => 2,
            Self::Direct => 3,
            Self::Bypass => 4,
            Self::Other(number) => number & 7,
        }
    }

    /// The method with that number; only the low three bits count, as in the kernel.
    pub const fn from_number(number: u32) -> Self {
        match number & 7 {
            0 => Self::Masquerade,
            1 => Self::Local,
            2 => Self::Tunnel,
            3 => Self::Direct,
            4 => Self::Bypass,
            other => Self::Other(other as u8),
        }
    }

    /// What `ipvsadm -L` prints: `Masq`, `Local`, `Tunnel`, `Route`; `Masq` for every undefined
    /// value, as in `/proc/net/ip_vs`.
    pub const fn listing_name(self) -> &'static str {
        match self {
            Self::Local => "Local",
            Self::Tunnel => "Tunnel",
            Self::Direct => "Route",
            Self::Masquerade | Self::Bypass | Self::Other(_) => "Masq",
        }
    }
}

impl Named for ForwardingMethod {
    const WHAT: &'static str = "a forwarding method";
    const NAMES: &'static [(Self, &'static str)] = &[
        (Self::Masquerade, "masquerade"),
        (Self::Local, "local"),
        (Self::Tunnel, "tunnel"),
        (Self::Direct, "direct"),
        (Self::Bypass, "bypass"),
    ];
    const ALIASES: &'static [(&'static str, Self)] = &[
        ("masq", Self::Masquerade),
        ("masquerading", Self::Masquerade),
        ("nat", Self::Masquerade),
        ("localnode", Self::Local),
        ("local-node", Self::Local),
        ("tun", Self::Tunnel),
        ("tunneling", Self::Tunnel),
        ("tunnelling", Self::Tunnel),
        ("ipip", Self::Tunnel),
        ("dr", Self::Direct),
        ("droute", Self::Direct),
        ("route", Self::Direct),
        ("direct-route", Self::Direct),
        ("gatewaying", Self::Direct),
    ];
    const PREFIX: Option<&'static str> = Some("method-");

    fn from_unnamed(number: u32) -> Option<Self> {
        (number < 8).then(|| Self::from_number(number))
    }

    fn unnamed(self) -> u32 {
        self.number().into()
    }
}

text_by_name!(ForwardingMethod, TunnelKind);

/// The encapsulation of a tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[non_exhaustive]
pub enum TunnelKind {
    /// IP in IP.
    #[default]
    Ipip,
    /// Generic UDP encapsulation; needs a port.
    Gue,
    /// Generic routing encapsulation.
    Gre,
    /// A number that the kernel stores but no transmitter knows.
    Other(u8),
}

impl TunnelKind {
    /// The kernel's number.
    pub const fn number(self) -> u8 {
        match self {
            Self::Ipip => 0,
            Self::Gue => 1,
            Self::Gre => 2,
            Self::Other(number) => number,
        }
    }

    /// The kind with that number.
    pub const fn from_number(number: u8) -> Self {
        match number {
            0 => Self::Ipip,
            1 => Self::Gue,
            2 => Self::Gre,
            other => Self::Other(other),
        }
    }
}

impl Named for TunnelKind {
    const WHAT: &'static str = "a kind of tunnel";
    const NAMES: &'static [(Self, &'static str)] = &[(Self::Ipip, "ipip"), (Self::Gue, "gue"), (Self::Gre, "gre")];
    const PREFIX: Option<&'static str> = Some("tunnel-");

    fn from_unnamed(number: u32) -> Option<Self> {
        number.try_into().ok().map(Self::from_number)
    }

    fn unnamed(self) -> u32 {
        self.number().into()
    }
}

/// The tunnel of a destination. The kernel keeps it for every forwarding method and uses it for
/// [`ForwardingMethod::Tunnel`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
// Exhaustive: three attributes of the wire; a fourth would be a new field of `Destination`.
pub struct Tunnel {
    /// The encapsulation.
    pub kind: TunnelKind,
    /// The UDP port of GUE; 0 otherwise.
    pub port: u16,
    /// The checksum flags of GUE and GRE.
    pub flags: TunnelFlags,
}

impl Tunnel {
    /// IP in IP.
    pub const IPIP: Self = Self { kind: TunnelKind::Ipip, port: 0, flags: TunnelFlags::EMPTY };

    /// Generic UDP encapsulation to a port.
    pub const fn gue(port: u16, flags: TunnelFlags) -> Self {
        Self { kind: TunnelKind::Gue, port, flags }
    }

    /// Generic routing encapsulation.
    pub const fn gre(flags: TunnelFlags) -> Self {
        Self { kind: TunnelKind::Gre, port: 0, flags }
    }
}

/// A destination (real server) as you configure it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Destination {
    /// What identifies it.
    pub key: DestinationKey,
    /// How packets reach it.
    #[cfg_attr(feature = "serde", serde(default))]
    pub forwarding: ForwardingMethod,
    /// Its capacity against its neighbours'; 0 quiesces it: no new connections. The kernel refuses
    /// values above 2^31-1 with `ERANGE`.
    #[cfg_attr(feature = "serde", serde(default = "one"))]
    pub weight: u32,
    /// Connections at which it counts as overloaded; 0 for no limit.
    #[cfg_attr(feature = "serde", serde(default))]
    pub upper_threshold: u32,
    /// Connections below which it counts as usable again; 0 for three quarters of the upper
    /// threshold.
    #[cfg_attr(feature = "serde", serde(default))]
    pub lower_threshold: u32,
    /// The encapsulation, for [`ForwardingMethod::Tunnel`].
    #[cfg_attr(feature = "serde", serde(default))]
    pub tunnel: Tunnel,
}

#[cfg(feature = "serde")]
fn one() -> u32 {
    1
}

impl Destination {
    /// A destination with `ipvsadm`'s defaults: direct routing, weight 1, no thresholds.
    pub const fn new(addr: IpAddr, port: u16) -> Self {
        Self::with_key(DestinationKey::new(addr, port))
    }

    /// The same, of a key.
    pub const fn with_key(key: DestinationKey) -> Self {
        Self {
            key,
            forwarding: ForwardingMethod::Direct,
            weight: 1,
            upper_threshold: 0,
            lower_threshold: 0,
            tunnel: Tunnel::IPIP,
        }
    }

    /// With another forwarding method.
    #[must_use]
    pub const fn with_forwarding(mut self, forwarding: ForwardingMethod) -> Self {
        self.forwarding = forwarding;
        self
    }

    /// With another weight.
    #[must_use]
    pub const fn with_weight(mut self, weight: u32) -> Self {
        self.weight = weight;
        self
    }

    /// With thresholds: overloaded at `upper` connections, usable again below `lower`; 0 for none.
    #[must_use]
    pub const fn with_thresholds(mut self, upper: u32, lower: u32) -> Self {
        self.upper_threshold = upper;
        self.lower_threshold = lower;
        self
    }

    /// Reached through a tunnel.
    #[must_use]
    pub const fn with_tunnel(mut self, tunnel: Tunnel) -> Self {
        self.forwarding = ForwardingMethod::Tunnel;
        self.tunnel = tunnel;
        self
    }
}

/// A destination as a director reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct DestinationEntry {
    /// Its configuration.
    pub destination: Destination,
    /// Connections in an active state: established or on the way there.
    pub active: u32,
    /// All other connections; UDP ones always count here.
    pub inactive: u32,
    /// Persistence templates that point here.
    pub persistent: u32,
    /// The 32-bit statistics (bytes are 64 bits wide here, too).
    pub stats: Option<Stats>,
    /// The 64-bit statistics; absent from kernels before 4.1 and from the old socket options.
    pub stats64: Option<Stats>,
}

impl DestinationEntry {
    /// An entry without connections and statistics.
    pub const fn new(destination: Destination) -> Self {
        Self { destination, active: 0, inactive: 0, persistent: 0, stats: None, stats64: None }
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
    fn forwarding_methods_keep_their_numbers() {
        for number in 0..8 {
            assert_eq!(u32::from(ForwardingMethod::from_number(number).number()), number);
        }
        assert_eq!(ForwardingMethod::from_number(8 + 3), ForwardingMethod::Direct);
    }
}
