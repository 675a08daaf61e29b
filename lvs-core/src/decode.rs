/// A malformed reply, or an unexpected one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes end too early.
    #[error("truncated reply: {what}")]
    Truncated {
        /// What it cuts off.
        what: &'static str,
    },
    /// A mandatory attribute is missing.
    #[error("malformed reply: {object} lacks {attribute}")]
    Missing {
        /// What lacks it.
        object: &'static str,
        /// The attribute, by the kernel's name.
        attribute: &'static str,
    },
    /// A value that no kernel sends.
    #[error("malformed reply: {object} has {what}")]
    Invalid {
        /// What has it.
        object: &'static str,
        /// The value.
        what: &'static str,
    },
    /// A reply to another request.
    #[error("unexpected reply: no {what}")]
    Unexpected {
        /// What was expected.
        what: &'static str,
    },
}
