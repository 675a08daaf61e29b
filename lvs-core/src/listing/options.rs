use std::fmt;

use crate::rules::{NumericOnly, Resolver};

/// Which table is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ListingMode {
    /// Forwarding method, weight, active and inactive connections.
    #[default]
    Default,
    /// `--stats`: sums of connections, packets and bytes.
    Stats,
    /// `--rate`: the same a second.
    Rate,
    /// `--thresholds`: upper and lower threshold, active and inactive connections.
    Thresholds,
    /// `--persistent-conn`: weight, persistent, active and inactive connections.
    PersistentConnections,
    /// `--tun-info`: the default with the tunnel.
    TunnelInfo,
}

impl ListingMode {
    /// All, in the order in which C numbers them.
    pub const ALL: [Self; 6] =
        [Self::Default, Self::Stats, Self::Rate, Self::Thresholds, Self::PersistentConnections, Self::TunnelInfo];
}

/// Whose habits are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Style {
    /// `ipvsadm` 1.31 as Debian ships it, byte for byte.
    #[default]
    Ipvsadm,
    /// The same without its errors, see [`listing`](crate::listing).
    Fixed,
}

impl Style {
    /// All, in the order in which C numbers them.
    pub const ALL: [Self; 2] = [Self::Ipvsadm, Self::Fixed];
}

/// How a table is shown.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct ListingOptions<'a> {
    /// Which table.
    pub mode: ListingMode,
    /// Whose habits.
    pub style: Style,
    /// `--exact`: numbers in full, not in thousands or millions.
    pub exact: bool,
    /// Whether to sort; `ipvsadm` does unless told `--nosort`. Unsorted is the director's order.
    pub sort: bool,
    /// Names for addresses and ports; numbers stand where it knows none.
    pub resolver: &'a dyn Resolver,
}

impl ListingOptions<'static> {
    /// `ipvsadm -L -n`.
    pub const fn new() -> Self {
        Self { mode: ListingMode::Default, style: Style::Ipvsadm, exact: false, sort: true, resolver: &NumericOnly }
    }
}

impl<'a> ListingOptions<'a> {
    /// Another table.
    #[must_use]
    pub const fn with_mode(mut self, mode: ListingMode) -> Self {
        self.mode = mode;
        self
    }

    /// Other habits.
    #[must_use]
    pub const fn with_style(mut self, style: Style) -> Self {
        self.style = style;
        self
    }

    /// Numbers in full, or not.
    #[must_use]
    pub const fn with_exact(mut self, exact: bool) -> Self {
        self.exact = exact;
        self
    }

    /// Sorted, or in the director's order.
    #[must_use]
    pub const fn with_sort(mut self, sort: bool) -> Self {
        self.sort = sort;
        self
    }

    /// Names from there.
    #[must_use]
    pub const fn with_resolver<'b>(self, resolver: &'b dyn Resolver) -> ListingOptions<'b> {
        ListingOptions { mode: self.mode, style: self.style, exact: self.exact, sort: self.sort, resolver }
    }
}

impl Default for ListingOptions<'static> {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ListingOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListingOptions")
            .field("mode", &self.mode)
            .field("style", &self.style)
            .field("exact", &self.exact)
            .field("sort", &self.sort)
            .finish_non_exhaustive()
    }
}
