//! The way of a packet: what becomes of it, how its client keeps a destination, and how its
//! connection lives and ends.

mod lifecycle;
mod persistence;
mod pipeline;
