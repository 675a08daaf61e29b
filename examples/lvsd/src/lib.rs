//! `lvsd` keeps an LVS cluster as its file says; `lvsctl` asks it and tells it what to do.

pub mod probe;
