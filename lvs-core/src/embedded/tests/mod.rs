mod configuration;
mod defence;
mod linux7;
#[cfg(feature = "unstable-wire")]
mod netlink;
mod packets;
mod tracking;
