use crate::procfs::{Sysctl, SysctlError, SysctlValue};

/// The sysctls under `net.ipv4.vs` that change decisions, with the kernel's defaults.
///
/// As in the kernel, a switch is on when it is not zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
#[non_exhaustive]
pub struct Settings {
    /// What happens to packets of a connection whose destination was removed: dropped until the
    /// connection times out, or (when set) scheduled again.
    pub expire_nodest_conn: bool,
    /// Whether a weight of 0 ends persistence to the destination.
    pub expire_quiescent_template: bool,
    /// Bits that say when a client that reuses its port gets a new destination: 0 never, 1 when the
    /// old connection has ended, 2 also while it ends (direct routing, tunnels).
    pub conn_reuse_mode: i32,
    /// Whether any TCP segment but a reset may open a connection, not only a SYN.
    pub sloppy_tcp: bool,
    /// Whether any SCTP packet but an ABORT may open a connection, not only an INIT.
    pub sloppy_sctp: bool,
    /// Which TCP state table is in force: 0 the plain one, 3 the secure one. 1 and 2 are automatic:
    /// the director changes between 1, the plain one, and 2, the secure one, as memory runs short
    /// and is there again (see [`amemthresh`](Self::amemthresh)).
    pub secure_tcp: u8,
    /// Whether packets for which a firewall-mark service has no destination go to where they were
    /// addressed.
    pub cache_bypass: bool,
    /// Whether packets that would open a connection are dropped: 0 none, 3 one in `am_droprate`. 1
    /// and 2 are automatic: the director changes between 1, none, and 2, the more the less memory
    /// there is.
    pub drop_packet: u8,
    /// One in how many packets `drop_packet` drops.
    pub am_droprate: i32,
    /// Whether entries of the connection table are dropped at random, a thirty-second of the table
    /// each second: half-open connections, templates that no connection has confirmed, and
    /// connections of few packets that have been silent for a minute. 0 never, 3 always. 1 and 2
    /// are automatic: the director changes between 1, no, and 2, yes.
    pub drop_entry: u8,
    /// Pages of free memory below which memory is short, for the automatic modes. How many there
    /// are, the caller sets:
    /// [`set_available_pages`](super::EmbeddedDirector::set_available_pages).
    pub amemthresh: i32,
    /// Whether netfilter goes on to track the director's connections. Where it does, a packet that
    /// would be scheduled again although its former connection is still tracked is dropped, once.
    /// Whether it is, a packet can [tell](super::Packet::tracked); without that the director takes
    /// it that a connection is tracked until it ends, and that a SYN begins another one after that.
    pub conntrack: bool,
    /// Whether counters and rates are refreshed every two seconds; frozen when not.
    pub run_estimation: bool,
    /// Whether the director leaves packets alone while a backup sync daemon runs.
    pub backup_only: bool,
    /// The first port that needs no privilege (`net.ipv4.ip_unprivileged_port_start`): from there
    /// on, TCP ports count as possible FTP data ports.
    pub ip_unprivileged_port_start: u16,
    /// lblc: seconds after which an unused entry may go.
    pub lblc_expiration: u32,
    /// lblcr: seconds after which an unused entry may go, and after which an unchanged set shrinks.
    pub lblcr_expiration: u32,
    /// The most entries of the connection table, templates included; at the limit, packets that
    /// would open a connection are dropped. Only
    /// [`Profile::Linux7`](crate::schedulers::Profile::Linux7) has it, and the next two.
    pub conn_max: u32,
    /// The connection table grows when it holds more than 2 to this power entries a bucket, -8 to
    /// 8.
    pub conn_lfactor: i8,
    /// The service table grows when it holds more than 2 to this power services a bucket, -8 to 8.
    pub svc_lfactor: i8,
}

impl Settings {
    /// Those of a network namespace that was made after boot: its tables grow later.
    pub fn of_new_namespace() -> Self {
        Self { conn_lfactor: -2, svc_lfactor: -2, ..Self::default() }
    }
}

/// Those of the machine's first network namespace.
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
            drop_entry: 0,
            amemthresh: 1024,
            conntrack: false,
            run_estimation: true,
            backup_only: false,
            ip_unprivileged_port_start: 1024,
            lblc_expiration: 86400,
            lblcr_expiration: 86400,
            conn_max: 1 << 30,
            conn_lfactor: -4,
            svc_lfactor: -3,
        }
    }
}

/// What a field of [`Settings`] holds of the value of its sysctl.
trait Field: Copy {
    fn to_value(self) -> i32;
    fn from_value(value: i32) -> Option<Self>;
}

impl Field for bool {
    fn to_value(self) -> i32 {
        self.into()
    }

    fn from_value(value: i32) -> Option<Self> {
        Some(value != 0)
    }
}

macro_rules! number_fields {
    ($($number:ty),*) => {$(
        impl Field for $number {
            fn to_value(self) -> i32 {
                i32::try_from(self).unwrap_or(i32::MAX)
            }

            fn from_value(value: i32) -> Option<Self> {
                value.try_into().ok()
            }
        }
    )*};
}

number_fields!(i8, u8, i32, u32);

macro_rules! sysctls {
    ($($sysctl:ident = $field:ident,)*) => {
        impl Settings {
            /// The value of a sysctl, if the embedded director heeds it.
            pub fn get(&self, sysctl: Sysctl) -> Option<SysctlValue> {
                match sysctl {
                    $(Sysctl::$sysctl => Some(self.$field.to_value().into()),)*
                    _ => None,
                }
            }

            /// Sets the value of a sysctl. Sysctls that the embedded director does not heed are
            /// left out.
            ///
            /// # Errors
            /// [`SysctlError`] for a value that the kernel refuses, and for negative numbers of
            /// seconds, which the kernel takes without meaning anything by them.
            pub fn set(&mut self, sysctl: Sysctl, value: &SysctlValue) -> Result<(), SysctlError> {
                sysctl.check(value)?;
                match (sysctl, value) {
                    $((Sysctl::$sysctl, SysctlValue::Int(number)) => {
                        self.$field = Field::from_value(*number).ok_or_else(|| sysctl.rejection(value.to_string()))?;
                    })*
                    _ => {}
                }
                Ok(())
            }
        }
    };
}

sysctls! {
    AmDropRate = am_droprate,
    AmemThresh = amemthresh,
    BackupOnly = backup_only,
    CacheBypass = cache_bypass,
    ConnLfactor = conn_lfactor,
    ConnMax = conn_max,
    ConnReuseMode = conn_reuse_mode,
    Conntrack = conntrack,
    DropEntry = drop_entry,
    DropPacket = drop_packet,
    ExpireNodestConn = expire_nodest_conn,
    ExpireQuiescentTemplate = expire_quiescent_template,
    LblcExpiration = lblc_expiration,
    LblcrExpiration = lblcr_expiration,
    RunEstimation = run_estimation,
    SecureTcp = secure_tcp,
    SloppySctp = sloppy_sctp,
    SloppyTcp = sloppy_tcp,
    SvcLfactor = svc_lfactor,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sysctl_is_read_as_it_was_set_and_refused_in_words() {
        let mut settings = Settings::default();
        for sysctl in Sysctl::ALL.iter().filter(|sysctl| settings.get(**sysctl).is_some()) {
            let default = sysctl.info().default.expect("every setting has a default in the kernel");
            assert_eq!(settings.get(*sysctl).unwrap().to_string(), default, "{}", sysctl.name());
        }
        settings.set(Sysctl::ConnReuseMode, &3.into()).unwrap();
        assert_eq!(settings.get(Sysctl::ConnReuseMode), Some(3.into()));
        settings.set(Sysctl::Conntrack, &7.into()).unwrap();
        assert_eq!(settings.get(Sysctl::Conntrack), Some(1.into()));
        let refused = settings.set(Sysctl::DropEntry, &4.into()).unwrap_err();
        assert_eq!(refused.to_string(), "drop_entry takes 0, 1, 2 or 3, not \"4\"");
        assert!(settings.set(Sysctl::LblcExpiration, &(-1).into()).is_err());
        assert_eq!(settings.get(Sysctl::PmtuDisc), None);
    }
}
