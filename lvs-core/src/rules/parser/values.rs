//! The values of options, each checked as it is read.

use std::net::IpAddr;

use super::{Checked, Kind, Reader};
use crate::model::{
    AddressFamily, EngineName, ForwardingMethod, InterfaceName, Netmask, PrefixLength, Protocol, SchedulerName,
    Service, ServiceKey, Timeouts, TunnelKind,
};
use crate::rules::kind::{Expected, Reason};
use crate::rules::lexer::{Word, Words};
use crate::rules::option::Group;
use crate::rules::{Dialect, address, number};

/// 31 days: the longest timeout that ipvsadm takes.
const MOST_SECONDS: i64 = Service::MAX_TIMEOUT as i64;

impl<'a, W: Words<'a>> Reader<'a, '_, '_, W> {
    #[inline]
    pub(super) fn virtual_service(&mut self, word: Word<'a>, protocol: Protocol) -> Checked {
        match address::endpoint(word, Some(protocol), self.cx.dialect, self.cx.resolver) {
            Ok((addr, port)) => {
                if addr.is_ipv6() && self.cx.dialect == Dialect::Ipvsadm {
                    // What ipvsadm does: a mask given before an IPv6 service is forgotten.
                    self.draft.netmask = None;
                }
                self.draft.key = Some(ServiceKey::endpoint(protocol, addr, port.unwrap_or(0)));
                Ok(())
            }
            Err(fault) => self.address_fault(Group::Service, Expected::VirtualService, word, fault.reason, fault.span),
        }
    }

    pub(super) fn mark(&mut self, word: Word<'a>) -> Checked {
        let most = i64::from(u32::MAX);
        // ipvsadm -S writes marks from 2^31 on as negative numbers, which it then refuses to read.
        let least = if self.cx.dialect == Dialect::Lossless { i64::from(i32::MIN) } else { 1 };
        let mark = number::ranged(word.bytes, least, most).map(|mark| mark as u32);
        match mark.and_then(|mark| ServiceKey::fwmark(mark, AddressFamily::Ipv4).ok()) {
            Some(key) => {
                self.draft.key = Some(key);
                Ok(())
            }
            None => self.value_fault(Group::Service, Expected::Mark, word),
        }
    }

    pub(super) fn any_protocol(&mut self, word: Word<'a>) -> Checked {
        let colon = word.bytes.iter().position(|byte| *byte == b':').unwrap_or(0);
        match number::ranged(&word.bytes[..colon], 0, i64::from(u16::MAX)) {
            Some(protocol) => self.virtual_service(word.from(colon + 1), Protocol::from_number(protocol as u16)),
            None => self.value_fault(Group::Service, Expected::VirtualService, word),
        }
    }

    pub(super) fn forwarding(&mut self, word: Word<'a>) -> Checked {
        let method = match word.bytes {
            b"masquerade" => Some(ForwardingMethod::Masquerade),
            b"local" => Some(ForwardingMethod::Local),
            b"tunnel" => Some(ForwardingMethod::Tunnel),
            b"direct" => Some(ForwardingMethod::Direct),
            b"bypass" => Some(ForwardingMethod::Bypass),
            other => match other.strip_prefix(b"method-") {
                Some([digit @ b'0'..=b'7']) => Some(ForwardingMethod::from_number(u32::from(digit - b'0'))),
                _ => None,
            },
        };
        match method {
            Some(method) => {
                self.draft.forwarding = method;
                Ok(())
            }
            None => self.value_fault(Group::Forward, Expected::Forwarding, word),
        }
    }

    /// A number in a range; otherwise an error is added, and the number is 0.
    #[inline]
    fn number(&mut self, group: Group, expected: Expected, word: Word<'a>, least: i64, most: i64) -> Checked<i64> {
        let (least, most) = if self.cx.extended { (0, i64::from(u32::MAX)) } else { (least, most) };
        match number::ranged(word.bytes, least, most) {
            Some(number) => Ok(number),
            None => self.value_fault(group, expected, word).map(|()| 0),
        }
    }

    /// The same for fields of 16 bits.
    fn short(&mut self, group: Group, expected: Expected, word: Word<'a>, least: i64, most: i64) -> Checked<u16> {
        let least = if self.cx.extended { 0 } else { least };
        let most = if self.cx.extended { i64::from(u16::MAX) } else { most };
        match number::ranged(word.bytes, least, most) {
            Some(number) => Ok(number as u16),
            None => self.value_fault(group, expected, word).map(|()| 0),
        }
    }

    #[inline]
    pub(super) fn plain(&mut self, group: Group, value: Option<Word<'a>>) -> Checked {
        const INT_MAX: i64 = i32::MAX as i64;
        let lossless = self.cx.dialect == Dialect::Lossless;
        let Some(word) = value else {
            if group == Group::Persistent {
                self.draft.timeout = Service::DEFAULT_PERSISTENCE;
            }
            return Ok(());
        };
        match group {
            Group::RealServer if lossless => self.draft.late_server = Some(word),
            Group::RealServer => return self.real_server(word),
            Group::Weight => self.draft.weight = self.number(group, Expected::Weight, word, 0, INT_MAX)? as u32,
            Group::Scheduler => return self.scheduler(word),
            Group::SchedFlags => self.draft.sched_flags = Some(word),
            Group::Persistent => {
                self.draft.timeout = self.number(group, Expected::Persistence, word, 1, MOST_SECONDS)? as u32;
            }
            Group::Netmask if lossless => self.draft.late_mask = Some(word),
            Group::Netmask => return self.netmask(word),
            Group::Upper => self.draft.upper = self.number(group, Expected::UpperThreshold, word, 0, INT_MAX)? as u32,
            Group::Lower => self.draft.lower = self.number(group, Expected::LowerThreshold, word, 0, INT_MAX)? as u32,
            Group::Engine => return self.engine(word),
            Group::TunType => return self.tunnel_type(word),
            Group::TunPort => self.draft.tunnel_port = self.short(group, Expected::TunnelPort, word, 1, 65535)?,
            Group::Interface => return self.interface(word),
            Group::SyncId => self.draft.sync_id = self.number(group, Expected::SyncId, word, 0, 255)? as u32,
            Group::MaxLen => self.draft.max_len = Some(self.short(group, Expected::MaxLen, word, 1, 65507)?),
            Group::McastPort => self.draft.mcast_port = Some(self.short(group, Expected::McastPort, word, 1, 65535)?),
            Group::McastTtl => {
                let least = if self.cx.extended { 0 } else { 1 };
                match number::ranged(word.bytes, least, 255) {
                    Some(ttl) => self.draft.ttl = Some(ttl as u8),
                    None => return self.value_fault(group, Expected::McastTtl, word),
                }
            }
            Group::McastGroup => return self.multicast_group(word),
            Group::Duration => self.draft.timeout = self.number(group, Expected::Persistence, word, 0, 0)? as u32,
            Group::Flags => match number::bits(word.bytes) {
                Some(bits) => self.draft.raw_flags = Some(bits),
                None => return self.value_fault(group, Expected::Bits, word),
            },
            Group::TunFlags => match number::bits(word.bytes).and_then(|bits| u16::try_from(bits).ok()) {
                Some(bits) => self.draft.tunnel_flags = Some(bits),
                None => return self.value_fault(group, Expected::Bits, word),
            },
            _ => {}
        }
        Ok(())
    }

    pub(super) fn real_server(&mut self, word: Word<'a>) -> Checked {
        // Marks take the names of TCP's ports.
        let protocol = self.draft.key.map(|key| key.protocol().unwrap_or(Protocol::Tcp));
        match address::endpoint(word, protocol, self.cx.dialect, self.cx.resolver) {
            Ok((addr, port)) => {
                // Without a port it takes the service's, if that is known by now.
                let port = port.or_else(|| self.draft.key.map(|key| key.port()));
                self.draft.destination = Some((addr, port));
                Ok(())
            }
            Err(fault) => self.address_fault(Group::RealServer, Expected::RealServer, word, fault.reason, fault.span),
        }
    }

    pub(super) fn netmask(&mut self, word: Word<'a>) -> Checked {
        let family = self.draft.key.map_or(AddressFamily::Ipv4, |key| key.family());
        let netmask = match family {
            AddressFamily::Ipv6 => {
                let length = match self.cx.dialect {
                    // What ipvsadm does: whatever follows the number is ignored, and the number is
                    // cut to 32 bits.
                    Dialect::Ipvsadm => u32::try_from(number::strtol(word.bytes).0 as i32).ok(),
                    Dialect::Lossless => number::ranged(word.bytes, 1, 128).map(|length| length as u32),
                };
                match length.and_then(|length| PrefixLength::new(length).ok()) {
                    Some(length) => Netmask::V6(length),
                    None => return self.value_fault(Group::Netmask, Expected::PrefixLength, word),
                }
            }
            AddressFamily::Ipv4 => match address::host(word, self.cx.dialect, self.cx.resolver) {
                Ok(IpAddr::V4(mask)) => Netmask::V4(mask),
                Ok(IpAddr::V6(_)) => return self.value_fault(Group::Netmask, Expected::Netmask, word),
                Err(fault) => {
                    return self.address_fault(Group::Netmask, Expected::Netmask, word, fault.reason, fault.span);
                }
            },
        };
        self.draft.netmask = Some(netmask);
        Ok(())
    }

    /// A name, cut to its field where ipvsadm cuts it.
    // DIFFERENCE: ipvsadm sends names that are not UTF-8; no kernel has such a scheduler.
    fn name<'w>(&self, word: Word<'w>, longest: usize) -> Option<&'w str> {
        let text = std::str::from_utf8(word.bytes).ok()?;
        if text.len() <= longest {
            Some(text)
        } else if self.cx.dialect == Dialect::Ipvsadm {
            // DIFFERENCE: ipvsadm may cut a character in two.
            (0..=longest).rev().find_map(|at| text.get(..at))
        } else {
            None
        }
    }

    fn scheduler(&mut self, word: Word<'a>) -> Checked {
        match self.name(word, SchedulerName::MAX_LEN).and_then(|name| SchedulerName::new(name).ok()) {
            // An empty one is the default one.
            Some(name) if name.as_str().is_empty() && self.cx.dialect == Dialect::Ipvsadm => {}
            Some(name) if !name.as_str().is_empty() => self.draft.scheduler = Some(name),
            _ => return self.value_fault(Group::Scheduler, Expected::Scheduler, word),
        }
        Ok(())
    }

    fn engine(&mut self, word: Word<'a>) -> Checked {
        if word.bytes.is_empty() && self.cx.dialect == Dialect::Ipvsadm {
            return Ok(());
        }
        match self.name(word, EngineName::MAX_LEN).and_then(|name| EngineName::new(name).ok()) {
            Some(name) => self.draft.engine = Some(name),
            None => return self.value_fault(Group::Engine, Expected::Engine, word),
        }
        Ok(())
    }

    fn interface(&mut self, word: Word<'a>) -> Checked {
        match self.name(word, InterfaceName::MAX_LEN).and_then(|name| InterfaceName::new(name).ok()) {
            Some(name) => self.draft.interface = Some(name),
            None => return self.value_fault(Group::Interface, Expected::Interface, word),
        }
        Ok(())
    }

    fn tunnel_type(&mut self, word: Word<'a>) -> Checked {
        self.draft.tunnel = match word.bytes {
            b"ipip" => TunnelKind::Ipip,
            b"gue" => TunnelKind::Gue,
            b"gre" => TunnelKind::Gre,
            other => match number::ranged(other, 0, 255) {
                Some(number) if self.cx.extended => TunnelKind::from_number(number as u8),
                _ => return self.value_fault(Group::TunType, Expected::TunnelType, word),
            },
        };
        Ok(())
    }

    fn multicast_group(&mut self, word: Word<'a>) -> Checked {
        let (addr, expected): (Option<IpAddr>, _) = if word.bytes.contains(&b':') {
            (number::ipv6(word.bytes).map(IpAddr::V6), Expected::McastGroup6)
        } else {
            (number::dotted_quad(word.bytes).map(IpAddr::V4), Expected::McastGroup)
        };
        match addr.filter(|addr| addr.is_multicast() || self.cx.extended) {
            Some(addr) => self.draft.group = Some(addr),
            None => return self.value_fault(Group::McastGroup, expected, word),
        }
        Ok(())
    }

    pub(super) fn three_timeouts(&mut self) -> Checked<Option<Timeouts>> {
        if self.draft.strays < 3 {
            if !self.lost {
                let end = self.end();
                self.fault(Kind::SetNeedsThree, end..end)?;
            }
            self.draft.strays = 0;
            return Ok(None);
        }
        let mut seconds = [0; 3];
        for (i, seconds) in seconds.iter_mut().enumerate() {
            let Some(word) = self.draft.stray[i] else { continue };
            let most = if self.cx.extended { i64::from(u32::MAX) } else { MOST_SECONDS };
            match number::ranged(word.bytes, 0, most) {
                Some(number) => *seconds = number as u32,
                None => {
                    let kind = Kind::Value { expected: Expected::Timeout, word: word.text(), reason: Reason::Form };
                    self.fault(kind, word.span())?;
                }
            }
        }
        let [tcp, tcp_fin, udp] = seconds;
        Ok(Some(Timeouts { tcp, tcp_fin, udp }))
    }
}
