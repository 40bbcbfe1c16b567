//! From an attachment circuit.

use aya_ebpf::bindings::TC_ACT_UNSPEC;
use srv6_types::{
    DropReason,
    maps::{CircuitEntry, VrfEntry, circuit_flag, vrf_counter},
};

use crate::{
    arp, counters,
    forward::{Arrival, Forward, forward},
    guard,
    icmp::{self, Sources, echo},
    local,
    maps::{CIRCUITS, VRFS},
    nd, outcome,
    packet::{
        Family, Inner, Packet, Skb,
        headers::{ETHERNET, ethertype},
    },
    probe, send, source,
};

/// Takes in what a tenant sends.
#[inline(always)]
pub(crate) fn ingress(skb: Skb) -> i32 {
    // SAFETY: values are replaced whole, and a torn read would harm one packet.
    let Some(circuit) = (unsafe { CIRCUITS.get(skb.ifindex()) }) else { return TC_ACT_UNSPEC };
    if let Err(reason) = skb.strip_priority_tags() {
        return super::drop(skb, circuit.vrf, reason, None);
    }
    if local::is_proxy(circuit) {
        // The interface may be a port of a bridge, whose MAC address the hosts may have for the gateway's. It must not get what
        // is the VRF's.
        if skb.is_tagged() {
            return super::drop(skb, circuit.vrf, DropReason::NotIp, None);
        }
    } else if skb.is_tagged() || skb.is_for_others() {
        return TC_ACT_UNSPEC;
    }
    skb.pull_headers(0);
    if circuit.flags & circuit_flag::PROBES != 0 && probe::is_answer(skb, circuit.vrf) {
        return TC_ACT_UNSPEC;
    }
    match skb.ethertype() {
        ethertype::IPV4 => ip(skb, circuit, Family::V4),
        ethertype::IPV6 => ip(skb, circuit, Family::V6),
        ethertype::ARP => match arp::answer(skb, circuit).unpack() {
            Ok(action) => action,
            Err(reason) => super::drop(skb, circuit.vrf, reason, None),
        },
        _ => super::drop(skb, circuit.vrf, DropReason::NotIp, None),
    }
}

#[inline(always)]
fn ip(skb: Skb, circuit: &CircuitEntry, family: Family) -> i32 {
    let available = skb.len().saturating_sub(ETHERNET as u32);
    let inner = match Inner::parse(skb.frame(), ETHERNET, family, available) {
        Ok(inner) => inner,
        Err(reason) => return super::drop(skb, circuit.vrf, reason, None),
    };
    let mut packet = Packet { skb, inner, vrf: circuit.vrf, room: 0, own: false, translated: false, mtu: 0 };
    match take(&mut packet, circuit) {
        Ok(action) => action,
        Err(reason) => refuse(&mut packet, circuit, outcome::forget(reason)),
    }
}

#[inline(always)]
fn take(packet: &mut Packet, circuit: &CircuitEntry) -> Result<i32, DropReason> {
    if nd::is_discovery(packet) {
        match nd::answer(packet, circuit).unpack()? {
            nd::NOT_OURS => {}
            action => return Ok(action),
        }
    }
    guard::check_tenant(packet)?;
    source::check(packet, circuit)?;
    counters::count(circuit.vrf, vrf_counter::FROM_CIRCUIT, packet.inner.length);
    match forward(packet, &Arrival::by_circuit(packet.skb.ifindex(), circuit))? {
        Forward::Sent(action) => Ok(action),
        Forward::Local => {
            echo::reply(packet)?;
            counters::count(circuit.vrf, vrf_counter::ANSWERED, packet.inner.length);
            send::back(packet.skb, circuit)
        }
    }
}

/// Counts the drop, and tells the sender where that is due.
#[inline(always)]
fn refuse(packet: &mut Packet, circuit: &CircuitEntry, reason: DropReason) -> i32 {
    let dropped = super::drop(packet.skb, packet.vrf, reason, Some(&packet.inner));
    // Of the tenant that is told, whoever's VRF the packet had been leaked into.
    packet.vrf = circuit.vrf;
    let sources = sources(circuit);
    if icmp::refuse(packet, reason, &sources) {
        send::back(packet.skb, circuit).unwrap_or(dropped)
    } else {
        dropped
    }
}

/// The circuit's gateway addresses, else the VRF's.
#[inline(always)]
fn sources(circuit: &CircuitEntry) -> Sources {
    let vrf: Option<&VrfEntry> = VRFS.get(circuit.vrf);
    let v4 = if circuit.gateway4 == [0; 4] {
        vrf.map_or([0; 4], |vrf| vrf.icmp_source4)
    } else {
        circuit.gateway4
    };
    let v6 = if circuit.gateway6 == [0; 16] {
        vrf.map_or([0; 16], |vrf| vrf.icmp_source6)
    } else {
        circuit.gateway6
    };
    Sources { v4, v6 }
}
