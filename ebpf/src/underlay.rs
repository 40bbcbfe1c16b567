//! The way of an outer header: the kernel's IPv6 routes and neighbours.

use aya_ebpf::{
    bindings::{
        BPF_FIB_LKUP_RET_FRAG_NEEDED, BPF_FIB_LKUP_RET_FWD_DISABLED, BPF_FIB_LKUP_RET_NO_NEIGH,
        BPF_FIB_LKUP_RET_SUCCESS, BPF_FIB_LOOKUP_DIRECT, bpf_fib_lookup,
    },
    helpers::generated as helpers,
};
use srv6_types::DropReason;

use crate::{
    neighbor,
    packet::{Address, Family, Packet},
};

const AF_INET6: u8 = 10;
/// Routes are asked for as for the node's own packets: those come in, so to say, by the loopback interface, and the
/// answer does not depend on the settings of a tenant's circuit. The main table is asked at once, policy rules are not.
const LOOPBACK: u32 = 1;

const MAX_LENGTH: u32 = u16::MAX as u32;

/// A route with its neighbour.
pub(crate) struct Route(bpf_fib_lookup);

/// Finds the route of an outer header that makes the packet `room` octets longer. Too long a packet is told the
/// MTU that is left inside. Of several paths of the same cost, `flow_label` (network order) chooses.
#[inline(always)]
pub(crate) fn route(
    packet: &mut Packet,
    source: Address,
    destination: Address,
    flow_label: u32,
    room: u32,
) -> Result<Route, DropReason> {
    // SAFETY: plain integers.
    let mut lookup: bpf_fib_lookup = unsafe { core::mem::zeroed() };
    lookup.family = AF_INET6;
    lookup.ifindex = LOOPBACK;
    let length = packet.segment_length() + room;
    // The field holds no more; such a length must not come out as a small one.
    lookup.__bindgen_anon_1.tot_len = if length > MAX_LENGTH { MAX_LENGTH } else { length } as u16;
    lookup.__bindgen_anon_2.flowinfo = flow_label;
    lookup.__bindgen_anon_3.ipv6_src = source.0;
    lookup.__bindgen_anon_4.ipv6_dst = destination.0;
    let size = size_of::<bpf_fib_lookup>() as i32;
    // SAFETY: context and `lookup` are valid for the call.
    let answer = unsafe {
        helpers::bpf_fib_lookup(packet.skb.raw().cast(), &raw mut lookup, size, BPF_FIB_LOOKUP_DIRECT)
    };
    match answer as u32 {
        BPF_FIB_LKUP_RET_SUCCESS | BPF_FIB_LKUP_RET_NO_NEIGH => Ok(Route(lookup)),
        BPF_FIB_LKUP_RET_FRAG_NEEDED => {
            let mtu = u32::from(unsafe { lookup.__bindgen_anon_1.mtu_result });
            Err(packet.too_big_for(mtu.saturating_sub(room)))
        }
        BPF_FIB_LKUP_RET_FWD_DISABLED => Err(DropReason::UnderlayForwardingOff),
        _ => Err(DropReason::NoUnderlayRoute),
    }
}

impl Route {
    /// The action that sends through the kernel's neighbour table, which resolves, queues and probes.
    #[inline(always)]
    pub(crate) fn send(&self) -> i32 {
        // SAFETY: any bits are an address.
        let gateway = Address(unsafe { self.0.__bindgen_anon_4.ipv6_dst });
        neighbor::redirect(self.0.ifindex, Family::V6, &gateway)
    }
}
