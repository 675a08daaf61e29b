mod configuration;
mod defence;
mod netlink;
mod packets;
mod tracking;
