//! How many buckets the kernel's hash tables have (since Linux 7.1: `ip_vs_rht_desired_size()`).

/// The least buckets of a connection table.
const CONNECTIONS_MIN: u32 = 1 << 8;
/// The least and the most buckets of a service table.
const SERVICES: (u32, u32) = (1 << 4, 1 << 20);
/// How many times larger than needed a table may be before it shrinks.
const SHRINKING: u32 = 16;

/// The size of a hash table, which follows what the table holds or never changes.
#[derive(Debug, Clone, Copy)]
pub(super) struct TableSize {
    /// The least and the most buckets; nothing if the size is fixed.
    bounds: Option<(u32, u32)>,
    /// Buckets, 0 as long as there is no table.
    buckets: u32,
    /// The load factor that the table was last resized for.
    lfactor: i8,
    /// It grows as soon as it holds more entries than this.
    grows_above: usize,
    /// It shrinks when it holds fewer entries than this.
    shrinks_below: usize,
}

impl TableSize {
    /// A table of a size that was chosen when the module was loaded.
    pub(super) const fn fixed(buckets: u32) -> Self {
        Self { bounds: None, buckets, lfactor: 0, grows_above: usize::MAX, shrinks_below: 0 }
    }

    const fn absent(bounds: (u32, u32)) -> Self {
        Self { bounds: Some(bounds), buckets: 0, lfactor: 0, grows_above: usize::MAX, shrinks_below: 0 }
    }

    /// The connection table of a namespace, of at most this many buckets.
    pub(super) fn of_connections(most: u32) -> Self {
        Self::absent((CONNECTIONS_MIN, most.max(CONNECTIONS_MIN)))
    }

    /// The service table of a namespace.
    pub(super) const fn of_services() -> Self {
        Self::absent(SERVICES)
    }

    pub(super) const fn buckets(&self) -> u32 {
        self.buckets
    }

    pub(super) const fn lfactor(&self) -> i8 {
        self.lfactor
    }

    /// Whether there is a table at all.
    pub(super) const fn exists(&self) -> bool {
        self.buckets > 0
    }

    /// Makes the table, at its smallest.
    pub(super) fn create(&mut self, lfactor: i8) {
        if let Some((least, _)) = self.bounds {
            self.set(least, lfactor);
        }
    }

    /// Releases the table, unless its size is fixed.
    pub(super) fn release(&mut self) {
        if let Some(bounds) = self.bounds {
            *self = Self::absent(bounds);
        }
    }

    /// Whether the table is too small for this number of entries.
    #[inline]
    pub(super) const fn is_full(&self, entries: usize) -> bool {
        entries > self.grows_above
    }

    /// Whether the table is much too large for this number of entries.
    #[inline]
    pub(super) const fn is_sparse(&self, entries: usize) -> bool {
        entries < self.shrinks_below
    }

    /// Brings the size in line with the number of entries and the load factor that is set.
    pub(super) fn resize(&mut self, entries: usize, lfactor: i8) {
        let Some((least, most)) = self.bounds.filter(|_| self.exists()) else { return };
        let wanted = wanted(entries, lfactor);
        let buckets = if lfactor != self.lfactor {
            wanted.clamp(least, most)
        } else if wanted > self.buckets {
            wanted.min(most)
        } else if wanted > self.buckets / SHRINKING {
            self.buckets
        } else {
            wanted.saturating_mul(2).clamp(least, most)
        };
        self.set(buckets, lfactor);
    }

    fn set(&mut self, buckets: u32, lfactor: i8) {
        let Some((least, most)) = self.bounds else { return };
        self.buckets = buckets;
        self.lfactor = lfactor;
        let threshold = shift(u64::from(buckets), lfactor) as usize;
        // At its largest a table no longer grows, at its smallest it does not shrink.
        self.grows_above = if buckets < most { threshold } else { usize::MAX };
        let most_when_sparse = threshold / SHRINKING as usize;
        let has_any = wanted(most_when_sparse, lfactor) <= buckets / SHRINKING;
        self.shrinks_below = if buckets > least && has_any { most_when_sparse + 1 } else { 0 };
    }
}

/// Buckets for a number of entries, before the bounds.
fn wanted(entries: usize, lfactor: i8) -> u32 {
    let power = (entries.max(1) as u64).next_power_of_two();
    u32::try_from(shift(power, -lfactor)).unwrap_or(u32::MAX)
}

/// A number times 2^`by`.
const fn shift(number: u64, by: i8) -> u64 {
    let bits = by.unsigned_abs() as u32;
    if by < 0 { number >> bits } else { number << bits }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grown(mut table: TableSize, lfactor: i8, entries: usize) -> u32 {
        table.create(lfactor);
        for entries in 1..=entries {
            if table.is_full(entries) {
                table.resize(entries, lfactor);
            }
        }
        table.buckets()
    }

    // Seen on Linux 7.3.4: the connection table of the first namespace (-4) and of another one
    // (-2), the service table.
    #[test]
    fn tables_grow_as_the_kernels_do() {
        for (connections, first, other) in [
            (16, 256, 256),
            (17, 512, 256),
            (33, 1024, 256),
            (64, 1024, 256),
            (65, 2048, 512),
            (129, 4096, 1024),
            (257, 4096, 2048),
            (513, 4096, 4096),
            (100_000, 4096, 4096),
        ] {
            assert_eq!(grown(TableSize::of_connections(4096), -4, connections), first, "{connections}");
            assert_eq!(grown(TableSize::of_connections(4096), -2, connections), other, "{connections}");
        }
        for (services, buckets) in [(2, 16), (3, 32), (5, 64), (9, 128), (17, 256), (33, 512), (65, 1024)] {
            assert_eq!(grown(TableSize::of_services(), -3, services), buckets, "{services}");
        }
        assert_eq!(grown(TableSize::of_services(), -2, 12), 64);
    }

    #[test]
    fn tables_shrink_when_they_are_sixteen_times_too_large() {
        let mut services = TableSize::of_services();
        services.create(-3);
        services.resize(65, -3);
        assert_eq!((services.buckets(), services.is_sparse(9), services.is_sparse(8)), (1024, false, true));
        services.resize(8, -3);
        assert_eq!(services.buckets(), 128);
        let mut connections = TableSize::of_connections(4096);
        connections.create(-4);
        connections.resize(129, -4);
        assert!(connections.is_sparse(2));
        connections.resize(2, -4);
        assert_eq!(connections.buckets(), 256);
        assert!(!connections.is_sparse(0), "it is at its smallest");
    }

    #[test]
    fn another_load_factor_resizes_both_ways() {
        let mut table = TableSize::of_connections(1 << 20);
        table.create(-4);
        table.resize(1000, -8);
        assert_eq!(table.buckets(), 1 << 18);
        table.resize(1000, 8);
        assert_eq!(table.buckets(), 256);
        table.resize(100_000, 8);
        assert_eq!((table.buckets(), table.is_full(1 << 17), table.is_full((1 << 17) + 1)), (512, false, true));
    }

    #[test]
    fn a_table_of_fixed_size_stays() {
        let mut table = TableSize::fixed(4096);
        table.create(-4);
        table.resize(1 << 20, -8);
        table.release();
        assert_eq!((table.buckets(), table.is_full(usize::MAX), table.is_sparse(0)), (4096, false, false));
    }
}
