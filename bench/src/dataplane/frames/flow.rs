use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use super::{ETHERNET, IPV6, SHORT, Side, UDP, checksum, ethernet, ipv4, ipv6, native};

/// UDP packets from one end to the other, with their checksum: what translates them has to update it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow {
    pub(crate) source: SocketAddr,
    pub(crate) destination: SocketAddr,
}

impl Flow {
    /// The way back.
    pub(crate) fn reverse(self) -> Self {
        Self { source: self.destination, destination: self.source }
    }

    /// The program of the generator that sends such flows.
    pub(super) fn program(self) -> &'static str {
        if self.source.is_ipv4() { "generate_flow4" } else { "generate_flow6" }
    }

    pub(super) fn frame(self, from: Side) -> Vec<u8> {
        let length = SHORT - ETHERNET;
        let (ethertype, mut packet, udp) = match (self.source.ip(), self.destination.ip()) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => (0x0800, ipv4(source, destination, length), 20),
            (source, destination) => {
                (0x86dd, ipv6(mapped(source), mapped(destination), UDP, length - IPV6), IPV6)
            }
        };
        packet[udp..udp + 2].copy_from_slice(&self.source.port().to_be_bytes());
        packet[udp + 2..udp + 4].copy_from_slice(&self.destination.port().to_be_bytes());
        // RFC 768: addresses, which end where UDP begins, protocol and length go before. What follows the header is zero.
        let addresses = if udp == IPV6 { 32 } else { 8 };
        let length = [packet[udp + 4], packet[udp + 5]];
        let covered = [&packet[udp - addresses..], &[0, UDP], &length].concat();
        let checksum = checksum(&covered);
        packet[udp + 6..udp + 8].copy_from_slice(&checksum.to_be_bytes());
        [ethernet(from, ethertype), packet].concat()
    }

    /// What of the frame is the flow's own, as the program wants it, see `DESTINATIONS` in `ebpf/src/bin/generator.rs`.
    pub(super) fn words(self) -> [u32; 4] {
        let frame = self.frame(Side::Near);
        let (source, destination, ports) = if self.source.is_ipv4() { (26, 30, 34) } else { (34, 50, 54) };
        let word = |at: usize| native(&frame[at..at + 4]);
        let half = |at: usize| u32::from(u16::from_ne_bytes([frame[at], frame[at + 1]]));
        [word(destination), word(source), word(ports), half(24) | half(ports + 6) << 16]
    }
}

/// The flows of a list are of one family.
fn mapped(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A receiver sums checksum and all: nothing may be left. What the frame is filled up with adds nothing.
    #[test]
    fn checksums_of_flows_add_up() {
        for (source, destination, udp, addresses) in
            [("10.8.0.1:1025", "10.100.7.9:80", 34, 8), ("[fd08::1]:1025", "[fd64::7:9]:80", 54, 32)]
        {
            let flow = Flow { source: source.parse().unwrap(), destination: destination.parse().unwrap() };
            let frame = flow.frame(Side::Near);
            let length = (SHORT - udp) as u16;
            let covered = [&frame[udp - addresses..], &[0, UDP], &length.to_be_bytes()].concat();
            assert_eq!(checksum(&covered), 0, "{flow:?}");
            assert_eq!(flow.words()[2], native(&frame[udp..udp + 4]));
        }
    }
}
