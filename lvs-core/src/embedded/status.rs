//! How full the tables are (`ip_vs_ctl.c`: `ip_vs_status_show()`).

use std::hash::BuildHasher;
use std::io::{self, Write};

use super::EmbeddedDirector;
use super::connections::Flags;
use super::table_size::TableSize;
use crate::hash::Seedless;
use crate::model::{ForwardingMethod, ServiceKey};
use crate::procfs::{self, EstimatorStatus, Status, TableStatus};

/// Estimator threads that a processor may have.
const THREADS_PER_CPU: u64 = 4;

impl EmbeddedDirector {
    /// What `/proc/net/ip_vs_status` would show, of a machine with one processor. How the entries
    /// are spread over the buckets follows from the director's
    /// [seed](super::EmbeddedOptions::seed), as it does from a kernel's random key.
    ///
    /// How many statistics a thread of the estimator can take depends on the machine's speed; it is
    /// 0, as it is until a kernel has found it out. Kernels before 7.1 do not have the file.
    pub fn status(&self) -> Status {
        // The totals are estimated from the beginning; the kernel sets the limit with the first
        // service.
        let max_threads = if self.connection_table.exists() { THREADS_PER_CPU } else { 0 };
        let estimator = EstimatorStatus { threads: 1, max_threads, ..EstimatorStatus::default() };
        Status { connections: self.connection_status(), services: self.service_status(), estimator }
    }

    /// Writes what `/proc/net/ip_vs_status` would show, see [`status`](Self::status).
    ///
    /// # Errors
    /// What `out` says.
    pub fn write_status(&self, out: &mut impl Write) -> io::Result<()> {
        procfs::write_status(out, &self.status())
    }

    fn connection_status(&self) -> TableStatus {
        let table = &self.connection_table;
        let bits = table.buckets().max(1).ilog2();
        let buckets = self.connections.iter().flat_map(|(at, entry)| {
            let first = self.connections.bucket(at, entry, bits, true);
            // A reply of a masqueraded connection is found by the real server's side.
            let masqueraded = entry.flags.0 & Flags::METHOD == u16::from(ForwardingMethod::Masquerade.number());
            let second = masqueraded && !entry.flags.contains(Flags::TEMPLATE);
            let other = first.wrapping_mul(0x9E37_79B1) >> 7 ^ u32::from(entry.destination_port);
            [Some(first), second.then_some(other & ((1 << bits) - 1))].into_iter().flatten()
        });
        self.table_status(table, self.connections.len(), buckets)
    }

    fn service_status(&self) -> TableStatus {
        let table = &self.service_table;
        let bits = table.buckets().max(1).ilog2();
        let buckets = self.table.keys().map(|key| service_hash(key, self.options.seed) as u32 & ((1 << bits) - 1));
        self.table_status(table, self.table.len(), buckets)
    }

    fn table_status(&self, table: &TableSize, entries: usize, buckets: impl Iterator<Item = u32>) -> TableStatus {
        let lengths = (entries > 0 && table.exists()).then(|| {
            let mut chains = vec![0_u8; table.buckets() as usize];
            for bucket in buckets {
                let length = &mut chains[bucket as usize];
                *length = (*length + 1).min(7);
            }
            let mut lengths = [0; 8];
            for length in chains {
                lengths[usize::from(length)] += 1;
            }
            lengths
        });
        TableStatus {
            entries: entries as u64,
            buckets: table.buckets().into(),
            bits: table.buckets().max(1).ilog2(),
            lfactor: table.lfactor().into(),
            lengths,
        }
    }
}

/// A number of a service that follows from a seed.
pub(super) fn service_hash(key: &ServiceKey, seed: u64) -> u64 {
    Seedless.hash_one((seed, key)).wrapping_mul(0xD1B5_4A32_D192_ED03) >> 32
}
