//! Packets and flows on the embedded director.

use std::fmt::Write as _;
use std::net::SocketAddr;

use lvs_core::embedded::{
    DropReason, Flow, FlowProtocol, ForwardReason, Packet, PassReason, Payload, RejectReason, SctpChunk, TcpFlags,
    Verdict,
};

use crate::address::lvs_address;
use crate::boundary::call;
use crate::destination::lvs_destination_key;
use crate::director::{locked, lvs_director};
use crate::error::{Failure, lvs_error};
use crate::exports::init;
use crate::record::{self, record, zeroed};
use crate::service::LVS_PROTOCOL_TCP;
use crate::status::lvs_status;
use crate::text::lvs_text;

/// TCP flag: the sender has finished.
pub const LVS_TCP_FIN: u32 = 0x01;
/// TCP flag: the sender opens.
pub const LVS_TCP_SYN: u32 = 0x02;
/// TCP flag: reset.
pub const LVS_TCP_RST: u32 = 0x04;
/// TCP flag: acknowledgement.
pub const LVS_TCP_ACK: u32 = 0x10;

/// The chunk of an SCTP packet that decides.
#[repr(u32)]
pub enum lvs_sctp_chunk {
    /// DATA, SACK, HEARTBEAT and every other that is not named here.
    Data = 0,
    /// INIT.
    Init = 1,
    /// INIT-ACK.
    InitAck = 2,
    /// COOKIE-ECHO.
    CookieEcho = 3,
    /// COOKIE-ACK.
    CookieAck = 4,
    /// SHUTDOWN.
    Shutdown = 5,
    /// SHUTDOWN-ACK.
    ShutdownAck = 6,
    /// SHUTDOWN-COMPLETE.
    ShutdownComplete = 7,
    /// ERROR.
    Error = 8,
    /// ABORT.
    Abort = 9,
}

/// A packet, described by what decides about it. Initialise it with LVS_PACKET_INIT: a TCP segment
/// from a client without flags.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_packet {
    /// The size of this record as the program was compiled.
    pub struct_size: u32,
    /// Not 0: from a real server to a client, passing the director. 0: from a client to a virtual
    /// service.
    pub from_server: u32,
    /// Its source: the client, or the real server.
    pub source: lvs_address,
    /// Its destination: the virtual service, or the client.
    pub destination: lvs_address,
    /// The port of the source in host order.
    pub source_port: u16,
    /// The port of the destination in host order.
    pub destination_port: u16,
    /// LVS_PROTOCOL_..., or any other number up to 255.
    pub protocol: u32,
    /// TCP: LVS_TCP_... bits. SCTP: enum lvs_sctp_chunk. Else 0.
    pub flags: u32,
    /// Its firewall mark, 0 for none.
    pub fwmark: u32,
    /// Its length in bytes, IP header included; 0 for the smallest that its headers allow. It only
    /// counts.
    pub length: u32,
    /// Not 0: an ICMP error about a packet of the other side of this conversation, which carried
    /// `protocol`. Addresses and ports are those of the conversation, as a packet that goes the
    /// error's way has them.
    pub icmp_error: u32,
    /// Whether it belongs to a connection that netfilter tracks and has confirmed: enum
    /// lvs_tracked.
    pub tracked: u32,
}

/// What is known of netfilter's tracking of a packet.
#[repr(u32)]
pub enum lvs_tracked {
    /// Nothing: the director judges by what it knows.
    Unknown = 0,
    /// It belongs to a confirmed connection.
    Yes = 1,
    /// It belongs to none.
    No = 2,
}

/// A client's conversation with a virtual service. Initialise it with LVS_FLOW_INIT: TCP.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_flow {
    /// The size of this record as the program was compiled.
    pub struct_size: u32,
    /// LVS_PROTOCOL_TCP, _UDP or _SCTP.
    pub protocol: u32,
    /// The client.
    pub client: lvs_address,
    /// What the client asks for.
    pub service: lvs_address,
    /// The client's port in host order.
    pub client_port: u16,
    /// The port that the client asks for, in host order.
    pub service_port: u16,
    /// The firewall mark of the client's packets, 0 for none.
    pub fwmark: u32,
}

/// What the director does with a packet.
#[repr(u32)]
pub enum lvs_verdict_kind {
    /// It goes to a destination, or as that one's reply to the client.
    Forwarded = 0,
    /// It goes where it was addressed to, past the real servers.
    Bypassed = 1,
    /// The client is rejected with ICMP port unreachable.
    Rejected = 2,
    /// It passes on to the rest of the system, as if there were no director.
    Passed = 3,
    /// It is dropped.
    Dropped = 4,
}

/// Why the director does that with a packet. A later release may add some.
#[repr(u32)]
pub enum lvs_why {
    /// It says no more.
    None = 0,
    /// Forwarded: its connection is in the table.
    Connection = 1,
    /// Forwarded: it opens a connection, and a persistence template says where to.
    Template = 2,
    /// Forwarded: it opens a connection, and the scheduler chose.
    Scheduled = 3,
    /// Forwarded: it is a real server's answer.
    Reply = 4,
    /// Rejected: no destination, or all quiesced or overloaded.
    NoDestination = 5,
    /// Rejected: the service has no scheduler.
    NoScheduler = 6,
    /// Rejected: the service has port 0 and is not persistent.
    PortZero = 7,
    /// Passed: its protocol is none that is scheduled.
    Protocol = 8,
    /// Passed: no service matches it.
    NoService = 9,
    /// Passed: it has no connection and may not open one.
    NotOpening = 10,
    /// Passed: its source port is 20.
    FtpDataPort = 11,
    /// Passed: a port that an FTP service does not handle.
    OtherPort = 12,
    /// Passed: a backup sync daemon runs, and backup_only is set.
    BackupOnly = 13,
    /// Passed: a reply without a connection, or of one that is not masqueraded.
    NoReply = 14,
    /// Dropped: the destination of its connection was removed.
    DestinationRemoved = 15,
    /// Dropped: drop_packet.
    Defence = 16,
    /// Dropped: its former connection, which is to end, is still tracked.
    Tracked = 17,
    /// Passed: no service of its address family exists.
    NoHook = 18,
    /// Dropped: the connection table has as many entries as conn_max allows.
    ConnectionLimit = 19,
}

/// What the director does with a packet, and why. Initialise it with LVS_VERDICT_INIT.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_verdict {
    /// The size of this record as the program was compiled.
    pub struct_size: u32,
    /// What it does: enum lvs_verdict_kind.
    pub kind: u32,
    /// Why: enum lvs_why.
    pub why: u32,
    /// Forwarded: how it gets there, enum lvs_forwarding; else 0.
    pub forwarding: u32,
    /// Forwarded: the destination, of a reply the one that sent it; else without a family.
    pub destination: lvs_destination_key,
    /// Forwarded: the port that the real server sees under masquerading, in host order.
    pub port: u16,
    /// Reserved: always 0.
    pub reserved: u16,
}

record! {
    lvs_packet: 76;
    lvs_flow: 56;
    lvs_verdict: 44;
}

init!(lvs_packet_init, packet: lvs_packet, lvs_packet { protocol: LVS_PROTOCOL_TCP.into(), ..zeroed() });

init!(lvs_flow_init, flow: lvs_flow, lvs_flow { protocol: LVS_PROTOCOL_TCP.into(), ..zeroed() });

init!(lvs_verdict_init, verdict: lvs_verdict, zeroed());

fn ends(from: lvs_address, from_port: u16, to: lvs_address, to_port: u16) -> Result<(SocketAddr, SocketAddr), Failure> {
    let (from, to) = (from.to_addr("the source")?, to.to_addr("the destination")?);
    if from.is_ipv4() != to.is_ipv4() {
        return Err(Failure::invalid("a packet from one address family to the other"));
    }
    Ok((SocketAddr::new(from, from_port), SocketAddr::new(to, to_port)))
}

impl lvs_packet {
    fn to_packet(self) -> Result<Packet, Failure> {
        let (source, destination) = ends(self.source, self.source_port, self.destination, self.destination_port)?;
        let none = |what: &str| match self.flags {
            0 => Ok(()),
            flags => Err(Failure::invalid(format!("{what} has no flags, not {flags:#x}"))),
        };
        let payload = match self.protocol {
            about if self.icmp_error != 0 => {
                none("an ICMP error")?;
                let number = u8::try_from(about);
                Payload::IcmpError(number.map_err(|_| Failure::invalid(format!("no protocol has the number {about}")))?)
            }
            6 => Payload::Tcp(TcpFlags(
                u8::try_from(self.flags).map_err(|_| Failure::invalid(format!("no TCP flags: {:#x}", self.flags)))?,
            )),
            17 => none("UDP").map(|()| Payload::Udp)?,
            132 => {
                let chunk = usize::try_from(self.flags).ok().and_then(|number| SctpChunk::ALL.get(number));
                Payload::Sctp(*chunk.ok_or_else(|| Failure::invalid(format!("unknown SCTP chunk {}", self.flags)))?)
            }
            other => {
                none("this protocol")?;
                let number = u8::try_from(other);
                Payload::Other(number.map_err(|_| Failure::invalid(format!("no protocol has the number {other}")))?)
            }
        };
        let mut packet = Packet::new(source, destination, payload).with_mark(self.fwmark);
        if self.length != 0 {
            packet = packet.with_length(self.length);
        }
        packet.tracked = match self.tracked {
            0 => None,
            1 => Some(true),
            2 => Some(false),
            other => return Err(Failure::invalid(format!("lvs_packet.tracked is 0, 1 or 2, not {other}"))),
        };
        Ok(if self.from_server == 0 { packet } else { packet.from_server() })
    }
}

impl lvs_flow {
    fn to_flow(self) -> Result<Flow, Failure> {
        let (client, service) = ends(self.client, self.client_port, self.service, self.service_port)?;
        let protocol = match self.protocol {
            6 => FlowProtocol::Tcp,
            17 => FlowProtocol::Udp,
            132 => FlowProtocol::Sctp,
            other => return Err(Failure::invalid(format!("protocol {other} is not scheduled"))),
        };
        Ok(Flow::new(protocol, client, service).with_mark(self.fwmark))
    }
}

impl From<Verdict> for lvs_verdict {
    fn from(verdict: Verdict) -> Self {
        use lvs_why as W;
        let (kind, why) = match verdict {
            Verdict::Forwarded(forwarding) => (
                lvs_verdict_kind::Forwarded,
                match forwarding.reason {
                    ForwardReason::Connection => W::Connection,
                    ForwardReason::Template => W::Template,
                    ForwardReason::Scheduled => W::Scheduled,
                    ForwardReason::Reply => W::Reply,
                    _ => W::None,
                },
            ),
            Verdict::Bypassed => (lvs_verdict_kind::Bypassed, W::None),
            Verdict::Rejected(reason) => (
                lvs_verdict_kind::Rejected,
                match reason {
                    RejectReason::NoDestination => W::NoDestination,
                    RejectReason::NoScheduler => W::NoScheduler,
                    RejectReason::PortZero => W::PortZero,
                    _ => W::None,
                },
            ),
            Verdict::Passed(reason) => (
                lvs_verdict_kind::Passed,
                match reason {
                    PassReason::NoHook => W::NoHook,
                    PassReason::Protocol => W::Protocol,
                    PassReason::NoService => W::NoService,
                    PassReason::NotOpening => W::NotOpening,
                    PassReason::FtpDataPort => W::FtpDataPort,
                    PassReason::OtherPort => W::OtherPort,
                    PassReason::BackupOnly => W::BackupOnly,
                    PassReason::NoReply => W::NoReply,
                    _ => W::None,
                },
            ),
            Verdict::Dropped(reason) => (
                lvs_verdict_kind::Dropped,
                match reason {
                    DropReason::DestinationRemoved => W::DestinationRemoved,
                    DropReason::ConnectionLimit => W::ConnectionLimit,
                    DropReason::Defence => W::Defence,
                    DropReason::Tracked => W::Tracked,
                    _ => W::None,
                },
            ),
        };
        let mut record = Self {
            struct_size: size_of::<Self>() as u32,
            kind: kind as u32,
            why: why as u32,
            forwarding: 0,
            destination: lvs_destination_key { addr: lvs_address::NONE, port: 0, reserved: 0 },
            port: 0,
            reserved: 0,
        };
        if let Verdict::Forwarded(forwarding) = verdict {
            record.forwarding = forwarding.method.number().into();
            record.destination = forwarding.destination.into();
            record.port = forwarding.port;
        }
        record
    }
}

/// Hands out a verdict and its sentence, each if it is wanted.
unsafe fn say(verdict: Verdict, record: *mut lvs_verdict, sentence: Option<&mut lvs_text>) -> Result<(), Failure> {
    // SAFETY: NULL or as large as it says, by the promise of the caller.
    unsafe { record::write_optional(record, || verdict.into())? };
    if let Some(sentence) = sentence {
        sentence.replace(|text| {
            let _ = write!(text, "{verdict}");
            Ok(())
        })?;
    }
    Ok(())
}

/// Checks a verdict's place before the packet is let in.
unsafe fn ready(verdict: *mut lvs_verdict) -> Result<(), Failure> {
    // SAFETY: NULL or as large as it says, by the promise of the caller.
    if verdict.is_null() { Ok(()) } else { unsafe { record::check(verdict) } }
}

/// Gives the embedded director a packet. `verdict` says what becomes of it; `sentence` gets the
/// same in words, such as "to 198.51.100.7:80 (direct): the scheduler chose it". Each may be NULL.
/// LVS_STATUS_UNSUPPORTED for the kernel. Ends the process if there is no memory for it.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_receive(
    director: Option<&lvs_director>,
    packet: *const lvs_packet,
    verdict: *mut lvs_verdict,
    sentence: Option<&mut lvs_text>,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        ready(verdict)?;
        let packet = record::read(packet)?.to_packet()?;
        let said = locked(director)?.with_embedded("take packets", |director| director.receive(&packet))?;
        say(said, verdict, sentence)
    })
}

/// Gives the embedded director `len` packets in their order: as lvs_director_receive() for one
/// after the other, but faster with many connections, whose table is read from memory for several
/// of them at a time. `verdicts` is an array of as many records, or NULL. Nothing happens unless
/// all packets are in order. LVS_STATUS_UNSUPPORTED for the kernel.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_receive_all(
    director: Option<&lvs_director>,
    packets: *const lvs_packet,
    len: usize,
    verdicts: *mut lvs_verdict,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let packets = record::array(packets, len)?.map(|packet| record::read(packet)?.to_packet());
        let packets = packets.collect::<Result<Vec<_>, _>>()?;
        let mut places = record::array(verdicts.cast_const(), if verdicts.is_null() { 0 } else { len })?;
        let mut written = Ok(());
        let write = |_, verdict| {
            if let Some(place) = places.next()
                && let Err(failure) = say(verdict, place.cast_mut(), None)
            {
                written = Err(failure);
            }
        };
        locked(director)?.with_embedded("take packets", |director| director.receive_all(&packets, write))?;
        written
    })
}

/// Opens a conversation on the embedded director: the handshake of TCP or SCTP, one datagram of
/// UDP. `verdict` and `sentence` say what became of its first packet; each may be NULL.
/// LVS_STATUS_UNSUPPORTED for the kernel. Ends the process if there is no memory for it.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_open_flow(
    director: Option<&lvs_director>,
    flow: *const lvs_flow,
    verdict: *mut lvs_verdict,
    sentence: Option<&mut lvs_text>,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        ready(verdict)?;
        let flow = record::read(flow)?.to_flow()?;
        let said = locked(director)?.with_embedded("open conversations", |director| director.open(&flow))?;
        say(said, verdict, sentence)
    })
}

/// Sends one more packet of a conversation, `length` bytes long with its IP header. `verdict` and
/// `sentence` may be NULL. LVS_STATUS_UNSUPPORTED for the kernel. Ends the process if there is no
/// memory for it.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_send_flow(
    director: Option<&lvs_director>,
    flow: *const lvs_flow,
    length: u32,
    verdict: *mut lvs_verdict,
    sentence: Option<&mut lvs_text>,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        ready(verdict)?;
        let flow = record::read(flow)?.to_flow()?;
        let said = locked(director)?.with_embedded("send packets", |director| director.send(&flow, length))?;
        say(said, verdict, sentence)
    })
}

/// Closes a conversation on the embedded director, the client first. UDP has no end but its
/// timeout. LVS_STATUS_UNSUPPORTED for the kernel.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_close_flow(
    director: Option<&lvs_director>,
    flow: *const lvs_flow,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let flow = record::read(flow)?.to_flow()?;
        Ok(locked(director)?.with_embedded("close conversations", |director| director.close(&flow))?)
    })
}
