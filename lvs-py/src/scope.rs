//! `Scope`: what a plan, a watcher may touch, as terms that print, compare and pickle.

use std::fmt;
use std::net::IpAddr;

use lvs_core::model::{AddressFamily, ServiceKey};
use lvs_core::plan::Scope;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use serde::{Deserialize, Serialize};

use crate::args::{AsText as _, OfArgument, Whole};
use crate::convert;
use crate::errors::invalid;
use crate::failures::OrRaise;
use crate::schema::schema_methods;
use crate::service::KeyArg;
use crate::turns;

/// How a scope was made. The core has the result alone, a condition.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Term {
    All,
    Services(Vec<ServiceKey>),
    Network { address: IpAddr, length: u8 },
    Ports { first: u16, last: u16 },
    Marks { first: u32, last: u32 },
    WithTimeouts(Box<Self>),
    WithDaemons(Box<Self>),
    Or { left: Box<Self>, right: Box<Self> },
    And { left: Box<Self>, right: Box<Self> },
    Not(Box<Self>),
}

impl Term {
    fn scope(&self) -> lvs_core::Result<Scope> {
        Ok(match self {
            Self::All => Scope::all(),
            Self::Services(keys) => Scope::services(keys.iter().copied()),
            Self::Network { address, length } => Scope::network(*address, *length)?,
            Self::Ports { first, last } => Scope::ports(*first..=*last),
            Self::Marks { first, last } => Scope::marks(*first..=*last),
            Self::WithTimeouts(term) => term.scope()?.with_timeouts(),
            Self::WithDaemons(term) => term.scope()?.with_daemons(),
            Self::Or { left, right } => left.scope()?.or(right.scope()?),
            Self::And { left, right } => left.scope()?.and(right.scope()?),
            Self::Not(term) => term.scope()?.inverted(),
        })
    }
}

/// As Python writes it.
impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("Scope.all()"),
            Self::Services(keys) => {
                let keys: Vec<_> = keys.iter().map(|key| format!("'{key}'")).collect();
                write!(f, "Scope.services({})", keys.join(", "))
            }
            Self::Network { address, length } => write!(f, "Scope.network('{address}/{length}')"),
            Self::Ports { first, last } => write!(f, "Scope.ports({first}, {last})"),
            Self::Marks { first, last } => write!(f, "Scope.marks({first}, {last})"),
            Self::WithTimeouts(term) => write!(f, "({term}).with_timeouts()"),
            Self::WithDaemons(term) => write!(f, "({term}).with_daemons()"),
            Self::Or { left, right } => write!(f, "({left} | {right})"),
            Self::And { left, right } => write!(f, "({left} & {right})"),
            Self::Not(term) => write!(f, "~{term}"),
        }
    }
}

/// What a plan may touch. Everything else stays as it is. Scopes combine by `|`, `&` and `~`.
/// Timeouts and sync daemons are the whole table's: only `Scope.all()` owns them by itself.
#[pyclass(name = "Scope", module = "lvs_py", frozen)]
#[derive(Clone)]
pub(crate) struct PyScope {
    scope: Scope,
    term: Term,
}

impl PyScope {
    fn of(py: Python<'_>, term: Term) -> PyResult<Self> {
        Ok(Self { scope: py.detach(|| term.scope()).or_raise(py)?, term })
    }

    pub(crate) fn of_services(py: Python<'_>, keys: Vec<ServiceKey>) -> PyResult<Self> {
        Self::of(py, Term::Services(keys))
    }

    fn boxed(&self) -> Box<Term> {
        Box::new(self.term.clone())
    }
}

fn range<T: Copy + PartialOrd + fmt::Display>(py: Python<'_>, first: T, last: Option<T>) -> PyResult<(T, T)> {
    let last = last.unwrap_or(first);
    if last < first {
        return Err(invalid(py, format!("the first is {first}, and the last, {last}, comes before it")));
    }
    Ok((first, last))
}

#[pymethods]
impl PyScope {
    /// The whole table: every service, the timeouts and the sync daemons.
    #[staticmethod]
    fn all(py: Python<'_>) -> PyResult<Self> {
        Self::of(py, Term::All)
    }

    /// These services, there or not.
    #[staticmethod]
    #[pyo3(signature = (*services))]
    fn services(services: &Bound<'_, PyTuple>) -> PyResult<Self> {
        let keys = turns::read(services, |key| Ok(key.extract::<KeyArg>()?.0));
        let py = services.py();
        Self::of_services(py, keys.of_argument(py, "services")?)
    }

    /// Services whose virtual address lies in a network, such as "192.0.2.0/24".
    #[staticmethod]
    fn network(network: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = network.py();
        let text = network.str()?;
        let text = text.text()?;
        let (addr, length) = match text.split_once('/') {
            Some((addr, length)) => (convert::address_text(py, addr).of_argument(py, "network")?, length.parse().ok()),
            None => {
                let addr = convert::address_text(py, &text).of_argument(py, "network")?;
                (addr, Some(if AddressFamily::of(addr) == AddressFamily::Ipv4 { 32 } else { 128 }))
            }
        };
        let length: u8 = length.ok_or_else(|| invalid(py, format!("{text:?} is not a network")))?;
        Self::of(py, Term::Network { address: addr, length }).of_argument(py, "network")
    }

    /// Services with ports from `first` to `last`; firewall-mark services have none.
    #[staticmethod]
    #[pyo3(signature = (first, last = None))]
    fn ports(py: Python<'_>, first: Whole<u16>, last: Option<Whole<u16>>) -> PyResult<Self> {
        let (first, last) = range(py, first.0, last.map(|last| last.0))?;
        Self::of(py, Term::Ports { first, last })
    }

    /// Firewall-mark services, of either family, with marks from `first` to `last`.
    #[staticmethod]
    #[pyo3(signature = (first, last = None))]
    fn marks(py: Python<'_>, first: Whole<u32>, last: Option<Whole<u32>>) -> PyResult<Self> {
        let (first, last) = range(py, first.0, last.map(|last| last.0))?;
        Self::of(py, Term::Marks { first, last })
    }

    /// Whether a service is in the scope.
    fn __contains__(&self, key: &Bound<'_, PyAny>) -> bool {
        key.extract::<KeyArg>().is_ok_and(|key| self.scope.owns(&key.0))
    }

    /// The same scope and the timeouts.
    fn with_timeouts(&self, py: Python<'_>) -> PyResult<Self> {
        Self::of(py, Term::WithTimeouts(self.boxed()))
    }

    /// The same scope and the sync daemons.
    fn with_daemons(&self, py: Python<'_>) -> PyResult<Self> {
        Self::of(py, Term::WithDaemons(self.boxed()))
    }

    /// Whether the timeouts are in the scope.
    #[getter]
    const fn owns_timeouts(&self) -> bool {
        self.scope.owns_timeouts()
    }

    /// Whether the sync daemons are in the scope.
    #[getter]
    const fn owns_daemons(&self) -> bool {
        self.scope.owns_daemons()
    }

    fn __repr__(&self) -> String {
        self.term.to_string()
    }

    fn __or__(&self, py: Python<'_>, other: &Self) -> PyResult<Self> {
        Self::of(py, Term::Or { left: self.boxed(), right: other.boxed() })
    }

    fn __and__(&self, py: Python<'_>, other: &Self) -> PyResult<Self> {
        Self::of(py, Term::And { left: self.boxed(), right: other.boxed() })
    }

    fn __invert__(&self, py: Python<'_>) -> PyResult<Self> {
        Self::of(py, Term::Not(self.boxed()))
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.term == other.term
    }

    fn __hash__(&self) -> u64 {
        crate::value::hash(&self.term)
    }
}

schema_methods!(PyScope, "Scope" as Term, |value| &value.term, |read, py| Self::of(py, read));

pub(crate) fn scope_of(scope: Option<&Bound<'_, PyScope>>) -> Scope {
    scope.map_or_else(Scope::all, |scope| scope.get().scope.clone())
}
