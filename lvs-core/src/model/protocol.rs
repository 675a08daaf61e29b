use super::named::{Named, text_by_name};

/// The transport protocol of a virtual service or a connection.
///
/// IPVS schedules TCP, UDP and SCTP. The kernel accepts any other number over netlink and keeps the
/// service, which then never matches a packet (`ip_vs_ctl.c`), so such numbers survive in
/// [`Protocol::Other`]; build one with [`Protocol::from_number`], which gives the named variants
/// for 6, 17 and 132.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Protocol {
    /// TCP (6).
    Tcp,
    /// UDP (17).
    Udp,
    /// SCTP (132).
    Sctp,
    /// Any other number.
    Other(u16),
}

impl Protocol {
    /// The IANA protocol number.
    pub const fn number(self) -> u16 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
            Self::Sctp => 132,
            Self::Other(number) => number,
        }
    }

    /// The protocol with that number.
    pub const fn from_number(number: u16) -> Self {
        match number {
            6 => Self::Tcp,
            17 => Self::Udp,
            132 => Self::Sctp,
            other => Self::Other(other),
        }
    }
}

impl Named for Protocol {
    const WHAT: &'static str = "a protocol";
    const NAMES: &'static [(Self, &'static str)] = &[(Self::Tcp, "tcp"), (Self::Udp, "udp"), (Self::Sctp, "sctp")];
    const PREFIX: Option<&'static str> = Some("protocol-");

    fn from_unnamed(number: u32) -> Option<Self> {
        number.try_into().ok().map(Self::from_number)
    }

    fn unnamed(self) -> u32 {
        self.number().into()
    }
}

text_by_name!(Protocol);
