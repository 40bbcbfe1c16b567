use srv6_types::DropReason;

use super::{
    Address, Frame,
    hash::{mix, pair},
    headers::{IPV4, IPV6, Ipv4, Ipv6, protocol},
};

/// Of an IP packet.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Family {
    V4 = 4,
    V6 = 6,
}

/// What forwarding needs to know of a tenant's packet, read once.
#[derive(Clone, Copy)]
pub(crate) struct Inner {
    pub(crate) family: Family,
    pub(crate) source: Address,
    pub(crate) destination: Address,
    /// Octets of the IP packet with its header.
    pub(crate) length: u32,
    /// Octets from the IP header to the transport header.
    pub(crate) transport: u32,
    /// Both ports as one word, zero where there are none.
    pub(crate) ports: u32,
    /// IPv6 flow label, host order.
    pub(crate) flow_label: u32,
    /// TOS or traffic class.
    pub(crate) class: u8,
    pub(crate) ttl: u8,
    pub(crate) protocol: u8,
    /// A fragment other than the first.
    pub(crate) later_fragment: bool,
}

impl Inner {
    /// Parses at `offset`, where `available` octets are left of the packet.
    #[inline(always)]
    pub(crate) fn parse(
        frame: Frame,
        offset: usize,
        family: Family,
        available: u32,
    ) -> Result<Self, DropReason> {
        match family {
            Family::V4 => Self::parse4(frame, offset, available),
            Family::V6 => Self::parse6(frame, offset, available),
        }
    }

    #[inline(always)]
    fn parse4(frame: Frame, offset: usize, available: u32) -> Result<Self, DropReason> {
        // SAFETY: `at` has checked the bounds; the pointer is not kept.
        let header = unsafe { &*frame.at::<Ipv4>(offset)? };
        let header_length = u32::from(header.version_ihl & 0x0f) * 4;
        let length = u32::from(u16::from_be(header.total_length));
        let version_ok = header.version_ihl >> 4 == 4 && header_length >= IPV4 as u32;
        if !version_ok || length < header_length || length > available {
            return Err(DropReason::Malformed);
        }
        let fragment = header.fragment & !(Ipv4::DONT_FRAGMENT | Ipv4::RESERVED) != 0;
        Ok(Self {
            family: Family::V4,
            source: Address::v4(header.source),
            destination: Address::v4(header.destination),
            length,
            transport: header_length,
            ports: if fragment { 0 } else { ports(frame, offset + header_length as usize, header.protocol) },
            flow_label: 0,
            class: header.tos,
            ttl: header.ttl,
            protocol: header.protocol,
            later_fragment: header.fragment & Ipv4::FRAGMENT_OFFSET != 0,
        })
    }

    #[inline(always)]
    fn parse6(frame: Frame, offset: usize, available: u32) -> Result<Self, DropReason> {
        // SAFETY: as above.
        let header = unsafe { &*frame.at::<Ipv6>(offset)? };
        let first = u32::from_be(header.version_class_flow);
        let length = u32::from(u16::from_be(header.payload_length)) + IPV6 as u32;
        if first >> 28 != 6 || length > available {
            return Err(DropReason::Malformed);
        }
        Ok(Self {
            family: Family::V6,
            source: header.source,
            destination: header.destination,
            length,
            transport: IPV6 as u32,
            ports: ports(frame, offset + IPV6, header.next_header),
            flow_label: first & Ipv6::FLOW_LABEL,
            class: (first >> 20) as u8,
            ttl: header.hop_limit,
            protocol: header.next_header,
            later_fragment: false,
        })
    }

    /// Flow label of the outer header (RFC 6437 section 3, RFC 6438): from addresses, protocol, ports and the
    /// inner label; all packets of a flow and all fragments of a packet alike; never zero.
    #[inline(always)]
    pub(crate) fn entropy(&self) -> u32 {
        let [a, b, c, d] = self.source.0;
        let [e, f, g, h] = self.destination.0;
        let mut hash = mix(0, pair(a, e));
        if self.family == Family::V6 {
            hash = mix(mix(mix(hash, pair(b, f)), pair(c, g)), pair(d, h));
        }
        hash = mix(hash, pair(self.ports, self.flow_label << 8 | u32::from(self.protocol)));
        match (hash ^ hash >> 20 ^ hash >> 40) as u32 & Ipv6::FLOW_LABEL {
            0 => 1,
            label => label,
        }
    }
}

#[inline(always)]
fn ports(frame: Frame, offset: usize, protocol: u8) -> u32 {
    match protocol {
        // SAFETY: `at` has checked the bounds.
        protocol::TCP | protocol::UDP => frame.at::<u32>(offset).map_or(0, |at| unsafe { at.read() }),
        _ => 0,
    }
}
