//! Messages: headers, commands, answers, and the extended acknowledgement.

use std::fmt;

use netlink_packet_core::{
    DoneBuffer, Emitable, ErrorBuffer, NLM_F_ACK_TLVS, NLM_F_CAPPED, NLM_F_MULTIPART, NLMSG_DONE, NLMSG_ERROR,
    NLMSG_NOOP, NLMSG_OVERRUN, NetlinkBuffer, NetlinkHeader, NetlinkMessage, NetlinkPayload, Parseable,
};
use netlink_packet_generic::{GenlFamily, GenlHeader, GenlMessage};

use super::DecodeError;
pub use super::ack::ExtendedAck;
use super::attr::{Attributes, Encoded, align};
use super::uapi::{IPVS_GENL_NAME, IPVS_GENL_VERSION};
use crate::errno::Errno;

macro_rules! commands {
    ($($variant:ident = $number:ident = $value:literal $(=> $reply:ident)?;)*) => {
        /// The commands' numbers.
        #[allow(missing_docs)] // The kernel's names.
        pub mod numbers {
            $(pub const $number: u8 = $value;)*
        }

        /// What a message of the IPVS family asks for or answers (`IPVS_CMD_*`).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs)] // The kernel's names.
        // Exhaustive: the family's commands, and every other number.
        pub enum Command {
            $($variant,)*
            /// A number that the family does not have.
            Other(u8),
        }

        impl Command {
            /// The commands in the kernel's order, from 1.
            pub const ALL: [Self; [$($value),*].len()] = [$(Self::$variant),*];

            /// The command with that number.
            pub const fn from_number(number: u8) -> Self {
                match number {
                    $($value => Self::$variant,)*
                    other => Self::Other(other),
                }
            }

            /// The command's number.
            pub const fn number(self) -> u8 {
                match self {
                    $(Self::$variant => $value,)*
                    Self::Other(number) => number,
                }
            }

            /// The command in which the kernel wraps the reply to this one, if it has a reply other
            /// than an acknowledgement.
            pub const fn reply(self) -> Option<Self> {
                match self {
                    $($(Self::$variant => Some(Self::$reply),)?)*
                    _ => None,
                }
            }
        }
    };
}

commands! {
    NewService = IPVS_CMD_NEW_SERVICE = 1;
    SetService = IPVS_CMD_SET_SERVICE = 2;
    DelService = IPVS_CMD_DEL_SERVICE = 3;
    GetService = IPVS_CMD_GET_SERVICE = 4 => NewService;
    NewDest = IPVS_CMD_NEW_DEST = 5;
    SetDest = IPVS_CMD_SET_DEST = 6;
    DelDest = IPVS_CMD_DEL_DEST = 7;
    GetDest = IPVS_CMD_GET_DEST = 8 => NewDest;
    NewDaemon = IPVS_CMD_NEW_DAEMON = 9;
    DelDaemon = IPVS_CMD_DEL_DAEMON = 10;
    GetDaemon = IPVS_CMD_GET_DAEMON = 11 => NewDaemon;
    SetConfig = IPVS_CMD_SET_CONFIG = 12;
    GetConfig = IPVS_CMD_GET_CONFIG = 13 => SetConfig;
    SetInfo = IPVS_CMD_SET_INFO = 14;
    GetInfo = IPVS_CMD_GET_INFO = 15 => SetInfo;
    Zero = IPVS_CMD_ZERO = 16;
    Flush = IPVS_CMD_FLUSH = 17;
}

/// The bytes of a netlink header.
pub(crate) const HEADER_SIZE: usize = 16;

/// The header of a request: type (`NLMSG_*`, or the number of a family), flags (`NLM_F_*`),
/// sequence number.
#[inline]
pub fn header(kind: u16, flags: u16, sequence: u32) -> NetlinkHeader {
    let mut header = NetlinkHeader::default();
    (header.message_type, header.flags, header.sequence_number) = (kind, flags, sequence);
    header
}

/// Appends a message of a family of generic netlink, whose number the header has.
#[inline]
pub fn write<F: GenlFamily + Emitable + fmt::Debug>(buf: &mut Vec<u8>, header: NetlinkHeader, payload: F) {
    let mut message = GenlMessage::from_payload(payload);
    message.set_resolved_family_id(header.message_type);
    write_whole(buf, NetlinkMessage::new(header, NetlinkPayload::InnerMessage(message)));
}

#[inline]
fn write_whole<F: GenlFamily + Emitable + fmt::Debug>(buf: &mut Vec<u8>, mut message: NetlinkMessage<GenlMessage<F>>) {
    message.finalize();
    let start = buf.len();
    buf.resize(start + message.header.length as usize, 0);
    message.serialize(&mut buf[start..]);
}

/// Appends a message that is nothing but its header: with `NLMSG_NOOP` and `NLM_F_ACK` a request
/// for an acknowledgement.
pub fn write_header(buf: &mut Vec<u8>, header: NetlinkHeader) {
    write_parts(buf, header, |_| ());
}

fn write_parts(buf: &mut Vec<u8>, mut header: NetlinkHeader, payload: impl FnOnce(&mut Vec<u8>)) {
    let start = buf.len();
    buf.resize(start + HEADER_SIZE, 0);
    payload(buf);
    header.length = u32::try_from(buf.len() - start).unwrap_or(u32::MAX);
    header.emit(&mut buf[start..]);
}

/// A message of the IPVS family whose attributes are encoded already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
// Exhaustive: a pair with names.
pub struct EncodedMessage<'a> {
    /// The command.
    pub command: Command,
    /// The attributes.
    pub attributes: &'a [u8],
}

impl GenlFamily for EncodedMessage<'_> {
    fn family_name() -> &'static str {
        IPVS_GENL_NAME
    }

    fn command(&self) -> u8 {
        self.command.number()
    }

    fn version(&self) -> u8 {
        IPVS_GENL_VERSION
    }
}

impl Emitable for EncodedMessage<'_> {
    fn buffer_len(&self) -> usize {
        Encoded(self.attributes).buffer_len()
    }

    fn emit(&self, buffer: &mut [u8]) {
        Encoded(self.attributes).emit(buffer);
    }
}

/// One message of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
// Exhaustive: header and rest.
pub struct Message<'a> {
    /// Its header.
    pub header: NetlinkHeader,
    /// What follows the header.
    pub payload: &'a [u8],
}

impl<'a> Message<'a> {
    /// The command and the attributes of a generic netlink message.
    ///
    /// # Errors
    /// When it is too short for the header of generic netlink; such a request the kernel answers
    /// with `EINVAL`.
    #[inline]
    pub fn command(&self) -> Result<(Command, Attributes<'a>), DecodeError> {
        let truncated = || DecodeError::truncated("generic netlink header");
        let header = GenlHeader::parse(self.payload).map_err(|_| truncated())?;
        let attributes = self.payload.get(header.buffer_len()..).ok_or_else(truncated)?;
        Ok((Command::from_number(header.cmd), Attributes::new(attributes)))
    }

    /// What the message is as an answer to a request.
    ///
    /// # Errors
    /// When an error, end of a dump or generic message is too short to be one.
    #[inline]
    pub fn answer(&self) -> Result<Answer<'a>, DecodeError> {
        match self.header.message_type {
            NLMSG_NOOP => Ok(Answer::Noop),
            NLMSG_OVERRUN => Ok(Answer::Overrun),
            NLMSG_ERROR => {
                let error = ErrorBuffer::new_checked(self.payload)
                    .map_err(|_| DecodeError::truncated("netlink error message"))?;
                Ok(error.code().map_or(Answer::Done, |code| {
                    let extended = ExtendedAck::after_error(self.header.flags, error.payload());
                    Answer::Error(errno_of(code.get()), extended)
                }))
            }
            NLMSG_DONE => {
                let Ok(done) = DoneBuffer::new_checked(self.payload) else {
                    return Ok(Answer::Done); // Legal: a dump of an old kernel ends with the bare header.
                };
                match done.code() {
                    code @ ..0 if self.header.flags & NLM_F_ACK_TLVS != 0 => {
                        Ok(Answer::Error(errno_of(code), ExtendedAck::read(Attributes::new(done.extended_ack()))))
                    }
                    code @ ..0 => Ok(Answer::Error(errno_of(code), ExtendedAck::default())),
                    _ => Ok(Answer::Done),
                }
            }
            _ => self.command().map(|(command, attributes)| Answer::Data(command, attributes)),
        }
    }
}

/// The kernel sends the negative number; some emulations the positive one.
fn errno_of(code: i32) -> Errno {
    Errno(code.checked_abs().unwrap_or(i32::MAX))
}

/// The messages of a datagram. Total: ends at the first header that does not fit.
#[derive(Debug, Clone, Copy)]
pub struct Messages<'a> {
    rest: &'a [u8],
}

impl<'a> Messages<'a> {
    /// The messages in a datagram.
    pub const fn new(datagram: &'a [u8]) -> Self {
        Self { rest: datagram }
    }

    /// The bytes not walked yet: empty after the last message of a valid datagram.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

/// Reads the header in front of these bytes, if they are as many as a header.
#[inline]
pub(crate) fn header_of(bytes: &[u8]) -> Option<NetlinkHeader> {
    // The buffer's own check makes a `String` of what does not fit.
    let bytes: &[u8; HEADER_SIZE] = bytes.first_chunk()?;
    NetlinkHeader::parse(&NetlinkBuffer::new(bytes)).ok()
}

impl<'a> Iterator for Messages<'a> {
    type Item = Message<'a>;

    #[inline]
    fn next(&mut self) -> Option<Message<'a>> {
        let header = header_of(self.rest)?;
        let length = usize::try_from(header.length).ok()?;
        let payload = self.rest.get(HEADER_SIZE..length)?;
        self.rest = self.rest.get(align(length)..).unwrap_or_default();
        Some(Message { header, payload })
    }
}

/// What a message is as an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
// Exhaustive: what netlink has.
pub enum Answer<'a> {
    /// Part of the answer: a reply's command and its attributes.
    Data(Command, Attributes<'a>),
    /// The request is done: an acknowledgement, or the end of a dump.
    Done,
    /// The request was refused, or a dump broke off.
    Error(Errno, ExtendedAck<'a>),
    /// Nothing.
    Noop,
    /// The kernel lost messages.
    Overrun,
}

/// Appends an acknowledgement (no errno) or an error to a request, as `netlink_ack()` of
/// `af_netlink.c` does: an error repeats the whole request unless `capped` (the socket option
/// `NETLINK_CAP_ACK`), an acknowledgement its header. `port` is the requester's.
///
/// The request is the whole message, header included; a shorter one is answered with as much as
/// there is.
pub fn write_ack(
    buf: &mut Vec<u8>,
    request: &[u8],
    port: u32,
    errno: Option<Errno>,
    extended: &ExtendedAck<'_>,
    capped: bool,
) {
    let whole = errno.is_some() && !capped;
    let mut flags = if whole { 0 } else { NLM_F_CAPPED };
    if !extended.is_empty() {
        flags |= NLM_F_ACK_TLVS;
    }
    let mut ack = header(NLMSG_ERROR, flags, header_of(request).unwrap_or_default().sequence_number);
    ack.port_number = port;
    write_parts(buf, ack, |buf| {
        let start = buf.len();
        buf.extend_from_slice(&errno.map_or(0, |errno| -errno.0).to_ne_bytes());
        buf.extend_from_slice(if whole { request } else { request.get(..HEADER_SIZE).unwrap_or(request) });
        // A request of odd length is repeated with its padding, whether attributes follow or not.
        buf.resize(start + align(buf.len() - start), 0);
        super::attr::write(buf, &extended.fields());
    });
}

/// Appends the end of a dump (`NLMSG_DONE`), with the errno that broke it off, if any.
pub fn write_done(buf: &mut Vec<u8>, sequence: u32, port: u32, errno: Option<Errno>) {
    let mut done = header(NLMSG_DONE, NLM_F_MULTIPART, sequence);
    done.port_number = port;
    write_parts(buf, done, |buf| buf.extend_from_slice(&errno.map_or(0, |errno| -errno.0).to_ne_bytes()));
}

#[cfg(test)]
mod tests {
    use super::super::attr::Attribute;
    use super::super::top::numbers::IPVS_CMD_ATTR_TIMEOUT_TCP;
    use super::*;

    #[test]
    fn commands_keep_their_numbers() {
        for number in 0..=u8::MAX {
            assert_eq!(Command::from_number(number).number(), number);
        }
        assert_eq!(Command::from_number(18), Command::Other(18));
    }

    #[test]
    fn an_error_carries_the_kernel_s_explanation_whole_or_capped() {
        let mut attributes = Vec::new();
        super::super::attr::write(&mut attributes, &Attribute::new(IPVS_CMD_ATTR_TIMEOUT_TCP, &[1, 2]));
        let mut request = Vec::new();
        let message = EncodedMessage { command: Command::SetConfig, attributes: &attributes };
        write(&mut request, header(33, 5, 9), message);
        let extended = ExtendedAck {
            message: Some("Attribute failed policy validation"),
            offset: Some(20),
            missing_type: Some(1),
            ..ExtendedAck::default()
        };
        for capped in [false, true] {
            let mut buf = Vec::new();
            write_ack(&mut buf, &request, 77, Some(Errno::ERANGE), &extended, capped);
            let mut messages = Messages::new(&buf);
            let message = messages.next().unwrap();
            assert_eq!((message.header.sequence_number, message.header.port_number), (9, 77));
            assert_eq!(message.answer().unwrap(), Answer::Error(Errno::ERANGE, extended));
            assert!(messages.next().is_none() && messages.rest().is_empty());
        }
    }

    #[test]
    fn an_error_repeats_an_odd_request_with_its_padding() {
        let mut request = Vec::new();
        let message = EncodedMessage { command: Command::Zero, attributes: &[7, 0, 1] };
        write(&mut request, header(0, 0, 0), message);
        let mut buf = Vec::new();
        write_ack(&mut buf, &request, 1, Some(Errno::EINVAL), &ExtendedAck::default(), false);
        assert_eq!((buf.len(), &buf[40..]), (44, &[7, 0, 1, 0][..]));
        assert_eq!(header_of(&buf).unwrap().length, 44);
    }

    #[test]
    fn a_dump_that_broke_off_is_an_error() {
        let mut buf = Vec::new();
        write_done(&mut buf, 3, 4, Some(Errno::ENOMEM));
        let message = Messages::new(&buf).next().unwrap();
        assert_eq!(message.answer().unwrap(), Answer::Error(Errno::ENOMEM, ExtendedAck::default()));
    }
}
