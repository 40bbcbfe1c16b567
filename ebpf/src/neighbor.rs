//! Out of an interface to a neighbour on it. Named with its interface, so that two tenants may have the same.

use aya_ebpf::{bindings::bpf_redir_neigh, helpers::generated as helpers};

use crate::packet::{Address, Family};

const AF_INET: u32 = 2;
const AF_INET6: u32 = 10;

/// The action that makes the kernel resolve `neighbor` and send.
#[inline(always)]
pub(crate) fn redirect(ifindex: u32, family: Family, neighbor: &Address) -> i32 {
    // SAFETY: plain integers.
    let mut next_hop: bpf_redir_neigh = unsafe { core::mem::zeroed() };
    next_hop.nh_family = if family == Family::V4 { AF_INET } else { AF_INET6 };
    next_hop.__bindgen_anon_1.ipv6_nh = neighbor.0;
    let size = size_of::<bpf_redir_neigh>() as i32;
    // SAFETY: `next_hop` is valid for the call.
    unsafe { helpers::bpf_redirect_neigh(ifindex, &raw mut next_hop, size, 0) as i32 }
}
