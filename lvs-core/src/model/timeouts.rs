use super::IntoSeconds;

/// The three connection timeouts that can be set, in seconds.
///
/// The kernel takes 0..=8589934 (2^31-1 ticks at 250 Hz) and answers `EINVAL` above.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
// Exhaustive: the kernel's three (`struct ip_vs_timeout_user`).
pub struct Timeouts {
    /// Of established TCP connections. When set, 0 leaves it as it is.
    pub tcp: u32,
    /// Of TCP connections after a FIN. When set, 0 leaves it as it is.
    pub tcp_fin: u32,
    /// Of UDP connections. When set, 0 leaves it as it is.
    pub udp: u32,
}

/// The kernel's defaults: 900, 120 and 300.
impl Default for Timeouts {
    fn default() -> Self {
        Self { tcp: 900, tcp_fin: 120, udp: 300 }
    }
}

impl Timeouts {
    /// No timeout: set, it changes nothing.
    pub const UNCHANGED: Self = Self { tcp: 0, tcp_fin: 0, udp: 0 };

    /// With another timeout of established TCP connections.
    #[must_use]
    pub fn with_tcp(self, time: impl IntoSeconds) -> Self {
        Self { tcp: time.into_seconds(), ..self }
    }

    /// With another timeout of TCP connections after a FIN.
    #[must_use]
    pub fn with_tcp_fin(self, time: impl IntoSeconds) -> Self {
        Self { tcp_fin: time.into_seconds(), ..self }
    }

    /// With another timeout of UDP connections.
    #[must_use]
    pub fn with_udp(self, time: impl IntoSeconds) -> Self {
        Self { udp: time.into_seconds(), ..self }
    }
}
