//! What the kernel's attribute policies accept (`lib/nlattr.c`, `validate_nla()`).

/// `NLA_NUL_STRING` of a length: a NUL byte within it, and no more text than it.
pub(super) fn is_nul_text(payload: &[u8], max: usize) -> bool {
    let text = payload.strip_suffix(&[0]).unwrap_or(payload);
    payload[..payload.len().min(max + 1)].contains(&0) && text.len() <= max
}

/// `NLA_NESTED`: empty, or at least one attribute's header.
pub(super) const fn is_nest(payload: &[u8]) -> bool {
    payload.is_empty() || payload.len() >= 4
}
