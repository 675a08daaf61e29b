/// A value that no director can be given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A scheduler, engine or interface name is too long, empty where it may not be, or holds a NUL byte.
    #[error("invalid {what} name {name:?}: {reason}")]
    Name {
        /// Which kind of name.
        what: &'static str,
        /// The name as given.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Firewall mark 0 means "no mark" to the kernel.
    #[error("firewall mark 0 does not identify a service")]
    ZeroMark,
    /// Not an IP address.
    #[error("{0:?} is not an IP address")]
    Address(String),
    /// An IPv6 persistence prefix is not in 1..=128.
    #[error("prefix length {0} is not in 1..=128")]
    PrefixLength(u32),
    /// An IPv4 mask was given to an IPv6 service, or a prefix length to an IPv4 one.
    #[error("a netmask of the other address family than the service's")]
    NetmaskFamily,
    /// Text that names no known value.
    #[error("{text:?} is not {what}: expected {expected}")]
    Unknown {
        /// What was to be read, with its article: `a protocol`.
        what: &'static str,
        /// The text as given.
        text: String,
        /// What is allowed.
        expected: String,
    },
    /// Text that is not the key of a service or destination.
    #[error("invalid {what} {text:?}: {problem} (write {example})")]
    Key {
        /// `service` or `destination`.
        what: &'static str,
        /// The text as given.
        text: String,
        /// Which part is wrong: what was given, and what is allowed.
        problem: String,
        /// Keys as they should be written.
        example: &'static str,
    },
}
