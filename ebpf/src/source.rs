//! Who a tenant's packet says it is from: on circuits whose hosts are all known, nobody speaks for others.

use aya_ebpf::bindings::__sk_buff;
use srv6_types::{
    DropReason,
    maps::{CircuitEntry, circuit_flag, next_hop_kind},
};

use crate::{
    fib,
    maps::NEXT_HOPS,
    packet::{
        Address, Family, Packet, Skb,
        headers::{ETHERNET, Ipv4, Ipv6, ethertype},
    },
};

/// Strict reverse path forwarding, RFC 3704 section 2.2.
#[inline(always)]
pub(crate) fn check(packet: &Packet, circuit: &CircuitEntry) -> Result<(), DropReason> {
    if circuit.flags & circuit_flag::STRICT == 0 || leads_back(packet.skb.raw(), circuit.vrf) != 0 {
        Ok(())
    } else {
        Err(DropReason::BadSource)
    }
}

/// Exported: see [`crate::outcome`].
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn leads_back(skb: *mut __sk_buff, vrf: u32) -> u64 {
    let skb = Skb::from_raw(skb);
    let Some((family, source)) = source(skb) else { return 0 };
    let to = fib::lookup(vrf, family, &source).and_then(|index| NEXT_HOPS.get(index));
    let here = to.is_some_and(|to| {
        matches!(to.kind, next_hop_kind::CONNECTED | next_hop_kind::GATEWAY) && to.ifindex == skb.ifindex()
    });
    here.into()
}

#[inline(always)]
fn source(skb: Skb) -> Option<(Family, Address)> {
    let frame = skb.frame();
    match skb.ethertype() {
        // SAFETY: `at` has checked the bounds; so below.
        ethertype::IPV4 => {
            let header = frame.at::<Ipv4>(ETHERNET).ok()?;
            Some((Family::V4, Address::v4(unsafe { (*header).source })))
        }
        ethertype::IPV6 => {
            let header = frame.at::<Ipv6>(ETHERNET).ok()?;
            Some((Family::V6, unsafe { (*header).source }))
        }
        _ => None,
    }
}
