//! Filters as lookups: a list of rules of which the first that matches decides becomes two longest-prefix matches, so
//! that the cost of a packet does not grow with their number.
//!
//! The far end's address leads to a class: the rules whose prefix holds it, in order. Of these, protocol and destination
//! port select one. A class takes over what its prefix's surroundings say, so that one match is enough; as many
//! prefixes inside each other with as many rules for ports multiply.

mod compile;
mod entries;
mod ports;

#[cfg(test)]
mod tests;

use ipnet::IpNet;

pub use compile::compile;
pub use entries::Entries;

use crate::model::{Direction, Rule, Transport};

/// Matches that one filter may have at most.
pub const MOST_MATCHES: usize = 1 << 17;

/// A filter that would take the room of all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} rules make more than {MOST_MATCHES} matches, for prefixes that lie in each other multiply with the rules for \
     ports: use fewer of either"
)]
pub struct TooManyMatches(pub usize);

/// A filter, compiled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compiled {
    /// By direction and the far end's prefix.
    pub classes: Vec<Class>,
    /// By class, protocol and port.
    pub matches: Vec<Match>,
}

/// What the far end's address says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// Direction of the packets.
    pub direction: Direction,
    /// The far end.
    pub prefix: IpNet,
    /// Names the class in [`Match`]; 0 where protocol and port do not matter.
    pub number: u32,
    /// The rule for protocols of which nothing else is said.
    pub rule: Option<usize>,
}

/// What protocol and port say in a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// The class.
    pub class: u32,
    /// IP protocol.
    pub protocol: u8,
    /// Destination port, or as much of it as counts.
    pub port: u16,
    /// How many of its bits count, from the left.
    pub port_bits: u8,
    /// The rule that decides.
    pub rule: Option<usize>,
    /// Of a whole protocol: some ports have matches of their own.
    pub by_port: bool,
}

/// Whether packets of `protocol` have the ports that rules speak of.
fn has_ports(protocol: u8) -> bool {
    Transport::from_number(protocol).is_some()
}

/// Whether the rule is for packets of `protocol`, on some port at least.
fn is_for(rule: &Rule, protocol: u8) -> bool {
    rule.protocol.is_none_or(|only| only == protocol) && (rule.ports.is_none() || has_ports(protocol))
}
