//! Packets as tables: fields in, octets out. The checksums here are written apart from the programs' own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub const ICMP: u8 = 1;
pub const IN_IPV4: u8 = 4;
pub const TCP: u8 = 6;
pub const UDP: u8 = 17;
pub const IN_IPV6: u8 = 41;
pub const ROUTING: u8 = 43;
pub const FRAGMENT: u8 = 44;
pub const ICMPV6: u8 = 58;
pub const SCTP: u8 = 132;

/// An IP packet of either family.
#[derive(Clone, Debug)]
pub struct Ip {
    pub source: IpAddr,
    pub destination: IpAddr,
    pub ttl: u8,
    pub class: u8,
    pub flow_label: u32,
    /// Flags and offset of IPv4.
    pub fragment: u16,
    pub protocol: u8,
    pub payload: Vec<u8>,
}

/// UDP from port 1000 to port 2000 with 32 octets.
pub fn ip(source: &str, destination: &str) -> Ip {
    Ip {
        source: source.parse().unwrap(),
        destination: destination.parse().unwrap(),
        ttl: 64,
        class: 0,
        flow_label: 0,
        fragment: 0,
        protocol: UDP,
        payload: vec![],
    }
    .udp(1000, 2000, 32)
}

impl Ip {
    pub fn ttl(mut self, ttl: u8) -> Self {
        self.ttl = ttl;
        self
    }

    pub fn class(mut self, class: u8) -> Self {
        self.class = class;
        self
    }

    pub fn fragment(mut self, fragment: u16) -> Self {
        self.fragment = fragment;
        self
    }

    pub fn payload(mut self, protocol: u8, payload: Vec<u8>) -> Self {
        (self.protocol, self.payload) = (protocol, payload);
        self
    }

    pub fn udp(self, from: u16, to: u16, octets: usize) -> Self {
        let length = (8 + octets) as u16;
        let payload = [from.to_be_bytes(), to.to_be_bytes(), length.to_be_bytes(), [0; 2]].concat();
        self.payload(UDP, [payload, pattern(octets)].concat())
    }

    /// With its checksum.
    pub fn tcp(self, from: u16, to: u16, flags: u8, octets: usize) -> Self {
        let header = [&from.to_be_bytes()[..], &to.to_be_bytes(), &[0, 0, 0, 1, 0, 0, 0, 2, 0x50, flags]];
        self.payload(TCP, [&header.concat()[..], &[1, 0, 0, 0, 0, 0], &pattern(octets)].concat()).sealed()
    }

    /// With a checksum that is not looked at.
    pub fn sctp(self, from: u16, to: u16) -> Self {
        let header = [&from.to_be_bytes()[..], &to.to_be_bytes(), &[0, 0, 0, 7, 1, 2, 3, 4]].concat();
        self.payload(SCTP, [header, pattern(20)].concat())
    }

    /// The right transport checksum. UDP without one stays without.
    pub fn sealed(mut self) -> Self {
        let (upper, payload) = (self.protocol, &mut self.payload);
        let at = match upper {
            TCP => 16,
            UDP => 6,
            ICMP | ICMPV6 => 2,
            _ => return self,
        };
        if upper == UDP && payload[at..at + 2] == [0, 0] {
            return self;
        }
        payload[at..at + 2].fill(0);
        let sum = match transport_checksum(self.source, self.destination, upper, payload) {
            0 if upper == UDP => 0xffff,
            sum => sum,
        };
        payload[at..at + 2].copy_from_slice(&sum.to_be_bytes());
        self
    }

    /// UDP with a checksum.
    pub fn checked_udp(self, from: u16, to: u16, octets: usize) -> Self {
        let mut ip = self.udp(from, to, octets);
        ip.payload[6] = 1;
        ip.sealed()
    }

    /// The same with other addresses and ports, its checksums made anew.
    pub fn between(mut self, source: (&str, u16), destination: (&str, u16)) -> Self {
        (self.source, self.destination) = (source.0.parse().unwrap(), destination.0.parse().unwrap());
        if matches!(self.protocol, TCP | UDP | SCTP) {
            self.payload[..2].copy_from_slice(&source.1.to_be_bytes());
            self.payload[2..4].copy_from_slice(&destination.1.to_be_bytes());
        }
        self.sealed()
    }

    /// ICMP or ICMPv6 with its checksum.
    pub fn icmp(self, kind: u8, code: u8, rest: u32, data: &[u8]) -> Self {
        let protocol = if self.source.is_ipv4() { ICMP } else { ICMPV6 };
        let mut message = [&[kind, code, 0, 0], &rest.to_be_bytes()[..], data].concat();
        let sum = transport_checksum(self.source, self.destination, protocol, &message);
        message[2..4].copy_from_slice(&sum.to_be_bytes());
        self.payload(protocol, message)
    }

    pub fn echo_request(self, octets: usize) -> Self {
        let kind = if self.source.is_ipv4() { 8 } else { 128 };
        self.icmp(kind, 0, 0x0007_0001, &pattern(octets))
    }

    pub fn bytes(&self) -> Vec<u8> {
        match (self.source, self.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => self.bytes4(source, destination),
            (IpAddr::V6(source), IpAddr::V6(destination)) => self.bytes6(source, destination),
            mixed => panic!("{mixed:?}"),
        }
    }

    fn bytes4(&self, source: Ipv4Addr, destination: Ipv4Addr) -> Vec<u8> {
        let length = ((20 + self.payload.len()) as u16).to_be_bytes();
        let [f1, f2] = self.fragment.to_be_bytes();
        let mut header =
            vec![0x45, self.class, length[0], length[1], 0, 0, f1, f2, self.ttl, self.protocol, 0, 0];
        header.extend(source.octets());
        header.extend(destination.octets());
        let sum = checksum(&header);
        header[10..12].copy_from_slice(&sum.to_be_bytes());
        [header, self.payload.clone()].concat()
    }

    fn bytes6(&self, source: Ipv6Addr, destination: Ipv6Addr) -> Vec<u8> {
        let first = 6 << 28 | u32::from(self.class) << 20 | self.flow_label;
        let mut header = first.to_be_bytes().to_vec();
        header.extend((self.payload.len() as u16).to_be_bytes());
        header.extend([self.protocol, self.ttl]);
        header.extend(source.octets());
        header.extend(destination.octets());
        [header, self.payload.clone()].concat()
    }
}

/// Of a message whose own checksum is zero; with the pseudo-header where the protocol has it.
pub fn transport_checksum(source: IpAddr, destination: IpAddr, upper: u8, message: &[u8]) -> u16 {
    let length = (message.len() as u32).to_be_bytes();
    let mut covered = match (source, destination) {
        (IpAddr::V4(_), IpAddr::V4(_)) if upper == ICMP => vec![],
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            [&source.octets()[..], &destination.octets(), &[0, upper], &length[2..]].concat()
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            [&source.octets()[..], &destination.octets(), &length, &[0, 0, 0, upper]].concat()
        }
        mixed => panic!("{mixed:?}"),
    };
    covered.extend(message);
    checksum(&covered)
}

/// Octets that tell their place.
pub fn pattern(octets: usize) -> Vec<u8> {
    (0..octets).map(|at| at as u8).collect()
}

/// RFC 1071.
pub fn checksum(octets: &[u8]) -> u16 {
    let words = octets.chunks(2).map(|word| u32::from(word[0]) << 8 | u32::from(*word.get(1).unwrap_or(&0)));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// SRH in front of `upper`; `list` as on the wire, the last segment first.
pub fn routing_header(upper: u8, segments_left: u8, list: &[&str]) -> Vec<u8> {
    let last_entry = list.len().saturating_sub(1) as u8;
    let mut header = vec![upper, (list.len() * 2) as u8, 4, segments_left, last_entry, 0, 0, 0];
    for segment in list {
        header.extend(segment.parse::<Ipv6Addr>().unwrap().octets());
    }
    header
}

/// `inner` behind an outer header without SRH.
pub fn outer(source: &str, sid: &str, inner: &Ip) -> Ip {
    let upper = if inner.source.is_ipv4() { IN_IPV4 } else { IN_IPV6 };
    ip(source, sid).class(inner.class).payload(upper, inner.bytes())
}

/// `inner` behind an outer header and an SRH.
pub fn outer_with_routing_header(source: &str, sid: &str, left: u8, list: &[&str], inner: &Ip) -> Ip {
    let upper = if inner.source.is_ipv4() { IN_IPV4 } else { IN_IPV6 };
    let payload = [routing_header(upper, left, list), inner.bytes()].concat();
    ip(source, sid).class(inner.class).payload(ROUTING, payload)
}

pub fn frame(destination: [u8; 6], source: [u8; 6], ethertype: u16, payload: &[u8]) -> Vec<u8> {
    [&destination[..], &source, &ethertype.to_be_bytes(), payload].concat()
}
