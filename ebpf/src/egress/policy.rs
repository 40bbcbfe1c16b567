//! Which policy holds a packet, and which of its gateways can be reached.

use aya_ebpf::maps::lpm_trie::Key;
use srv6_types::{
    DropReason,
    maps::{CircuitEntry, EGRESS_CHOICES, EgressPolicyEntry, FibKey4, FibKey6, HostKey, next_hop_kind},
};

use super::Choice;
use crate::{
    fib,
    maps::{
        EGRESS_DESTINATIONS4, EGRESS_DESTINATIONS6, EGRESS_INDEX, EGRESS_POLICIES, EGRESS_SOURCES4,
        EGRESS_SOURCES6, NEXT_HOPS,
    },
    packet::{Address, Family},
};

/// Bits of the VRF or class in front of the address.
const CLASS_BITS: u32 = 32;

/// Id of the policy for what `source` behind the circuit sends to `destination`: by its address, else by the circuit.
#[inline(always)]
pub(super) fn find(
    circuit: &CircuitEntry,
    family: Family,
    source: &Address,
    destination: &Address,
) -> Option<u32> {
    let by_source =
        class_of_source(circuit.vrf, family, source).and_then(|class| of_class(class, family, destination));
    match circuit.egress {
        0 => by_source,
        class => by_source.or_else(|| of_class(class, family, destination)),
    }
}

#[inline(always)]
fn class_of_source(vrf: u32, family: Family, source: &Address) -> Option<u32> {
    let vrf = vrf.to_be_bytes();
    match family {
        Family::V4 => {
            let key = FibKey4 { vrf, addr: source.octets4() };
            EGRESS_SOURCES4.get(Key::new(CLASS_BITS + 32, key)).copied()
        }
        Family::V6 => {
            let key = FibKey6 { vrf, addr: source.octets() };
            EGRESS_SOURCES6.get(Key::new(CLASS_BITS + 128, key)).copied()
        }
    }
}

#[inline(always)]
fn of_class(class: u32, family: Family, destination: &Address) -> Option<u32> {
    let vrf = class.to_be_bytes();
    let policy = match family {
        Family::V4 => {
            let key = FibKey4 { vrf, addr: destination.octets4() };
            EGRESS_DESTINATIONS4.get(Key::new(CLASS_BITS + 32, key)).copied()
        }
        Family::V6 => {
            let key = FibKey6 { vrf, addr: destination.octets() };
            EGRESS_DESTINATIONS6.get(Key::new(CLASS_BITS + 128, key)).copied()
        }
    };
    policy.filter(|policy| *policy != 0)
}

/// The first of the policy's addresses that the VRF has a route to.
#[inline(always)]
pub(super) fn gateway(vrf: u32, family: Family, policy: u32) -> Result<Choice, DropReason> {
    // SAFETY: values are replaced whole, and a torn read would harm one packet.
    let policy = unsafe { EGRESS_POLICIES.get(policy) }.ok_or(DropReason::NoEgressGateway)?;
    for place in 0..EGRESS_CHOICES {
        let address = address(policy, family, place);
        if address.is_unspecified() {
            break;
        }
        if let Some(choice) = reach(vrf, family, &address) {
            return Ok(choice);
        }
    }
    Err(DropReason::NoEgressGateway)
}

#[inline(always)]
fn address(policy: &EgressPolicyEntry, family: Family, place: usize) -> Address {
    match family {
        Family::V4 => Address::v4(u32::from_ne_bytes(policy.addresses4[place % EGRESS_CHOICES])),
        Family::V6 => Address::from_octets(&policy.addresses6[place % EGRESS_CHOICES]),
    }
}

#[inline(always)]
fn reach(vrf: u32, family: Family, address: &Address) -> Option<Choice> {
    let next_hop = fib::lookup(vrf, family, address)?;
    match NEXT_HOPS.get(next_hop)?.kind {
        next_hop_kind::EGRESS => index(vrf, family, address).map(Choice::Here),
        // What a shorter prefix leads to, the default route above all, is no gateway of this address.
        next_hop_kind::ENCAPS_RED | next_hop_kind::ENCAPS => {
            let shorter = fib::lookup_shorter(vrf, family, address);
            (shorter != Some(next_hop)).then_some(Choice::Gateway(next_hop))
        }
        _ => None,
    }
}

/// Index of an egress address of this node.
#[inline(always)]
pub(super) fn index(vrf: u32, family: Family, address: &Address) -> Option<u32> {
    let key = HostKey { vrf, family: family as u32, address: address.octets() };
    // SAFETY: a value of one word.
    unsafe { EGRESS_INDEX.get(key) }.copied()
}
