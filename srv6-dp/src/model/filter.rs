use ipnet::IpNet;

use super::Tally;

/// Names a filter; circuits refer to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilterId(pub u32);

/// Rules of a circuit; the first that matches decides. What none matches goes through. An answer to what was let
/// through goes through as well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// In order.
    pub rules: Vec<Rule>,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Operator's name, at most 31 octets; shown with what it drops.
    pub name: String,
    /// Which way packets go.
    pub direction: Direction,
    /// The far end: destination of what comes from the circuit, source of what goes to it.
    pub prefix: IpNet,
    /// IP protocol; all when `None`.
    pub protocol: Option<u8>,
    /// Destination ports, first and last; all when `None`. Needs TCP, UDP or SCTP.
    pub ports: Option<(u16, u16)>,
    /// What becomes of the packet.
    pub action: Action,
}

/// Seen from the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// From the circuit.
    In,
    /// To the circuit.
    Out,
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Let through.
    Accept,
    /// Drop.
    Drop,
}

/// What a filter has counted, over all circuits that name it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilterCounters {
    /// By rule, in order, with its name: what it has decided.
    pub rules: Vec<(String, Tally)>,
    /// What no rule matched.
    pub unmatched: Tally,
    /// What went through as an answer.
    pub admitted: Tally,
}
