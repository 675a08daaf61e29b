//! The tunables below `/proc/sys/net/ipv4/vs`, each with its type, range and default.
//!
//! They belong to a network namespace, and the kernel shows those of the *calling thread*, whatever
//! path leads there (`sysctl_net.c`): to set those of another namespace, enter it.

mod access;
mod entry;
mod value;

pub use access::Sysctls;
pub use entry::{Sysctl, SysctlInfo, SysctlRange, SysctlWriters};
pub use value::{SysctlError, SysctlValue};
