//! The way of an outer header: the kernel's IPv6 routes and neighbours. What the kernel has answered is kept for a
//! moment, per CPU: to ask costs about as much as all else that the program does with a packet.

use aya_ebpf::{
    bindings::{
        BPF_FIB_LKUP_RET_FRAG_NEEDED, BPF_FIB_LKUP_RET_FWD_DISABLED, BPF_FIB_LKUP_RET_NO_NEIGH,
        BPF_FIB_LKUP_RET_SUCCESS, BPF_FIB_LOOKUP_DIRECT, bpf_fib_lookup,
    },
    helpers::generated as helpers,
    macros::map,
    maps::PerCpuArray,
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

/// Nanoseconds that an answer counts. What the kernel's routes say is followed within this time, with no agent alive to
/// tell; a link that is lost is noticed later than that. In a flood, one packet of hundreds asks.
const VALIDITY: u64 = 10_000_000;

/// Bits of the flow label by which this node chooses among paths of the same cost: the flows of one destination share
/// 64 answers, be they ever so many. The header has the whole label, for the nodes behind.
const FLOW: u32 = 0x3f_u32.to_be();

const SLOT_BITS: u32 = 10;

/// One slot for each destination and flow, or several of them in turn. Any source: the node has one.
///
/// Both programs run with bottom halves off, so that none interrupts another on its CPU. Where a kernel lets them
/// (`PREEMPT_RT`), a torn answer is of two ways through the underlay, and leads astray there until it expires.
#[map]
static ANSWERS: PerCpuArray<Answer> = PerCpuArray::with_max_entries(1 << SLOT_BITS, 0);

/// What the kernel said, and to what question.
#[repr(C)]
struct Answer {
    destination: Address,
    /// In network order, [`FLOW`] of the label.
    flow: u32,
    /// Longest packet that is known to fit, outer headers included.
    fits: u32,
    /// By the coarse clock; 0 in a slot that was never used.
    expires: u64,
    route: Route,
    reserved: u32,
}

/// A route with its neighbour.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Route {
    gateway: Address,
    ifindex: u32,
}

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
    let flow = flow_label & FLOW;
    let length = packet.segment_length() + room;
    // SAFETY: no memory is involved.
    let now = unsafe { helpers::bpf_ktime_get_coarse_ns() };
    let Some(answer) = ANSWERS.get_ptr_mut(slot(&destination, flow)) else {
        return Err(DropReason::NoUnderlayRoute);
    };
    // SAFETY: this CPU's own value.
    let answer = unsafe { &mut *answer };
    // What does not fit asks again, and has the kernel's own answer.
    if answer.destination == destination
        && answer.flow == flow
        && now < answer.expires
        && length <= answer.fits
    {
        return Ok(answer.route);
    }
    let (route, fits) = ask(packet, source, destination, flow, length, room)?;
    *answer = Answer { destination, flow, fits, expires: now + VALIDITY, route, reserved: 0 };
    Ok(route)
}

/// One round of a multiply-and-shift hash: the product's upper bits depend on all of the word.
#[inline(always)]
const fn slot(destination: &Address, flow: u32) -> u32 {
    let [a, b, c, d] = destination.0;
    let word = ((b ^ c) as u64) << 32 | (a ^ d ^ flow) as u64;
    (word.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - SLOT_BITS)) as u32
}

/// The kernel's answer, and the longest packet that fits.
#[inline(always)]
fn ask(
    packet: &mut Packet,
    source: Address,
    destination: Address,
    flow: u32,
    length: u32,
    room: u32,
) -> Result<(Route, u32), DropReason> {
    // SAFETY: plain integers.
    let mut lookup: bpf_fib_lookup = unsafe { core::mem::zeroed() };
    lookup.family = AF_INET6;
    lookup.ifindex = LOOPBACK;
    // The field holds no more; such a length must not come out as a small one.
    lookup.__bindgen_anon_1.tot_len = if length > MAX_LENGTH { MAX_LENGTH } else { length } as u16;
    lookup.__bindgen_anon_2.flowinfo = flow;
    lookup.__bindgen_anon_3.ipv6_src = source.0;
    lookup.__bindgen_anon_4.ipv6_dst = destination.0;
    let size = size_of::<bpf_fib_lookup>() as i32;
    // SAFETY: context and `lookup` are valid for the call.
    let answer = unsafe {
        helpers::bpf_fib_lookup(packet.skb.raw().cast(), &raw mut lookup, size, BPF_FIB_LOOKUP_DIRECT)
    };
    // The MTU in place of the length; with NO_NEIGH still the length, which fits too.
    let mtu = u32::from(unsafe { lookup.__bindgen_anon_1.mtu_result });
    match answer as u32 {
        BPF_FIB_LKUP_RET_SUCCESS | BPF_FIB_LKUP_RET_NO_NEIGH => {
            // SAFETY: any bits are an address.
            let gateway = Address(unsafe { lookup.__bindgen_anon_4.ipv6_dst });
            Ok((Route { gateway, ifindex: lookup.ifindex }, mtu))
        }
        BPF_FIB_LKUP_RET_FRAG_NEEDED => Err(packet.too_big_for(mtu.saturating_sub(room))),
        BPF_FIB_LKUP_RET_FWD_DISABLED => Err(DropReason::UnderlayForwardingOff),
        _ => Err(DropReason::NoUnderlayRoute),
    }
}

impl Route {
    /// The action that sends through the kernel's neighbour table, which resolves, queues and probes.
    #[inline(always)]
    pub(crate) fn send(&self) -> i32 {
        neighbor::redirect(self.ifindex, Family::V6, &self.gateway)
    }
}
