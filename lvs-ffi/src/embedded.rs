//! The embedded director.

use std::ffi::c_char;
use std::time::Duration;

use lvs_core::Director;
use lvs_core::embedded::{EmbeddedDirector, EmbeddedOptions, Interface, Settings};
use lvs_core::model::{EngineName, InterfaceName, SchedulerName};
use lvs_core::schedulers::Profile;

use crate::address::lvs_address;
use crate::boundary::{call, infallible};
use crate::director::{locked, lvs_director};
use crate::error::{Failure, lvs_error};
use crate::exports::init;
use crate::handle::{choice, field, hand_over, place, slice, text};
use crate::lock::Lock;
use crate::record::{self, record, zeroed};
use crate::stats::lvs_stats;
use crate::status::lvs_status;

/// Which behaviour of the kernel to follow. Vendors carry changes into older kernels:
/// lvs_director_profile() asks a running one.
#[repr(u32)]
pub enum lvs_profile {
    /// Linux 6.1.183, 6.12.104 and later.
    New = 0,
    /// Linux 6.1 to 6.1.182, 6.12 to 6.12.103.
    Old = 1,
    /// Linux 7.1 and later.
    Linux7 = 2,
}

pub(crate) fn profile(number: u32) -> Result<Profile, Failure> {
    choice(number, "profile", &[Profile::New, Profile::Old, Profile::Linux7])
}

const fn profile_number(profile: Profile) -> u32 {
    match profile {
        Profile::New => lvs_profile::New as u32,
        Profile::Old => lvs_profile::Old as u32,
        Profile::Linux7 => lvs_profile::Linux7 as u32,
    }
}

/// A network interface that the embedded director is to know. Its layout never changes.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_interface {
    /// Its name, at most 15 bytes and a NUL byte.
    pub name: [c_char; 16],
    /// The longest packet, in bytes.
    pub mtu: u32,
}

/// An address with the prefix length of its network. Its layout never changes.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_network {
    /// The address.
    pub addr: lvs_address,
    /// The length of the network's prefix, 0 to 32 or 128.
    pub prefix_length: u16,
    /// Reserved: must be 0.
    pub reserved: u16,
}

/// The kernel that an embedded director follows, and the machine around it. Initialise it with
/// LVS_EMBEDDED_OPTIONS_INIT: a current kernel with all schedulers, IPv6, the interfaces lo and
/// eth0, and no address but the loopback ones. Nothing that it points to is kept.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_embedded_options {
    /// The size of this record as the program was compiled.
    pub struct_size: u32,
    /// Which behaviour to follow: enum lvs_profile.
    pub profile: u32,
    /// The seed of everything that is random in a kernel: the draws of twos, what drop_entry looks
    /// at.
    pub seed: u64,
    /// The number of buckets of the connection table that a kernel reports, and since Linux 7.1 the
    /// most that its growing table has; 0 for 4096.
    pub connection_table_size: u32,
    /// Not 0: the kernel has no IPv6.
    pub no_ipv6: u32,
    /// Further addresses of the machine, `local_len` of them.
    pub local: *const lvs_network,
    /// Length of `local`.
    pub local_len: usize,
    /// The interfaces, `interfaces_len` of them; NULL for lo and eth0.
    pub interfaces: *const lvs_interface,
    /// Length of `interfaces`.
    pub interfaces_len: usize,
    /// The names of the schedulers that the kernel has, `schedulers_len` of them; NULL for all.
    pub schedulers: *const *const c_char,
    /// Length of `schedulers`.
    pub schedulers_len: usize,
    /// The names of the persistence engines that the kernel has, `engines_len` of them; NULL for
    /// sip.
    pub engines: *const *const c_char,
    /// Length of `engines`.
    pub engines_len: usize,
    /// Not 0: the kernel has loaded ip_vs_ftp. Masqueraded connections to port 21 stay tracked
    /// then.
    pub ftp_helper: u32,
    /// Reserved: must be 0.
    pub reserved: u32,
}

/// The sysctls under net.ipv4.vs that change decisions. Initialise it with LVS_SETTINGS_INIT, read
/// it with lvs_director_settings(), change what is to be changed, and set it with
/// lvs_director_set_settings().
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_settings {
    /// The size of this record as the program was compiled.
    pub struct_size: u32,
    /// Not 0: packets of a connection whose destination was removed are scheduled again, not
    /// dropped.
    pub expire_nodest_conn: u32,
    /// Not 0: a weight of 0 ends persistence to the destination.
    pub expire_quiescent_template: u32,
    /// Bits that say when a client that reuses its port gets a new destination.
    pub conn_reuse_mode: i32,
    /// Not 0: any TCP segment but a reset may open a connection.
    pub sloppy_tcp: u32,
    /// Not 0: any SCTP packet but an ABORT may open a connection.
    pub sloppy_sctp: u32,
    /// Which TCP state table is in force: 0 the plain one, 3 the secure one. 1 and 2 are automatic:
    /// 1 the plain one, 2, when memory is short, the secure one.
    pub secure_tcp: u32,
    /// Not 0: packets for which a firewall-mark service has no destination go to where they were
    /// addressed.
    pub cache_bypass: u32,
    /// 3: one in `am_droprate` of the packets that would open a connection is dropped. 1 and 2 are
    /// automatic: 1 none, 2, when memory is short, the more the less there is.
    pub drop_packet: u32,
    /// One in how many packets drop_packet drops.
    pub am_droprate: i32,
    /// Not 0: counters and rates are refreshed every two seconds.
    pub run_estimation: u32,
    /// Not 0: the director leaves packets alone while a backup sync daemon runs.
    pub backup_only: u32,
    /// The first port that needs no privilege.
    pub ip_unprivileged_port_start: u32,
    /// lblc: seconds after which an unused entry may go.
    pub lblc_expiration: u32,
    /// lblcr: seconds after which an unused entry may go, and after which an unchanged set shrinks.
    pub lblcr_expiration: u32,
    /// Whether entries of the connection table are dropped at random: 0 never, 3 always. 1 and 2
    /// are automatic: 1 no, 2, when memory is short, yes.
    pub drop_entry: u32,
    /// Pages of free memory below which memory is short: see lvs_director_set_available_pages().
    pub amemthresh: i32,
    /// Not 0: netfilter goes on to track connections. Where it still does, a packet that would be
    /// scheduled again is dropped, once.
    pub conntrack: u32,
    /// The most entries of the connection table; at the limit, packets that would open a connection
    /// are dropped. Only LVS_PROFILE_LINUX7 has it, and the next two.
    pub conn_max: u32,
    /// The connection table grows when it holds more than 2 to this power entries a bucket, -8 to
    /// 8.
    pub conn_lfactor: i32,
    /// The service table grows when it holds more than 2 to this power services a bucket, -8 to 8.
    pub svc_lfactor: i32,
    /// Reserved: must be 0.
    pub reserved: u32,
}

record! {
    lvs_embedded_options: 96;
    lvs_settings: 88;
}

init!(lvs_embedded_options_init, options: lvs_embedded_options, zeroed());

init!(lvs_settings_init, settings: lvs_settings, lvs_settings::from(&Settings::default()));

impl From<&Settings> for lvs_settings {
    fn from(settings: &Settings) -> Self {
        Self {
            struct_size: size_of::<Self>() as u32,
            expire_nodest_conn: settings.expire_nodest_conn.into(),
            expire_quiescent_template: settings.expire_quiescent_template.into(),
            conn_reuse_mode: settings.conn_reuse_mode,
            sloppy_tcp: settings.sloppy_tcp.into(),
            sloppy_sctp: settings.sloppy_sctp.into(),
            secure_tcp: settings.secure_tcp.into(),
            cache_bypass: settings.cache_bypass.into(),
            drop_packet: settings.drop_packet.into(),
            am_droprate: settings.am_droprate,
            run_estimation: settings.run_estimation.into(),
            backup_only: settings.backup_only.into(),
            ip_unprivileged_port_start: settings.ip_unprivileged_port_start.into(),
            lblc_expiration: settings.lblc_expiration,
            lblcr_expiration: settings.lblcr_expiration,
            drop_entry: settings.drop_entry.into(),
            amemthresh: settings.amemthresh,
            conntrack: settings.conntrack.into(),
            conn_max: settings.conn_max,
            conn_lfactor: settings.conn_lfactor.into(),
            svc_lfactor: settings.svc_lfactor.into(),
            reserved: 0,
        }
    }
}

impl lvs_settings {
    /// Puts the values into settings that already hold what this record does not know.
    fn apply(&self, settings: &mut Settings) -> Result<(), Failure> {
        let byte = |value: u32, what: &str| {
            u8::try_from(value).map_err(|_| Failure::invalid(format!("{what} {value} is out of range")))
        };
        settings.expire_nodest_conn = self.expire_nodest_conn != 0;
        settings.expire_quiescent_template = self.expire_quiescent_template != 0;
        settings.conn_reuse_mode = self.conn_reuse_mode;
        settings.sloppy_tcp = self.sloppy_tcp != 0;
        settings.sloppy_sctp = self.sloppy_sctp != 0;
        settings.secure_tcp = byte(self.secure_tcp, "secure_tcp")?;
        settings.cache_bypass = self.cache_bypass != 0;
        settings.drop_packet = byte(self.drop_packet, "drop_packet")?;
        settings.am_droprate = self.am_droprate;
        settings.run_estimation = self.run_estimation != 0;
        settings.backup_only = self.backup_only != 0;
        settings.ip_unprivileged_port_start = u16::try_from(self.ip_unprivileged_port_start).map_err(|_| {
            Failure::invalid(format!("ip_unprivileged_port_start {} is no port", self.ip_unprivileged_port_start))
        })?;
        settings.lblc_expiration = self.lblc_expiration;
        settings.lblcr_expiration = self.lblcr_expiration;
        settings.drop_entry = byte(self.drop_entry, "drop_entry")?;
        settings.amemthresh = self.amemthresh;
        settings.conntrack = self.conntrack != 0;
        record::zero("lvs_settings.reserved", self.reserved)?;
        let lfactor = |value: i32, what: &str| match i8::try_from(value) {
            Ok(factor @ -8..=8) => Ok(factor),
            _ => Err(Failure::invalid(format!("{what} {value} is out of range"))),
        };
        settings.conn_max = self.conn_max;
        settings.conn_lfactor = lfactor(self.conn_lfactor, "conn_lfactor")?;
        settings.svc_lfactor = lfactor(self.svc_lfactor, "svc_lfactor")?;
        Ok(())
    }
}

impl lvs_embedded_options {
    unsafe fn to_options(self) -> Result<EmbeddedOptions, Failure> {
        record::zero("lvs_embedded_options.reserved", self.reserved)?;
        let mut options =
            EmbeddedOptions::default().seed(self.seed).ipv6(self.no_ipv6 == 0).ftp_helper(self.ftp_helper != 0);
        options = options.profile(profile(self.profile)?);
        if self.connection_table_size != 0 {
            options = options.connection_table_size(self.connection_table_size);
        }
        // SAFETY: the arrays are as long as they say, by the promise of the caller.
        unsafe {
            for network in slice(self.local, self.local_len, "local")? {
                record::zero("lvs_network.reserved", network.reserved)?;
                let addr = network.addr.to_addr("a local address")?;
                let longest = if addr.is_ipv4() { 32 } else { 128 };
                match u8::try_from(network.prefix_length) {
                    Ok(length) if length <= longest => options = options.local_address(addr, length),
                    _ => return Err(Failure::invalid(format!("no prefix has {} bits", network.prefix_length))),
                }
            }
            if !self.interfaces.is_null() {
                let interfaces = slice(self.interfaces, self.interfaces_len, "interfaces")?.iter().map(|interface| {
                    let name = InterfaceName::new(field(&interface.name, "the interface's name")?)?;
                    Ok::<_, Failure>(Interface { name, mtu: interface.mtu })
                });
                options = options.interfaces(interfaces.collect::<Result<Vec<_>, _>>()?);
            }
            if !self.schedulers.is_null() {
                let names = slice(self.schedulers, self.schedulers_len, "schedulers")?.iter();
                let names = names.map(|name| Ok::<_, Failure>(SchedulerName::new(text(*name, "a scheduler's name")?)?));
                options = options.schedulers(names.collect::<Result<Vec<_>, _>>()?);
            }
            if !self.engines.is_null() {
                let names = slice(self.engines, self.engines_len, "engines")?.iter();
                let names = names.map(|name| Ok::<_, Failure>(EngineName::new(text(*name, "an engine's name")?)?));
                options = options.engines(names.collect::<Result<Vec<_>, _>>()?);
            }
        }
        Ok(options)
    }
}

/// Makes an embedded director: it does exactly what IPVS in the kernel does, in this process. It
/// needs no privileges, starts no thread and looks at no clock: time stands still until
/// lvs_director_advance() moves it. `options` may be NULL. Ends the process if there is no memory
/// for it.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_open_embedded(
    options: *const lvs_embedded_options,
    director: *mut *mut lvs_director,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let director = place(director, "director")?;
        let made = match record::read_optional(options)? {
            Some(options) => options.to_options()?.build(),
            None => EmbeddedDirector::new(),
        };
        hand_over(director, lvs_director(Lock::new(made.into())))
    })
}

/// Whether this is an embedded director. False if `director` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_director_is_embedded(director: Option<&lvs_director>) -> bool {
    infallible!(false, { locked(director).is_ok_and(|director| director.is_embedded()) })
}

/// Moves the embedded director's clock on by `nanoseconds` and does all that falls due on the way,
/// in its order. LVS_STATUS_UNSUPPORTED for the kernel, whose clock moves by itself.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_advance(
    director: Option<&lvs_director>,
    nanoseconds: u64,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let span = Duration::from_nanos(nanoseconds);
        Ok(locked(director)?.with_embedded("move the clock", |director| director.advance(span))?)
    })
}

/// Tells the embedded director how much memory the machine has to spare, in pages. It looks at it
/// once a second, when a setting depends on it. Until told otherwise there is plenty.
/// LVS_STATUS_UNSUPPORTED for the kernel, which knows.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_set_available_pages(
    director: Option<&lvs_director>,
    pages: u64,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        Ok(locked(director)?
            .with_embedded("set the available memory", |director| director.set_available_pages(pages))?)
    })
}

/// Reads the embedded director's clock: nanoseconds since it was made. LVS_STATUS_UNSUPPORTED for
/// the kernel.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_now(
    director: Option<&lvs_director>,
    nanoseconds: *mut u64,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let nanoseconds = place(nanoseconds, "nanoseconds")?;
        let now = locked(director)?.with_embedded("read the clock", |director| director.now())?;
        nanoseconds.write(u64::try_from(now.as_nanos()).unwrap_or(u64::MAX));
        Ok(())
    })
}

/// Reads the counters and rates of the whole director, as in /proc/net/ip_vs_stats.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_totals(
    director: Option<&lvs_director>,
    totals: *mut lvs_stats,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let totals = place(totals, "totals")?;
        totals.write((&locked(director)?.totals()?).into());
        Ok(())
    })
}

/// Asks which behaviour a director has: enum lvs_profile. The running kernel is asked, not judged
/// by its version; in a namespace without services it may take a service that is made for that
/// moment, of firewall mark 4294967295.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_profile(
    director: Option<&lvs_director>,
    profile: *mut u32,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let profile = place(profile, "profile")?;
        profile.write(profile_number(locked(director)?.profile()?));
        Ok(())
    })
}

/// Reads the embedded director's sysctls. LVS_STATUS_UNSUPPORTED for the kernel.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_settings(
    director: Option<&lvs_director>,
    settings: *mut lvs_settings,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        record::check(settings)?;
        let found = locked(director)?.with_embedded("read the settings", |director| *director.settings())?;
        record::write(settings, (&found).into())
    })
}

/// Changes the embedded director's sysctls. LVS_STATUS_UNSUPPORTED for the kernel.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_set_settings(
    director: Option<&lvs_director>,
    settings: *const lvs_settings,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let values = record::read(settings)?;
        locked(director)?.with_embedded("change the settings", |director| {
            let mut settings = *director.settings();
            values.apply(&mut settings)?;
            director.set_settings(settings);
            Ok(())
        })?
    })
}
