//! What may go into a VRF at all, before any lookup in it.

use aya_ebpf::maps::lpm_trie::Key;
use srv6_types::DropReason;

use crate::{
    maps::DOMAIN,
    packet::{Address, Family, Inner, Packet},
};

/// From a circuit. RFC 8754 section 5.1: nothing into the domain, whatever its source and whether it carries an SRH or
/// not. RFC 1812 section 5.3.4: nothing that came by a broadcast or multicast of the link. What is for another station's MAC
/// address has been left alone before, where it is not a proxy's.
#[inline(always)]
pub(crate) fn check_tenant(packet: &Packet) -> Result<(), DropReason> {
    let inner = &packet.inner;
    check(inner)?;
    if inner.family == Family::V6 && DOMAIN.get(Key::new(128, inner.destination.octets())).is_some() {
        return Err(DropReason::SidFromTenant);
    }
    if packet.skb.is_for_one() { Ok(()) } else { Err(DropReason::MulticastUnsupported) }
}

/// Lets through what a VRF routes. What does not leave the link would reach the node itself, and whatever listens
/// there on all addresses: a tenant may speak neighbour discovery to it and nothing else.
#[inline(always)]
pub(crate) fn check(inner: &Inner) -> Result<(), DropReason> {
    match inner.family {
        Family::V4 => check4(u32::from_be(inner.source.0[0]), u32::from_be(inner.destination.0[0])),
        Family::V6 => check6(&inner.source, &inner.destination),
    }
}

#[inline(always)]
fn check4(source: u32, destination: u32) -> Result<(), DropReason> {
    const LINK_LOCAL_MULTICAST: u32 = 0x00e0_0000;
    let of_this_host = matches!(destination >> 24, 0 | 127);
    if of_this_host || destination == u32::MAX || destination >> 8 == LINK_LOCAL_MULTICAST {
        return Err(DropReason::LinkScope);
    }
    if destination >> 28 == 0xe {
        return Err(DropReason::MulticastUnsupported);
    }
    // RFC 1812 section 5.3.7: 0/8, 127/8, and multicast and the reserved addresses above it.
    match source >> 24 {
        0 | 127 | 224.. => Err(DropReason::BadSource),
        _ => Ok(()),
    }
}

#[inline(always)]
fn check6(source: &Address, destination: &Address) -> Result<(), DropReason> {
    let first = u32::from_be(destination.0[0]);
    if first >> 24 == 0xff {
        let on_link = is_on_link(destination);
        return Err(if on_link { DropReason::LinkScope } else { DropReason::MulticastUnsupported });
    }
    if is_link_local(destination) || is_loopback_or_none(destination) {
        return Err(DropReason::LinkScope);
    }
    if is_loopback_or_none(source) || u32::from_be(source.0[0]) >> 24 == 0xff {
        return Err(DropReason::BadSource);
    }
    Ok(())
}

/// ::1 and ::.
#[inline(always)]
fn is_loopback_or_none(address: &Address) -> bool {
    address.0[0] | address.0[1] | address.0[2] == 0 && u32::from_be(address.0[3]) <= 1
}

/// Link-local, or multicast of scope 1 or 2: the interface and the link, RFC 4291 section 2.7.
#[inline(always)]
pub(crate) fn is_on_link(destination: &Address) -> bool {
    let first = u32::from_be(destination.0[0]);
    is_link_local(destination) || first >> 24 == 0xff && first >> 16 & 0xf <= 2
}

/// fe80::/10.
#[inline(always)]
pub(crate) fn is_link_local(address: &Address) -> bool {
    u32::from_be(address.0[0]) >> 22 == 0xfe80 >> 6
}
