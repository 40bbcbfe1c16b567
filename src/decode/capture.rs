//! TCP segments of port 179 out of a capture file.

use std::{fs::File, net::IpAddr, net::SocketAddr};

use etherparse::{EtherType, NetSlice, SlicedPacket, TransportSlice};
use pcap_parser::{Block, Linktype, PcapBlockOwned, PcapError, create_reader, traits::PcapNGPacketBlock};

const BGP_PORT: u16 = 179;
/// Linux cooked frames, version 2 (`tcpdump -i any`): the EtherType comes first.
const LINUX_SLL2_OCTETS: usize = 20;

/// What one packet carries in one direction of a connection.
pub(super) struct Segment {
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) sequence: u32,
    pub(super) syn: bool,
    pub(super) payload: Vec<u8>,
}

/// What a file holds.
#[derive(Default)]
pub(super) struct Capture {
    /// In their order.
    pub(super) segments: Vec<Segment>,
    /// Packets of which the capture has not got all octets.
    pub(super) cut_short: usize,
    interfaces: Vec<Linktype>,
}

/// Reads a whole file.
pub(super) fn read(path: &str) -> Result<Capture, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut reader = create_reader(1 << 20, file).map_err(|error| error.to_string())?;
    let mut capture = Capture::default();
    loop {
        match reader.next() {
            Ok((consumed, block)) => {
                capture.take(&block);
                reader.consume(consumed);
            }
            Err(PcapError::Eof) => return Ok(capture),
            Err(PcapError::Incomplete(_)) => reader.refill().map_err(|error| error.to_string())?,
            Err(error) => return Err(error.to_string()),
        }
    }
}

impl Capture {
    fn take(&mut self, block: &PcapBlockOwned<'_>) {
        match block {
            PcapBlockOwned::LegacyHeader(header) => self.interfaces.push(header.network),
            PcapBlockOwned::Legacy(packet) => self.packet(0, packet.data, packet.origlen),
            PcapBlockOwned::NG(Block::SectionHeader(_)) => self.interfaces.clear(),
            PcapBlockOwned::NG(Block::InterfaceDescription(interface)) => {
                self.interfaces.push(interface.linktype);
            }
            PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                self.packet(packet.if_id as usize, packet.packet_data(), packet.origlen);
            }
            PcapBlockOwned::NG(Block::SimplePacket(packet)) => {
                self.packet(0, packet.packet_data(), packet.origlen);
            }
            PcapBlockOwned::NG(_) => (),
        }
    }

    fn packet(&mut self, interface: usize, frame: &[u8], length: u32) {
        self.cut_short += usize::from(frame.len() < length as usize);
        let linktype = self.interfaces.get(interface);
        self.segments.extend(linktype.and_then(|linktype| segment(*linktype, frame)));
    }
}

fn segment(linktype: Linktype, frame: &[u8]) -> Option<Segment> {
    let packet = match linktype {
        Linktype::ETHERNET => SlicedPacket::from_ethernet(frame),
        Linktype::LINUX_SLL => SlicedPacket::from_linux_sll(frame),
        Linktype::LINUX_SLL2 => {
            let (header, packet) = frame.split_first_chunk::<LINUX_SLL2_OCTETS>()?;
            SlicedPacket::from_ether_type(EtherType(u16::from_be_bytes([header[0], header[1]])), packet)
        }
        _ => SlicedPacket::from_ip(frame),
    };
    let packet = packet.ok()?;
    let (from, to): (IpAddr, IpAddr) = match packet.net? {
        NetSlice::Ipv4(ip) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
        NetSlice::Ipv6(ip) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
        _ => return None,
    };
    let TransportSlice::Tcp(tcp) = packet.transport? else { return None };
    let (from, to) = (SocketAddr::new(from, tcp.source_port()), SocketAddr::new(to, tcp.destination_port()));
    (from.port() == BGP_PORT || to.port() == BGP_PORT).then(|| Segment {
        from,
        to,
        sequence: tcp.sequence_number(),
        syn: tcp.syn(),
        payload: tcp.payload().to_vec(),
    })
}
