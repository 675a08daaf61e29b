mod configuration;
mod netlink;
mod packets;
