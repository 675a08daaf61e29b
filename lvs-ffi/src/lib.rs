//! The C ABI of `lvs-core`.
