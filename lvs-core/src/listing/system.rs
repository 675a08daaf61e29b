use std::io::{self, Write};

use crate::model::{Daemon, Timeouts};

/// Writes `ipvsadm -L --timeout`.
///
/// # Errors
/// Those of `out`.
pub fn write_timeouts(out: &mut impl Write, timeouts: &Timeouts) -> io::Result<()> {
    writeln!(out, "Timeout (tcp tcpfin udp): {} {} {}", timeouts.tcp, timeouts.tcp_fin, timeouts.udp)
}

/// Writes `ipvsadm -L --daemon`: nothing if none runs.
///
/// # Errors
/// Those of `out`.
pub fn write_daemons(out: &mut impl Write, daemons: &[Daemon]) -> io::Result<()> {
    for daemon in daemons {
        write!(out, "{} sync daemon (mcast={}, syncid={}", daemon.role, daemon.interface, daemon.sync_id)?;
        if let Some(max_len) = daemon.max_len.filter(|value| *value != 0) {
            write!(out, ", maxlen={max_len}")?;
        }
        if let Some(group) = daemon.group {
            write!(out, ", group={group}")?;
        }
        if let Some(port) = daemon.port.filter(|value| *value != 0) {
            write!(out, ", port={port}")?;
        }
        if let Some(ttl) = daemon.ttl.filter(|value| *value != 0) {
            write!(out, ", ttl={ttl}")?;
        }
        out.write_all(b")\n")?;
    }
    Ok(())
}
