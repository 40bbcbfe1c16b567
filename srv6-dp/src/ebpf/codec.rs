//! The model's words as map entries and back. Every function pair is its own inverse.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use aya::maps::lpm_trie::Key;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use srv6_types::{
    Behavior, Sid, VrfId,
    maps::{
        CircuitEntry, FibKey4, FibKey6, HostKey, MAX_SEGMENTS, NAME, NextHopEntry, SidEntry, VrfEntry,
        circuit_flag, next_hop_kind as kind, sid_flag, vrf_flag,
    },
};

use super::error::EbpfError;
use crate::model::{Circuit, FilterId, IfIndex, LocalSid, NextHop, SidRole, Vrf};

/// Width of the VRF id in front of the address in a FIB key, in bits.
const VRF_BITS: u32 = 32;

pub(super) fn fib_key4(vrf: VrfId, prefix: Ipv4Net) -> Key<FibKey4> {
    let key = FibKey4 { vrf: vrf.0.to_be_bytes(), addr: prefix.network().octets() };
    Key::new(VRF_BITS + u32::from(prefix.prefix_len()), key)
}

pub(super) fn fib_key6(vrf: VrfId, prefix: Ipv6Net) -> Key<FibKey6> {
    let key = FibKey6 { vrf: vrf.0.to_be_bytes(), addr: prefix.network().octets() };
    Key::new(VRF_BITS + u32::from(prefix.prefix_len()), key)
}

/// `None` for a key shorter than its VRF id, which sixedge never writes.
pub(super) fn route4(key: &Key<FibKey4>) -> Option<(VrfId, IpNet)> {
    let len = u8::try_from(key.prefix_len().checked_sub(VRF_BITS)?).ok()?;
    let FibKey4 { vrf, addr } = key.data();
    Some((VrfId(u32::from_be_bytes(vrf)), Ipv4Net::new(addr.into(), len).ok()?.into()))
}

pub(super) fn route6(key: &Key<FibKey6>) -> Option<(VrfId, IpNet)> {
    let len = u8::try_from(key.prefix_len().checked_sub(VRF_BITS)?).ok()?;
    let FibKey6 { vrf, addr } = key.data();
    Some((VrfId(u32::from_be_bytes(vrf)), Ipv6Net::new(addr.into(), len).ok()?.into()))
}

pub(super) fn prefix_key(prefix: Ipv6Net) -> Key<[u8; 16]> {
    Key::new(prefix.prefix_len().into(), prefix.network().octets())
}

pub(super) fn prefix(key: &Key<[u8; 16]>) -> Option<Ipv6Net> {
    Ipv6Net::new(key.data().into(), u8::try_from(key.prefix_len()).ok()?).ok()
}

pub(super) fn host_key((vrf, address): (VrfId, IpAddr)) -> HostKey {
    let (family, address) = encode_address(address);
    HostKey { vrf: vrf.0, family, address }
}

/// `None` for what sixedge never writes.
pub(super) fn decode_host_key(key: &HostKey) -> Option<(VrfId, IpAddr)> {
    Some((VrfId(key.vrf), address(key.family, key.address)?))
}

pub(super) fn encode_next_hop(next_hop: &NextHop) -> Result<NextHopEntry, EbpfError> {
    let mut entry = NextHopEntry {
        kind: kind::NONE,
        ifindex: 0,
        vrf: 0,
        address_family: 0,
        address: [0; 16],
        segment_count: 0,
        reserved: 0,
        segments: [[0; 16]; MAX_SEGMENTS],
    };
    match next_hop {
        NextHop::Encapsulate { segments, reduced } => {
            if segments.is_empty() || segments.len() > MAX_SEGMENTS {
                return Err(EbpfError::Segments(segments.len()));
            }
            entry.kind = if *reduced { kind::ENCAPS_RED } else { kind::ENCAPS };
            entry.segment_count = segments.len() as u32;
            entry.segments.iter_mut().zip(segments).for_each(|(slot, sid)| *slot = sid.0);
        }
        NextHop::Gateway { interface, address } => {
            (entry.kind, entry.ifindex) = (kind::GATEWAY, interface.0);
            (entry.address_family, entry.address) = encode_address(*address);
        }
        NextHop::Connected { interface } => (entry.kind, entry.ifindex) = (kind::CONNECTED, interface.0),
        NextHop::Local { interface } => {
            (entry.kind, entry.ifindex) = (kind::LOCAL, interface.map_or(0, |interface| interface.0));
        }
        NextHop::Service => entry.kind = kind::SERVICE,
        NextHop::Egress => entry.kind = kind::EGRESS,
        NextHop::Vrf(vrf) => (entry.kind, entry.vrf) = (kind::VRF, vrf.0),
        NextHop::Unreachable => entry.kind = kind::UNREACHABLE,
        NextHop::Blackhole => entry.kind = kind::BLACKHOLE,
    }
    Ok(entry)
}

/// `None` for what no version of sixedge writes.
pub(super) fn decode_next_hop(entry: &NextHopEntry) -> Option<NextHop> {
    let interface = IfIndex(entry.ifindex);
    Some(match entry.kind {
        kind::ENCAPS_RED | kind::ENCAPS => {
            let count = usize::try_from(entry.segment_count).ok().filter(|count| *count > 0)?;
            let segments = entry.segments.get(..count)?.iter().copied().map(Sid).collect();
            NextHop::Encapsulate { segments, reduced: entry.kind == kind::ENCAPS_RED }
        }
        kind::GATEWAY => {
            NextHop::Gateway { interface, address: address(entry.address_family, entry.address)? }
        }
        kind::CONNECTED => NextHop::Connected { interface },
        kind::LOCAL => NextHop::Local { interface: Some(interface).filter(|interface| interface.0 != 0) },
        kind::SERVICE => NextHop::Service,
        kind::EGRESS => NextHop::Egress,
        kind::VRF => NextHop::Vrf(VrfId(entry.vrf)),
        kind::UNREACHABLE => NextHop::Unreachable,
        kind::BLACKHOLE => NextHop::Blackhole,
        _ => return None,
    })
}

/// Family and octets.
pub(super) fn encode_address(address: IpAddr) -> (u32, [u8; 16]) {
    match address {
        IpAddr::V4(address) => {
            let mut octets = [0; 16];
            octets[..4].copy_from_slice(&address.octets());
            (4, octets)
        }
        IpAddr::V6(address) => (6, address.octets()),
    }
}

/// `None` where `family` is neither 4 nor 6.
pub(super) fn address(family: u32, octets: [u8; 16]) -> Option<IpAddr> {
    let [a, b, c, d, ..] = octets;
    match family {
        4 => Some(Ipv4Addr::new(a, b, c, d).into()),
        6 => Some(Ipv6Addr::from(octets).into()),
        _ => None,
    }
}

/// `egress` is the class of its hosts' egress policies.
pub(super) fn encode_circuit(circuit: &Circuit, egress: u32) -> CircuitEntry {
    CircuitEntry {
        vrf: circuit.vrf.0,
        mtu: circuit.mtu,
        gateway4: octets4(circuit.gateway4),
        mac: circuit.mac,
        flags: if circuit.proxy { circuit_flag::PROXY } else { 0 }
            | if circuit.probes { circuit_flag::PROBES } else { 0 }
            | if circuit.strict { circuit_flag::STRICT } else { 0 }
            | if circuit.host_mac.is_some() { circuit_flag::HOST_MAC } else { 0 },
        gateway6: octets6(circuit.gateway6),
        filter: circuit.filter.map_or(0, |filter| filter.0),
        egress,
        host_mac: circuit.host_mac.unwrap_or_default(),
        reserved: [0; 2],
    }
}

pub(super) fn decode_circuit(entry: &CircuitEntry) -> Circuit {
    let has = |flag| entry.flags & flag != 0;
    Circuit {
        vrf: VrfId(entry.vrf),
        mtu: entry.mtu,
        mac: entry.mac,
        gateway4: address4(entry.gateway4),
        gateway6: address6(entry.gateway6),
        filter: Some(FilterId(entry.filter)).filter(|filter| filter.0 != 0),
        proxy: has(circuit_flag::PROXY),
        probes: has(circuit_flag::PROBES),
        strict: has(circuit_flag::STRICT),
        host_mac: has(circuit_flag::HOST_MAC).then_some(entry.host_mac),
    }
}

pub(super) fn encode_vrf(vrf: &Vrf) -> VrfEntry {
    VrfEntry {
        flags: vrf_flag::EXISTS
            | if vrf.services { vrf_flag::SERVICES } else { 0 }
            | if vrf.egress { vrf_flag::EGRESS } else { 0 },
        icmp_source4: octets4(vrf.icmp_source4),
        icmp_source6: octets6(vrf.icmp_source6),
        flows: vrf.flows.unwrap_or(0),
        reserved: 0,
    }
}

/// The slot of a VRF that is not there.
pub(super) fn no_vrf() -> VrfEntry {
    VrfEntry { flags: 0, ..encode_vrf(&Vrf::default()) }
}

pub(super) fn decode_vrf(entry: &VrfEntry) -> Option<Vrf> {
    let has = |flag| entry.flags & flag != 0;
    has(vrf_flag::EXISTS).then(|| Vrf {
        icmp_source4: address4(entry.icmp_source4),
        icmp_source6: address6(entry.icmp_source6),
        flows: Some(entry.flows).filter(|flows| *flows != 0),
        services: has(vrf_flag::SERVICES),
        egress: has(vrf_flag::EGRESS),
    })
}

/// `egress` is the index of the address of [`SidRole::Egress`].
pub(super) fn encode_sid(local: &LocalSid, counter: u32, egress: u32) -> SidEntry {
    let flags = match local.role {
        SidRole::Deliver => 0,
        SidRole::Balance => sid_flag::BALANCE,
        SidRole::Egress(_) => sid_flag::EGRESS,
    };
    SidEntry { behavior: local.behavior.0.into(), vrf: local.vrf.0, counter, flags, egress }
}

/// `egress` is the address of the entry's index.
pub(super) fn decode_sid(entry: &SidEntry, egress: Option<IpAddr>) -> LocalSid {
    // Only 16-bit code points are ever written; another value becomes one that no plan wants, and is replaced.
    let behavior = u16::try_from(entry.behavior).unwrap_or(Behavior::OPAQUE.0);
    let role = match egress {
        Some(address) if entry.flags & sid_flag::EGRESS != 0 => SidRole::Egress(address),
        _ if entry.flags & sid_flag::BALANCE != 0 => SidRole::Balance,
        _ => SidRole::Deliver,
    };
    LocalSid { behavior: Behavior(behavior), vrf: VrfId(entry.vrf), role }
}

pub(super) fn encode_name(name: &str) -> Result<[u8; NAME], EbpfError> {
    let mut octets = [0; NAME];
    // The last octet stays zero.
    let room = octets[..NAME - 1].get_mut(..name.len()).filter(|_| !name.contains('\0'));
    room.ok_or_else(|| EbpfError::Name(name.to_owned()))?.copy_from_slice(name.as_bytes());
    Ok(octets)
}

pub(super) fn decode_name(octets: &[u8]) -> String {
    let end = octets.iter().position(|octet| *octet == 0).unwrap_or(octets.len());
    String::from_utf8_lossy(&octets[..end]).into_owned()
}

/// The unspecified address stands for "none".
pub(super) fn octets6(address: Option<Ipv6Addr>) -> [u8; 16] {
    address.unwrap_or(Ipv6Addr::UNSPECIFIED).octets()
}

pub(super) fn address6(octets: [u8; 16]) -> Option<Ipv6Addr> {
    Some(Ipv6Addr::from(octets)).filter(|address| !address.is_unspecified())
}

fn octets4(address: Option<Ipv4Addr>) -> [u8; 4] {
    address.unwrap_or(Ipv4Addr::UNSPECIFIED).octets()
}

fn address4(octets: [u8; 4]) -> Option<Ipv4Addr> {
    Some(Ipv4Addr::from(octets)).filter(|address| !address.is_unspecified())
}
