//! The attributes at the top of a message: the nests, and the three timeouts.

use super::DecodeError;
use super::attr::{Attributes, write};
use super::kind::{Nest, U32};
use super::table::attributes;
use crate::model::Timeouts;

attributes! {
    /// The top of all messages but the reply to `GetInfo`.
    TopFields /
    /// An attribute of a message (`IPVS_CMD_ATTR_*`). Replies to `GetInfo` have
    /// [`InfoAttribute`](super::info::InfoAttribute) instead.
    TopAttribute [config = Timeouts] {
        IPVS_CMD_ATTR_SERVICE = 1: Nest => service / Service, since "2.6";
        IPVS_CMD_ATTR_DEST = 2: Nest => destination / Destination, since "2.6";
        IPVS_CMD_ATTR_DAEMON = 3: Nest => daemon / Daemon, since "2.6";
        IPVS_CMD_ATTR_TIMEOUT_TCP = 4: U32 => timeout_tcp / TimeoutTcp, since "2.6", config(tcp);
        IPVS_CMD_ATTR_TIMEOUT_TCP_FIN = 5: U32 => timeout_tcp_fin / TimeoutTcpFin, since "2.6", config(tcp_fin);
        IPVS_CMD_ATTR_TIMEOUT_UDP = 6: U32 => timeout_udp / TimeoutUdp, since "2.6", config(udp);
    }
}

impl<'a> TopFields<'a> {
    /// The timeouts: a `SetConfig` request, and the kernel's reply to `GetConfig`.
    pub(crate) fn timeouts(timeouts: &'a Timeouts) -> Self {
        let mut fields = Self::default();
        fields.set_config(timeouts);
        fields
    }

    /// The timeouts; 0 where there is none.
    pub(crate) fn to_timeouts(self) -> Timeouts {
        let mut timeouts = Timeouts { tcp: 0, tcp_fin: 0, udp: 0 };
        self.fill_config(&mut timeouts);
        timeouts
    }
}

/// Appends the timeouts: a `SetConfig` request, and the kernel's reply to `GetConfig`.
pub fn write_timeouts(buf: &mut Vec<u8>, timeouts: &Timeouts) {
    write(buf, &TopFields::timeouts(timeouts));
}

/// Reads the timeouts of a reply. A protocol that the kernel was built without has none; it reads
/// as 0.
///
/// # Errors
/// When none of the three is there.
pub fn read_timeouts(attributes: Attributes<'_>) -> Result<Timeouts, DecodeError> {
    let fields = TopFields::read(attributes);
    if fields.timeout_tcp.or(fields.timeout_tcp_fin).or(fields.timeout_udp).is_none() {
        return Err(DecodeError::missing("reply", "IPVS_CMD_ATTR_TIMEOUT_TCP"));
    }
    Ok(fields.to_timeouts())
}

/// Finds the nest of a reply.
///
/// # Errors
/// When it is not there; the error names the attribute.
pub fn nest<'a>(
    mut attributes: Attributes<'a>,
    number: u16,
    name: &'static str,
) -> Result<Attributes<'a>, DecodeError> {
    let found = attributes.find(|attribute| attribute.number() == number);
    found.map(|attribute| attribute.nested()).ok_or(DecodeError::missing("reply", name))
}
