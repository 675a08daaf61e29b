//! What Python says, as values of the model: addresses, keys, enumerations, in every spelling that
//! users know.

use std::net::IpAddr;
use std::str::FromStr;

use lvs_core::model::{
    AddressFamily, ConnectionOrigin, ConnectionState, DaemonRole, ForwardingMethod, ModelError, Named, Netmask,
    PrefixLength, Protocol, ServiceFlags, TunnelFlags, TunnelKind,
};
use lvs_core::schedulers;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyInt, PyList, PyString};

use crate::args::{AsText as _, Text, Whole};
use crate::errors::{OrInvalid, invalid};

/// A class of `lvs_py.enums`, looked up once.
macro_rules! enumeration {
    ($name:ident, $class:literal) => {
        pub(crate) fn $name(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
            static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
            let load = || py.import("lvs_py.enums")?.getattr($class).map(Bound::unbind);
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

/// A value that a member of an enumeration, its number or its name stands for.
fn named<T: Named + FromStr<Err = ModelError>>(
    class: &Bound<'_, PyAny>,
    value: &Bound<'_, PyAny>,
    from_number: impl FnOnce(u32) -> Option<T>,
) -> PyResult<T> {
    let py = value.py();
    if let Ok(text) = value.cast::<PyString>() {
        return text.text()?.parse().or_invalid(py);
    }
    let member = match class.call1((value,)) {
        Err(error) if !error.is_instance_of::<PyValueError>(py) => return Err(error),
        Err(_) => None,
        Ok(member) => from_number(member.extract()?),
    };
    match member {
        Some(member) => Ok(member),
        None => Err(invalid(py, format!("{} is not {}: expected {}", value.repr()?, T::WHAT, T::expected()))),
    }
}

pub(crate) fn protocol(value: &Bound<'_, PyAny>) -> PyResult<Protocol> {
    named(protocol_class(value.py())?, value, |number| Some(Protocol::from_number(number as u16)))
}

pub(crate) fn family(value: &Bound<'_, PyAny>) -> PyResult<AddressFamily> {
    named(family_class(value.py())?, value, |number| AddressFamily::from_number(number as u16))
}

pub(crate) fn forwarding(value: &Bound<'_, PyAny>) -> PyResult<ForwardingMethod> {
    named(forwarding_class(value.py())?, value, |number| Some(ForwardingMethod::from_number(number)))
}

pub(crate) fn tunnel_kind(value: &Bound<'_, PyAny>) -> PyResult<TunnelKind> {
    named(tunnel_kind_class(value.py())?, value, |number| Some(TunnelKind::from_number(number as u8)))
}

pub(crate) fn role(value: &Bound<'_, PyAny>) -> PyResult<DaemonRole> {
    named(role_class(value.py())?, value, DaemonRole::from_number)
}

/// The number that a name stands for in an enumeration of `lvs_py.enums`.
#[pyfunction]
pub(crate) fn enum_number(py: Python<'_>, class_: &str, name: Text) -> PyResult<u32> {
    Ok(match class_ {
        "Protocol" => name.parse::<Protocol>().or_invalid(py)?.number().into(),
        "AddressFamily" => name.parse::<AddressFamily>().or_invalid(py)?.number().into(),
        "ForwardingMethod" => name.parse::<ForwardingMethod>().or_invalid(py)?.number().into(),
        "TunnelKind" => name.parse::<TunnelKind>().or_invalid(py)?.number().into(),
        _ => name.parse::<DaemonRole>().or_invalid(py)?.number(),
    })
}

/// The name that a spelling stands for in an enumeration of `lvs_py.enums` without numbers.
#[pyfunction]
pub(crate) fn enum_word(py: Python<'_>, class_: &str, name: Text) -> PyResult<String> {
    match class_ {
        "ConnectionState" => name.parse::<ConnectionState>().or_invalid(py).map(|state| state.to_string()),
        _ => name.parse::<ConnectionOrigin>().or_invalid(py).map(|origin| origin.to_string()),
    }
}

/// The name of a number in an enumeration of `lvs_py.enums`.
#[pyfunction]
pub(crate) fn enum_name(class_: &str, number: u32) -> String {
    match class_ {
        "Protocol" => Protocol::from_number(number as u16).to_string(),
        "AddressFamily" => AddressFamily::from_number(number as u16).map_or_else(String::new, |it| it.to_string()),
        "ForwardingMethod" => ForwardingMethod::from_number(number).to_string(),
        "TunnelKind" => TunnelKind::from_number(number as u8).to_string(),
        _ => DaemonRole::from_number(number).map_or_else(String::new, |it| it.to_string()),
    }
}

/// Flags of a service with this scheduler: a member, the bits as a number, or names.
pub(crate) fn service_flags(value: &Bound<'_, PyAny>, scheduler: &str) -> PyResult<ServiceFlags> {
    let py = value.py();
    let one = |name: &str| match ServiceFlags::of_scheduler(name, scheduler) {
        Ok(flag) => Ok(flag),
        Err(error) if schedulers::flag_by_name(name).is_some() => Err(error).or_invalid(py),
        Err(_) => name.parse().or_invalid(py),
    };
    names(value, one).unwrap_or_else(|| value.extract().map(|Whole(bits)| ServiceFlags::from_bits(bits)))
}

pub(crate) fn tunnel_flags(value: &Bound<'_, PyAny>) -> PyResult<TunnelFlags> {
    let one = |name: &str| name.parse().or_invalid(value.py());
    names(value, one).unwrap_or_else(|| value.extract().map(|Whole(bits)| TunnelFlags::from_bits(bits)))
}

/// Flags given by their names, in a list or in one text with commas; nothing if they are not.
fn names<T: FromIterator<T>>(value: &Bound<'_, PyAny>, one: impl Fn(&str) -> PyResult<T>) -> Option<PyResult<T>> {
    if let Ok(text) = value.cast::<PyString>() {
        let flags = |text: std::borrow::Cow<'_, str>| {
            text.split([',', '|']).map(str::trim).filter(|name| !name.is_empty()).map(&one).collect()
        };
        return Some(text.text().and_then(flags));
    }
    let list = value.cast::<PyList>().ok()?;
    Some(list.iter().map(|name| one(&name.cast::<PyString>()?.text()?)).collect())
}

/// A member of one of the enumerations.
pub(crate) fn member<'py>(class: &Bound<'py, PyAny>, value: impl IntoPyObject<'py>) -> PyResult<Bound<'py, PyAny>> {
    class.call1((value,))
}

/// An address: text or an object of `ipaddress`.
pub(crate) fn address(value: &Bound<'_, PyAny>) -> PyResult<IpAddr> {
    if let Ok(text) = value.cast::<PyString>() {
        return address_text(value.py(), &text.text()?);
    }
    if value.cast::<PyInt>().is_ok() || !value.hasattr("packed")? {
        let kind = value.get_type().name()?;
        return Err(PyTypeError::new_err(format!("an address is text or an object of ipaddress, not {kind}")));
    }
    // An interface has a network after its address, which the base class's text has not.
    let object = if value.hasattr("network")? { value.getattr("ip")? } else { value.clone() };
    object.extract().or_else(|_| Err(invalid(value.py(), format!("{} is not an IP address", object.repr()?))))
}

pub(crate) fn address_text(py: Python<'_>, text: &str) -> PyResult<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().map_err(|_| {
        let zone = if text.contains('%') { ": an address has no zone here" } else { "" };
        invalid(py, format!("{text:?} is not an IP address{zone}"))
    })
}

/// A netmask for a family: an address, a prefix length, or either as text, with or without a slash.
pub(crate) fn netmask(value: &Bound<'_, PyAny>, family: AddressFamily) -> PyResult<Netmask> {
    let py = value.py();
    let length = if value.cast::<PyInt>().is_ok() {
        Some(value.extract::<Whole<u32>>()?.0)
    } else if let Ok(text) = value.cast::<PyString>() {
        let text = text.text()?;
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
        (Some(length), AddressFamily::Ipv6) => PrefixLength::new(length).or_invalid(py).map(Netmask::V6),
        (Some(length), AddressFamily::Ipv4) if length <= 32 => {
            let bits = u32::MAX.checked_shl(32 - length).unwrap_or(0);
            Ok(Netmask::V4(std::net::Ipv4Addr::from_bits(bits)))
        }
        (Some(length), AddressFamily::Ipv4) => Err(invalid(py, format!("prefix length {length} is not from 0 to 32"))),
    }
}

fn mask_address(py: Python<'_>, mask: IpAddr, family: AddressFamily) -> PyResult<Netmask> {
    match (mask, family) {
        (IpAddr::V4(mask), AddressFamily::Ipv4) => Ok(Netmask::V4(mask)),
        _ => Err(ModelError::NetmaskFamily).or_invalid(py),
    }
}

/// The number of a port, address and so on, as an object of Python.
pub(crate) fn ip<'py>(py: Python<'py>, addr: IpAddr) -> PyResult<Bound<'py, PyAny>> {
    addr.into_pyobject(py)
}
