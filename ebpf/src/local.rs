//! Addresses of this PE in a VRF: the gateway addresses of its circuits.

use srv6_types::maps::next_hop_kind;

use crate::{
    fib,
    maps::NEXT_HOPS,
    packet::{Address, Family},
};

/// Whether `address` is ours in the VRF, on the circuit `ifindex`.
#[inline(always)]
pub(crate) fn is_on(vrf: u32, ifindex: u32, family: Family, address: &Address) -> bool {
    let next_hop = fib::lookup(vrf, family, address).and_then(|index| NEXT_HOPS.get(index));
    next_hop.is_some_and(|to| to.kind == next_hop_kind::LOCAL && to.ifindex == ifindex)
}
