//! Guests at a time: one for each processor of this machine, whoever started them.
//!
//! A guest keeps a processor busy. Where several runs share a machine (`cargo xtask ci` tests on
//! two clean ones at once), more guests than processors would only make each slower. The locks are
//! files in the lab's cache, which clean roots share.

use crate::error::Result;
use crate::{lab, sys};
use fs_err as fs;
use std::path::Path;
use std::time::Duration;

/// How often a run looks for a free processor.
const LOOK: Duration = Duration::from_millis(500);

/// A guest's place, until it is dropped.
pub(super) struct Slot(#[expect(dead_code, reason = "held, not read")] sys::Lock);

impl Slot {
    /// Waits until fewer guests run than this machine has processors.
    pub(super) fn take() -> Result<Self> {
        let directory = lab::cache()?;
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        loop {
            if let Some(slot) = Self::free(&directory, processors)? {
                return Ok(slot);
            }
            std::thread::sleep(LOOK);
        }
    }

    /// One of so many places, if one is free.
    fn free(directory: &Path, places: usize) -> Result<Option<Self>> {
        fs::create_dir_all(directory)?;
        for place in 0..places {
            let file = fs::File::create(directory.join(format!("guest-{place}.lock")))?;
            if let Some(lock) = sys::Lock::try_take(file.into_parts().0)? {
                return Ok(Some(Self(lock)));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_once_its_guest_has_ended() {
        let directory = std::env::temp_dir().join(format!("lvs-slots-{}", std::process::id()));
        let first = Slot::free(&directory, 2).unwrap();
        let second = Slot::free(&directory, 2).unwrap();
        assert!(first.is_some() && second.is_some());
        assert!(Slot::free(&directory, 2).unwrap().is_none());
        drop(first);
        assert!(Slot::free(&directory, 2).unwrap().is_some());
        fs::remove_dir_all(directory).unwrap();
    }
}
