//! Who is on a circuit: this PE by its gateway addresses, and hosts of the VRF.

use srv6_types::maps::{CircuitEntry, circuit_flag, next_hop_kind};

use crate::{
    fib,
    maps::NEXT_HOPS,
    packet::{Address, Family},
};

/// Whose an address is, as a circuit sees it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// A gateway address of ours on this circuit, or on all of the VRF.
    Us,
    /// A host of this very circuit.
    Host,
    /// Anybody else, if there is such a host at all.
    Other,
}

impl Owner {
    #[inline(always)]
    pub(crate) fn of(vrf: u32, ifindex: u32, family: Family, address: &Address) -> Self {
        let Some(to) = fib::lookup(vrf, family, address).and_then(|index| NEXT_HOPS.get(index)) else {
            return Self::Other;
        };
        match to.kind {
            next_hop_kind::LOCAL if to.ifindex == ifindex || to.ifindex == 0 => Self::Us,
            next_hop_kind::CONNECTED if to.ifindex == ifindex => Self::Host,
            _ => Self::Other,
        }
    }
}

/// Whether the circuit's hosts take others of the VRF for being on their link.
#[inline(always)]
pub(crate) fn is_proxy(circuit: &CircuitEntry) -> bool {
    circuit.flags & circuit_flag::PROXY != 0
}
