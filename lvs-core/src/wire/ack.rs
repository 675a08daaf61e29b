//! The extended acknowledgement: what the kernel adds to an errno (`NETLINK_EXT_ACK`).

use netlink_packet_core::{NLM_F_ACK_TLVS, NLM_F_CAPPED};

use super::attr::Attributes;
use super::kind::{Bytes, Nest, Nested, Text, TextBytes, U32};
use super::message::{HEADER_SIZE, header_of};
use super::table::attributes;

/// The extended acknowledgement: what the kernel adds to an errno (`NETLINK_EXT_ACK`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ExtendedAck<'a> {
    /// The kernel's explanation.
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

attributes! {
    /// The attributes behind an error, in the order of `netlink_ack_tlv_fill()`.
    ErrorFields /
    /// An attribute of an error or the end of a dump (`NLMSGERR_ATTR_*`).
    ErrorAttribute [] {
        NLMSGERR_ATTR_MSG = 1: Text<1024> => message / Message, since "4.12";
        NLMSGERR_ATTR_COOKIE = 3: Bytes => cookie / Cookie, since "4.12";
        NLMSGERR_ATTR_OFFS = 2: U32 => offset / Offset, since "4.12";
        NLMSGERR_ATTR_POLICY = 4: Nest => policy / Policy, since "5.10";
        NLMSGERR_ATTR_MISS_TYPE = 5: U32 => missing_type / MissingType, since "6.1";
        NLMSGERR_ATTR_MISS_NEST = 6: U32 => missing_nest / MissingNest, since "6.1";
    }
}

impl<'a> ExtendedAck<'a> {
    /// Reads what follows the errno of an error: the request or its header, then, if the flags say
    /// so, attributes.
    pub(crate) fn after_error(flags: u16, echo: &'a [u8]) -> Self {
        let Some(request) = header_of(echo).filter(|_| flags & NLM_F_ACK_TLVS != 0) else {
            return Self::default();
        };
        let skip = if flags & NLM_F_CAPPED != 0 {
            Some(HEADER_SIZE)
        } else {
            usize::try_from(request.length).ok().and_then(|length| length.checked_next_multiple_of(4))
        };
        let tlvs = skip.and_then(|skip| echo.get(skip..)).unwrap_or_default();
        Self::read(Attributes::new(tlvs))
    }

    pub(crate) fn read(attributes: Attributes<'a>) -> Self {
        let ErrorFields { message, cookie, offset, policy, missing_type, missing_nest } = ErrorFields::read(attributes);
        Self {
            message: message.and_then(TextBytes::as_str),
            offset,
            cookie,
            policy: policy.map(|nest| nest.attributes.rest()),
            missing_type,
            missing_nest,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn fields(&self) -> ErrorFields<'a> {
        let marked = |policy| Nested { marked: true, attributes: Attributes::new(policy) };
        ErrorFields {
            message: self.message.map(|text| TextBytes(text.as_bytes())),
            cookie: self.cookie,
            offset: self.offset,
            policy: self.policy.map(marked),
            missing_type: self.missing_type,
            missing_nest: self.missing_nest,
        }
    }
}
