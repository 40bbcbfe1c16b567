use srv6_types::DropReason;

use super::{
    Address, Family, Frame, Inner, Skb, Translation, checksum,
    headers::{ETHERNET, Ipv4, Ipv6, Tcp, UDP, protocol},
};

/// A packet on its way through a VRF.
pub(crate) struct Packet {
    pub(crate) skb: Skb,
    pub(crate) inner: Inner,
    pub(crate) vrf: u32,
    /// Octets of outer headers, or of room for them, between the Ethernet header and the inner packet.
    pub(crate) room: u32,
    /// Made by the program itself: its TTL is already right.
    pub(crate) own: bool,
    /// This CPU's [`Translation`] is this packet's.
    pub(crate) translated: bool,
    /// What the way lets through, set with [`DropReason::TooBig`].
    pub(crate) mtu: u32,
}

impl Packet {
    /// Offset of the inner packet in the frame.
    #[inline(always)]
    pub(crate) fn offset(&self) -> usize {
        ETHERNET + self.room as usize
    }

    /// Where it goes: the destination that it leaves with.
    #[inline(always)]
    pub(crate) fn destination(&self) -> Address {
        match Translation::of_this_packet() {
            Some(translation) if self.translated => translation.leaves.destination,
            _ => self.inner.destination,
        }
    }

    /// Octets of the largest IP packet that leaves us: of a super-packet, of one of its segments. With whatever stands
    /// behind the packet in its frame, for that is sent along.
    #[inline(always)]
    pub(crate) fn segment_length(&self) -> u32 {
        let gso_size = self.skb.gso_size();
        if gso_size == 0 || self.own {
            return self.skb.len().saturating_sub(self.offset() as u32);
        }
        let transport = match self.inner.protocol {
            protocol::TCP => {
                let at = self.skb.frame().at::<Tcp>(self.offset() + self.inner.transport as usize);
                // SAFETY: `at` has checked the bounds.
                at.map_or(0, |tcp| u32::from(unsafe { (*tcp).data_offset } >> 4) * 4)
            }
            _ => UDP as u32,
        };
        self.inner.transport + transport + gso_size
    }

    /// Fails, and says what would fit, when `mtu` is too small.
    #[inline(always)]
    pub(crate) fn too_big_for(&mut self, mtu: u32) -> DropReason {
        self.mtu = mtu;
        DropReason::TooBig
    }

    /// Writes what is to change of a packet at `offset` that leaves us: TTL and traffic class. To be called when nothing
    /// can fail any more.
    #[inline(always)]
    pub(crate) fn rewrite(&self, frame: Frame, offset: usize) -> Result<(), DropReason> {
        let ttl = self.inner.ttl - if self.own { 0 } else { 1 };
        match self.inner.family {
            Family::V4 => rewrite4(frame, offset, ttl, self.inner.class),
            Family::V6 => rewrite6(frame, offset, ttl, &self.inner),
        }
    }
}

#[inline(always)]
fn rewrite4(frame: Frame, offset: usize, ttl: u8, class: u8) -> Result<(), DropReason> {
    // SAFETY: `at` has checked the bounds; the only reference to these octets.
    let header = unsafe { &mut *frame.at::<Ipv4>(offset)? };
    let old = u16::from_ne_bytes([header.ttl, header.protocol]);
    let new = u16::from_ne_bytes([ttl, header.protocol]);
    let mut checksum = checksum::update(header.checksum, old, new);
    if class != header.tos {
        let old = u16::from_ne_bytes([header.version_ihl, header.tos]);
        let new = u16::from_ne_bytes([header.version_ihl, class]);
        checksum = checksum::update(checksum, old, new);
        header.tos = class;
    }
    header.ttl = ttl;
    header.checksum = checksum;
    Ok(())
}

#[inline(always)]
fn rewrite6(frame: Frame, offset: usize, ttl: u8, inner: &Inner) -> Result<(), DropReason> {
    // SAFETY: as above.
    let header = unsafe { &mut *frame.at::<Ipv6>(offset)? };
    header.version_class_flow = Ipv6::version_class_flow(inner.class, inner.flow_label);
    header.hop_limit = ttl;
    Ok(())
}
