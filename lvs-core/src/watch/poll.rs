use std::time::Duration;

use super::{Event, Watcher};
use crate::director::Director;
use crate::error::Result;

/// Looks again and again.
///
/// `wait` is called before each look but the first, pauses as it sees fit and returns the time, or
/// `None` to end. A director that cannot be read gives an error and is asked again at the next
/// turn.
///
/// Looks are those of [`Watcher::look`]: some milliseconds for ten thousand services. Async code
/// looks itself, between two pauses of its runtime:
///
/// ```
/// use std::time::Duration;
/// use lvs_core::Director;
/// use lvs_core::embedded::EmbeddedDirector;
/// use lvs_core::model::{Service, ServiceKey};
/// use lvs_core::watch::{Event, Watcher};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut director = EmbeddedDirector::new();
/// director.add_service(&Service::new(ServiceKey::tcp("192.0.2.1", 80)?))?;
/// let looks = tokio::spawn(async move {
///     let (mut watcher, start) = (Watcher::new(), tokio::time::Instant::now());
///     let mut interval = tokio::time::interval(Duration::from_millis(1));
///     let mut seen = Vec::new();
///     for _ in 0..2 {
///         interval.tick().await;
///         seen.push(watcher.look(&mut director, start.elapsed())?);
///         director.flush()?;
///     }
///     Ok::<_, lvs_core::Error>(seen)
/// });
/// let seen = looks.await??;
/// assert!(matches!(seen[0][..], [Event::ServiceAppeared(_)]));
/// assert!(matches!(seen[1][..], [Event::ServiceVanished(_)]));
/// # Ok(())
/// # }
/// ```
pub fn poll<D: Director + ?Sized, W: FnMut(&mut D) -> Option<Duration>>(
    director: &mut D,
    start: Duration,
    wait: W,
) -> Poll<'_, D, W> {
    Watcher::new().poll(director, start, wait)
}

impl Watcher {
    /// Looks again and again, see [`poll`]: what this watcher watches.
    pub const fn poll<D: Director + ?Sized, W: FnMut(&mut D) -> Option<Duration>>(
        self,
        director: &mut D,
        start: Duration,
        wait: W,
    ) -> Poll<'_, D, W> {
        Poll { director, watcher: self, first: Some(start), wait }
    }
}

/// The looks of [`poll`], an iterator.
#[derive(Debug)]
#[must_use = "nothing is looked at until it is iterated over"]
pub struct Poll<'d, D: ?Sized, W> {
    director: &'d mut D,
    watcher: Watcher,
    first: Option<Duration>,
    wait: W,
}

impl<D: Director + ?Sized, W: FnMut(&mut D) -> Option<Duration>> Iterator for Poll<'_, D, W> {
    type Item = Result<Vec<Event>>;

    fn next(&mut self) -> Option<Self::Item> {
        let now = match self.first.take() {
            Some(now) => now,
            None => (self.wait)(self.director)?,
        };
        Some(self.watcher.look(self.director, now))
    }
}
