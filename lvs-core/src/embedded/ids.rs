//! Indexes of the director's three arenas, so that one cannot be taken for another.

use std::num::NonZeroU32;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// One more than the index, so that an `Option` of it takes no more room.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(super) struct $name(NonZeroU32);

        impl $name {
            /// The id of an index.
            #[inline]
            pub(super) const fn new(index: u32) -> Self {
                Self(NonZeroU32::new(index.wrapping_add(1)).expect("no arena has 2^32 places"))
            }

            /// The index.
            #[inline]
            pub(super) const fn index(self) -> usize {
                self.0.get() as usize - 1
            }
        }
    )*};
}

ids! {
    /// A service of the director.
    ServiceId;
    /// A destination of the director, listed or in the trash.
    DestinationId;
    /// An entry of the connection table.
    EntryId;
}

const _: () = assert!(size_of::<Option<EntryId>>() == 4);
