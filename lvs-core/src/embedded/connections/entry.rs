use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::ops::BitOrAssign;

use super::super::ids::{DestinationId, EntryId};

/// No entry, in the links of the slab and the wheel.
pub(super) const NONE: u32 = u32::MAX;

/// An address of either family, or a firewall mark, in the same 16 bytes. The family is kept
/// elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Address(pub(super) [u64; 2]);

impl Address {
    #[inline]
    pub(crate) const fn of(addr: IpAddr) -> Self {
        match addr {
            IpAddr::V4(addr) => Self([0, addr.to_bits() as u64]),
            IpAddr::V6(addr) => {
                let bits = addr.to_bits();
                Self([(bits >> 64) as u64, bits as u64])
            }
        }
    }

    /// A firewall mark in place of a virtual address.
    pub(crate) const fn of_mark(mark: u32) -> Self {
        Self([0, mark as u64])
    }

    /// The firewall mark that is in place of a virtual address.
    pub(crate) const fn mark(self) -> u32 {
        self.0[1] as u32
    }

    pub(crate) fn addr(self, v6: bool) -> IpAddr {
        if v6 {
            IpAddr::V6(Ipv6Addr::from_bits(u128::from(self.0[0]) << 64 | u128::from(self.0[1])))
        } else {
            IpAddr::V4(Ipv4Addr::from_bits(self.0[1] as u32))
        }
    }
}

/// The client's side of an entry: what the table is hashed by, as the kernel's is
/// (`ip_vs_conn_hashkey()`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) addr: Address,
    pub(crate) port: u16,
    pub(crate) protocol: u8,
    pub(crate) v6: bool,
}

/// The virtual side of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) addr: Address,
    pub(crate) port: u16,
}

/// The kernel's flags of a connection (`IP_VS_CONN_F_*`), as far as they mean something here, and
/// the family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Flags(pub(crate) u16);

impl Flags {
    /// Of the forwarding method.
    pub(crate) const METHOD: u16 = 0x7;
    /// IPv6; a bit that the kernel uses for something else.
    pub(crate) const V6: Self = Self(0x0008);
    /// Occupied; a bit that the kernel uses for something else.
    pub(super) const LIVE: Self = Self(0x0010);
    /// Its packets stay in connection tracking (`IP_VS_CONN_F_NFCT`); a bit that the kernel uses
    /// for something else.
    pub(crate) const TRACKED: Self = Self(0x0020);
    /// The timer was set to go off at once; a bit that the kernel uses for something else.
    pub(super) const HURRIED: Self = Self(0x0040);
    /// Replies don't pass the director.
    pub(crate) const NO_OUTPUT: Self = Self(0x0080);
    /// Not in an active state.
    pub(crate) const INACTIVE: Self = Self(0x0100);
    /// A persistence template.
    pub(crate) const TEMPLATE: Self = Self(0x1000);
    /// For one datagram: not in the table.
    pub(crate) const ONE_PACKET: Self = Self(0x2000);

    #[inline]
    pub(crate) const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    #[inline]
    pub(crate) const fn clear(&mut self, other: Self) {
        self.0 &= !other.0;
    }
}

impl BitOrAssign for Flags {
    #[inline]
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// A connection or a template, but for its virtual address: what opening and expiring touch, in one
/// cache line.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(crate) struct Entry {
    pub(super) client: Address,
    /// Tick at which the timer runs out.
    pub(crate) expires: u64,
    /// Ticks for which the timer is armed.
    pub(crate) timeout: u32,
    /// The destination; none of a bypass.
    pub(crate) destination: Option<DestinationId>,
    /// The template that controls this entry.
    pub(crate) control: Option<EntryId>,
    /// Entries that this one controls.
    pub(crate) controlled: u32,
    /// Neighbours in the wheel; of vacant entries `next` is the next vacant one.
    pub(super) previous: u32,
    pub(super) next: u32,
    pub(super) client_port: u16,
    pub(crate) target_port: u16,
    pub(crate) destination_port: u16,
    pub(crate) flags: Flags,
    pub(crate) protocol: u8,
    pub(crate) state: u8,
    /// Packets from the client, as far as anybody counts: to [`MANY`](Self::MANY).
    pub(crate) packets: u8,
}

const _: () = assert!(size_of::<Entry>() == 64, "an entry takes a cache line");

impl Entry {
    pub(super) const VACANT: Self = Self {
        client: Address([0; 2]),
        expires: 0,
        timeout: 0,
        destination: None,
        control: None,
        controlled: 0,
        previous: NONE,
        next: NONE,
        client_port: 0,
        target_port: 0,
        destination_port: 0,
        flags: Flags(0),
        protocol: 0,
        state: 0,
        packets: 0,
    };
    /// More packets than `drop_entry` cares for.
    pub(crate) const MANY: u8 = 9;

    /// An entry in its first state.
    #[inline]
    pub(crate) const fn new(
        client: &Client,
        target_port: u16,
        destination: Option<DestinationId>,
        destination_port: u16,
        flags: Flags,
        timeout: u32,
    ) -> Self {
        let family = if client.v6 { Flags::V6.0 } else { 0 };
        Self {
            client: client.addr,
            timeout,
            destination,
            client_port: client.port,
            target_port,
            destination_port,
            flags: Flags(flags.0 | family | Flags::LIVE.0),
            protocol: client.protocol,
            ..Self::VACANT
        }
    }

    #[inline]
    pub(crate) const fn client(&self) -> Client {
        Client { addr: self.client, port: self.client_port, protocol: self.protocol, v6: self.is_v6() }
    }

    #[inline]
    pub(crate) const fn is_v6(&self) -> bool {
        self.flags.contains(Flags::V6)
    }

    /// One more packet from the client.
    #[inline]
    pub(crate) const fn count_packet(&mut self) {
        if self.packets < Self::MANY {
            self.packets += 1;
        }
    }

    /// The mark of a firewall-mark service's template, which is in place of its virtual address.
    pub(crate) const fn marked(&self, target: Address) -> Option<NonZeroU32> {
        if self.protocol == 0 { NonZeroU32::new(target.mark()) } else { None }
    }

    /// Whether it is of this client.
    #[inline]
    pub(super) fn is_of(&self, client: &Client) -> bool {
        self.client == client.addr
            && self.client_port == client.port
            && self.protocol == client.protocol
            && self.is_v6() == client.v6
    }
}
