//! The classic LVS clusters with real packets: clients, directors and real servers in network
//! namespaces, driven by this crate's programs alone. Every request must succeed and land where the
//! scheduler promises.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may fail loudly and says what it measured")]
#![allow(unreachable_pub, reason = "the modules of one test share what they need")]

mod direct;
mod failover;
mod files;
mod guides;
mod health;
mod marks;
mod nat;
mod net;
mod operators;
mod persistence;
mod storm;
mod through;
mod tunnel;
mod udp;
mod wait;
mod web;
