//! Messages: headers, commands, answers, and the extended acknowledgement.

use super::WireError;
use super::attr::{Attribute, Attributes, align, put, put_u32};
use super::uapi::*;
use crate::errno::Errno;

/// What a message of the IPVS family asks for or answers (`IPVS_CMD_*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)] // The kernel's names say it; see the table in the module's documentation.
// Exhaustive: 17 commands, and every other number.
pub enum Command {
    NewService,
    SetService,
    DelService,
    GetService,
    NewDest,
    SetDest,
    DelDest,
    GetDest,
    NewDaemon,
    DelDaemon,
    GetDaemon,
    SetConfig,
    GetConfig,
    SetInfo,
    GetInfo,
    Zero,
    Flush,
    /// A number that the family does not have.
    Other(u8),
}

impl Command {
    /// The 17 commands in the kernel's order, from 1.
    pub const ALL: [Self; 17] = [
        Self::NewService,
        Self::SetService,
        Self::DelService,
        Self::GetService,
        Self::NewDest,
        Self::SetDest,
        Self::DelDest,
        Self::GetDest,
        Self::NewDaemon,
        Self::DelDaemon,
        Self::GetDaemon,
        Self::SetConfig,
        Self::GetConfig,
        Self::SetInfo,
        Self::GetInfo,
        Self::Zero,
        Self::Flush,
    ];

    /// The command with that number.
    pub const fn from_number(number: u8) -> Self {
        match number {
            1..=17 => Self::ALL[number as usize - 1],
            other => Self::Other(other),
        }
    }

    /// The kernel's number.
    pub const fn number(self) -> u8 {
        match self {
            Self::NewService => IPVS_CMD_NEW_SERVICE,
            Self::SetService => IPVS_CMD_SET_SERVICE,
            Self::DelService => IPVS_CMD_DEL_SERVICE,
            Self::GetService => IPVS_CMD_GET_SERVICE,
            Self::NewDest => IPVS_CMD_NEW_DEST,
            Self::SetDest => IPVS_CMD_SET_DEST,
            Self::DelDest => IPVS_CMD_DEL_DEST,
            Self::GetDest => IPVS_CMD_GET_DEST,
            Self::NewDaemon => IPVS_CMD_NEW_DAEMON,
            Self::DelDaemon => IPVS_CMD_DEL_DAEMON,
            Self::GetDaemon => IPVS_CMD_GET_DAEMON,
            Self::SetConfig => IPVS_CMD_SET_CONFIG,
            Self::GetConfig => IPVS_CMD_GET_CONFIG,
            Self::SetInfo => IPVS_CMD_SET_INFO,
            Self::GetInfo => IPVS_CMD_GET_INFO,
            Self::Zero => IPVS_CMD_ZERO,
            Self::Flush => IPVS_CMD_FLUSH,
            Self::Other(number) => number,
        }
    }

    /// The command in which the kernel wraps the reply to this one, if it has a reply other than an acknowledgement.
    pub const fn reply(self) -> Option<Self> {
        match self {
            Self::GetService => Some(Self::NewService),
            Self::GetDest => Some(Self::NewDest),
            Self::GetDaemon => Some(Self::NewDaemon),
            Self::GetConfig => Some(Self::SetConfig),
            Self::GetInfo => Some(Self::SetInfo),
            _ => None,
        }
    }
}

/// The 16 bytes in front of every netlink message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
// Exhaustive: `struct nlmsghdr`.
pub struct Header {
    /// Bytes of the message, this header included. Ignored where a message is written.
    pub length: u32,
    /// `NLMSG_*`, or the number of a family.
    pub kind: u16,
    /// `NLM_F_*`.
    pub flags: u16,
    /// The requester's number for the request, repeated in each answer.
    pub sequence: u32,
    /// The requester's netlink port, repeated in each answer.
    pub port: u32,
}

impl Header {
    /// The bytes of a header.
    pub const SIZE: usize = 16;

    /// Reads the header in front of these bytes.
    #[inline]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 16] = bytes.first_chunk()?;
        let long = |at: usize| u32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let short = |at: usize| u16::from_ne_bytes([bytes[at], bytes[at + 1]]);
        Some(Self { length: long(0), kind: short(4), flags: short(6), sequence: long(8), port: long(12) })
    }

    /// Appends it, to be finished with [`finish`].
    #[inline]
    pub fn begin(&self, buf: &mut Vec<u8>) -> usize {
        let start = buf.len();
        let mut bytes = [0; 16];
        bytes[4..6].copy_from_slice(&self.kind.to_ne_bytes());
        bytes[6..8].copy_from_slice(&self.flags.to_ne_bytes());
        bytes[8..12].copy_from_slice(&self.sequence.to_ne_bytes());
        bytes[12..16].copy_from_slice(&self.port.to_ne_bytes());
        buf.extend_from_slice(&bytes);
        start
    }

    /// Appends it and the header of generic netlink, to be finished with [`finish`].
    #[inline]
    pub fn begin_command(&self, buf: &mut Vec<u8>, command: Command) -> usize {
        self.begin_generic(buf, command.number(), IPVS_GENL_VERSION)
    }

    #[inline]
    pub(crate) fn begin_generic(&self, buf: &mut Vec<u8>, command: u8, version: u8) -> usize {
        let start = self.begin(buf);
        buf.extend_from_slice(&[command, version, 0, 0]);
        start
    }
}

/// Writes the length of the message that starts at `start` and ends where the buffer does.
#[inline]
pub fn finish(buf: &mut [u8], start: usize) {
    let length = u32::try_from(buf.len() - start).expect("a message is shorter than 4 GiB");
    buf[start..start + 4].copy_from_slice(&length.to_ne_bytes());
}

/// One message of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
// Exhaustive: header and rest.
pub struct Message<'a> {
    /// Its header.
    pub header: Header,
    /// What follows the header.
    pub payload: &'a [u8],
}

impl<'a> Message<'a> {
    /// The command and the attributes of a generic netlink message.
    ///
    /// # Errors
    /// When it is too short for the header of generic netlink; to such a request the kernel says `EINVAL`.
    #[inline]
    pub fn command(&self) -> Result<(Command, Attributes<'a>), WireError> {
        let (generic, attributes) =
            self.payload.split_at_checked(4).ok_or(WireError::truncated("generic netlink header"))?;
        Ok((Command::from_number(generic[0]), Attributes::new(attributes)))
    }

    /// What the message is as an answer to a request.
    ///
    /// # Errors
    /// When an error, end of a dump or generic message is too short to be one.
    #[inline]
    pub fn answer(&self) -> Result<Answer<'a>, WireError> {
        match self.header.kind {
            NLMSG_NOOP => Ok(Answer::Noop),
            NLMSG_OVERRUN => Ok(Answer::Overrun),
            NLMSG_ERROR => {
                let (code, echo) =
                    self.payload.split_first_chunk().ok_or(WireError::truncated("netlink error message"))?;
                let code = i32::from_ne_bytes(*code);
                if code == 0 {
                    return Ok(Answer::Done);
                }
                Ok(Answer::Error(errno_of(code), ExtendedAck::after_error(self.header.flags, echo)))
            }
            NLMSG_DONE => {
                let Some((code, tlvs)) = self.payload.split_first_chunk() else {
                    return Ok(Answer::Done); // Legal: a dump of an old kernel ends with the bare header.
                };
                match i32::from_ne_bytes(*code) {
                    code @ ..0 if self.header.flags & NLM_F_ACK_TLVS != 0 => {
                        Ok(Answer::Error(errno_of(code), ExtendedAck::read(Attributes::new(tlvs))))
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

    /// The bytes not walked yet: empty after the last message of a sound datagram.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Message<'a>;

    #[inline]
    fn next(&mut self) -> Option<Message<'a>> {
        let header = Header::read(self.rest)?;
        let length = usize::try_from(header.length).ok()?;
        let payload = self.rest.get(Header::SIZE..length)?;
        self.rest = self.rest.get(align(length)..).unwrap_or_default();
        Some(Message { header, payload })
    }
}

/// What a message says as an answer.
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

/// The extended acknowledgement: what the kernel adds to an errno (`NETLINK_EXT_ACK`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ExtendedAck<'a> {
    /// The kernel's words.
    pub message: Option<&'a str>,
    /// Where in the request the offending attribute starts, from its netlink header.
    pub offset: Option<u32>,
    /// A cookie.
    pub cookie: Option<&'a [u8]>,
    /// The policy that was violated, as attributes.
    pub policy: Option<&'a [u8]>,
    /// The number of the missing attribute.
    pub missing_type: Option<u32>,
    /// Where in the request the nest starts that lacks an attribute.
    pub missing_nest: Option<u32>,
}

impl<'a> ExtendedAck<'a> {
    /// Reads what follows the errno of an error: the request or its header, then, if the flags say so, attributes.
    fn after_error(flags: u16, echo: &'a [u8]) -> Self {
        let Some(request) = Header::read(echo).filter(|_| flags & NLM_F_ACK_TLVS != 0) else {
            return Self::default();
        };
        let skip = if flags & NLM_F_CAPPED != 0 {
            Some(Header::SIZE)
        } else {
            usize::try_from(request.length).ok().and_then(|length| length.checked_next_multiple_of(4))
        };
        let tlvs = skip.and_then(|skip| echo.get(skip..)).unwrap_or_default();
        Self::read(Attributes::new(tlvs))
    }

    fn read(attributes: Attributes<'a>) -> Self {
        let mut ack = Self::default();
        for attribute in attributes {
            match attribute.number() {
                NLMSGERR_ATTR_MSG => ack.message = attribute.text(),
                NLMSGERR_ATTR_OFFS => ack.offset = attribute.u32(),
                NLMSGERR_ATTR_COOKIE => ack.cookie = Some(attribute.payload),
                NLMSGERR_ATTR_POLICY => ack.policy = Some(attribute.payload),
                NLMSGERR_ATTR_MISS_TYPE => ack.missing_type = attribute.u32(),
                NLMSGERR_ATTR_MISS_NEST => ack.missing_nest = attribute.u32(),
                _ => {}
            }
        }
        ack
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// In the order of `netlink_ack_tlv_fill()`.
    fn write(&self, buf: &mut Vec<u8>) {
        if let Some(message) = self.message {
            super::attr::put_text(buf, NLMSGERR_ATTR_MSG, message);
        }
        if let Some(cookie) = self.cookie {
            put(buf, NLMSGERR_ATTR_COOKIE, cookie);
        }
        if let Some(offset) = self.offset {
            put_u32(buf, NLMSGERR_ATTR_OFFS, offset);
        }
        if let Some(policy) = self.policy {
            put(buf, NLMSGERR_ATTR_POLICY | NLA_F_NESTED, policy);
        }
        if let Some(number) = self.missing_type {
            put_u32(buf, NLMSGERR_ATTR_MISS_TYPE, number);
        }
        if let Some(offset) = self.missing_nest {
            put_u32(buf, NLMSGERR_ATTR_MISS_NEST, offset);
        }
    }
}

/// Appends an acknowledgement (no errno) or an error to a request, as `netlink_ack()` of `af_netlink.c` does: an error
/// repeats the whole request unless `capped` (the socket option `NETLINK_CAP_ACK`), an acknowledgement its header.
/// `port` is the requester's.
///
/// The request is the whole message, header included; a shorter one is answered with as much as there is.
pub fn write_ack(
    buf: &mut Vec<u8>,
    request: &[u8],
    port: u32,
    errno: Option<Errno>,
    extended: &ExtendedAck<'_>,
    capped: bool,
) {
    let header = Header::read(request).unwrap_or_default();
    let whole = errno.is_some() && !capped;
    let mut flags = if whole { 0 } else { NLM_F_CAPPED };
    if !extended.is_empty() {
        flags |= NLM_F_ACK_TLVS;
    }
    let start = Header { kind: NLMSG_ERROR, flags, sequence: header.sequence, port, length: 0 }.begin(buf);
    buf.extend_from_slice(&errno.map_or(0, |errno| -errno.0).to_ne_bytes());
    let echo = if whole { request } else { request.get(..Header::SIZE).unwrap_or(request) };
    buf.extend_from_slice(echo);
    // A request of odd length is repeated with its padding, whether words follow or not.
    buf.resize(start + align(buf.len() - start), 0);
    extended.write(buf);
    finish(buf, start);
}

/// Appends the end of a dump (`NLMSG_DONE`), with the errno that broke it off, if any.
pub fn write_done(buf: &mut Vec<u8>, sequence: u32, port: u32, errno: Option<Errno>) {
    let start = Header { kind: NLMSG_DONE, flags: NLM_F_MULTI, sequence, port, length: 0 }.begin(buf);
    buf.extend_from_slice(&errno.map_or(0, |errno| -errno.0).to_ne_bytes());
    finish(buf, start);
}

/// Appends a message that is its header and these attributes, such as they are.
pub fn write_message(buf: &mut Vec<u8>, header: &Header, command: Command, attributes: &[Attribute<'_>]) {
    let start = header.begin_command(buf, command);
    for attribute in attributes {
        put(buf, attribute.kind, attribute.payload);
    }
    finish(buf, start);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_keep_their_numbers() {
        for number in 0..=u8::MAX {
            assert_eq!(Command::from_number(number).number(), number);
        }
        assert_eq!(Command::from_number(18), Command::Other(18));
    }

    #[test]
    fn an_error_carries_the_kernel_s_words_whole_or_capped() {
        let request = {
            let mut buf = Vec::new();
            let start = Header { kind: 33, flags: 5, sequence: 9, port: 0, length: 0 }
                .begin_command(&mut buf, Command::SetConfig);
            put(&mut buf, IPVS_CMD_ATTR_TIMEOUT_TCP, &[1, 2]);
            finish(&mut buf, start);
            buf
        };
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
            assert_eq!((message.header.sequence, message.header.port), (9, 77));
            assert_eq!(message.answer().unwrap(), Answer::Error(Errno::ERANGE, extended));
            assert!(messages.next().is_none() && messages.rest().is_empty());
        }
    }

    #[test]
    fn an_error_repeats_an_odd_request_with_its_padding() {
        let mut request = Vec::new();
        let start = Header::default().begin_command(&mut request, Command::Zero);
        request.extend_from_slice(&[7, 0, 1]);
        finish(&mut request, start);
        let mut buf = Vec::new();
        write_ack(&mut buf, &request, 1, Some(Errno::EINVAL), &ExtendedAck::default(), false);
        assert_eq!((buf.len(), &buf[40..]), (44, &[7, 0, 1, 0][..]));
        assert_eq!(Header::read(&buf).unwrap().length, 44);
    }

    #[test]
    fn a_dump_that_broke_off_is_an_error() {
        let mut buf = Vec::new();
        write_done(&mut buf, 3, 4, Some(Errno::ENOMEM));
        let message = Messages::new(&buf).next().unwrap();
        assert_eq!(message.answer().unwrap(), Answer::Error(Errno::ENOMEM, ExtendedAck::default()));
    }
}
