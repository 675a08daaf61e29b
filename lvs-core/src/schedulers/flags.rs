//! The names of the schedulers' flags.

use super::{SCHEDULERS, SchedulerInfo, info};

/// What a scheduler flag is called where its scheduler has no name for it, in the order of the bits
/// from 0x8 on.
const GENERAL: [&str; 3] = ["flag-1", "flag-2", "flag-3"];

/// The names of the three scheduler flags of a service with this scheduler, in the order of the
/// bits from 0x8 on.
pub(crate) fn flag_names(scheduler: &str) -> [&'static str; 3] {
    let mut names = GENERAL;
    let own = info(scheduler).map_or(&[][..], |info| info.flags);
    names[..own.len()].copy_from_slice(own);
    names
}

/// Whether a scheduler has flags with names of their own.
pub(crate) fn has_flags(scheduler: &str) -> bool {
    info(scheduler).is_some_and(|info| !info.flags.is_empty())
}

/// The bit that a name stands for, and the scheduler whose name it is; none for `flag-1`, `flag-2`
/// and `flag-3`.
pub fn flag_by_name(name: &str) -> Option<(u32, Option<&'static SchedulerInfo>)> {
    let place = |names: &[&str]| names.iter().position(|known| *known == name).map(|place| 0x8 << place);
    match place(&GENERAL) {
        Some(bit) => Some((bit, None)),
        None => SCHEDULERS.iter().find_map(|info| Some((place(info.flags)?, Some(info)))),
    }
}

/// All names of scheduler flags, the general ones first.
pub(crate) fn all_flag_names() -> impl Iterator<Item = &'static str> {
    GENERAL.into_iter().chain(SCHEDULERS.iter().flat_map(|info| info.flags.iter().copied()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found() {
        assert_eq!(flag_names("sh"), ["sh-fallback", "sh-port", "flag-3"]);
        assert_eq!(flag_names("wrr"), ["flag-1", "flag-2", "flag-3"]);
        assert_eq!(all_flag_names().count(), 7);
        for name in all_flag_names() {
            let (bit, scheduler) = flag_by_name(name).unwrap();
            let names = flag_names(scheduler.map_or("wrr", |info| info.name));
            assert_eq!(names[(bit / 8).trailing_zeros() as usize], name);
        }
        assert_eq!(flag_by_name("rr-port").map(|(bit, _)| bit), None);
    }
}
