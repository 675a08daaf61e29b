mod configuration;
mod defence;
#[cfg(feature = "unstable-wire")]
mod netlink;
mod packets;
mod tracking;
