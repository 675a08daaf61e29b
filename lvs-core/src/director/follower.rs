use super::Director;
use crate::error::Result;
use crate::model::Snapshot;

/// When a table is read as a whole, and when by [`Director::snapshot_after`].
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    every: u32,
    /// Readings since the last whole one, that one included.
    count: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self { every: Follower::WHOLE_EVERY, count: 0 }
    }
}

impl Pace {
    pub(crate) fn read<D: Director + ?Sized>(&mut self, director: &mut D, last: Option<&Snapshot>) -> Result<Snapshot> {
        // What failed is followed by a whole one.
        let count = std::mem::take(&mut self.count);
        let (snapshot, count) = match last {
            Some(last) if (1..self.every).contains(&count) => (director.snapshot_after(last)?, count + 1),
            _ => (director.snapshot()?, 1),
        };
        self.count = count;
        Ok(snapshot)
    }
}

/// Reads a director's table again and again, each time at the least cost that the director offers,
/// and now and then as a whole.
///
/// What the readings in between may overlook, [`Director::snapshot_after`] says; it is seen
/// [`Follower::WHOLE_EVERY`] readings later at the latest. A
/// [`Watcher`](crate::watch::Watcher) follows its director by itself, a
/// [`Planner`](crate::plan::Planner) is given a follower.
///
/// ```
/// use lvs_core::Director;
/// use lvs_core::embedded::EmbeddedDirector;
/// use lvs_core::model::{Service, ServiceKey};
/// use lvs_core::director::Follower;
///
/// let (mut director, mut follower) = (EmbeddedDirector::new(), Follower::new());
/// assert!(follower.read(&mut director)?.services.is_empty());
/// director.add_service(&Service::new(ServiceKey::tcp("192.0.2.1", 80)?))?;
/// assert_eq!(follower.read(&mut director)?.services.len(), 1);
/// # Ok::<(), lvs_core::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Follower {
    last: Option<Snapshot>,
    pace: Pace,
}

impl Follower {
    /// One reading in this many is of the whole table, unless set otherwise.
    pub const WHOLE_EVERY: u32 = 10;

    /// A follower that has read nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes one reading in this many a whole one; 1 for each.
    #[must_use]
    pub const fn whole_every(mut self, readings: u32) -> Self {
        self.pace.every = readings;
        self
    }

    /// Reads the table. A reading that fails is followed by a whole one.
    ///
    /// # Errors
    /// As [`Director::snapshot`].
    pub fn read<D: Director + ?Sized>(&mut self, director: &mut D) -> Result<&Snapshot> {
        let snapshot = self.pace.read(director, self.last.as_ref())?;
        Ok(self.last.insert(snapshot))
    }

    /// What was read last.
    pub const fn last(&self) -> Option<&Snapshot> {
        self.last.as_ref()
    }

    /// The next reading is a whole one: something was changed that the others may overlook.
    pub const fn forget(&mut self) {
        self.pace.count = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delegate_director;
    use crate::director::{BatchReport, OnRefusal, Operation};
    use crate::embedded::EmbeddedDirector;
    use crate::error::Error;

    /// Records how it was read, and fails at one reading.
    struct Noting {
        director: EmbeddedDirector,
        readings: String,
        fails_at: usize,
    }

    impl Noting {
        fn note(&mut self, how: char) -> Result<Snapshot> {
            self.readings.push(how);
            if self.readings.len() == self.fails_at {
                return Err(Error::io("read", std::io::ErrorKind::TimedOut.into()));
            }
            self.director.snapshot()
        }
    }

    impl Director for Noting {
        delegate_director!(self => self.director; info, services, service, destinations, timeouts, daemons,
            visit_connections, visit_connection_origins, totals, status, profile, has_scheduler, sysctl_names, sysctl,
            set_sysctl);

        fn snapshot(&mut self) -> Result<Snapshot> {
            self.note('w')
        }

        fn snapshot_after(&mut self, _: &Snapshot) -> Result<Snapshot> {
            self.note('a')
        }

        fn apply(&mut self, operations: &[Operation], on_refusal: OnRefusal) -> BatchReport {
            self.director.apply(operations, on_refusal)
        }
    }

    #[test]
    fn readings_are_whole_at_first_after_a_failure_when_asked_and_every_so_often() {
        let mut director = Noting { director: EmbeddedDirector::new(), readings: String::new(), fails_at: 7 };
        let mut follower = Follower::new().whole_every(4);
        for round in 1..=10 {
            assert_eq!(follower.read(&mut director).is_err(), round == 7);
        }
        assert_eq!(director.readings, "waaawaawaa");
        follower.forget();
        follower.read(&mut director).unwrap();
        assert_eq!(director.readings, "waaawaawaaw");
        for round in 0..2 {
            Follower::new().whole_every(round).read(&mut director).unwrap();
        }
        assert_eq!(director.readings, "waaawaawaawww");
    }
}
