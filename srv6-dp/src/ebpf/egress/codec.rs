//! Egress addresses and policies as map entries and back.

use std::net::IpAddr;

use ipnet::IpNet;
use srv6_types::{
    VrfId,
    maps::{EGRESS_CHOICES, EgressEntry, EgressMember, EgressPolicyEntry, HostKey, egress_part as part},
};

use super::super::{codec, error::EbpfError};
use crate::model::{EgressAddress, EgressPolicy, IfIndex};

pub(super) fn encode_address(
    (vrf, address): (VrfId, IpAddr),
    ports: &EgressAddress,
) -> Result<EgressEntry, EbpfError> {
    let EgressAddress { first_port, block_size, blocks } = *ports;
    let end = u32::from(first_port) + u32::from(block_size) * u32::from(blocks);
    if first_port == 0 || block_size == 0 || blocks == 0 || end > 1 << 16 {
        return Err(EbpfError::PortBlocks { first_port, block_size, blocks });
    }
    let HostKey { vrf, family, address } = codec::host_key((vrf, address));
    Ok(EgressEntry {
        address,
        vrf,
        family,
        first_port: first_port.into(),
        block_size: block_size.into(),
        blocks: blocks.into(),
        reserved: [0; 3],
    })
}

/// The slot of an address that is not there.
pub(super) const NO_ADDRESS: EgressEntry = EgressEntry {
    address: [0; 16],
    vrf: 0,
    family: 0,
    first_port: 0,
    block_size: 0,
    blocks: 0,
    reserved: [0; 3],
};

pub(super) fn decode_ports(entry: &EgressEntry) -> EgressAddress {
    // Only ports are ever written.
    let port = |value| u16::try_from(value).unwrap_or(0);
    EgressAddress {
        first_port: port(entry.first_port),
        block_size: port(entry.block_size),
        blocks: port(entry.blocks),
    }
}

pub(super) fn encode_policy(
    vrf: VrfId,
    name: &str,
    policy: &EgressPolicy,
) -> Result<EgressPolicyEntry, EbpfError> {
    let mut entry = EgressPolicyEntry {
        name: codec::encode_name(name)?,
        addresses6: [[0; 16]; EGRESS_CHOICES],
        addresses4: [[0; 4]; EGRESS_CHOICES],
        vrf: vrf.0,
        rank: policy.rank,
        families: 0,
        reserved: 0,
    };
    let (mut next4, mut next6) = (entry.addresses4.iter_mut(), entry.addresses6.iter_mut());
    for (at, address) in policy.addresses.iter().enumerate() {
        let slot = match address {
            _ if address.is_unspecified() => None,
            IpAddr::V4(address) => next4.next().map(|slot| *slot = address.octets()),
            IpAddr::V6(address) => next6.next().map(|slot| {
                entry.families |= 1 << at;
                *slot = address.octets();
            }),
        };
        slot.ok_or_else(|| EbpfError::EgressChoices(name.to_owned()))?;
    }
    Ok(entry)
}

/// The policy without its prefixes and circuits, which are its members.
pub(super) fn decode_policy(entry: &EgressPolicyEntry) -> ((VrfId, String), EgressPolicy) {
    let mut next4 =
        entry.addresses4.iter().map(|octets| IpAddr::from(*octets)).filter(|ip| !ip.is_unspecified());
    let mut next6 =
        entry.addresses6.iter().map(|octets| IpAddr::from(*octets)).filter(|ip| !ip.is_unspecified());
    let of = |at: usize| if entry.families & 1 << at == 0 { next4.next() } else { next6.next() };
    let addresses = (0..2 * EGRESS_CHOICES).map_while(of).collect();
    (
        (VrfId(entry.vrf), codec::decode_name(&entry.name)),
        EgressPolicy { rank: entry.rank, addresses, ..EgressPolicy::default() },
    )
}

/// What user space reads a policy back from.
pub(super) fn members(policy: u32, of: &EgressPolicy) -> impl Iterator<Item = EgressMember> {
    let prefixes = [
        (part::SOURCE, &of.sources),
        (part::DESTINATION, &of.destinations),
        (part::EXCEPTION, &of.exceptions),
    ];
    let prefixes = prefixes.into_iter().flat_map(move |(part, prefixes)| {
        prefixes.iter().map(move |prefix| {
            let (family, address) = codec::encode_address(prefix.addr());
            let (family, length) = (family as u8, prefix.prefix_len());
            EgressMember { policy, part, family, length, reserved: 0, address }
        })
    });
    prefixes.chain(of.circuits.iter().map(move |circuit| {
        let mut address = [0; 16];
        address[..4].copy_from_slice(&circuit.0.to_be_bytes());
        EgressMember { policy, part: part::CIRCUIT, family: 0, length: 0, reserved: 0, address }
    }))
}

/// Puts a member back where it was; what sixedge never writes is left out.
pub(super) fn add_member(policy: &mut EgressPolicy, member: &EgressMember) {
    let [a, b, c, d, ..] = member.address;
    let address = codec::address(member.family.into(), member.address);
    let prefix = address.and_then(|address| IpNet::new(address, member.length).ok());
    match (member.part, prefix) {
        (part::SOURCE, Some(prefix)) => drop(policy.sources.insert(prefix)),
        (part::DESTINATION, Some(prefix)) => drop(policy.destinations.insert(prefix)),
        (part::EXCEPTION, Some(prefix)) => drop(policy.exceptions.insert(prefix)),
        (part::CIRCUIT, _) => drop(policy.circuits.insert(IfIndex(u32::from_be_bytes([a, b, c, d])))),
        _ => {}
    }
}
