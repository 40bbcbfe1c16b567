//! What both programs share: a tenant's packet, parsed, in a VRF. Finds its next hop and sends it there.

use srv6_types::{
    DropReason,
    maps::{CircuitEntry, NextHopEntry, SidEntry, VrfEntry, next_hop_kind, sid_flag, vrf_flag},
};

use crate::{
    deliver,
    egress::{self, Choice},
    fib, filter, guard,
    headend::encaps,
    maps::{NEXT_HOPS, VRFS},
    packet::{Family, Packet, read_upper},
    services::{self, Balanced},
    translate,
};

/// How often a packet may be leaked from VRF to VRF.
const LEAKS: u32 = 4;

/// What became of a packet that was not dropped.
pub(crate) enum Forward {
    /// It is on its way: the action to return.
    Sent(i32),
    /// It is for an address of this PE in the VRF.
    Local,
}

/// How a packet came into the VRF, and what that makes of it.
#[derive(Clone, Copy)]
pub(crate) struct Arrival {
    /// Ifindex of the circuit; 0 from the core.
    pub(crate) circuit: u32,
    /// Filter of the circuit, 0 for none.
    filter: u32,
    /// Any backend may have it, not only those behind this node.
    pub(crate) balance: bool,
    /// Index of the egress address that its source is to become, plus one; 0 for none.
    egress: u32,
}

impl Arrival {
    #[inline(always)]
    pub(crate) fn by_circuit(ifindex: u32, circuit: &CircuitEntry) -> Self {
        Self { circuit: ifindex, filter: circuit.filter, balance: true, egress: 0 }
    }

    #[inline(always)]
    pub(crate) fn by_sid(sid: &SidEntry) -> Self {
        let egress = if sid.flags & sid_flag::EGRESS != 0 { sid.egress + 1 } else { 0 };
        Self { circuit: 0, filter: 0, balance: sid.flags & sid_flag::BALANCE != 0, egress }
    }
}

#[inline(always)]
pub(crate) fn forward(packet: &mut Packet, arrival: &Arrival) -> Result<Forward, DropReason> {
    let vrf = VRFS.get(packet.vrf).ok_or(DropReason::NoRouteInVrf)?;
    if vrf.flows == 0 || packet.own {
        let next_hop = resolve(packet)?;
        return send(packet, next_hop);
    }
    forward_flow(packet, arrival, vrf)
}

/// In a VRF that remembers flows.
#[inline(always)]
fn forward_flow(packet: &mut Packet, arrival: &Arrival, vrf: &VrfEntry) -> Result<Forward, DropReason> {
    read_upper(packet)?;
    packet.translated = true;
    if arrival.circuit != 0 && vrf.flags & vrf_flag::SERVICES != 0 && !services::answer(packet) {
        services::check_source(packet)?;
    }
    let mut next_hop = resolve(packet)?;
    match next_hop.kind {
        next_hop_kind::SERVICE => match services::balance(packet, arrival)? {
            Balanced::To(to) => {
                next_hop = at(to.next_hop)?;
                if let Some(address) = to.source {
                    egress::outbound(packet, address)?;
                }
            }
            Balanced::Local => return Ok(Forward::Local),
        },
        next_hop_kind::EGRESS => {
            egress::inbound(packet)?;
            services::answer(packet);
            next_hop = resolve(packet)?;
        }
        next_hop_kind::LOCAL => return Ok(Forward::Local),
        _ => next_hop = leave(packet, arrival, vrf, next_hop)?,
    }
    if arrival.filter != 0 {
        filter::from_circuit(packet, arrival.circuit, arrival.filter)?;
    }
    send(packet, next_hop)
}

/// Puts a packet to somewhere else than this node's own addresses under an egress address where that is due.
#[inline(always)]
fn leave(
    packet: &mut Packet,
    arrival: &Arrival,
    vrf: &VrfEntry,
    next_hop: &'static NextHopEntry,
) -> Result<&'static NextHopEntry, DropReason> {
    let choice = match arrival.egress {
        0 if arrival.circuit != 0 && vrf.flags & vrf_flag::EGRESS != 0 => {
            egress::choose(packet, arrival.circuit)?
        }
        0 => Choice::None,
        egress => Choice::Here(egress - 1),
    };
    match choice {
        Choice::None => Ok(next_hop),
        Choice::Gateway(index) => at(index),
        Choice::Here(address) => egress::outbound(packet, address).map(|()| next_hop),
    }
}

#[inline(always)]
fn send(packet: &mut Packet, next_hop: &'static NextHopEntry) -> Result<Forward, DropReason> {
    if next_hop.kind == next_hop_kind::LOCAL {
        return Ok(Forward::Local);
    }
    // RFC 4291 section 2.5.6: such a source may speak to us, but not through us.
    if packet.inner.family == Family::V6 && guard::is_link_local(&packet.inner.source) {
        return Err(DropReason::BadSource);
    }
    if next_hop.kind == next_hop_kind::UNREACHABLE {
        return Err(DropReason::RouteUnreachable);
    }
    if packet.inner.ttl <= 1 && !packet.own {
        return Err(DropReason::TtlExpired);
    }
    let action = match next_hop.kind {
        next_hop_kind::ENCAPS_RED | next_hop_kind::ENCAPS => encaps::encapsulate(packet, next_hop).unpack(),
        next_hop_kind::GATEWAY | next_hop_kind::CONNECTED => deliver::deliver(packet, next_hop).unpack(),
        _ => Err(DropReason::NoSuchNextHop),
    }?;
    // Last, when nothing else can fail: the packet goes when the program ends, whatever has been called before.
    if packet.translated {
        translate::write(packet)?;
    }
    Ok(Forward::Sent(action))
}

/// Follows leaks until a next hop that is none.
#[inline(always)]
fn resolve(packet: &mut Packet) -> Result<&'static NextHopEntry, DropReason> {
    let destination = packet.destination();
    for _ in 0..=LEAKS {
        let index =
            fib::lookup(packet.vrf, packet.inner.family, &destination).ok_or(DropReason::NoRouteInVrf)?;
        let next_hop = at(index)?;
        match next_hop.kind {
            next_hop_kind::VRF => packet.vrf = next_hop.vrf,
            next_hop_kind::BLACKHOLE => return Err(DropReason::Blackhole),
            _ => return Ok(next_hop),
        }
    }
    Err(DropReason::LeakLoop)
}

#[inline(always)]
fn at(index: u32) -> Result<&'static NextHopEntry, DropReason> {
    NEXT_HOPS.get(index).ok_or(DropReason::NoSuchNextHop)
}
