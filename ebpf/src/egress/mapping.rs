//! Mappings of hosts' ports to ports of an egress address, RFC 4787: endpoint-independent, so that a host keeps its port
//! whomever it speaks to.
//!
//! Of each mapping there are two entries. That of the outside (`INBOUND`) is the only owner of its port: the host's own
//! (`OUTBOUND`) counts as long as the owner says so, and either may be forgotten for want of room at any time.

use srv6_types::{
    DropReason,
    maps::{EgressEntry, FlowEntry, FlowKey, flow_kind, flow_state},
};

use crate::{
    flow,
    packet::{Address, Family, Translation, Tuple, headers::protocol},
};

/// Ports of a block that are tried. More would cost a packet too much time where a host has used up all.
const TRIES: u32 = 128;

const NONE: Address = Address([0; 4]);
const SYN: u8 = 0x02;

/// An end of a flow inside and the address that it has outside.
pub(super) struct Host<'a> {
    pub(super) translation: &'a Translation,
    pub(super) vrf: u32,
    pub(super) address: Address,
    /// As on the wire; so below.
    pub(super) port: u16,
    pub(super) outside: Address,
}

/// A host's port outside.
pub(super) struct Mapped {
    pub(super) port: u16,
    /// It had none before.
    pub(super) new: bool,
}

/// The owner of a port outside, if it has one.
#[inline(always)]
pub(super) fn owner(
    vrf: u32,
    upper: u8,
    family: Family,
    outside: &Address,
    port: u16,
) -> Option<&'static mut FlowEntry> {
    flow::find(vrf, &inbound_key(upper, family, outside, port))
}

#[inline(always)]
fn inbound_key(upper: u8, family: Family, outside: &Address, port: u16) -> FlowKey {
    let tuple = Tuple { source: NONE, destination: *outside, ports: [0, port], family };
    tuple.key(upper, flow_kind::INBOUND)
}

/// Notes a packet of a mapping; returns whether the other entry is to be told. A connection may follow on one that was
/// closed. Where other connections go on by the same mapping, it is forgotten early if they are idle, and the next packet
/// finds the same port again, for the search begins at the same place.
#[inline(always)]
pub(super) fn touch(entry: &mut FlowEntry, translation: &Translation, answer: bool) -> bool {
    // RFC 5508 section 4: errors neither keep a mapping nor end it.
    if translation.quoted != 0 {
        return false;
    }
    let opens = translation.protocol == protocol::TCP && translation.tcp_flags & SYN != 0;
    if opens && entry.state == flow_state::CLOSING {
        entry.state = flow_state::OPENING;
    }
    flow::touch(entry, translation.protocol, translation.tcp_flags, answer)
}

impl Host<'_> {
    #[inline(always)]
    fn outbound_key(&self) -> FlowKey {
        let family = self.translation.came.family;
        let ports = [self.port, 0];
        let tuple = Tuple { source: self.address, destination: self.outside, ports, family };
        tuple.key(self.translation.protocol, flow_kind::OUTBOUND)
    }

    #[inline(always)]
    fn owner(&self, port: u16) -> Option<&'static mut FlowEntry> {
        let Translation { protocol, came, .. } = self.translation;
        owner(self.vrf, *protocol, came.family, &self.outside, port)
    }

    #[inline(always)]
    fn owns(&self, entry: &FlowEntry) -> bool {
        let [_, _, a, b] = entry.ports;
        Address::from_octets(&entry.address) == self.address && u16::from_ne_bytes([a, b]) == self.port
    }

    /// Notes an answer of the outside for the host's own entry.
    #[inline(always)]
    pub(super) fn told(&self) {
        if let Some(entry) = flow::find(self.vrf, &self.outbound_key()) {
            touch(entry, self.translation, true);
        }
    }

    /// The host's port outside; a new one where it has none. An error makes none, RFC 5508 section 4.2.
    #[inline(always)]
    pub(super) fn map(&self, egress: &EgressEntry) -> Result<Mapped, DropReason> {
        let mut wanted = self.port;
        if let Some(entry) = flow::find(self.vrf, &self.outbound_key()) {
            let [a, b, _, _] = entry.ports;
            wanted = u16::from_ne_bytes([a, b]);
            if let Some(owner) = self.owner(wanted)
                && self.owns(owner)
            {
                touch(entry, self.translation, false);
                touch(owner, self.translation, false);
                return Ok(Mapped { port: wanted, new: false });
            }
        }
        if self.translation.quoted != 0 {
            return Err(DropReason::NoMapping);
        }
        if !flow::has_table(self.vrf) {
            return Err(DropReason::NoFlowTable);
        }
        let mapped = self.search(egress, u16::from_be(wanted))?;
        let [a, b] = mapped.port.to_ne_bytes();
        flow::insert(self.vrf, &self.outbound_key(), &self.entry(NONE, [a, b, 0, 0]))?;
        Ok(mapped)
    }

    /// Looks for a port in the host's block, at first the wanted one if it lies there.
    #[inline(always)]
    fn search(&self, egress: &EgressEntry, wanted: u16) -> Result<Mapped, DropReason> {
        let (first, size) = self.block(egress)?;
        let mut offset = u32::from(wanted.wrapping_sub(first as u16)) % size;
        let mut left = size;
        for _ in 0..TRIES {
            let Ok(port) = u16::try_from(first + offset) else { break };
            match self.claim(port.to_be()) {
                Claim::Mine { new } => return Ok(Mapped { port: port.to_be(), new }),
                Claim::Again => {}
                Claim::Taken => {
                    left -= 1;
                    offset += 1;
                    if offset >= size {
                        offset = 0;
                    }
                }
            }
            if left == 0 {
                break;
            }
        }
        Err(DropReason::PortsExhausted)
    }

    /// First port of the host's block, and its size, which is not 0. The checksum of SCTP covers the port, which it
    /// therefore has to keep: a block of one.
    #[inline(always)]
    fn block(&self, egress: &EgressEntry) -> Result<(u32, u32), DropReason> {
        let &EgressEntry { first_port, block_size, blocks, .. } = egress;
        if block_size == 0 || blocks == 0 {
            return Err(DropReason::PortsExhausted);
        }
        if self.translation.protocol == protocol::SCTP {
            let port = u32::from(u16::from_be(self.port));
            let last = first_port + blocks.wrapping_mul(block_size) - 1;
            let within = first_port <= port && port <= last;
            return if within { Ok((port, 1)) } else { Err(DropReason::Untranslatable) };
        }
        let number = match self.translation.came.family {
            Family::V4 => self.address.0[0],
            Family::V6 => self.address.0[3],
        };
        Ok((first_port + u32::from_be(number) % blocks * block_size, block_size))
    }

    #[inline(always)]
    fn claim(&self, port: u16) -> Claim {
        if let Some(owner) = self.owner(port) {
            return if self.owns(owner) { Claim::Mine { new: false } } else { Claim::Taken };
        }
        let [a, b] = self.port.to_ne_bytes();
        let entry = self.entry(self.address, [0, 0, a, b]);
        let Translation { protocol, came, .. } = self.translation;
        let key = inbound_key(*protocol, came.family, &self.outside, port);
        match flow::insert_new(self.vrf, &key, &entry).or_else(|_| flow::replace_idle(self.vrf, &key, &entry))
        {
            Ok(()) => Claim::Mine { new: true },
            // Another CPU was faster, maybe for the same host.
            Err(_) => Claim::Again,
        }
    }

    #[inline(always)]
    fn entry(&self, address: Address, ports: [u8; 4]) -> FlowEntry {
        FlowEntry {
            address: address.octets(),
            ports,
            target: 0,
            generation: 0,
            state: flow_state::OPENING,
            seen: flow::now(),
        }
    }
}

enum Claim {
    Mine { new: bool },
    Taken,
    Again,
}
