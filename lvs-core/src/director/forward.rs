//! A director behind a reference or a box is a director, too.

use std::ops::ControlFlow;

use super::{BatchReport, Director, OnRefusal, Operation};
use crate::error::Result;
use crate::model::{Connection, Daemon, DestinationEntry, Info, ServiceEntry, ServiceKey, Snapshot, Timeouts};

macro_rules! forward {
    ($($holder:ty),*) => {$(
        impl<D: Director + ?Sized> Director for $holder {
            fn info(&mut self) -> Result<Info> {
                (**self).info()
            }

            fn services(&mut self) -> Result<Vec<ServiceEntry>> {
                (**self).services()
            }

            fn service(&mut self, key: &ServiceKey) -> Result<ServiceEntry> {
                (**self).service(key)
            }

            fn destinations(&mut self, key: &ServiceKey) -> Result<Vec<DestinationEntry>> {
                (**self).destinations(key)
            }

            fn snapshot(&mut self) -> Result<Snapshot> {
                (**self).snapshot()
            }

            fn timeouts(&mut self) -> Result<Timeouts> {
                (**self).timeouts()
            }

            fn daemons(&mut self) -> Result<Vec<Daemon>> {
                (**self).daemons()
            }

            fn apply(&mut self, operations: &[Operation], on_refusal: OnRefusal) -> BatchReport {
                (**self).apply(operations, on_refusal)
            }

            fn visit_connections(
                &mut self,
                visitor: &mut dyn FnMut(&Connection<'_>) -> ControlFlow<()>,
            ) -> Result<()> {
                (**self).visit_connections(visitor)
            }

            fn execute(&mut self, operation: Operation) -> Result<()> {
                (**self).execute(operation)
            }
        }
    )*};
}

forward!(&mut D, Box<D>);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::EmbeddedDirector;
    use crate::model::Service;

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
