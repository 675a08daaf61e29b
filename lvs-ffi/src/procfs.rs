//! The kernel's text files, readable without privileges, and its sysctls.

use std::ffi::{CStr, OsStr, c_char, c_void};
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use lvs_core::Director;
use lvs_core::procfs::{PerCpuRow, Procfs, Status, Sysctls, TableStatus};

use crate::boundary::call;
use crate::connection::{self, lvs_connection, lvs_connection_filter, lvs_connection_visitor};
use crate::director::{locked, lvs_director};
use crate::error::{Failure, lvs_error};
use crate::exports::{free, init};
use crate::handle::{hand_over, place, required, text};
use crate::record::{self, record, zeroed};
use crate::stats::{lvs_counters, lvs_stats};
use crate::status::lvs_status;
use crate::text::lvs_text;

/// Where the kernel's text files of a network namespace are: what they have that
/// lvs_director_open_kernel() cannot tell. They need no privileges.
///
/// Made by lvs_procfs_new(), released by lvs_procfs_free(). It never changes: any number of threads
/// may use it.
pub struct lvs_procfs(Procfs);

/// The tunables of a network namespace, the files of /proc/sys/net/ipv4/vs. Everybody may read
/// them, root may write.
///
/// Made by lvs_sysctls_new(), released by lvs_sysctls_free(). It never changes: any number of
/// threads may use it.
pub struct lvs_sysctls(Sysctls);

/// Which file to read connections from.
#[repr(u32)]
pub enum lvs_connection_file {
    /// ip_vs_conn: with the data of persistence engines, origins unknown.
    Engines = 0,
    /// ip_vs_conn_sync: with the origin of each connection, without engines.
    Origins = 1,
}

/// A port on which an application helper (FTP) looks into the traffic. Its layout never changes.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_helper {
    /// Its name, such as "ftp"; no NUL byte at its end, and gone after the visit.
    pub name: *const c_char,
    /// The length of the name.
    pub name_len: usize,
    /// LVS_PROTOCOL_..., or another number.
    pub protocol: u16,
    /// The port in host order.
    pub port: u16,
    /// Connections that use it.
    pub use_count: i32,
}

/// How full a hash table of a network namespace is. Its layout never changes.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_table_status {
    /// What is in it. Of the connection table: templates, too.
    pub entries: u64,
    /// How many buckets it has, 0 as long as there is no table.
    pub buckets: u64,
    /// Buckets are 2 to this power.
    pub bits: u32,
    /// The load factor that the table was last resized for.
    pub lfactor: i32,
    /// How many buckets are empty, hold 1 to 6 entries, or hold 7 or more; all 0 of a table without
    /// entries. A masqueraded connection is in two buckets.
    pub lengths: [u64; 8],
}

/// How full the tables of a network namespace are, from ip_vs_status. Initialise it with
/// LVS_PROC_STATUS_INIT.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_proc_status {
    /// The size of this record as the program was compiled.
    pub struct_size: u32,
    /// Reserved: always 0.
    pub reserved: u32,
    /// The connection table.
    pub connections: lvs_table_status,
    /// The service table, of both families and of addresses and marks.
    pub services: lvs_table_status,
    /// Threads of the estimator that there are.
    pub estimator_threads: u64,
    /// Threads of the estimator that there can be; 0 before the first service.
    pub estimator_max_threads: u64,
    /// Services, destinations and totals that are estimated at a time; 0 until the kernel has found
    /// out how many it can.
    pub estimator_chain_length: u64,
    /// How many a thread of the estimator can take.
    pub estimator_per_thread: u64,
}

record! {
    lvs_proc_status: 216;
}

init!(lvs_proc_status_init, status: lvs_proc_status, zeroed());

impl From<TableStatus> for lvs_table_status {
    fn from(table: TableStatus) -> Self {
        Self {
            entries: table.entries,
            buckets: table.buckets,
            bits: table.bits,
            lfactor: table.lfactor,
            lengths: table.lengths.unwrap_or_default(),
        }
    }
}

impl From<Status> for lvs_proc_status {
    fn from(status: Status) -> Self {
        Self {
            struct_size: size_of::<Self>() as u32,
            reserved: 0,
            connections: status.connections.into(),
            services: status.services.into(),
            estimator_threads: status.estimator.threads,
            estimator_max_threads: status.estimator.max_threads,
            estimator_chain_length: status.estimator.chain_length,
            estimator_per_thread: status.estimator.per_thread,
        }
    }
}

/// Sees the sums of one processor; `user` is what the caller passed. Returns whether it wants to
/// see more.
pub type lvs_cpu_visitor =
    Option<unsafe extern "C" fn(cpu: u32, counters: *const lvs_counters, user: *mut c_void) -> bool>;

/// Sees one helper; `user` is what the caller passed. Returns whether it wants to see more.
pub type lvs_helper_visitor = Option<unsafe extern "C" fn(helper: *const lvs_helper, user: *mut c_void) -> bool>;

/// A path that C named, or nothing for NULL. A path is bytes, UTF-8 or not.
unsafe fn path(path: *const c_char) -> Option<PathBuf> {
    // SAFETY: not NULL, and ends with a NUL byte by the promise of the caller.
    (!path.is_null()).then(|| Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(path) }.to_bytes())).to_owned())
}

/// Names the directory with the files: NULL for the calling thread's network namespace,
/// "/proc/1/net" for that of a process, or any other. Opens nothing yet.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_procfs_new(
    directory: *const c_char,
    procfs: *mut *mut lvs_procfs,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let files = path(directory).map_or_else(Procfs::current, Procfs::at);
        hand_over(place(procfs, "procfs")?, lvs_procfs(files))
    })
}

/// Reads the sums and rates of the whole director from ip_vs_stats. LVS_STATUS_NOT_FOUND where IPVS
/// is not loaded, here and in the other calls.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_procfs_stats(
    procfs: Option<&lvs_procfs>,
    stats: *mut lvs_stats,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let stats = place(stats, "stats")?;
        stats.write((&required(procfs, "procfs")?.0.stats()?).into());
        Ok(())
    })
}

/// Reads how full the tables are from ip_vs_status. Linux has the file since 7.1 and shows it to
/// root alone: LVS_STATUS_NOT_FOUND, LVS_STATUS_PERMISSION_DENIED.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_procfs_status(
    procfs: Option<&lvs_procfs>,
    status: *mut lvs_proc_status,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        record::check(status)?;
        record::write(status, required(procfs, "procfs")?.0.status()?.into())
    })
}

/// Reads how full a director's tables are, as lvs_procfs_status() does in the kernel's network
/// namespace. The embedded director shows what Linux 7.1 would; how many statistics a thread of the
/// estimator can take is 0.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_proc_status(
    director: Option<&lvs_director>,
    status: *mut lvs_proc_status,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        record::check(status)?;
        record::write(status, locked(director)?.status()?.into())
    })
}

/// Shows the sums of each possible processor from ip_vs_stats_percpu. They are of this moment, and
/// nothing zeroes them.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_procfs_visit_cpus(
    procfs: Option<&lvs_procfs>,
    visitor: lvs_cpu_visitor,
    user: *mut c_void,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let visitor = required(visitor, "visitor")?;
        let mut rows = required(procfs, "procfs")?.0.per_cpu_stats()?;
        while let Some(row) = rows.next_row() {
            if let PerCpuRow::Cpu { cpu, counters } = row?
                && !visitor(cpu, &lvs_counters::from(&counters), user)
            {
                break;
            }
        }
        Ok(())
    })
}

/// Shows the ports of the application helpers from ip_vs_app.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_procfs_visit_helpers(
    procfs: Option<&lvs_procfs>,
    visitor: lvs_helper_visitor,
    user: *mut c_void,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let visitor = required(visitor, "visitor")?;
        let mut rows = required(procfs, "procfs")?.0.helpers()?;
        while let Some(row) = rows.next_row() {
            let row = row?;
            let helper = lvs_helper {
                name: row.name.as_ptr().cast(),
                name_len: row.name.len(),
                protocol: row.protocol.number(),
                port: row.port,
                use_count: row.use_count,
            };
            if !visitor(&helper, user) {
                break;
            }
        }
        Ok(())
    })
}

/// Shows the connections that a filter means (all if it is NULL), as
/// lvs_director_visit_connections() does. `file` is enum lvs_connection_file.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_procfs_visit_connections(
    procfs: Option<&lvs_procfs>,
    file: u32,
    filter: *const lvs_connection_filter,
    visitor: lvs_connection_visitor,
    user: *mut c_void,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let visitor = required(visitor, "visitor")?;
        let filter = connection::filter(filter)?;
        let procfs = &required(procfs, "procfs")?.0;
        let mut rows = match file {
            0 => procfs.connections()?,
            1 => procfs.synced_connections()?,
            other => return Err(Failure::invalid(format!("unknown file {other} of connections"))),
        };
        rows.visit(|connection| {
            if filter.matches(connection) && !visitor(&lvs_connection::from(connection), user) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        Ok(())
    })
}

free!(lvs_procfs_free, procfs: lvs_procfs, "what lvs_procfs_new() made");

/// Names the directory with the tunables: NULL for /proc/sys/net/ipv4/vs, which shows the calling
/// thread's network namespace. Opens nothing yet.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_sysctls_new(
    directory: *const c_char,
    sysctls: *mut *mut lvs_sysctls,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let files = path(directory).map_or_else(Sysctls::new, Sysctls::at);
        hand_over(place(sysctls, "sysctls")?, lvs_sysctls(files))
    })
}

/// Writes the names of the tunables that this kernel has into `names`, sorted, each with a newline
/// behind it.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_sysctls_names(
    sysctls: Option<&lvs_sysctls>,
    names: Option<&mut lvs_text>,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let names = required(names, "names")?;
        let found = required(sysctls, "sysctls")?.0.names()?;
        names.set(found.into_iter().map(|name| name + "\n").collect());
        Ok(())
    })
}

/// Reads a tunable by its name, such as "conn_reuse_mode", as the text that its file holds.
/// LVS_STATUS_NOT_FOUND where this kernel, or this kind of namespace, does not have it.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_sysctls_get(
    sysctls: Option<&lvs_sysctls>,
    name: *const c_char,
    value: Option<&mut lvs_text>,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let value = required(value, "value")?;
        value.set(required(sysctls, "sysctls")?.0.get_raw(text(name, "name")?)?);
        Ok(())
    })
}

/// Writes a tunable. What no kernel takes gives LVS_STATUS_INVALID_INPUT with a message, before
/// anything is written; the rest is for the kernel to say.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_sysctls_set(
    sysctls: Option<&lvs_sysctls>,
    name: *const c_char,
    value: *const c_char,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let sysctls = &required(sysctls, "sysctls")?.0;
        Ok(sysctls.set_text(text(name, "name")?, text(value, "value")?)?)
    })
}

free!(lvs_sysctls_free, sysctls: lvs_sysctls, "what lvs_sysctls_new() made");
