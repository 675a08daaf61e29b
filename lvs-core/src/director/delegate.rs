//! A director behind a reference or a box is a director, too.

use super::Director;

/// Writes the methods of a [`Director`] that another director carries out, by their names, or all
/// required ones and `snapshot_after`.
///
/// ```
/// use lvs_core::director::{BatchReport, OnRefusal, Operation};
/// use lvs_core::embedded::EmbeddedDirector;
/// use lvs_core::{Director, delegate_director};
///
/// /// Counts the batches.
/// struct Counting {
///     director: EmbeddedDirector,
///     batches: usize,
/// }
///
/// impl Director for Counting {
///     delegate_director!(self => self.director; info, services, service, destinations, snapshot, timeouts, daemons,
///         visit_connections, visit_connection_origins, totals, status, profile, has_scheduler, sysctl_names, sysctl, set_sysctl);
///
///     fn apply(&mut self, operations: &[Operation], on_refusal: OnRefusal) -> BatchReport {
///         self.batches += 1;
///         self.director.apply(operations, on_refusal)
///     }
/// }
///
/// let mut director = Counting { director: EmbeddedDirector::new(), batches: 0 };
/// director.flush()?;
/// assert_eq!(director.batches, 1);
/// # Ok::<(), lvs_core::Error>(())
/// ```
#[macro_export]
macro_rules! delegate_director {
    ($self:ident => $inner:expr; $($method:ident),+ $(,)?) => {
        $($crate::delegate_director!(@$method $self, $inner);)+
    };
    ($self:ident => $inner:expr) => {
        $crate::delegate_director!($self => $inner; info, services, service, destinations, snapshot, snapshot_after, timeouts,
            daemons, apply, visit_connections, visit_connection_origins, totals, status, profile, has_scheduler, sysctl_names, sysctl,
            set_sysctl);
    };
    (@apply $self:ident, $inner:expr) => {
        fn apply(
            &mut $self,
            operations: &[$crate::director::Operation],
            on_refusal: $crate::director::OnRefusal,
        ) -> $crate::director::BatchReport {
            $crate::Director::apply(&mut $inner, operations, on_refusal)
        }
    };
    (@info $self:ident, $inner:expr) => {
        $crate::delegate_director!(@read info() -> $crate::model::Info, $self, $inner);
    };
    (@services $self:ident, $inner:expr) => {
        $crate::delegate_director!(@read services() -> Vec<$crate::model::ServiceEntry>, $self, $inner);
    };
    (@service $self:ident, $inner:expr) => {
        $crate::delegate_director!(
            @read service(key: &$crate::model::ServiceKey) -> $crate::model::ServiceEntry, $self, $inner);
    };
    (@destinations $self:ident, $inner:expr) => {
        $crate::delegate_director!(
            @read destinations(key: &$crate::model::ServiceKey) -> Vec<$crate::model::DestinationEntry>, $self, $inner);
    };
    (@snapshot $self:ident, $inner:expr) => {
        $crate::delegate_director!(@read snapshot() -> $crate::model::Snapshot, $self, $inner);
    };
    (@snapshot_after $self:ident, $inner:expr) => {
        $crate::delegate_director!(
            @read snapshot_after(last: &$crate::model::Snapshot) -> $crate::model::Snapshot, $self, $inner);
    };
    (@timeouts $self:ident, $inner:expr) => {
        $crate::delegate_director!(@read timeouts() -> $crate::model::Timeouts, $self, $inner);
    };
    (@daemons $self:ident, $inner:expr) => {
        $crate::delegate_director!(@read daemons() -> Vec<$crate::model::Daemon>, $self, $inner);
    };
    (@visit_connections $self:ident, $inner:expr) => {
        $crate::delegate_director!(@visit visit_connections, $self, $inner);
    };
    (@visit_connection_origins $self:ident, $inner:expr) => {
        $crate::delegate_director!(@visit visit_connection_origins, $self, $inner);
    };
    (@totals $self:ident, $inner:expr) => {
        $crate::delegate_director!(@read totals() -> $crate::model::Stats, $self, $inner);
    };
    (@status $self:ident, $inner:expr) => {
        $crate::delegate_director!(@read status() -> $crate::procfs::Status, $self, $inner);
    };
    (@profile $self:ident, $inner:expr) => {
        $crate::delegate_director!(@read profile() -> $crate::schedulers::Profile, $self, $inner);
    };
    (@has_scheduler $self:ident, $inner:expr) => {
        $crate::delegate_director!(
            @read has_scheduler(name: &$crate::model::SchedulerName) -> Option<bool>, $self, $inner);
    };
    (@sysctl_names $self:ident, $inner:expr) => {
        $crate::delegate_director!(@read sysctl_names() -> Vec<String>, $self, $inner);
    };
    (@sysctl $self:ident, $inner:expr) => {
        $crate::delegate_director!(@read sysctl(name: &str) -> String, $self, $inner);
    };
    (@set_sysctl $self:ident, $inner:expr) => {
        $crate::delegate_director!(@read set_sysctl(name: &str, value: &str) -> (), $self, $inner);
    };
    (@read $method:ident($($argument:ident: $type:ty),*) -> $output:ty, $self:ident, $inner:expr) => {
        fn $method(&mut $self, $($argument: $type),*) -> $crate::Result<$output> {
            $crate::Director::$method(&mut $inner, $($argument),*)
        }
    };
    (@visit $method:ident, $self:ident, $inner:expr) => {
        fn $method(
            &mut $self,
            visitor: &mut dyn FnMut(&$crate::model::Connection<'_>) -> std::ops::ControlFlow<()>,
        ) -> $crate::Result<()> {
            $crate::Director::$method(&mut $inner, visitor)
        }
    };
}

impl<D: Director + ?Sized> Director for &mut D {
    delegate_director!(self => **self);
}

impl<D: Director + ?Sized> Director for Box<D> {
    delegate_director!(self => **self);
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::EmbeddedDirector;
    use crate::model::{Service, ServiceKey};

    /// As a controller's author writes it.
    struct Controller<D: Director> {
        director: D,
    }

    impl<D: Director> Controller<D> {
        fn services(&mut self) -> usize {
            self.director.snapshot().unwrap().services.len()
        }
    }

    const fn is_send<T: Send>(_: &T) {}

    #[test]
    fn a_controller_takes_a_director_a_reference_or_a_box() {
        let mut director = EmbeddedDirector::new();
        director.add_service(&Service::new(ServiceKey::tcp("192.0.2.1", 80).unwrap())).unwrap();
        assert_eq!(Controller { director: &mut director }.services(), 1);
        assert_eq!(Controller { director: &mut director as &mut dyn Director }.services(), 1);
        let mut boxed: Controller<Box<dyn Director + Send>> = Controller { director: Box::new(director) };
        is_send(&boxed);
        boxed.director.remove_service(&ServiceKey::tcp("192.0.2.1", 80).unwrap()).unwrap();
        assert_eq!(boxed.services(), 0);
    }
}
