//! Attributes as typed values that give the same bytes back: for tools that show or rewrite messages.
//!
//! A value becomes a typed variant only if writing that variant gives the attribute back bit for bit; everything else
//! (an unknown number, another length, a flag bit where none belongs) stays an `Other`. So reading followed by writing
//! is the identity for every attribute whose padding is zero.

use super::attr::{Attribute, Attributes, put, put_be16, put_bytes4, put_text, put_u8, put_u16, put_u32, put_u64};
use super::uapi::*;

/// A nest, and whether it is marked as one (`NLA_F_NESTED`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
// Exhaustive: a pair with names.
pub struct Nest<'a> {
    /// Whether the mark is set: libnl sets it in requests, the kernel does not in IPVS replies.
    pub marked: bool,
    /// The attributes inside.
    pub attributes: Attributes<'a>,
}

macro_rules! form {
    (type U8) => { u8 };
    (type U16) => { u16 };
    (type Be16) => { u16 };
    (type U32) => { u32 };
    (type U64) => { u64 };
    (type Bytes4) => { [u8; 4] };
    (type Bytes) => { &'a [u8] };
    (type Text) => { &'a str };
    (type Nest) => { Nest<'a> };
    (read U8, $a:ident) => { ($a.payload.len() == 1).then(|| $a.u8()).flatten() };
    (read U16, $a:ident) => { ($a.payload.len() == 2).then(|| $a.u16()).flatten() };
    (read Be16, $a:ident) => { ($a.payload.len() == 2).then(|| $a.be16()).flatten() };
    (read U32, $a:ident) => { ($a.payload.len() == 4).then(|| $a.u32()).flatten() };
    (read U64, $a:ident) => { ($a.payload.len() == 8).then(|| $a.u64()).flatten() };
    (read Bytes4, $a:ident) => { ($a.payload.len() == 4).then(|| $a.bytes4()).flatten() };
    (read Bytes, $a:ident) => { Some($a.payload) };
    (read Text, $a:ident) => { whole_text(&$a) };
    (read Nest, $a:ident) => { Some(Nest { marked: $a.kind & NLA_F_NESTED != 0, attributes: $a.nested() }) };
    (write U8, $buf:ident, $kind:expr, $v:ident) => { put_u8($buf, $kind, $v) };
    (write U16, $buf:ident, $kind:expr, $v:ident) => { put_u16($buf, $kind, $v) };
    (write Be16, $buf:ident, $kind:expr, $v:ident) => { put_be16($buf, $kind, $v) };
    (write U32, $buf:ident, $kind:expr, $v:ident) => { put_u32($buf, $kind, $v) };
    (write U64, $buf:ident, $kind:expr, $v:ident) => { put_u64($buf, $kind, $v) };
    (write Bytes4, $buf:ident, $kind:expr, $v:ident) => { put_bytes4($buf, $kind, $v) };
    (write Bytes, $buf:ident, $kind:expr, $v:ident) => { put($buf, $kind, $v) };
    (write Text, $buf:ident, $kind:expr, $v:ident) => { put_text($buf, $kind, $v) };
    (write Nest, $buf:ident, $kind:expr, $v:ident) => {
        put($buf, $kind | if $v.marked { NLA_F_NESTED } else { 0 }, $v.attributes.rest())
    };
    (mask Nest) => { NLA_F_NESTED };
    (mask $other:ident) => { 0 };
}

fn whole_text<'a>(attribute: &Attribute<'a>) -> Option<&'a str> {
    let text = attribute.text()?;
    (attribute.payload.len() == text.len() + 1).then_some(text)
}

macro_rules! attributes {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $number:ident: $form:ident,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs)] // Each variant is the kernel's attribute of that name.
        #[non_exhaustive]
        pub enum $name<'a> {
            $($variant(form!(type $form)),)*
            /// Anything else, as it stands.
            Other(Attribute<'a>),
        }

        impl<'a> $name<'a> {
            /// The typed form of an attribute.
            pub fn read(attribute: Attribute<'a>) -> Self {
                match attribute.number() {
                    $($number if attribute.kind & !form!(mask $form) == $number => {
                        form!(read $form, attribute).map_or(Self::Other(attribute), Self::$variant)
                    })*
                    _ => Self::Other(attribute),
                }
            }

            /// Appends the attribute.
            pub fn write(self, buf: &mut Vec<u8>) {
                match self {
                    $(Self::$variant(value) => form!(write $form, buf, $number, value),)*
                    Self::Other(attribute) => attribute.write(buf),
                }
            }
        }
    };
}

attributes! {
    /// An attribute of a message (`IPVS_CMD_ATTR_*`). Replies to `GetInfo` use [`InfoAttribute`] in its place.
    TopAttribute {
        Service = IPVS_CMD_ATTR_SERVICE: Nest,
        Destination = IPVS_CMD_ATTR_DEST: Nest,
        Daemon = IPVS_CMD_ATTR_DAEMON: Nest,
        TimeoutTcp = IPVS_CMD_ATTR_TIMEOUT_TCP: U32,
        TimeoutTcpFin = IPVS_CMD_ATTR_TIMEOUT_TCP_FIN: U32,
        TimeoutUdp = IPVS_CMD_ATTR_TIMEOUT_UDP: U32,
    }
}

attributes! {
    /// An attribute of a service (`IPVS_SVC_ATTR_*`). `Netmask` is a mask in network order for IPv4, a prefix length in
    /// host order for IPv6; `Flags` is two numbers in host order, flags and mask.
    ServiceAttribute {
        AddressFamily = IPVS_SVC_ATTR_AF: U16,
        Protocol = IPVS_SVC_ATTR_PROTOCOL: U16,
        Address = IPVS_SVC_ATTR_ADDR: Bytes,
        Port = IPVS_SVC_ATTR_PORT: Be16,
        Fwmark = IPVS_SVC_ATTR_FWMARK: U32,
        Scheduler = IPVS_SVC_ATTR_SCHED_NAME: Text,
        Flags = IPVS_SVC_ATTR_FLAGS: Bytes,
        Timeout = IPVS_SVC_ATTR_TIMEOUT: U32,
        Netmask = IPVS_SVC_ATTR_NETMASK: Bytes4,
        Stats = IPVS_SVC_ATTR_STATS: Nest,
        Engine = IPVS_SVC_ATTR_PE_NAME: Text,
        Stats64 = IPVS_SVC_ATTR_STATS64: Nest,
    }
}

attributes! {
    /// An attribute of a destination (`IPVS_DEST_ATTR_*`).
    DestinationAttribute {
        Address = IPVS_DEST_ATTR_ADDR: Bytes,
        Port = IPVS_DEST_ATTR_PORT: Be16,
        ForwardingMethod = IPVS_DEST_ATTR_FWD_METHOD: U32,
        Weight = IPVS_DEST_ATTR_WEIGHT: U32,
        UpperThreshold = IPVS_DEST_ATTR_U_THRESH: U32,
        LowerThreshold = IPVS_DEST_ATTR_L_THRESH: U32,
        Active = IPVS_DEST_ATTR_ACTIVE_CONNS: U32,
        Inactive = IPVS_DEST_ATTR_INACT_CONNS: U32,
        Persistent = IPVS_DEST_ATTR_PERSIST_CONNS: U32,
        Stats = IPVS_DEST_ATTR_STATS: Nest,
        AddressFamily = IPVS_DEST_ATTR_ADDR_FAMILY: U16,
        Stats64 = IPVS_DEST_ATTR_STATS64: Nest,
        TunnelType = IPVS_DEST_ATTR_TUN_TYPE: U8,
        TunnelPort = IPVS_DEST_ATTR_TUN_PORT: Be16,
        TunnelFlags = IPVS_DEST_ATTR_TUN_FLAGS: U16,
    }
}

attributes! {
    /// An attribute of a sync daemon (`IPVS_DAEMON_ATTR_*`). The port is the only one of IPVS in host order.
    DaemonAttribute {
        State = IPVS_DAEMON_ATTR_STATE: U32,
        Interface = IPVS_DAEMON_ATTR_MCAST_IFN: Text,
        SyncId = IPVS_DAEMON_ATTR_SYNC_ID: U32,
        MaxLen = IPVS_DAEMON_ATTR_SYNC_MAXLEN: U16,
        Group = IPVS_DAEMON_ATTR_MCAST_GROUP: Bytes4,
        Group6 = IPVS_DAEMON_ATTR_MCAST_GROUP6: Bytes,
        Port = IPVS_DAEMON_ATTR_MCAST_PORT: U16,
        Ttl = IPVS_DAEMON_ATTR_MCAST_TTL: U8,
    }
}

attributes! {
    /// An attribute of the 32-bit statistics (`IPVS_SVC_ATTR_STATS`): all but the bytes cut to 32 bits.
    StatsAttribute {
        Connections = IPVS_STATS_ATTR_CONNS: U32,
        PacketsIn = IPVS_STATS_ATTR_INPKTS: U32,
        PacketsOut = IPVS_STATS_ATTR_OUTPKTS: U32,
        BytesIn = IPVS_STATS_ATTR_INBYTES: U64,
        BytesOut = IPVS_STATS_ATTR_OUTBYTES: U64,
        ConnectionRate = IPVS_STATS_ATTR_CPS: U32,
        PacketRateIn = IPVS_STATS_ATTR_INPPS: U32,
        PacketRateOut = IPVS_STATS_ATTR_OUTPPS: U32,
        ByteRateIn = IPVS_STATS_ATTR_INBPS: U32,
        ByteRateOut = IPVS_STATS_ATTR_OUTBPS: U32,
        Pad = IPVS_STATS_ATTR_PAD: Bytes,
    }
}

attributes! {
    /// An attribute of the 64-bit statistics (`IPVS_SVC_ATTR_STATS64`).
    Stats64Attribute {
        Connections = IPVS_STATS_ATTR_CONNS: U64,
        PacketsIn = IPVS_STATS_ATTR_INPKTS: U64,
        PacketsOut = IPVS_STATS_ATTR_OUTPKTS: U64,
        BytesIn = IPVS_STATS_ATTR_INBYTES: U64,
        BytesOut = IPVS_STATS_ATTR_OUTBYTES: U64,
        ConnectionRate = IPVS_STATS_ATTR_CPS: U64,
        PacketRateIn = IPVS_STATS_ATTR_INPPS: U64,
        PacketRateOut = IPVS_STATS_ATTR_OUTPPS: U64,
        ByteRateIn = IPVS_STATS_ATTR_INBPS: U64,
        ByteRateOut = IPVS_STATS_ATTR_OUTBPS: U64,
        Pad = IPVS_STATS_ATTR_PAD: Bytes,
    }
}

attributes! {
    /// An attribute of the reply to `GetInfo` (`IPVS_INFO_ATTR_*`), which stands at the top of the message.
    InfoAttribute {
        Version = IPVS_INFO_ATTR_VERSION: U32,
        ConnectionTableSize = IPVS_INFO_ATTR_CONN_TAB_SIZE: U32,
    }
}
