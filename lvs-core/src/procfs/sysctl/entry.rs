use std::fmt;
use std::str::FromStr;

use crate::model::ModelError;

/// What a tunable takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SysctlRange {
    /// Whole numbers of that range.
    Int {
        /// The least.
        min: i32,
        /// The greatest.
        max: i32,
    },
    /// Powers of two from 1 to 2^30.
    PowerOfTwo,
    /// Seconds, kept in ticks of the kernel: the range is ±(2^31-1) divided by `CONFIG_HZ`, and the
    /// numbers here are those of 250 Hz. The kernel takes negative ones without meaning anything by
    /// them.
    Seconds {
        /// The greatest at 250 Hz; the least is its negative.
        max: i32,
    },
    /// Whole numbers of the machine's `unsigned long`.
    Long,
    /// A threshold and a period, both at least 0; the threshold is less than the period, or the
    /// period is 0.
    Threshold,
    /// A list of processors, such as `0-3,8`.
    Cpus,
}

/// Who may write a tunable of a network namespace, besides root of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SysctlWriters {
    /// Root of the user namespace that owns the network namespace.
    NamespaceOwner,
    /// The same, but at most up to what the first user namespace has allowed: more is `EINVAL`.
    NamespaceOwnerUpToLimit,
    /// Nobody: in a network namespace that another user namespace owns the file can only be read.
    Nobody,
}

/// The facts of a tunable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SysctlInfo {
    /// Its file.
    pub name: &'static str,
    /// What it takes.
    pub range: SysctlRange,
    /// What the machine's first network namespace has, and most others; `None` where that depends
    /// on the machine.
    pub default: Option<&'static str>,
    /// What any other namespace has at first, where that differs.
    pub default_elsewhere: Option<&'static str>,
    /// Who may write it.
    pub writable: SysctlWriters,
    /// The first kernel release that has it, where this crate records one.
    pub since: Option<(u8, u8)>,
    /// The module that must be loaded, if not `ip_vs` itself.
    pub module: Option<&'static str>,
    /// What it does.
    pub summary: &'static str,
}

const INT: SysctlRange = SysctlRange::Int { min: i32::MIN, max: i32::MAX };
const LEVEL: SysctlRange = SysctlRange::Int { min: 0, max: 3 };
const LFACTOR: SysctlRange = SysctlRange::Int { min: -8, max: 8 };
const SECONDS: SysctlRange = SysctlRange::Seconds { max: 8_589_934 };

const fn default_elsewhere(name: &str) -> Option<&'static str> {
    match name.as_bytes() {
        b"conn_lfactor" | b"svc_lfactor" => Some("-2"),
        _ => None,
    }
}

// ip_vs_ctl.c: ip_vs_control_net_init_sysctl(), ip_vs_proc_conn_max().
const fn writers(name: &str) -> SysctlWriters {
    match name.as_bytes() {
        b"conn_lfactor" | b"svc_lfactor" | b"est_cpulist" | b"est_nice" | b"run_estimation" | b"sync_qlen_max"
        | b"sync_sock_size" => SysctlWriters::Nobody,
        b"conn_max" => SysctlWriters::NamespaceOwnerUpToLimit,
        _ => SysctlWriters::NamespaceOwner,
    }
}

macro_rules! sysctls {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $range:expr, $default:expr, $since:expr, $module:expr, $summary:literal;)*) => {
        /// A tunable below `/proc/sys/net/ipv4/vs`.
        ///
        /// Those that exist only where the kernel was built for debugging are read and written by
        /// name, see [`Sysctls::get_raw`](super::Sysctls::get_raw).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Sysctl {
            $(#[doc = $summary] $(#[$doc])* $variant,)*
        }

        impl Sysctl {
            /// All of them, by name.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its facts.
            pub const fn info(self) -> SysctlInfo {
                match self {
                    $(Self::$variant => SysctlInfo {
                        name: $name,
                        range: $range,
                        default: $default,
                        default_elsewhere: default_elsewhere($name),
                        writable: writers($name),
                        since: $since,
                        module: $module,
                        summary: $summary,
                    },)*
                }
            }
        }
    };
}

// Defaults and ranges: ip_vs_ctl.c (vs_vars[] and its handlers), ip_vs_lblc.c, ip_vs_lblcr.c;
// ranges tried on 6.1, 6.12 and 7.3. Releases: the history of those files.
sysctls! {
    /// While `drop_packet` is 3, one packet in this number is dropped.
    AmDropRate = "am_droprate", INT, Some("10"), None, None, "The drop rate of `drop_packet` mode 3.";
    /// In pages. Below it the automatic modes 1 of the defences go over to 2.
    AmemThresh = "amemthresh", INT, Some("1024"), None, None, "Free memory below which the defences start by themselves.";
    BackupOnly = "backup_only", INT, Some("0"), Some((3, 9)), None,
        "Whether to forward nothing while a backup sync daemon runs, so that director and real server can be one host.";
    CacheBypass = "cache_bypass", INT, Some("0"), None, None,
        "Whether to send packets on to their original address when no destination is available.";
    /// In powers of two: -4 is 1 in 16. A write resizes the table at once.
    ConnLfactor = "conn_lfactor", LFACTOR, Some("-4"), Some((7, 1)), None,
        "How many connections a bucket the connection table holds before it grows.";
    /// Templates and connections that were received from a master count, too. At the limit packets
    /// that would open a connection are dropped without an answer, a message or a counter. Other
    /// namespaces begin with what the first one has at that time.
    ConnMax = "conn_max", SysctlRange::Int { min: 0, max: 1 << 30 }, Some("1073741824"), Some((7, 2)), None,
        "The most entries of the connection table.";
    /// 0: it follows the entry. Otherwise it is scheduled again if the entry is in TIME_WAIT or
    /// CLOSE, and with bit 2 (value 2 or 3) also in FIN_WAIT where replies do not pass the
    /// director.
    ConnReuseMode = "conn_reuse_mode", INT, Some("1"), Some((4, 1)), None, "What becomes of a SYN that hits a known connection.";
    Conntrack = "conntrack", INT, Some("0"), None, None,
        "Whether connections keep their entries in the netfilter connection tracker.";
    /// 0 off, 1 when memory is short (the kernel changes between 1 and 2 by itself), 3 always.
    DropEntry = "drop_entry", LEVEL, Some("0"), None, None, "Defence: dropping entries of half-open connections.";
    /// 0 off, 1 when memory is short (the kernel changes between 1 and 2 by itself), 3 always.
    DropPacket = "drop_packet", LEVEL, Some("0"), None, None, "Defence: dropping packets before they are scheduled.";
    /// An empty list stops estimation; reading gives the housekeeping processors unless a list was
    /// set.
    EstCpuList = "est_cpulist", SysctlRange::Cpus, None, Some((6, 2)), None,
        "The processors on which the estimation threads run.";
    EstNice = "est_nice", SysctlRange::Int { min: -20, max: 19 }, Some("0"), Some((6, 2)), None,
        "The nice value of the estimation threads.";
    ExpireNodestConn = "expire_nodest_conn", INT, Some("0"), None, None,
        "Whether connections of a removed destination end at their next packet instead of being ignored.";
    ExpireQuiescentTemplate = "expire_quiescent_template", INT, Some("0"), None, None,
        "Whether weight 0 ends the persistence of known clients, too.";
    IgnoreTunneled = "ignore_tunneled", INT, Some("0"), Some((4, 4)), None,
        "Whether packets of unscheduled protocols are marked so that a decapsulated one is left alone.";
    LblcExpiration = "lblc_expiration", SECONDS, Some("86400"), None, Some("ip_vs_lblc"),
        "How long lblc remembers an unused address, in seconds.";
    LblcrExpiration = "lblcr_expiration", SECONDS, Some("86400"), None, Some("ip_vs_lblcr"),
        "How long lblcr remembers an unused address, in seconds.";
    NatIcmpSend = "nat_icmp_send", INT, Some("0"), None, None,
        "Whether real servers get a port-unreachable for replies without a connection.";
    PmtuDisc = "pmtu_disc", INT, Some("1"), Some((3, 7)), None,
        "Whether tunnels honour path MTU discovery; 0 fragments instead.";
    /// 0 freezes counters and rates.
    RunEstimation = "run_estimation", INT, Some("1"), None, None, "Whether counters and rates are updated.";
    ScheduleIcmp = "schedule_icmp", INT, Some("0"), Some((4, 4)), None,
        "Whether ICMP errors may create connections.";
    /// 0 off, 1 when memory is short (the kernel changes between 1 and 2 by itself), 3 always.
    SecureTcp = "secure_tcp", LEVEL, Some("0"), None, None, "Defence: the stricter table of TCP states.";
    SloppySctp = "sloppy_sctp", INT, Some("0"), Some((3, 11)), None,
        "Whether any SCTP packet may create a connection, not only an INIT.";
    SloppyTcp = "sloppy_tcp", INT, Some("0"), Some((3, 11)), None,
        "Whether any TCP segment may create a connection, not only a SYN.";
    SnatReroute = "snat_reroute", INT, Some("1"), None, None,
        "Whether masqueraded replies are routed again, as if the director had sent them.";
    /// In powers of two: -3 is 1 in 8. A write resizes the table at once.
    SvcLfactor = "svc_lfactor", LFACTOR, Some("-3"), Some((7, 1)), None,
        "How many services a bucket the service table holds before it grows.";
    SyncPersistMode = "sync_persist_mode", INT, Some("0"), Some((3, 11)), None,
        "Whether of persistent services templates alone are synchronised.";
    /// At most 64 are used.
    SyncPorts = "sync_ports", SysctlRange::PowerOfTwo, Some("1"), Some((3, 5)), None,
        "How many ports and threads a sync daemon uses.";
    /// By default a 32nd of the pages free when the namespace was made.
    SyncQlenMax = "sync_qlen_max", SysctlRange::Long, None, Some((3, 5)), None, "How many sync messages may wait.";
    SyncRefreshPeriod = "sync_refresh_period", SECONDS, Some("0"), Some((3, 5)), None,
        "Seconds in which a synchronised timer must have changed to be sent again; 0 goes by packets.";
    SyncRetries = "sync_retries", LEVEL, Some("0"), Some((3, 5)), None, "How often a refresh is sent again.";
    SyncSockSize = "sync_sock_size", INT, Some("0"), Some((3, 5)), None,
        "The socket buffer of a sync daemon in bytes; 0 for the system's default.";
    SyncThreshold = "sync_threshold", SysctlRange::Threshold, Some("3\t50"), None, None,
        "At which packet a connection is first synchronised, and after how many again.";
    SyncVersion = "sync_version", SysctlRange::Int { min: 0, max: 1 }, Some("1"), None, None,
        "The version of the messages that a master sends.";
}

impl Sysctl {
    /// The name of its file.
    pub const fn name(self) -> &'static str {
        self.info().name
    }
}

impl fmt::Display for Sysctl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Sysctl {
    type Err = ModelError;

    fn from_str(name: &str) -> Result<Self, ModelError> {
        Self::ALL.iter().copied().find(|sysctl| sysctl.name() == name).ok_or_else(|| ModelError::Unknown {
            what: "a tunable of IPVS",
            text: name.to_owned(),
            expected: Self::ALL.iter().map(|sysctl| sysctl.name()).collect::<Vec<_>>().join(", "),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tunables_are_sorted_by_name_and_found_by_it() {
        assert!(Sysctl::ALL.is_sorted_by_key(|sysctl| sysctl.name()));
        for sysctl in Sysctl::ALL {
            assert_eq!(sysctl.name().parse(), Ok(*sysctl));
        }
        assert!("debug_level".parse::<Sysctl>().is_err());
    }
}
