mod configuration;
mod packets;
