//! The tunables behind `lvs.Sysctls`: of the embedded director its settings, of the kernel the files of its director's namespace.

use std::borrow::Cow;

use lvs_core::procfs::Sysctl;
#[cfg(target_os = "linux")]
use lvs_core::procfs::Sysctls;
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;

use crate::director::{Inner, PyHandle};
use crate::failures::OrRaise;

#[pymethods]
impl PyHandle {
    fn sysctl_names(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        let names = self.with_inner(py, |inner| match inner {
            Inner::Embedded(_) => Ok(settings::NAMES.iter().map(|name| (*name).to_owned()).collect()),
            #[cfg(target_os = "linux")]
            Inner::Kernel(director) => director.inside(|| Sysctls::new().names()),
        })?;
        names.or_raise(py)
    }

    fn sysctl_get<'py>(&self, py: Python<'py>, name: Cow<'_, str>) -> PyResult<Bound<'py, PyAny>> {
        let text = self.with_inner(py, |inner| match inner {
            Inner::Embedded(director) => Ok(settings::get(director.settings(), &name)),
            #[cfg(target_os = "linux")]
            Inner::Kernel(director) => match director.inside(|| Sysctls::new().get_raw(&name)) {
                Ok(text) => Ok(Some(text)),
                Err(error) if error.kind() == lvs_core::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            },
        })?;
        let text = text.or_raise(py)?.ok_or_else(|| PyKeyError::new_err(name.into_owned()))?;
        match text.parse::<i64>() {
            Ok(number) => number.into_bound_py_any(py),
            Err(_) => text.into_bound_py_any(py),
        }
    }

    fn sysctl_set(&self, py: Python<'_>, name: Cow<'_, str>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let text = match value.extract::<i64>() {
            Ok(number) => number.to_string(),
            Err(_) => value.str()?.to_cow()?.into_owned(),
        };
        let known = Sysctl::ALL.iter().find(|sysctl| sysctl.name() == name);
        if let Some(sysctl) = known {
            let value = lvs_core::procfs::SysctlValue::parse(*sysctl, &text).or_raise(py)?;
            sysctl.check(&value).or_raise(py)?;
        }
        let found = self.with_inner(py, |inner| match inner {
            Inner::Embedded(director) => {
                let mut new = *director.settings();
                let found = settings::set(&mut new, &name, &text);
                director.set_settings(new);
                Ok(found)
            }
            #[cfg(target_os = "linux")]
            Inner::Kernel(director) => match director.inside(|| Sysctls::new().set_raw(&name, &text)) {
                Ok(()) => Ok(true),
                Err(error) if error.kind() == lvs_core::ErrorKind::NotFound => Ok(false),
                Err(error) => Err(error),
            },
        })?;
        if found.or_raise(py)? { Ok(()) } else { Err(PyKeyError::new_err(name.into_owned())) }
    }
}

/// The embedded director's settings by the names that the kernel's tunables have.
mod settings {
    use lvs_core::embedded::Settings;

    macro_rules! settings {
        ($($name:ident: $kind:ident),* $(,)?) => {
            pub(super) const NAMES: &[&str] = &[$(stringify!($name)),*];

            pub(super) fn get(settings: &Settings, name: &str) -> Option<String> {
                match name {
                    $(stringify!($name) => Some(settings!(@show $kind settings.$name)),)*
                    _ => None,
                }
            }

            /// Whether there is such a setting and that is a value of it.
            pub(super) fn set(settings: &mut Settings, name: &str, text: &str) -> bool {
                match name {
                    $(stringify!($name) => settings!(@read $kind settings.$name, text),)*
                    _ => false,
                }
            }
        };
        (@show switch $field:expr) => { u8::from($field).to_string() };
        (@show number $field:expr) => { $field.to_string() };
        (@read switch $field:expr, $text:expr) => {
            $text.parse::<i64>().is_ok_and(|value| { $field = value != 0; true })
        };
        (@read number $field:expr, $text:expr) => {
            $text.parse().is_ok_and(|value| { $field = value; true })
        };
    }

    settings! {
        am_droprate: number,
        amemthresh: number,
        backup_only: switch,
        cache_bypass: switch,
        conn_lfactor: number,
        conn_max: number,
        conn_reuse_mode: number,
        conntrack: switch,
        drop_entry: number,
        drop_packet: number,
        expire_nodest_conn: switch,
        expire_quiescent_template: switch,
        lblc_expiration: number,
        lblcr_expiration: number,
        run_estimation: switch,
        secure_tcp: number,
        sloppy_sctp: switch,
        sloppy_tcp: switch,
        svc_lfactor: number,
    }
}
