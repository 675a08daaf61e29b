//! What Python says, as values of the model: addresses, keys, enumerations, in every spelling that users know.

use std::net::IpAddr;

use lvs_core::model::{
    AddressFamily, DaemonRole, DestinationKey, ForwardingMethod, Netmask, PrefixLength, Protocol, ServiceFlags,
    ServiceKey, TunnelFlags, TunnelKind,
};
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyInt, PyString};

use crate::errors::{OrInvalid, invalid};

/// A class of `lvs.enums`, looked up once.
macro_rules! enumeration {
    ($name:ident, $class:literal) => {
        pub(crate) fn $name(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
            static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
            let load = || py.import("lvs.enums")?.getattr($class).map(Bound::unbind);
            CLASS.get_or_try_init(py, load).map(|class| class.bind(py))
        }
    };
}

enumeration!(protocol_class, "Protocol");
enumeration!(family_class, "AddressFamily");
enumeration!(forwarding_class, "ForwardingMethod");
enumeration!(tunnel_kind_class, "TunnelKind");
enumeration!(tunnel_flags_class, "TunnelFlags");
enumeration!(service_flags_class, "ServiceFlags");
enumeration!(role_class, "DaemonRole");
enumeration!(state_class, "ConnectionState");
enumeration!(origin_class, "ConnectionOrigin");

/// The member of an enumeration that a number or a word names, as its number.
fn number(class: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<u32> {
    let py = value.py();
    if value.is_instance(class)? {
        return value.extract();
    }
    match class.call1((value,)) {
        Ok(member) => member.extract(),
        Err(error) if error.is_instance_of::<pyo3::exceptions::PyValueError>(py) => {
            let names = class.getattr("__members__")?.call_method0("values")?;
            let names = names.try_iter()?.map(|member| Ok(member?.str()?.to_cow()?.into_owned()));
            let names = names.collect::<PyResult<Vec<_>>>()?.join(", ");
            let message = format!("{} names no {}: {names}", value.repr()?, class.getattr("__name__")?);
            Err(invalid(py, message))
        }
        Err(error) => Err(error),
    }
}

pub(crate) fn protocol(value: &Bound<'_, PyAny>) -> PyResult<Protocol> {
    Ok(Protocol::from_number(number(protocol_class(value.py())?, value)? as u16))
}

pub(crate) fn family(value: &Bound<'_, PyAny>) -> PyResult<AddressFamily> {
    let number = number(family_class(value.py())?, value)?;
    AddressFamily::from_number(number as u16).ok_or_else(|| invalid(value.py(), "not an address family"))
}

pub(crate) fn forwarding(value: &Bound<'_, PyAny>) -> PyResult<ForwardingMethod> {
    Ok(ForwardingMethod::from_number(number(forwarding_class(value.py())?, value)?))
}

pub(crate) fn tunnel_kind(value: &Bound<'_, PyAny>) -> PyResult<TunnelKind> {
    Ok(TunnelKind::from_number(number(tunnel_kind_class(value.py())?, value)? as u8))
}

pub(crate) fn role(value: &Bound<'_, PyAny>) -> PyResult<DaemonRole> {
    let number = number(role_class(value.py())?, value)?;
    DaemonRole::from_number(number).ok_or_else(|| invalid(value.py(), "not a role of a sync daemon"))
}

/// Flags: a member, or the bits as a number.
pub(crate) fn service_flags(value: &Bound<'_, PyAny>) -> PyResult<ServiceFlags> {
    value.extract().map(ServiceFlags::from_bits)
}

pub(crate) fn tunnel_flags(value: &Bound<'_, PyAny>) -> PyResult<TunnelFlags> {
    value.extract().map(TunnelFlags)
}

/// A member of one of the enumerations.
pub(crate) fn member<'py>(class: &Bound<'py, PyAny>, value: impl IntoPyObject<'py>) -> PyResult<Bound<'py, PyAny>> {
    class.call1((value,))
}

/// An address: text or an object of `ipaddress`.
pub(crate) fn address(value: &Bound<'_, PyAny>) -> PyResult<IpAddr> {
    if let Ok(text) = value.cast::<PyString>() {
        return address_text(value.py(), &text.to_cow()?);
    }
    if value.cast::<PyInt>().is_ok() || !value.hasattr("packed")? {
        let kind = value.get_type().name()?;
        return Err(PyTypeError::new_err(format!("an address is text or an object of ipaddress, not {kind}")));
    }
    // An interface has a network after its address, which the base class's text has not.
    let object = if value.hasattr("network")? { value.getattr("ip")? } else { value.clone() };
    object.extract()
}

pub(crate) fn address_text(py: Python<'_>, text: &str) -> PyResult<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().map_err(|_| invalid(py, format!("{text:?} is not an IP address")))
}

/// A port; too large a one is a value error like any other.
pub(crate) fn port(value: &Bound<'_, PyAny>) -> PyResult<u16> {
    match value.extract() {
        Ok(port) => Ok(port),
        Err(error) if error.is_instance_of::<PyOverflowError>(value.py()) => {
            Err(invalid(value.py(), format!("port {} is not in 0..=65535", value.repr()?)))
        }
        Err(error) => Err(error),
    }
}

/// A service's key as text. Beside what the core reads (`tcp://192.0.2.1:80`, `192.0.2.1:80/tcp`, `tcp 192.0.2.1:80`,
/// `fwmark:7`, `fwmark 7 IPv6`) the options of `ipvsadm`: `-t 192.0.2.1:80`, `-f 7`, `-f 7 -6`.
pub(crate) fn key_text(py: Python<'_>, text: &str) -> PyResult<ServiceKey> {
    let trimmed = text.trim();
    let spelled = match trimmed.split_once(char::is_whitespace).map(|(option, rest)| (option, rest.trim())) {
        Some(("-t" | "--tcp-service", rest)) => Some(format!("tcp {rest}")),
        Some(("-u" | "--udp-service", rest)) => Some(format!("udp {rest}")),
        Some(("--sctp-service", rest)) => Some(format!("sctp {rest}")),
        Some(("-f" | "--fwmark-service", rest)) => Some(match rest.strip_suffix("-6") {
            Some(mark) => format!("fwmark {} IPv6", mark.trim()),
            None => format!("fwmark {rest}"),
        }),
        _ => trimmed.strip_suffix("/fwmark").map(|mark| format!("fwmark {mark}")),
    };
    spelled.as_deref().unwrap_or(trimmed).parse().map_err(|_| {
        invalid(
            py,
            format!(
                "{text:?} names no service: write tcp://192.0.2.1:80, 192.0.2.1:80/tcp, [2001:db8::1]:53/udp or fwmark:7"
            ),
        )
    })
}

/// A netmask for a family: an address, a prefix length, or either as text, with or without a slash.
pub(crate) fn netmask(value: &Bound<'_, PyAny>, family: AddressFamily) -> PyResult<Netmask> {
    let py = value.py();
    let length = if value.cast::<PyInt>().is_ok() {
        Some(value.extract::<u32>()?)
    } else if let Ok(text) = value.cast::<PyString>() {
        let text = text.to_cow()?;
        let text = text.strip_prefix('/').unwrap_or(&text);
        match text.parse() {
            Ok(length) => Some(length),
            Err(_) => return mask_address(py, address_text(py, text)?, family),
        }
    } else {
        None
    };
    match (length, family) {
        (None, _) => mask_address(py, address(value)?, family),
        (Some(length), AddressFamily::Inet6) => PrefixLength::new(length).or_invalid(py).map(Netmask::V6),
        (Some(length), AddressFamily::Inet) if length <= 32 => {
            let bits = u32::MAX.checked_shl(32 - length).unwrap_or(0);
            Ok(Netmask::V4(std::net::Ipv4Addr::from_bits(bits)))
        }
        (Some(length), AddressFamily::Inet) => Err(invalid(py, format!("prefix length {length} is not in 0..=32"))),
    }
}

fn mask_address(py: Python<'_>, mask: IpAddr, family: AddressFamily) -> PyResult<Netmask> {
    match (mask, family) {
        (IpAddr::V4(mask), AddressFamily::Inet) => Ok(Netmask::V4(mask)),
        _ => Err(lvs_core::model::ModelError::NetmaskFamily).or_invalid(py),
    }
}

/// Seconds: a number or a `timedelta`.
pub(crate) fn seconds(value: &Bound<'_, PyAny>) -> PyResult<u32> {
    let number = if value.hasattr("total_seconds")? {
        let seconds: f64 = value.call_method0("total_seconds")?.extract()?;
        if seconds.fract() != 0.0 || !(0.0..=f64::from(u32::MAX)).contains(&seconds) {
            return Err(invalid(value.py(), format!("{value} is not a whole number of seconds in 0..=4294967295")));
        }
        return Ok(seconds as u32);
    } else {
        value.extract::<i64>()?
    };
    u32::try_from(number).map_err(|_| invalid(value.py(), format!("{number} seconds are not in 0..=4294967295")))
}

/// A number of 32 bits; what does not fit is a value error like any other.
pub(crate) fn number32(value: &Bound<'_, PyAny>, what: &str) -> PyResult<u32> {
    match value.extract() {
        Ok(number) => Ok(number),
        Err(error) if error.is_instance_of::<PyOverflowError>(value.py()) => {
            Err(invalid(value.py(), format!("{what} {} is not in 0..=4294967295", value.repr()?)))
        }
        Err(error) => Err(error),
    }
}

/// The number of a port, address and so on, as an object of Python.
pub(crate) fn ip<'py>(py: Python<'py>, addr: IpAddr) -> PyResult<Bound<'py, PyAny>> {
    addr.into_pyobject(py)
}

/// A key as this package writes it: `tcp://192.0.2.1:80`, `fwmark:7`, `fwmark:7/ipv6`.
pub(crate) fn key_string(key: &ServiceKey) -> String {
    match *key {
        ServiceKey::Endpoint { protocol, addr, port } => format!("{protocol}://{}", DestinationKey::new(addr, port)),
        ServiceKey::Fwmark { mark, family: AddressFamily::Inet } => format!("fwmark:{mark}"),
        ServiceKey::Fwmark { mark, family: AddressFamily::Inet6 } => format!("fwmark:{mark}/ipv6"),
    }
}
