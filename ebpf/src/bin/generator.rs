//! The traffic of `make bench`: frames for BPF_PROG_TEST_RUN with live frames, the bare redirect that is the limit of any
//! tc program, and the sink. No part of the dataplane.
#![no_std]
#![no_main]
#![expect(unsafe_code, reason = "packets, maps and helpers are raw memory; the verifier checks every access")]
#![expect(missing_docs, unreachable_pub, reason = "the macro copies neither documentation nor visibility")]

use aya_ebpf::{
    bindings::{TC_ACT_SHOT, xdp_action},
    helpers::generated as helpers,
    macros::{classifier, map, xdp},
    maps::Array,
    programs::{TcContext, XdpContext},
};

/// A short frame: Ethernet, IPv4 or IPv6, UDP.
const SHORT: usize = 64;
/// A frame with an outer IPv6 header.
const LONG: usize = 128;
/// Where the IPv4 header has its checksum and its destination.
const CHECKSUM4: usize = 24;
const DESTINATION4: usize = 30;
const DESTINATION6: usize = 38;
/// Where IPv4 and IPv6 frames have the last words of source and destination and the ports of UDP.
const FLOW4: [usize; 3] = [26, DESTINATION4, 34];
const FLOW6: [usize; 3] = [34, DESTINATION6 + 12, 54];
/// From the ports of UDP to its checksum.
const CHECKSUM_UDP: usize = 6;

/// The frame as sent; recycled pages hold what the device under test has made of it.
#[map]
static TEMPLATE: Array<[u64; LONG / 8]> = Array::with_max_entries(1, 0);
/// What frame after frame is sent to, in words in network order: an IPv4 address and its header checksum, an IPv6 address,
/// or a flow: the last words of destination and source, the ports, and the checksums of IPv4's header and of UDP.
#[map]
static DESTINATIONS: Array<[u32; 4]> = Array::with_max_entries(1, 0);
/// How many destinations there are, and the next one.
#[map]
static CURSOR: Array<[u32; 2]> = Array::with_max_entries(1, 0);
/// Where [`redirect`] sends.
#[map]
static TARGET: Array<u32> = Array::with_max_entries(1, 0);

#[inline(always)]
fn write_template<const N: usize>(context: &XdpContext) -> Option<*mut u8> {
    let template = TEMPLATE.get(0)?;
    let frame = context.data();
    if frame + N > context.data_end() {
        return None;
    }
    let words = frame as *mut u64;
    for (at, word) in template.iter().enumerate().take(N / 8) {
        // SAFETY: the frame has N octets, and words may be unaligned.
        unsafe { words.add(at).write_unaligned(*word) };
    }
    Some(frame as *mut u8)
}

#[inline(always)]
fn next_destination() -> Option<&'static [u32; 4]> {
    let cursor = CURSOR.get_ptr_mut(0)?;
    // SAFETY: one thread generates at a time.
    let [count, next] = unsafe { *cursor };
    let after = if next + 1 >= count { 0 } else { next + 1 };
    unsafe { (*cursor)[1] = after };
    DESTINATIONS.get(next)
}

#[inline(always)]
fn write4(context: &XdpContext) -> Option<()> {
    let frame = write_template::<SHORT>(context)?;
    let [address, checksum, ..] = *next_destination()?;
    // SAFETY: within the octets that are there.
    unsafe {
        frame.add(DESTINATION4).cast::<u32>().write_unaligned(address);
        frame.add(CHECKSUM4).cast::<u16>().write_unaligned(checksum as u16);
    }
    Some(())
}

#[inline(always)]
fn write6(context: &XdpContext) -> Option<()> {
    let frame = write_template::<SHORT>(context)?;
    let address = *next_destination()?;
    // SAFETY: within the octets that are there.
    unsafe { frame.add(DESTINATION6).cast::<[u32; 4]>().write_unaligned(address) };
    Some(())
}

/// The frame, and the checksum of an IPv4 header.
#[inline(always)]
fn write_flow(context: &XdpContext, [source, destination, ports]: [usize; 3]) -> Option<(*mut u8, u16)> {
    let frame = write_template::<SHORT>(context)?;
    let flow = *next_destination()?;
    // SAFETY: within the octets that are there.
    unsafe {
        frame.add(destination).cast::<u32>().write_unaligned(flow[0]);
        frame.add(source).cast::<u32>().write_unaligned(flow[1]);
        frame.add(ports).cast::<u32>().write_unaligned(flow[2]);
        frame.add(ports + CHECKSUM_UDP).cast::<u16>().write_unaligned((flow[3] >> 16) as u16);
    }
    Some((frame, flow[3] as u16))
}

#[inline(always)]
fn write_flow4(context: &XdpContext) -> Option<()> {
    let (frame, checksum) = write_flow(context, FLOW4)?;
    // SAFETY: within the octets that are there.
    unsafe { frame.add(CHECKSUM4).cast::<u16>().write_unaligned(checksum) };
    Some(())
}

const fn transmit(written: bool) -> u32 {
    if written { xdp_action::XDP_TX } else { xdp_action::XDP_ABORTED }
}

#[xdp]
pub fn generate4(context: XdpContext) -> u32 {
    transmit(write4(&context).is_some())
}

#[xdp]
pub fn generate6(context: XdpContext) -> u32 {
    transmit(write6(&context).is_some())
}

#[xdp]
pub fn generate_flow4(context: XdpContext) -> u32 {
    transmit(write_flow4(&context).is_some())
}

#[xdp]
pub fn generate_flow6(context: XdpContext) -> u32 {
    transmit(write_flow(&context, FLOW6).is_some())
}

#[xdp]
pub fn generate_outer(context: XdpContext) -> u32 {
    transmit(write_template::<LONG>(&context).is_some())
}

#[classifier]
pub fn redirect(_: TcContext) -> i32 {
    let Some(target) = TARGET.get(0) else { return TC_ACT_SHOT };
    // SAFETY: no memory is involved.
    unsafe { helpers::bpf_redirect(*target, 0) as i32 }
}

#[classifier]
pub fn sink(_: TcContext) -> i32 {
    TC_ACT_SHOT
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // The verifier refuses a program in which this could be reached.
    loop {}
}

/// Several helpers are for programs under a licence compatible with the GPL only.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
