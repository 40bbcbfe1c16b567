//! Headers as they stand on the wire, fields in network order. Words of four octets wherever the format has
//! them: octet-wise copies cost a tenth of a packet's time.

use super::Address;

pub(crate) const ETHERNET: usize = size_of::<Ethernet>();
pub(crate) const IPV4: usize = size_of::<Ipv4>();
pub(crate) const IPV6: usize = size_of::<Ipv6>();

pub(crate) const UDP: usize = 8;

/// EtherTypes in network order, as [`Ethernet::ethertype`] and `__sk_buff::protocol` hold them.
pub(crate) mod ethertype {
    pub(crate) const IPV4: u16 = 0x0800_u16.to_be();
    pub(crate) const ARP: u16 = 0x0806_u16.to_be();
    pub(crate) const IPV6: u16 = 0x86dd_u16.to_be();
}

/// IP protocols and IPv6 next headers.
pub(crate) mod protocol {
    pub(crate) const HOP_BY_HOP: u8 = 0;
    pub(crate) const ICMP: u8 = 1;
    pub(crate) const IPV4: u8 = 4;
    pub(crate) const TCP: u8 = 6;
    pub(crate) const UDP: u8 = 17;
    pub(crate) const IPV6: u8 = 41;
    pub(crate) const ROUTING: u8 = 43;
    pub(crate) const FRAGMENT: u8 = 44;
    pub(crate) const ICMPV6: u8 = 58;
    pub(crate) const DESTINATION_OPTIONS: u8 = 60;
    pub(crate) const SCTP: u8 = 132;
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Ethernet {
    pub(crate) destination: [u8; 6],
    pub(crate) source: [u8; 6],
    pub(crate) ethertype: u16,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Ipv4 {
    pub(crate) version_ihl: u8,
    pub(crate) tos: u8,
    pub(crate) total_length: u16,
    pub(crate) identification: u16,
    pub(crate) fragment: u16,
    pub(crate) ttl: u8,
    pub(crate) protocol: u8,
    pub(crate) checksum: u16,
    pub(crate) source: u32,
    pub(crate) destination: u32,
}

impl Ipv4 {
    pub(crate) const DONT_FRAGMENT: u16 = 0x4000_u16.to_be();
    pub(crate) const RESERVED: u16 = 0x8000_u16.to_be();
    pub(crate) const FRAGMENT_OFFSET: u16 = 0x1fff_u16.to_be();
    pub(crate) const MORE_FRAGMENTS: u16 = 0x2000_u16.to_be();
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Ipv6 {
    /// Version, traffic class and flow label.
    pub(crate) version_class_flow: u32,
    pub(crate) payload_length: u16,
    pub(crate) next_header: u8,
    pub(crate) hop_limit: u8,
    pub(crate) source: Address,
    pub(crate) destination: Address,
}

impl Ipv6 {
    pub(crate) const FLOW_LABEL: u32 = 0x000f_ffff;

    pub(crate) const fn version_class_flow(class: u8, flow: u32) -> u32 {
        (6 << 28 | (class as u32) << 20 | flow & Self::FLOW_LABEL).to_be()
    }
}

/// Segment Routing Header before its segment list, RFC 8754 section 2.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct SegmentRouting {
    pub(crate) next_header: u8,
    /// In units of 8 octets, without the first 8.
    pub(crate) length: u8,
    pub(crate) kind: u8,
    pub(crate) segments_left: u8,
    pub(crate) last_entry: u8,
    pub(crate) flags: u8,
    pub(crate) tag: u16,
}

impl SegmentRouting {
    pub(crate) const KIND: u8 = 4;
}

/// ICMP and ICMPv6 alike.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Icmp {
    pub(crate) kind: u8,
    pub(crate) code: u8,
    pub(crate) checksum: u16,
    /// Identifier and sequence, MTU, or unused.
    pub(crate) rest: u32,
}

/// Without options.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Tcp {
    pub(crate) ports: u32,
    pub(crate) sequence: u32,
    pub(crate) acknowledgement: u32,
    /// Header length in units of 4 octets in the upper half.
    pub(crate) data_offset: u8,
    pub(crate) flags: u8,
    pub(crate) window: u16,
    pub(crate) checksum: u16,
    pub(crate) urgent: u16,
}

/// Fragment header, RFC 8200 section 4.5.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Fragment {
    pub(crate) next_header: u8,
    pub(crate) reserved: u8,
    pub(crate) offset: u16,
    pub(crate) identification: u32,
}

impl Fragment {
    pub(crate) const OFFSET: u16 = 0xfff8_u16.to_be();
    pub(crate) const MORE: u16 = 1_u16.to_be();
}
