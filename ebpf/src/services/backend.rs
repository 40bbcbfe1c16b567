use srv6_types::maps::{BackendEntry, backend_flag, next_hop_kind};

use super::Asked;
use crate::{
    counters, fib,
    maps::{BACKENDS, NEXT_HOPS},
    packet::{Address, Translation},
};

/// A backend that can take the packet.
#[derive(Clone, Copy)]
pub(super) struct Chosen {
    pub(super) index: u32,
    pub(super) entry: &'static BackendEntry,
    /// Index of the next hop to it.
    pub(super) next_hop: u32,
    /// Behind another node.
    remote: bool,
}

impl Chosen {
    /// `None` where it takes nothing, or nothing leads to it. What another node has sent here is for backends behind this one,
    /// or two nodes could go on sending it to each other.
    #[inline(always)]
    pub(super) fn new(asked: &Asked, index: u32) -> Option<Self> {
        let entry = BACKENDS.get(index)?;
        let family = asked.family;
        if entry.flags & backend_flag::LIVE == 0 || entry.family != family as u8 {
            return None;
        }
        let next_hop = fib::lookup(asked.vrf, family, &Address::from_octets(&entry.address))?;
        let remote = match NEXT_HOPS.get(next_hop)?.kind {
            next_hop_kind::GATEWAY | next_hop_kind::CONNECTED => false,
            next_hop_kind::ENCAPS_RED | next_hop_kind::ENCAPS if asked.anywhere => true,
            _ => return None,
        };
        let chosen = Self { index, entry, next_hop, remote };
        // Translated without a source of ours, its answers would not come back here.
        if remote && !chosen.is_direct() && entry.source == 0 { None } else { Some(chosen) }
    }

    /// The packet goes to its node as it is.
    #[inline(always)]
    pub(super) const fn is_direct(&self) -> bool {
        self.remote && self.entry.flags & backend_flag::DIRECT != 0
    }

    /// Index of the egress address that the packet's source is to become.
    #[inline(always)]
    pub(super) const fn source(&self) -> Option<u32> {
        if self.remote && !self.is_direct() { self.entry.source.checked_sub(1) } else { None }
    }

    #[inline(always)]
    pub(super) const fn port(&self) -> u16 {
        u16::from_ne_bytes(self.entry.port)
    }

    /// Counts the packet for its service.
    #[inline(always)]
    pub(super) fn count(&self, counter: u32, asked: &Asked) {
        counters::count_service(self.entry.service.into(), counter, asked.octets);
    }

    /// Towards it, with these ports. A backend that is its own client would take its own address for a forged one: the VIP
    /// speaks to it.
    #[inline(always)]
    pub(super) fn translate(&self, translation: &mut Translation, ports: [u16; 2]) {
        if self.is_direct() {
            return;
        }
        let leaves = &mut translation.leaves;
        let address = Address::from_octets(&self.entry.address);
        if leaves.source == address {
            leaves.source = leaves.destination;
        }
        leaves.destination = address;
        leaves.ports = ports;
    }
}
