//! The C ABI of `lvs-core`: conversions and ownership, nothing decided here.
//!
//! `include/lvs.h` is generated from this crate and is its documentation, so what stands at an
//! exported item is written for C readers. Inside, every exported function follows one pattern: the
//! `call!` macro opens the panic boundary, `record` reads and writes the caller's sized structs,
//! `handle` checks pointers to handles, and `?` turns any error into a status and an `lvs_error`.
#![allow(non_camel_case_types, reason = "the types carry their C names, so that header and source read alike")]
#![allow(unreachable_pub, reason = "what C sees is pub, wherever it stands")]
#![allow(
    unused_unsafe,
    reason = "the macros that open an exported function allow its body what some bodies do not need"
)]
#![allow(clippy::missing_safety_doc, reason = "the promises that a C caller keeps are stated in lvs.h, once")]

mod boundary;
mod exports;
mod handle;
mod lock;
mod record;

// In the order in which the header introduces them.
pub mod version;

pub mod status;

pub mod error;

pub mod text;

pub mod address;

pub mod stats;

pub mod service;

pub mod destination;

pub mod timeouts;

pub mod daemon;

pub mod info;

pub mod list;

pub mod snapshot;

pub mod table;

pub mod batch;

pub mod director;

pub mod kernel;

pub mod embedded;

pub mod packet;

pub mod connection;

pub mod sums;

pub mod procfs;

pub mod listing;

pub mod operation;

pub mod scope;

pub mod plan;

pub mod rules;

pub mod drain;

pub mod health;

pub mod watch;

pub mod json;

pub mod balancer;

/// cbindgen:ignore
#[cfg(feature = "test-hooks")]
pub mod hooks;
