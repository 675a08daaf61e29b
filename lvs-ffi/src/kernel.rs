//! The kernel director.

use std::ffi::{CStr, OsStr, c_char};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

use lvs_core::kernel::{KernelDirector, Namespace, TransportChoice};

use crate::boundary::call;
use crate::director::lvs_director;
use crate::error::{Failure, lvs_error};
use crate::exports::init;
use crate::handle::{choice, hand_over, place, text};
use crate::lock::Lock;
use crate::record::{self, record, zeroed};
use crate::status::lvs_status;

/// Which of the kernel's two interfaces to use.
#[repr(u32)]
pub enum lvs_transport {
    /// Generic netlink: everything, for those with CAP_NET_ADMIN in the initial user namespace.
    Netlink = 0,
    /// The old socket options: IPv4 alone, no tunnels, no engines, no 64-bit counts. They work for
    /// the root of a user namespace, too, and read a table at a fraction of netlink's cost.
    SocketOptions = 1,
    /// Netlink, or the socket options where netlink is not permitted.
    Auto = 2,
}

/// How to open the kernel's director. Initialise it with LVS_KERNEL_OPTIONS_INIT: the caller's
/// network namespace, over netlink, loading nothing, waiting 60 seconds for an answer. At most one
/// of the three namespaces may be set; to enter one takes CAP_SYS_ADMIN. Nothing that it points to
/// is kept.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_kernel_options {
    /// The size of this record as the program was compiled.
    pub struct_size: u32,
    /// Which interface to use: enum lvs_transport.
    pub transport: u32,
    /// Not 0: has the kernel load the module ip_vs if it is missing. No program is started for it
    /// by this process.
    pub load_module: u32,
    /// The network namespace of this process; 0 for none.
    pub namespace_pid: u32,
    /// The network namespace that a file stands for, such as "/proc/1/ns/net"; NULL for none.
    pub namespace_path: *const c_char,
    /// The network namespace made by `ip netns add`; NULL for none.
    pub namespace_name: *const c_char,
    /// How long an answer may take, in nanoseconds; 0 for 60 seconds, LVS_NEVER waits for ever.
    pub receive_timeout: u64,
}

record! { lvs_kernel_options: 40; }

init!(lvs_kernel_options_init, options: lvs_kernel_options, zeroed());

impl lvs_kernel_options {
    unsafe fn open(self) -> Result<KernelDirector, Failure> {
        let set = [self.namespace_pid != 0, !self.namespace_path.is_null(), !self.namespace_name.is_null()];
        if set.into_iter().filter(|set| *set).count() > 1 {
            return Err(Failure::invalid("more than one network namespace is named"));
        }
        // SAFETY: NULL or strings, by the promise of the caller.
        let namespace = unsafe {
            if self.namespace_pid != 0 {
                Namespace::Pid(self.namespace_pid)
            } else if !self.namespace_path.is_null() {
                // A path is bytes, UTF-8 or not.
                Namespace::Path(PathBuf::from(OsStr::from_bytes(CStr::from_ptr(self.namespace_path).to_bytes())))
            } else if !self.namespace_name.is_null() {
                Namespace::Name(text(self.namespace_name, "the namespace's name")?.to_owned())
            } else {
                Namespace::Current
            }
        };
        let transports = [TransportChoice::Netlink, TransportChoice::SocketOptions, TransportChoice::Auto];
        let transport = choice(self.transport, "transport", &transports)?;
        let options = KernelDirector::options().namespace(namespace).transport(transport);
        let options = options.load_module(self.load_module != 0);
        let options = match self.receive_timeout {
            0 => options,
            crate::drain::LVS_NEVER => options.without_receive_timeout(),
            timeout => options.receive_timeout(Duration::from_nanos(timeout)),
        };
        Ok(options.open()?)
    }
}

/// Opens the running kernel's director. `options` may be NULL.
///
/// A kernel without IPVS gives LVS_STATUS_UNSUPPORTED with LVS_CAUSE_MODULE_MISSING; over netlink a
/// missing privilege shows at the first operation.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_open_kernel(
    options: *const lvs_kernel_options,
    director: *mut *mut lvs_director,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let director = place(director, "director")?;
        let opened = match record::read_optional(options)? {
            Some(options) => options.open()?,
            None => KernelDirector::open()?,
        };
        hand_over(director, lvs_director(Lock::new(opened.into())))
    })
}
