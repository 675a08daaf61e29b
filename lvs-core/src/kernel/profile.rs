//! Which behaviour the running kernel has, by what it shows.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::KernelDirector;
use crate::director::{Attempt, Director, Operation, OperationError};
use crate::errno::Errno;
use crate::error::{Error, Result};
use crate::model::{AddressFamily, Destination, SchedulerName, Service, ServiceKey};
use crate::procfs::{Sysctl, Sysctls};
use crate::schedulers::Profile;

/// The firewall mark of the service that is made for a moment where there is none.
const PROBE_MARK: u32 = u32::MAX;

impl Profile {
    /// The behaviour of the running kernel, found out in the calling thread's network namespace:
    /// see [`KernelDirector`]'s [`profile`](Director::profile).
    ///
    /// # Errors
    /// As there, and those of [`KernelDirector::open`].
    pub fn of_running_kernel() -> Result<Self> {
        KernelDirector::open()?.profile()
    }
}

impl KernelDirector {
    /// [`Director::profile`]. [`Profile::Linux7`] has the sysctl `conn_lfactor`; [`Profile::New`]
    /// refuses an upper threshold of 2<sup>31</sup>, [`Profile::Old`] does not.
    pub(super) fn probe_profile(&mut self) -> Result<Profile> {
        let tables = self.inside(|| Sysctls::new().get_raw(Sysctl::ConnLfactor.name()));
        match tables {
            Ok(_) => return Ok(Profile::Linux7),
            Err(Error::Io { error, .. })
                if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::Unsupported) => {}
            Err(error) => return Err(error),
        }
        if let Some(entry) = self.services()?.first() {
            return self.threshold_answer(&entry.service.key());
        }
        let key = ServiceKey::fwmark(PROBE_MARK, AddressFamily::Ipv4)?;
        self.add_service(&Service::new(key).with_scheduler(SchedulerName::NONE))?;
        let answer = self.threshold_answer(&key);
        self.remove_service(&key)?;
        answer
    }

    fn threshold_answer(&mut self, key: &ServiceKey) -> Result<Profile> {
        let nowhere = match key.family() {
            AddressFamily::Ipv4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            AddressFamily::Ipv6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        let destination = Destination::new(nowhere, 0).with_thresholds(1 << 31, 0);
        match self.update_destination(key, &destination) {
            Err(error) if error.errno() == Some(Errno::ENOENT) => Ok(Profile::Old),
            Err(error) if error.errno() == Some(Errno::EINVAL) => Ok(Profile::New),
            Err(error) => Err(error),
            Ok(()) => {
                let attempt = Attempt::Operation(Operation::UpdateDestination(*key, destination));
                Err(OperationError::from_errno(attempt, Errno::EEXIST).into())
            }
        }
    }
}
