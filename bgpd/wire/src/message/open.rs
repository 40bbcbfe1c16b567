use std::net::Ipv4Addr;

use crate::capability::Capability;

/// An OPEN, RFC 4271 section 4.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// The 2-octet field: AS_TRANS (23456) when the real number needs four octets.
    pub my_as: u16,
    /// Seconds; 0, or 3 and more.
    pub hold_time: u16,
    /// BGP identifier, not zero.
    pub router_id: Ipv4Addr,
    /// Every capability offered, in the order of the message.
    pub capabilities: Vec<Capability>,
}
