/// The sysctls under `net.ipv4.vs` that change decisions, with the kernel's defaults.
///
/// As in the kernel, a switch is on when it is not zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
#[non_exhaustive]
pub struct Settings {
    /// What happens to packets of a connection whose destination was removed: dropped until the connection times out, or
    /// (when set) scheduled anew.
    pub expire_nodest_conn: bool,
    /// Whether a weight of 0 ends persistence to the destination.
    pub expire_quiescent_template: bool,
    /// Bits that say when a client that reuses its port gets a new destination: 0 never, 1 when the old connection has
    /// ended, 2 also while it ends (direct routing, tunnels).
    pub conn_reuse_mode: i32,
    /// Whether any TCP segment but a reset may open a connection, not only a SYN.
    pub sloppy_tcp: bool,
    /// Whether any SCTP packet but an ABORT may open a connection, not only an INIT.
    pub sloppy_sctp: bool,
    /// Which TCP state table is in force: 0 the plain one, 1 the secure one under memory pressure (there is none here), 3
    /// the secure one. 2 becomes 1 at once, for the same reason.
    pub secure_tcp: u8,
    /// Whether packets for which a firewall-mark service has no destination go to where they were addressed.
    pub cache_bypass: bool,
    /// Whether packets that would open a connection are dropped: 3 one in `am_droprate`, else none (1 and 2 depend on
    /// memory pressure, of which there is none).
    pub drop_packet: u8,
    /// One in how many packets `drop_packet` drops.
    pub am_droprate: i32,
    /// Whether counters and rates are refreshed every two seconds; frozen when not.
    pub run_estimation: bool,
    /// Whether the director leaves packets alone while a backup sync daemon runs.
    pub backup_only: bool,
    /// The first port that needs no privilege (`net.ipv4.ip_unprivileged_port_start`): from there on, TCP ports count as
    /// possible FTP data ports.
    pub ip_unprivileged_port_start: u16,
    /// lblc: seconds after which an unused entry may go.
    pub lblc_expiration: u32,
    /// lblcr: seconds after which an unused entry may go, and after which an unchanged set shrinks.
    pub lblcr_expiration: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            expire_nodest_conn: false,
            expire_quiescent_template: false,
            conn_reuse_mode: 1,
            sloppy_tcp: false,
            sloppy_sctp: false,
            secure_tcp: 0,
            cache_bypass: false,
            drop_packet: 0,
            am_droprate: 10,
            run_estimation: true,
            backup_only: false,
            ip_unprivileged_port_start: 1024,
            lblc_expiration: 86400,
            lblcr_expiration: 86400,
        }
    }
}

impl Settings {
    /// Whether the secure state table is in force.
    pub(super) const fn is_secure_tcp(&self) -> bool {
        self.secure_tcp == 3
    }
}
