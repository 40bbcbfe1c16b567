//! Packets field by field, made and read.
#![allow(dead_code, reason = "each test file uses its part")]

use std::net::{IpAddr, Ipv6Addr};

use etherparse::{IpNumber, Ipv4Header, Ipv6FlowLabel, Ipv6Header, UdpHeader, checksum::Sum16BitWords};

pub(crate) const IN_IPV4: u8 = 4;
pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;
pub(crate) const IN_IPV6: u8 = 41;
pub(crate) const ROUTING: u8 = 43;
pub(crate) const ICMPV6: u8 = 58;

/// An IP packet of either family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) ttl: u8,
    pub(crate) class: u8,
    pub(crate) flow_label: u32,
    pub(crate) protocol: u8,
    pub(crate) payload: Vec<u8>,
}

impl Packet {
    /// Nothing inside yet.
    pub(crate) fn new(source: &str, destination: &str) -> Self {
        let (source, destination) = (source.parse().unwrap(), destination.parse().unwrap());
        Self { source, destination, ttl: 64, class: 0, flow_label: 0, protocol: 59, payload: vec![] }
    }

    pub(crate) fn payload(mut self, protocol: u8, payload: Vec<u8>) -> Self {
        (self.protocol, self.payload) = (protocol, payload);
        self
    }

    pub(crate) fn udp(self, from: u16, to: u16) -> Self {
        let text = b"sixedge";
        let udp = match (self.source, self.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                let ip =
                    Ipv4Header::new(0, 64, IpNumber::UDP, source.octets(), destination.octets()).unwrap();
                UdpHeader::with_ipv4_checksum(from, to, &ip, text).unwrap()
            }
            _ => UdpHeader::with_ipv6_checksum(from, to, &self.header6(), text).unwrap(),
        };
        self.payload(UDP, [&udp.to_bytes()[..], text].concat())
    }

    /// With its checksum, which covers the addresses.
    pub(crate) fn icmp6(self, kind: u8, rest: u32, data: &[u8]) -> Self {
        let mut message = [&[kind, 0, 0, 0][..], &rest.to_be_bytes(), data].concat();
        let length = u32::try_from(message.len()).unwrap();
        let ip = self.header6();
        let sum = Sum16BitWords::new()
            .add_16bytes(ip.source)
            .add_16bytes(ip.destination)
            .add_4bytes(length.to_be_bytes())
            .add_4bytes([0, 0, 0, ICMPV6])
            .add_slice(&message);
        message[2..4].copy_from_slice(&sum.ones_complement().to_be().to_be_bytes());
        self.payload(ICMPV6, message)
    }

    /// This packet behind an IPv6 header, with an SRH if there are segments (the last one first, as on the wire).
    pub(crate) fn inside(&self, source: &str, destination: &str, left: u8, segments: &[&str]) -> Self {
        let upper = if self.source.is_ipv4() { IN_IPV4 } else { IN_IPV6 };
        let outer = Self { class: self.class, ..Self::new(source, destination) };
        match segments {
            [] => outer.payload(upper, self.bytes()),
            _ => outer.payload(ROUTING, [routing_header(upper, left, segments), self.bytes()].concat()),
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        match (self.source, self.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                let length = u16::try_from(self.payload.len()).unwrap();
                let protocol = IpNumber(self.protocol);
                let mut ip =
                    Ipv4Header::new(length, self.ttl, protocol, source.octets(), destination.octets())
                        .unwrap();
                ip.dscp = (self.class >> 2).try_into().unwrap();
                ip.ecn = (self.class & 3).try_into().unwrap();
                ip.header_checksum = ip.calc_header_checksum();
                [&ip.to_bytes()[..], &self.payload].concat()
            }
            _ => [&self.header6().to_bytes()[..], &self.payload].concat(),
        }
    }

    fn header6(&self) -> Ipv6Header {
        let octets = |address| match address {
            IpAddr::V6(address) => Ipv6Addr::octets(&address),
            IpAddr::V4(address) => panic!("{address} in IPv6"),
        };
        Ipv6Header {
            traffic_class: self.class,
            flow_label: Ipv6FlowLabel::try_new(self.flow_label).unwrap(),
            payload_length: u16::try_from(self.payload.len()).unwrap(),
            next_header: IpNumber(self.protocol),
            hop_limit: self.ttl,
            source: octets(self.source),
            destination: octets(self.destination),
        }
    }

    /// As the payload of a frame.
    pub(crate) fn frame(&self, to: [u8; 6], from: [u8; 6]) -> Vec<u8> {
        let ethertype: u16 = if self.source.is_ipv4() { 0x0800 } else { 0x86dd };
        [&to[..], &from, &ethertype.to_be_bytes(), &self.bytes()].concat()
    }

    /// The packet in a frame.
    #[track_caller]
    pub(crate) fn of_frame(frame: &[u8]) -> Self {
        Self::read(&frame[14..])
    }

    /// The packet inside of this one, behind the SRH if there is one.
    #[track_caller]
    pub(crate) fn inner(&self) -> Self {
        match self.protocol {
            IN_IPV4 | IN_IPV6 => Self::read(&self.payload),
            ROUTING => Self::read(&self.payload[(usize::from(self.payload[1]) + 1) * 8..]),
            other => panic!("nothing inside of protocol {other}"),
        }
    }

    #[track_caller]
    fn read(octets: &[u8]) -> Self {
        if octets[0] >> 4 == 4 {
            let (ip, payload) = Ipv4Header::from_slice(octets).unwrap();
            let payload = &payload[..usize::from(ip.total_len) - ip.header_len()];
            return Self {
                source: IpAddr::from(ip.source),
                destination: IpAddr::from(ip.destination),
                ttl: ip.time_to_live,
                class: ip.dscp.value() << 2 | ip.ecn.value(),
                flow_label: 0,
                protocol: ip.protocol.0,
                payload: payload.to_vec(),
            };
        }
        let (ip, payload) = Ipv6Header::from_slice(octets).unwrap();
        Self {
            source: IpAddr::from(ip.source),
            destination: IpAddr::from(ip.destination),
            ttl: ip.hop_limit,
            class: ip.traffic_class,
            flow_label: ip.flow_label.value(),
            protocol: ip.next_header.0,
            payload: payload[..usize::from(ip.payload_length)].to_vec(),
        }
    }

    /// Source port of UDP or TCP.
    pub(crate) fn source_port(&self) -> u16 {
        u16::from_be_bytes([self.payload[0], self.payload[1]])
    }
}

/// An SRH in front of `upper`, RFC 8754 section 2.
pub(crate) fn routing_header(upper: u8, left: u8, segments: &[&str]) -> Vec<u8> {
    let count = u8::try_from(segments.len()).unwrap();
    let mut header = vec![upper, count * 2, 4, left, count - 1, 0, 0, 0];
    for segment in segments {
        header.extend(segment.parse::<Ipv6Addr>().unwrap().octets());
    }
    header
}
