use std::time::Duration;

use super::{Event, Watcher};
use crate::director::Director;
use crate::error::Result;

/// Looks again and again.
///
/// `wait` is called before each look but the first, pauses as it sees fit and returns the time, or `None` to end.
/// A director that cannot be read gives an error and is asked again at the next turn.
pub fn poll<'d, D: Director + ?Sized>(
    director: &'d mut D,
    start: Duration,
    mut wait: impl FnMut(&mut D) -> Option<Duration> + 'd,
) -> impl Iterator<Item = Result<Vec<Event>>> + 'd {
    let mut watcher = Watcher::new();
    let mut first = Some(start);
    std::iter::from_fn(move || {
        let now = match first.take() {
            Some(now) => now,
            None => wait(director)?,
        };
        Some(director.snapshot().map(|snapshot| watcher.observe(snapshot, now)))
    })
}

/// The same in async code, with the timers of any runtime: the future of `wait` pauses.
///
/// A look itself does not yield: it is a handful of system calls for a table, some milliseconds for ten thousand services.
/// A program that cannot let its other tasks wait for so long lets a thread look and hands the snapshots to a
/// [`Watcher`].
///
/// With tokio, `wait` is `|| async { interval.tick().await; Some(start.elapsed()) }` (and a clone or a lock where the
/// borrow checker asks for one); a `Stream` for combinators is
/// `futures::stream::unfold(looks, |mut looks| async { Some((looks.next().await?, looks)) })`.
///
/// ```
/// use std::time::Duration;
/// use lvs_core::Director;
/// use lvs_core::embedded::EmbeddedDirector;
/// use lvs_core::model::{Service, ServiceKey};
/// use lvs_core::watch::{Event, poll_async};
/// # use std::task::{Context, Poll, Waker};
/// # /// The smallest runtime there is: nothing here ever has to wait.
/// # fn block_on<F: Future>(future: F) -> F::Output {
/// #     match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
/// #         Poll::Ready(output) => output,
/// #         Poll::Pending => panic!("nothing wakes it"),
/// #     }
/// # }
///
/// let mut director = EmbeddedDirector::new();
/// director.add_service(&Service::new(ServiceKey::tcp("192.0.2.1", 80)?))?;
///
/// let mut looks = 0;
/// // A runtime's timer, in a program.
/// let sleep = || { looks += 1; std::future::ready((looks < 3).then(|| Duration::from_secs(looks))) };
/// let mut watch = poll_async(&mut director, Duration::ZERO, sleep);
/// let seen = block_on(async {
///     let mut seen = Vec::new();
///     while let Some(events) = watch.next().await {
///         seen.push(events?);
///         if seen.len() == 1 {
///             watch.director().flush()?;
///         }
///     }
///     Ok::<_, lvs_core::Error>(seen)
/// })?;
/// assert!(matches!(&seen[0][..], [Event::ServiceAppeared(_)]));
/// assert!(matches!(&seen[1][..], [Event::ServiceVanished(_)]));
/// assert!(seen[2].is_empty() && seen.len() == 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn poll_async<D, W, F>(director: &mut D, start: Duration, wait: W) -> AsyncPoll<'_, D, W>
where
    D: Director + ?Sized,
    W: FnMut() -> F,
    F: Future<Output = Option<Duration>>,
{
    AsyncPoll { director, watcher: Watcher::new(), first: Some(start), wait }
}

/// Looks of async code, see [`poll_async`].
#[derive(Debug)]
pub struct AsyncPoll<'d, D: ?Sized, W> {
    director: &'d mut D,
    watcher: Watcher,
    first: Option<Duration>,
    wait: W,
}

impl<D, W, F> AsyncPoll<'_, D, W>
where
    D: Director + ?Sized,
    W: FnMut() -> F,
    F: Future<Output = Option<Duration>>,
{
    /// Waits and looks; `None` once `wait` ends it.
    ///
    /// It may be dropped while it waits, as by `select!`: no event is lost, the next call waits anew.
    ///
    /// # Errors
    /// The director cannot be read; it is asked again by the next call.
    pub async fn next(&mut self) -> Option<Result<Vec<Event>>> {
        let now = match self.first.take() {
            Some(now) => now,
            None => (self.wait)().await?,
        };
        Some(self.director.snapshot().map(|snapshot| self.watcher.observe(snapshot, now)))
    }

    /// The director, between two looks.
    pub fn director(&mut self) -> &mut D {
        self.director
    }

    /// What has been seen so far.
    pub const fn watcher(&self) -> &Watcher {
        &self.watcher
    }
}
