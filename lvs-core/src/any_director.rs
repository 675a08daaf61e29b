//! Either director, chosen at run time.

use std::ops::ControlFlow;

use crate::director::{BatchReport, Director, OnRefusal, Operation};
use crate::embedded::EmbeddedDirector;
use crate::error::{Error, Result};
#[cfg(all(feature = "kernel", target_os = "linux"))]
use crate::kernel::KernelDirector;
use crate::model::{
    Connection, Daemon, DestinationEntry, Info, SchedulerName, ServiceEntry, ServiceKey, Snapshot, Stats, Timeouts,
};
use crate::procfs::Status;
use crate::schedulers::Profile;

/// The kernel director or the embedded director, chosen at run time, for programs that outlive a
/// panic: a library for another language, a server that catches the panics of its requests.
///
/// A call that panics, or whose visitor panics, may leave the director half changed. Every later
/// call then fails with [`Error::Panicked`].
///
/// ```
/// use lvs_core::embedded::EmbeddedDirector;
/// use lvs_core::{AnyDirector, Director, ErrorKind};
///
/// let mut director = AnyDirector::from(EmbeddedDirector::new());
/// director.with_embedded("move the clock", |embedded| embedded.advance(std::time::Duration::from_secs(60)))?;
/// let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
///     director.with_embedded("panic", |_| panic!("half way"))
/// }));
/// assert!(panicked.is_err());
/// assert_eq!(director.services().unwrap_err().kind(), ErrorKind::Internal);
/// # Ok::<(), lvs_core::Error>(())
/// ```
#[derive(Debug)]
pub struct AnyDirector {
    inner: Inner,
    /// Set during a call. A call that panics leaves it set.
    in_call: bool,
}

#[derive(Debug)]
enum Inner {
    #[cfg(all(feature = "kernel", target_os = "linux"))]
    Kernel(Box<KernelDirector>),
    Embedded(Box<EmbeddedDirector>),
}

impl Inner {
    fn director(&mut self) -> &mut dyn Director {
        match self {
            #[cfg(all(feature = "kernel", target_os = "linux"))]
            Self::Kernel(director) => &mut **director,
            Self::Embedded(director) => &mut **director,
        }
    }
}

impl AnyDirector {
    /// Whether this is an embedded director.
    pub const fn is_embedded(&self) -> bool {
        matches!(self.inner, Inner::Embedded(_))
    }

    /// Does what only an embedded director can do; `attempted` is the end of the sentence "cannot
    /// ...".
    ///
    /// # Errors
    /// [`Error::OtherDirector`] if this is the kernel director.
    #[inline]
    #[cfg_attr(not(all(feature = "kernel", target_os = "linux")), allow(unused_variables))]
    pub fn with_embedded<T>(&mut self, attempted: &str, work: impl FnOnce(&mut EmbeddedDirector) -> T) -> Result<T> {
        self.call(|inner| match inner {
            Inner::Embedded(director) => Ok(work(director)),
            #[cfg(all(feature = "kernel", target_os = "linux"))]
            Inner::Kernel(_) => Err(other_director(attempted, "an embedded director")),
        })
    }

    /// Does what only the kernel director can do; `attempted` is the end of the sentence "cannot
    /// ...".
    ///
    /// # Errors
    /// [`Error::OtherDirector`] if this is an embedded director.
    #[cfg(all(feature = "kernel", target_os = "linux"))]
    pub fn with_kernel<T>(&mut self, attempted: &str, work: impl FnOnce(&mut KernelDirector) -> T) -> Result<T> {
        self.call(|inner| match inner {
            Inner::Kernel(director) => Ok(work(director)),
            Inner::Embedded(_) => Err(other_director(attempted, "the kernel director")),
        })
    }

    #[inline]
    fn call<T>(&mut self, work: impl FnOnce(&mut Inner) -> Result<T>) -> Result<T> {
        if self.in_call {
            return Err(Error::Panicked);
        }
        self.in_call = true;
        let done = work(&mut self.inner);
        self.in_call = false;
        done
    }
}

#[cold]
#[cfg(all(feature = "kernel", target_os = "linux"))]
fn other_director(attempted: &str, needed: &'static str) -> Error {
    Error::OtherDirector { attempted: attempted.to_owned(), needed }
}

#[cfg(all(feature = "kernel", target_os = "linux"))]
impl From<KernelDirector> for AnyDirector {
    fn from(director: KernelDirector) -> Self {
        Self { inner: Inner::Kernel(Box::new(director)), in_call: false }
    }
}

impl From<EmbeddedDirector> for AnyDirector {
    fn from(director: EmbeddedDirector) -> Self {
        Self { inner: Inner::Embedded(Box::new(director)), in_call: false }
    }
}

macro_rules! guarded {
    ($($method:ident($($argument:ident: $type:ty),*) -> $output:ty;)*) => {$(
        fn $method(&mut self, $($argument: $type),*) -> Result<$output> {
            self.call(|inner| inner.director().$method($($argument),*))
        }
    )*};
}

impl Director for AnyDirector {
    guarded! {
        info() -> Info;
        services() -> Vec<ServiceEntry>;
        service(key: &ServiceKey) -> ServiceEntry;
        destinations(key: &ServiceKey) -> Vec<DestinationEntry>;
        snapshot() -> Snapshot;
        snapshot_after(last: &Snapshot) -> Snapshot;
        timeouts() -> Timeouts;
        daemons() -> Vec<Daemon>;
        visit_connections(visitor: &mut dyn FnMut(&Connection<'_>) -> ControlFlow<()>) -> ();
        visit_connection_origins(visitor: &mut dyn FnMut(&Connection<'_>) -> ControlFlow<()>) -> ();
        totals() -> Stats;
        status() -> Status;
        profile() -> Profile;
        has_scheduler(name: &SchedulerName) -> Option<bool>;
        sysctl_names() -> Vec<String>;
        sysctl(name: &str) -> String;
        set_sysctl(name: &str, value: &str) -> ();
    }

    fn apply(&mut self, operations: &[Operation], on_refusal: OnRefusal) -> BatchReport {
        self.call(|inner| Ok(inner.director().apply(operations, on_refusal))).unwrap_or_else(|error| {
            let mut report = BatchReport::new(operations.len());
            report.interrupted = Some(error);
            report
        })
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::ErrorKind;
    use crate::model::Service;

    #[test]
    fn after_a_panic_every_call_is_refused() {
        let mut director = AnyDirector::from(EmbeddedDirector::new());
        let key = ServiceKey::tcp("192.0.2.1", 80).unwrap();
        director.add_service(&Service::new(key)).unwrap();
        let panicked = catch_unwind(AssertUnwindSafe(|| director.with_embedded("panic", |_| panic!("half way"))));
        assert!(panicked.is_err());
        assert!(matches!(director.snapshot(), Err(Error::Panicked)));
        assert!(matches!(director.with_embedded("read the clock", |embedded| embedded.now()), Err(Error::Panicked)));
        let report = director.apply(&[Operation::Flush], OnRefusal::Continue);
        assert_eq!((report.sent, report.is_complete()), (0, false));
        assert_eq!(report.into_result().unwrap_err().kind(), ErrorKind::Internal);
    }

    #[test]
    #[cfg(all(feature = "kernel", target_os = "linux"))]
    fn what_only_the_kernel_does_is_refused_in_words() {
        let mut director = AnyDirector::from(EmbeddedDirector::new());
        let refused = director.with_kernel("read ip_vs_app", |_| ()).unwrap_err();
        assert_eq!(refused.to_string(), "cannot read ip_vs_app: only the kernel director does that");
        assert_eq!(refused.kind(), ErrorKind::Unsupported);
        assert!(director.info().is_ok(), "a refusal is no panic");
    }
}
