//! The frames that are sent: Ethernet, IP, UDP, and around it an outer IPv6 header where the device shall take it off.

mod flow;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(crate) use flow::Flow;

/// Octets of a frame without an outer header.
const SHORT: usize = 64;
/// Octets of a frame with one, and of the template of both.
pub(crate) const LONG: usize = 128;
const ETHERNET: usize = 14;
const IPV6: usize = 40;
const UDP: u8 = 17;
const HOP_LIMIT: u8 = 64;

/// Which end sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The one at the device's `in0`.
    Near,
    /// The one at `out0`.
    Far,
}

/// MAC addresses of the two ends of the way in and of the way out; every device has the same.
pub(crate) const GENERATOR_MAC: [u8; 6] = [2, 0, 0, 0, 0, 2];
pub(crate) const IN_MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
pub(crate) const OUT_MAC: [u8; 6] = [2, 0, 0, 0, 0, 3];
pub(crate) const SINK_MAC: [u8; 6] = [2, 0, 0, 0, 0, 4];

/// Where the tenant's packets come from, on the link to the device.
const SOURCE4: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 2);
const SOURCE6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 2);
/// Where SRv6 packets come from.
const FAR_PE: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xff, 0, 0, 0, 0, 0, 9);

/// What is sent: one frame, to one destination after the other.
#[derive(Clone, Debug)]
pub(crate) struct Traffic {
    pub(crate) from: Side,
    /// The program that writes it.
    pub(crate) program: &'static str,
    pub(crate) template: [u8; LONG],
    pub(crate) length: usize,
    /// As the program wants them, see `DESTINATIONS` in `ebpf/src/bin/generator.rs`.
    pub(crate) destinations: Vec<[u32; 4]>,
}

impl Traffic {
    /// IPv4 packets of 50 octets.
    pub(crate) fn ipv4(destinations: &[Ipv4Addr]) -> Self {
        let mut frame = ethernet(Side::Near, 0x0800);
        frame.extend(ipv4(SOURCE4, Ipv4Addr::UNSPECIFIED, SHORT - ETHERNET));
        let header = |address: &Ipv4Addr| {
            let packet = ipv4(SOURCE4, *address, SHORT - ETHERNET);
            [native(&address.octets()), u32::from(u16::from_ne_bytes([packet[10], packet[11]])), 0, 0]
        };
        Self::new("generate4", &frame, SHORT, destinations.iter().map(header).collect())
    }

    /// IPv6 packets of 50 octets.
    pub(crate) fn ipv6(destinations: &[Ipv6Addr]) -> Self {
        let mut frame = ethernet(Side::Near, 0x86dd);
        frame.extend(ipv6(SOURCE6, Ipv6Addr::UNSPECIFIED, UDP, SHORT - ETHERNET - IPV6));
        let words = |address: &Ipv6Addr| {
            let octets = address.octets();
            [0, 4, 8, 12].map(|at| native(&octets[at..at + 4]))
        };
        Self::new("generate6", &frame, SHORT, destinations.iter().map(words).collect())
    }

    /// Packets of 74 octets in SRv6 to `sid`, as after H.Encaps.Red: no SRH.
    pub(crate) fn encapsulated(sid: Ipv6Addr, inner: IpAddr) -> Self {
        let length = LONG - ETHERNET - IPV6;
        let (protocol, packet) = match inner {
            IpAddr::V4(inner) => (4, ipv4(SOURCE4, inner, length)),
            IpAddr::V6(inner) => (41, ipv6(SOURCE6, inner, UDP, length - IPV6)),
        };
        let mut frame = ethernet(Side::Near, 0x86dd);
        frame.extend(ipv6(FAR_PE, sid, protocol, length));
        frame.extend(packet);
        Self::new("generate_outer", &frame, LONG, vec![[0; 4]])
    }

    /// One packet of each flow in turn; all are of one family.
    pub(crate) fn flows(from: Side, flows: &[Flow]) -> Self {
        let words = flows.iter().map(|flow| flow.words()).collect();
        Self { from, ..Self::new(flows[0].program(), &flows[0].frame(from), SHORT, words) }
    }

    fn new(program: &'static str, frame: &[u8], length: usize, destinations: Vec<[u32; 4]>) -> Self {
        let mut template = [0; LONG];
        template[..frame.len()].copy_from_slice(frame);
        Self { from: Side::Near, program, template, length, destinations }
    }
}

fn native(octets: &[u8]) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(octets);
    u32::from_ne_bytes(word)
}

fn ethernet(from: Side, ethertype: u16) -> Vec<u8> {
    let (to, from) = match from {
        Side::Near => (IN_MAC, GENERATOR_MAC),
        Side::Far => (OUT_MAC, SINK_MAC),
    };
    [&to[..], &from, &ethertype.to_be_bytes()].concat()
}

/// An IPv4 header and the UDP header behind it; the checksum of UDP is left out, which IPv4 allows.
fn ipv4(source: Ipv4Addr, destination: Ipv4Addr, length: usize) -> Vec<u8> {
    let mut packet = vec![0x45, 0];
    packet.extend((length as u16).to_be_bytes());
    packet.extend([0, 0, 0x40, 0, HOP_LIMIT, UDP, 0, 0]);
    packet.extend(source.octets());
    packet.extend(destination.octets());
    let checksum = checksum(&packet);
    packet[10..12].copy_from_slice(&checksum.to_be_bytes());
    packet.extend(udp(length - 20));
    packet
}

fn ipv6(source: Ipv6Addr, destination: Ipv6Addr, protocol: u8, payload: usize) -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend((payload as u16).to_be_bytes());
    packet.extend([protocol, HOP_LIMIT]);
    packet.extend(source.octets());
    packet.extend(destination.octets());
    if protocol == UDP {
        packet.extend(udp(payload));
    }
    packet
}

/// RFC 1071, of octets with their checksum zero.
fn checksum(octets: &[u8]) -> u16 {
    let sum: u32 = octets.chunks_exact(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    !((folded & 0xffff) + (folded >> 16)) as u16
}

fn udp(length: usize) -> [u8; 8] {
    let [high, low] = (length as u16).to_be_bytes();
    [0x30, 0x39, 0x30, 0x3a, high, low, 0, 0]
}
