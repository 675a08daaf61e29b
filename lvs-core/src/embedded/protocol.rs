//! The protocols and ports that mean something to the director.

pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;
pub(super) const ESP: u8 = 50;
pub(super) const AH: u8 = 51;
pub(super) const SCTP: u8 = 132;

pub(super) const FTP_DATA: u16 = 20;
pub(super) const FTP: u16 = 21;
/// Of the key exchange, whose connection IPsec packets follow.
pub(super) const ISAKMP: u16 = 500;
