//! The Linux Virtual Server (IPVS) as a typed library.
//!
//! One typed [`model`] of an IPVS table, and two directors that hold such a table behind one trait, [`Director`]: the
//! running kernel (`kernel`, on Linux) and one in this process ([`embedded`]). Around them:
//!
//! | to ... | look at |
//! |---|---|
//! | read and write `ipvsadm` rules files | [`rules`] |
//! | print tables as `ipvsadm -L` does | [`listing`] |
//! | store, log and send values as JSON | `json`, with the feature of that name |
//! | walk, filter and count connections | [`Director::visit_connections`], [`connections`], [`procfs`] |
//! | ask which real server a client will get | [`schedulers`], [`embedded`] |
//! | bring a director to a table without a gap | [`plan`] |
//! | find what cannot work before it is tried | [`lint`]; on a host, [`preflight`] |
//! | take a real server out without cutting a connection | [`drain`] |
//! | ask real servers, and turn what they say into weights | [`probe`], [`health`] |
//! | be told what has changed | [`watch`] |
//! | speak to the kernel's family yourself | `wire`, with the feature `unstable-wire` |
//!
//! ```
//! use lvs_core::embedded::EmbeddedDirector;
//! use lvs_core::plan::{OnFailure, Scope, reconcile};
//! use lvs_core::{Director, rules};
//!
//! let wanted = rules::parse("-A -t 192.0.2.1:80 -s wrr\n-a -t 192.0.2.1:80 -r 198.51.100.7:80 -m -w 3")?.to_table()?;
//! let mut director = EmbeddedDirector::new();
//! let applied = reconcile(&mut director, &wanted, &Scope::all(), OnFailure::Undo)?;
//! assert_eq!(applied.plan.len(), 2);
//! assert_eq!(director.snapshot()?.to_table().services, wanted.services);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Start
//! A configuration is a [`model::Table`]: from [`rules::parse`], from a
//! [`snapshot`](Director::snapshot), or built. [`plan::reconcile`] brings a director to it without
//! a gap; [`plan::Planner`] has more to choose (scope, owner, checks). The crate's `examples/` are
//! small programs: `controller` (dry run and rollback beside somebody else's services),
//! `top_talkers` (rates), `simulate_clients`.
//!
//! # Kernel and embedded director
//! [`embedded::EmbeddedDirector`] answers as the kernel does, errno by errno, needs no privileges
//! and no Linux, and has a clock that the program moves: write against [`Director`], test on the
//! embedded one, run on `kernel::KernelDirector`. The trait is implemented for `&mut D` and
//! `Box<D>`, too.
//!
//! # Errors
//! Every function fails with [`Error`] or with an error that `?` turns into one. [`Error::kind`] is
//! what a program decides by, [`Error::errno`] is the system's number. A refusal names what was
//! attempted and, where the kernel says only `EINVAL`, which of its rules was broken ([`lint`]).
//! Batches and plans go on after a refusal; their reports are `#[must_use]`, as are the changes
//! and operations that drains and health come to.
//!
//! ```
//! use lvs_core::embedded::EmbeddedDirector;
//! use lvs_core::model::{Destination, ServiceKey};
//! use lvs_core::{Director, Errno, ErrorKind};
//!
//! fn add(director: &mut dyn Director, address: &str) -> lvs_core::Result<()> {
//!     let web: ServiceKey = "tcp://192.0.2.1:80".parse()?;
//!     director.add_destination(&web, &Destination::new(address.parse()?, 80))
//! }
//!
//! let mut director = EmbeddedDirector::new();
//! let refused = add(&mut director, "198.51.100.7").unwrap_err();
//! assert_eq!((refused.kind(), refused.errno()), (ErrorKind::NotFound, Some(Errno::ESRCH)));
//! assert_eq!(
//!     refused.to_string(),
//!     "cannot add destination 198.51.100.7:80 to tcp://192.0.2.1:80: no such service"
//! );
//! assert_eq!(add(&mut director, "198.51.100").unwrap_err().kind(), ErrorKind::InvalidInput);
//! ```
//!
//! # Privileges
//! The kernel's netlink family wants `CAP_NET_ADMIN` in the initial user namespace, for reading as
//! well: root inside a container with a user namespace of its own is refused. [`procfs`] reads what
//! everybody may read. The kernel director does not load the module `ip_vs` unless told to
//! (`KernelDirector::options().load_module(true)`).
//!
//! # Namespaces
//! Each network namespace has a table of its own; `kernel::Namespace` says which one a director
//! works in. It keeps that namespace open, whichever one the calling thread enters later.
//!
//! ```no_run
//! # #[cfg(all(feature = "kernel", target_os = "linux"))] {
//! use lvs_core::kernel::{KernelDirector, Namespace};
//!
//! let blue = KernelDirector::options().namespace(Namespace::Name("blue".to_owned())).load_module(true).open()?;
//! # let _ = blue;
//! # }
//! # Ok::<(), lvs_core::Error>(())
//! ```
//!
//! # Async
//! No call waits for the network: a snapshot of ten thousand services takes some milliseconds, a
//! change some microseconds. Directors are `Send`. A program that cannot let its other tasks wait
//! gives the director to a thread; [`drain::Drain`], [`health::Health`] and [`watch::Watcher`] are
//! state machines without clock or director, so they fit any runtime ([`watch::poll`] shows one
//! under tokio).
//!
//! # Features
//! | feature | what it adds |
//! |---|---|
//! | `kernel` (default) | the kernel director; Linux only |
//! | `serde` | serialization of what is configured, saved and sent; unknown fields are refused in what people write |
//! | `json`, `schema` | the same as JSON text (`json`), and its JSON Schema |
//! | `probes` | probers that run under tokio: a TCP connection, a command; their timeout |
//! | `tracing` | what directors and plans do, as events of the crate `tracing`: operations at `DEBUG`, refusals and incomplete reads at `WARN`, repeated requests, a module that was loaded again |
//! | `unstable-schedulers` | the type of each scheduler, its hash function; may change in any release |
//! | `unstable-wire` | the kernel's netlink messages; may change in any release |
//!
//! Crates that a program gets with this one, itself included: 8 without features, 21 with the
//! default ones, 24 with `serde` as well, 42 with all (`cargo tree -e normal`).
//!
//! # Versions
//! Rust 1.88 or newer. All tests run with 1.95. That 1.88 is enough rests on what clippy knows of
//! the standard library (`incompatible_msrv`) and on what the dependencies declare, both checked
//! with every change, and on no language feature being newer than `let` in chains of conditions
//! (1.88). A newer minimum comes with a minor release and is in the changelog. Before
//! 1.0 a minor release may break what compiles, a patch release does not; what breaks is named in
//! the changelog under "Rust, breaking", held against a record of every public item. Structs and
//! enums that may grow are `#[non_exhaustive]`. What features called `unstable-` add is without a
//! promise.
//!
//! The crate is called `lvs-core`, and there is no other that only passes it on: such a facade
//! would repeat every feature and every page of documentation without saying more.
//!
//! # Coming from `ipvsadm`, `libipvs` or the crate `ipvs`
//! Whoever calls `ipvsadm` now reads its files with [`rules`] and its output from [`listing`], or
//! works without either: `ipvsadm -A` is [`Director::add_service`], `-R` is [`rules::parse`] and
//! [`plan::reconcile`] (which never empties the table), `-Ln --stats` is [`Director::snapshot`],
//! `-Z` is [`Director::zero`]. Of `libipvs`, `ipvs_init` is `KernelDirector::open`,
//! `ipvs_get_services` and `ipvs_get_dests` are one [`Director::snapshot`], and `errno` with
//! `ipvs_strerror` is [`Error`]. Of the crate `ipvs` (0.1), `Client::new` is
//! `KernelDirector::open` and `flush` is [`Director::flush`]; it has no more.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![deny(unsafe_code)]

mod any_director;
pub mod connections;
mod decode;
mod digits;
pub mod director;
pub mod drain;
pub mod embedded;
mod errno;
mod error;
mod hash;
pub mod health;
#[cfg(feature = "json")]
pub mod json;
#[cfg(all(feature = "kernel", target_os = "linux"))]
pub mod kernel;
pub mod lint;
pub mod listing;
mod memory;
pub mod model;
pub mod plan;
pub mod preflight;
pub mod probe;
pub mod procfs;
pub mod rules;
pub mod schedulers;
#[cfg(feature = "serde")]
mod seconds;
mod trace;
pub mod watch;
#[cfg(feature = "unstable-wire")]
pub mod wire;
// Without `unstable-wire` the kernel director uses the client's half alone.
#[cfg(all(feature = "kernel", target_os = "linux", not(feature = "unstable-wire")))]
#[allow(dead_code, unreachable_pub, unused_imports)]
mod wire;

pub use any_director::AnyDirector;
pub use decode::DecodeError;
pub use director::Director;
pub use errno::Errno;
pub use error::{Error, ErrorKind, Result};

/// The program of the crate's README, run as a documentation test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
