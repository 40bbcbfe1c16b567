//! Mappings of hosts' ports to ports of an egress address, RFC 4787: endpoint-independent, so that a host keeps its port
//! whomever it speaks to.
//!
//! Of each mapping there are two entries. That of the outside (`INBOUND`) is the only owner of its port: the host's own
//! (`OUTBOUND`) counts as long as the owner says so, and either may be forgotten for want of room at any time.

use srv6_types::{
    DropReason,
    maps::{EgressEntry, FlowEntry, flow_kind, flow_state},
};

use crate::{
    flow::{self, Draft},
    packet::{Address, Family, Translation, headers::protocol},
};

/// Ports of a block that are tried. More would cost a packet too much time where a host has used up all.
const TRIES: u32 = 128;

const SYN: u8 = 0x02;

/// A host with its port, and the address that it has outside.
pub(super) struct Host<'a> {
    pub(super) translation: &'a Translation,
    pub(super) vrf: u32,
    pub(super) address: &'a Address,
    /// As on the wire; so are all ports below that are u16.
    pub(super) port: u16,
    pub(super) outside: &'a Address,
}

/// A host's port outside.
pub(super) struct Mapped {
    pub(super) port: u16,
    /// It had none before.
    pub(super) new: bool,
}

enum Claim {
    Mine { new: bool },
    Taken,
    Again,
}

/// Makes of the draft the key of a port's owner.
#[inline(always)]
pub(super) fn name_owner(draft: &mut Draft, translation: &Translation, outside: &Address, port: u16) {
    draft.key.source = [0; 16];
    draft.key.destination = outside.octets();
    name(draft, translation, [0, port], flow_kind::INBOUND);
}

#[inline(always)]
fn name(draft: &mut Draft, translation: &Translation, ports: [u16; 2], kind: u16) {
    draft.set_ports(ports);
    (draft.key.scope, draft.key.kind) = (0, kind);
    (draft.key.protocol, draft.key.family) = (translation.protocol, translation.came.family as u8);
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
    fn name_own(&self, draft: &mut Draft) {
        draft.key.source = self.address.octets();
        draft.key.destination = self.outside.octets();
        name(draft, self.translation, [self.port, 0], flow_kind::OUTBOUND);
    }

    #[inline(always)]
    fn owns(&self, entry: &FlowEntry) -> bool {
        let [_, _, a, b] = entry.ports;
        u16::from_ne_bytes([a, b]) == self.port && Address::from_octets(&entry.address) == *self.address
    }

    /// Notes an answer of the outside for the host's own entry.
    #[inline(always)]
    pub(super) fn told(&self, draft: &mut Draft) {
        self.name_own(draft);
        if let Some(entry) = flow::find(self.vrf, &draft.key) {
            touch(entry, self.translation, true);
        }
    }

    /// The host's port outside; a new one where it has none. An error makes none, RFC 5508 section 4.2.
    #[inline(always)]
    pub(super) fn map(&self, draft: &mut Draft, egress: &EgressEntry) -> Result<Mapped, DropReason> {
        let mut wanted = self.port;
        self.name_own(draft);
        if let Some(entry) = flow::find(self.vrf, &draft.key) {
            let [a, b, _, _] = entry.ports;
            wanted = u16::from_ne_bytes([a, b]);
            name_owner(draft, self.translation, self.outside, wanted);
            if let Some(owner) = flow::find(self.vrf, &draft.key)
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
        let mapped = self.search(draft, egress, u16::from_be(wanted))?;
        self.name_own(draft);
        let [a, b] = mapped.port.to_ne_bytes();
        draft.entry.ports = [a, b, 0, 0];
        flow::insert(self.vrf, &draft.key, &draft.entry)?;
        Ok(mapped)
    }

    /// Looks for a port in the host's block, at first the wanted one if it lies there.
    #[inline(always)]
    fn search(&self, draft: &mut Draft, egress: &EgressEntry, wanted: u16) -> Result<Mapped, DropReason> {
        let (first, size) = self.block(egress)?;
        let [a, b] = self.port.to_ne_bytes();
        let entry = &mut draft.entry;
        (entry.address, entry.ports) = (self.address.octets(), [0, 0, a, b]);
        (entry.target, entry.generation, entry.state) = (0, 0, flow_state::OPENING);
        entry.seen = flow::now();
        name_owner(draft, self.translation, self.outside, 0);
        let mut offset = u32::from(wanted.wrapping_sub(first as u16)) % size;
        let mut left = size;
        for _ in 0..TRIES {
            let Ok(port) = u16::try_from(first + offset) else { break };
            draft.set_ports([0, port.to_be()]);
            match self.claim(draft) {
                Claim::Mine { new } => return Ok(Mapped { port: port.to_be(), new }),
                Claim::Again => {}
                Claim::Taken => {
                    (left, offset) = (left - 1, offset + 1);
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
            let end = first_port.wrapping_add(blocks.wrapping_mul(block_size));
            let within = first_port <= port && port < end;
            return if within { Ok((port, 1)) } else { Err(DropReason::Untranslatable) };
        }
        let number = match self.translation.came.family {
            Family::V4 => self.address.0[0],
            Family::V6 => self.address.0[3],
        };
        let block = u32::from_be(number) % blocks;
        Ok((first_port.wrapping_add(block.wrapping_mul(block_size)), block_size))
    }

    /// Tries to make the host the owner of the port that the draft names.
    #[inline(always)]
    fn claim(&self, draft: &mut Draft) -> Claim {
        if let Some(owner) = flow::find(self.vrf, &draft.key) {
            return if self.owns(owner) { Claim::Mine { new: false } } else { Claim::Taken };
        }
        let done = flow::insert_new(self.vrf, &draft.key, &draft.entry);
        match done.or_else(|_| flow::replace_idle(self.vrf, draft)) {
            Ok(()) => Claim::Mine { new: true },
            // Another CPU was faster, maybe for the same host.
            Err(_) => Claim::Again,
        }
    }
}
