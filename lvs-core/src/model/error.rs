use super::AddressFamily;

/// A value that no director can be given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A scheduler, engine or interface name is too long, empty where it may not be, or holds a NUL
    /// byte.
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
    /// A prefix length that is too long for its family, or 0 where there is none.
    #[error("prefix length {length} is not from {} of {family}", if *family == AddressFamily::Ipv4 { "0 to 32" } else { "1 to 128" })]
    PrefixLength {
        /// The length as given.
        length: u32,
        /// The family that it was given for.
        family: AddressFamily,
    },
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
    /// A flag that the scheduler does not have.
    #[error("{flag:?} is not a flag of the scheduler {scheduler}: expected {expected}")]
    Flag {
        /// The scheduler.
        scheduler: String,
        /// The flag as given.
        flag: String,
        /// The flags that a service with this scheduler may have.
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
