//! Writes an error over the packet that it is about.

use aya_ebpf::{bindings::__sk_buff, helpers::generated as helpers, macros::map, maps::PerCpuArray};
use srv6_types::{DropReason, maps::vrf_counter};

use super::Error;
use crate::{
    counters,
    packet::{
        Address, Family, Inner, Packet, Skb, checksum,
        headers::{IPV4, IPV6, Icmp, Ipv4, Ipv6, protocol},
    },
};

/// RFC 1812 section 4.3.2.3.
const LARGEST4: u32 = 576;
/// RFC 4443 section 2.4 (c).
const LARGEST6: u32 = 1280;
/// Octets that `bpf_csum_diff` takes at once before 6.13.
const CHUNK: usize = 512;
const CHUNKS: usize = 3;
/// RFC 1812 section 4.3.2.5: internetwork control.
const CLASS: u8 = 0xc0;
const TTL: u8 = 64;
/// Farther in than any packet lies in its frame.
const FARTHEST: u32 = 0xfff;

/// Room for the message, and for the last chunk of its sum to begin anywhere in it.
#[repr(C, align(8))]
struct Scratch([u8; LARGEST6 as usize + CHUNK]);

#[map]
static SCRATCH: PerCpuArray<Scratch> = PerCpuArray::with_max_entries(1, 0);

/// What an error is to say, and about what.
#[repr(C)]
struct Message {
    source: Address,
    destination: Address,
    error: Error,
    /// Octets of the packet that it quotes.
    about: u32,
}

#[map]
static MESSAGE: PerCpuArray<Message> = PerCpuArray::with_max_entries(1, 0);

/// The packet becomes the error. It may fail half-way: the packet is then of no more use.
#[inline(always)]
pub(super) fn write(packet: &mut Packet, source: &Address, error: Error) -> Result<(), DropReason> {
    let message = MESSAGE.get_ptr_mut(0).ok_or(DropReason::AdjustRoomFailed)?;
    let (destination, about) = (packet.inner.source, packet.inner.length);
    // SAFETY: this CPU's own value.
    unsafe { message.write(Message { source: *source, destination, error, about }) };
    let length =
        match write_error(packet.skb.raw(), packet.offset() as u32, packet.inner.family as u32) as u32 {
            0 => return Err(DropReason::AdjustRoomFailed),
            length => length,
        };
    packet.inner = Inner {
        destination: packet.inner.source,
        source: *source,
        length,
        ports: 0,
        flow_label: 0,
        class: CLASS,
        ttl: TTL,
        protocol: if packet.inner.family == Family::V4 { protocol::ICMP } else { protocol::ICMPV6 },
        ..packet.inner
    };
    (packet.own, packet.translated) = (true, false);
    counters::count(packet.vrf, vrf_counter::ANSWERED, length);
    Ok(())
}

/// Writes this CPU's [`Message`] over the packet at `offset`. Returns its length, 0 when that failed. Exported, for the
/// verifier then looks at it once, and not again for each state that a caller may be in.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn write_error(skb: *mut __sk_buff, offset: u32, family: u32) -> u64 {
    let family = if family == Family::V4 as u32 { Family::V4 } else { Family::V6 };
    replace(Skb::from_raw(skb), offset & FARTHEST, family).map_or(0, u64::from)
}

#[inline(always)]
fn replace(skb: Skb, offset: u32, family: Family) -> Result<u32, DropReason> {
    let message = MESSAGE.get_ptr_mut(0).ok_or(DropReason::AdjustRoomFailed)?;
    let scratch = SCRATCH.get_ptr_mut(0).ok_or(DropReason::AdjustRoomFailed)?.cast::<u8>();
    // SAFETY: as above.
    let message = unsafe { &*message };
    let length = match family {
        Family::V4 => compose4(skb, offset, message, scratch),
        Family::V6 => compose6(skb, offset, message, scratch),
    }?;
    skb.blank(offset + length)?;
    // SAFETY: the verifier checks that `length` lies within the scratch space.
    let stored = unsafe { helpers::bpf_skb_store_bytes(skb.raw().cast(), offset, scratch.cast(), length, 0) };
    if stored == 0 { Ok(length) } else { Err(DropReason::AdjustRoomFailed) }
}

/// Lays out IP header, ICMP header and quote, all but the checksums. Returns the length.
#[inline(always)]
fn compose4(skb: Skb, offset: u32, message: &Message, scratch: *mut u8) -> Result<u32, DropReason> {
    const HEADERS: u32 = (IPV4 + size_of::<Icmp>()) as u32;
    let length = HEADERS + quote::<HEADERS, LARGEST4>(skb, offset, message.about, scratch)?;
    let mut ip = Ipv4 {
        version_ihl: 0x45,
        tos: CLASS,
        total_length: (length as u16).to_be(),
        identification: 0,
        fragment: 0,
        ttl: TTL,
        protocol: protocol::ICMP,
        checksum: 0,
        source: message.source.0[0],
        destination: message.destination.0[0],
    };
    ip.checksum = !checksum::fold(checksum::sum(&raw const ip, IPV4, 0));
    // SAFETY: the scratch space is larger; the verifier checks it.
    unsafe {
        scratch.cast::<Ipv4>().write(ip);
        let icmp = scratch.add(IPV4).cast::<Icmp>();
        icmp.write(header(&message.error));
        (*icmp).checksum = sum::<IPV4>(scratch, length, 0);
    }
    Ok(length)
}

/// The same for IPv6. The checksum covers the addresses as well: RFC 8200 section 8.1.
#[inline(always)]
fn compose6(skb: Skb, offset: u32, message: &Message, scratch: *mut u8) -> Result<u32, DropReason> {
    const HEADERS: u32 = (IPV6 + size_of::<Icmp>()) as u32;
    const ADDRESSES: usize = 8;
    let length = HEADERS + quote::<HEADERS, LARGEST6>(skb, offset, message.about, scratch)?;
    let payload = (length - IPV6 as u32) as u16;
    // SAFETY: as above.
    unsafe {
        scratch.cast::<Ipv6>().write(Ipv6 {
            version_class_flow: Ipv6::version_class_flow(CLASS, 0),
            payload_length: payload.to_be(),
            next_header: protocol::ICMPV6,
            hop_limit: TTL,
            source: message.source,
            destination: message.destination,
        });
        let icmp = scratch.add(IPV6).cast::<Icmp>();
        icmp.write(header(&message.error));
        (*icmp).checksum = sum::<ADDRESSES>(scratch, length, checksum::pseudo6(payload, protocol::ICMPV6));
    }
    Ok(length)
}

#[inline(always)]
const fn header(error: &Error) -> Icmp {
    Icmp { kind: error.kind, code: error.code, checksum: 0, rest: error.rest }
}

/// Copies as much of the packet as fits behind `HEADERS` octets, with zeroes up to the next word behind it for the
/// sum. Returns how much.
#[inline(always)]
fn quote<const HEADERS: u32, const LARGEST: u32>(
    skb: Skb,
    offset: u32,
    about: u32,
    scratch: *mut u8,
) -> Result<u32, DropReason> {
    let most = LARGEST - HEADERS;
    let length = if about > most { most } else { about };
    if length < IPV4 as u32 {
        return Err(DropReason::Malformed);
    }
    // SAFETY: the verifier checks that the quote lies within the scratch space.
    let loaded = unsafe {
        let at = scratch.add(HEADERS as usize);
        at.add((length & !3) as usize).cast::<u32>().write(0);
        helpers::bpf_skb_load_bytes(skb.raw().cast(), offset, at.cast(), length)
    };
    if loaded == 0 { Ok(length) } else { Err(DropReason::Malformed) }
}

/// The checksum of the octets from `FROM` to `length`.
#[inline(always)]
fn sum<const FROM: usize>(scratch: *mut u8, length: u32, seed: u32) -> u16 {
    let mut left = (length as usize).next_multiple_of(4) - FROM;
    let mut sum = u64::from(seed);
    for chunk in 0..CHUNKS {
        let size = if left > CHUNK { CHUNK } else { left };
        // SAFETY: the scratch space is a chunk longer than the longest message.
        let from = unsafe { scratch.add(FROM + chunk * CHUNK) };
        sum = checksum::sum(from, size, sum as u32);
        left -= size;
    }
    !checksum::fold(sum)
}
