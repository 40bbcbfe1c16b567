//! A gateway whose tables are filled by hand: hosts on red1, the outside on red2; tenant blue has equal addresses, with
//! hosts and outside on blue1.

use std::net::{IpAddr, Ipv4Addr};

use aya::maps::{LpmTrie, lpm_trie::Key};
use srv6_types::{
    Behavior,
    maps::{
        EgressEntry, EgressPolicyEntry, FibKey4, FibKey6, FlowEntry, FlowKey, HostKey, SidEntry, flow_kind,
        next_hop_kind as kind, sid_flag,
    },
};

use super::support::{packet::*, *};

pub const HOST4: &str = "10.1.0.2";
pub const HOST6: &str = "2001:db8:1::2";
pub const OUTSIDE4: &str = "203.0.113.9";
pub const OUTSIDE6: &str = "2001:db8:ffff::9";
pub const EGRESS4: &str = "192.0.2.7";
pub const EGRESS6: &str = "2001:db8:e::7";
/// Of red; blue has 2 and 3.
pub const INDEX4: u32 = 0;
pub const INDEX6: u32 = 1;
pub const EGRESS_SID: &str = "fc00:0:1:e::";
pub const EGRESS_SID6: &str = "fc00:0:1:e6::";
/// The other gateway's.
pub const OTHER_SID: &str = "fc00:0:2:e::";

pub const FIRST_PORT: u32 = 1024;
pub const BLOCK: u32 = 128;
pub const BLOCKS: u32 = 504;

pub struct Lab {
    pub pe: Pe,
}

impl Lab {
    pub fn new() -> Self {
        Self::with_ports(FIRST_PORT, BLOCK, BLOCKS)
    }

    pub fn with_ports(first_port: u32, block_size: u32, blocks: u32) -> Self {
        let mut pe = Pe::new();
        let (red1, red2, blue1) = (pe.red1, pe.red2, pe.blue1);
        for (vrf, hosts, outside) in [(RED, red1, red2), (BLUE, blue1, blue1)] {
            for (prefix, circuit) in [
                ("10.1.0.0/16", hosts),
                ("2001:db8:1::/64", hosts),
                ("203.0.113.0/24", outside),
                ("2001:db8:ffff::/64", outside),
            ] {
                pe.route(vrf, prefix, on(kind::CONNECTED, circuit));
            }
            pe.flow_table(vrf, 4096);
        }
        pe.route(RED, "10.2.0.0/16", encapsulate(kind::ENCAPS_RED, &[REMOTE]));
        pe.route(RED, "2001:db8:2::/48", encapsulate(kind::ENCAPS_RED, &[REMOTE]));
        let mut lab = Self { pe };
        for (index, vrf, address) in
            [(INDEX4, RED, EGRESS4), (INDEX6, RED, EGRESS6), (2, BLUE, EGRESS4), (3, BLUE, EGRESS6)]
        {
            lab.egress_address(index, vrf, address, [first_port, block_size, blocks]);
        }
        let Behavior(behavior) = Behavior::END_DT46;
        for (counter, sid, egress) in [(10, EGRESS_SID, INDEX4), (11, EGRESS_SID6, INDEX6)] {
            let flags = sid_flag::EGRESS;
            let entry = SidEntry { behavior: behavior.into(), vrf: RED, counter, flags, egress };
            lab.pe.hash("SIDS", octets6(sid), entry);
        }
        for vrf in [RED, BLUE] {
            lab.policy(vrf, &[EGRESS4, EGRESS6]);
            for (prefix, policy) in
                [("0.0.0.0/0", vrf), ("10.0.0.0/8", 0), ("::/0", vrf), ("2001:db8:1::/64", 0)]
            {
                lab.prefix("EGRESS_DESTINATIONS", vrf, prefix, policy);
            }
            lab.prefix("EGRESS_SOURCES", vrf, "10.1.0.0/16", vrf);
            lab.prefix("EGRESS_SOURCES", vrf, "2001:db8:1::/64", vrf);
        }
        lab
    }

    pub fn egress_address(
        &mut self,
        index: u32,
        vrf: u32,
        ip: &str,
        [first_port, block_size, blocks]: [u32; 3],
    ) {
        let (family, address) = octets(ip);
        let reserved = [0; 3];
        let entry = EgressEntry { address, vrf, family, first_port, block_size, blocks, reserved };
        self.pe.array("EGRESS", index, entry);
        self.pe.hash("EGRESS_INDEX", HostKey { vrf, family, address }, index);
        self.pe.route(vrf, &host_prefix(ip), on(kind::EGRESS, 0));
    }

    /// The policy of a VRF has its id, and so has the class of its hosts.
    pub fn policy(&mut self, vrf: u32, addresses: &[&str]) {
        let mut entry = EgressPolicyEntry {
            name: [0; 32],
            addresses6: [[0; 16]; 4],
            addresses4: [[0; 4]; 4],
            vrf,
            rank: 0,
            families: 0,
            reserved: 0,
        };
        let (mut at4, mut at6) = (0, 0);
        for address in addresses {
            match address.parse().unwrap() {
                IpAddr::V4(address) => (entry.addresses4[at4], at4) = (address.octets(), at4 + 1),
                IpAddr::V6(address) => (entry.addresses6[at6], at6) = (address.octets(), at6 + 1),
            }
        }
        self.pe.hash("EGRESS_POLICIES", vrf, entry);
    }

    /// Hosts behind red1 have the class of the policy of `vrf`, whatever their address.
    pub fn circuit_class(&mut self, vrf: u32) {
        let red1 = self.pe.red1;
        self.pe.change_circuit(red1, |circuit| circuit.egress = vrf);
    }

    pub fn unroute(&mut self, vrf: u32, address: Ipv4Addr) {
        let map = self.pe.object().map_mut("FIB4").unwrap();
        let key = FibKey4 { vrf: vrf.to_be_bytes(), addr: address.octets() };
        LpmTrie::<_, FibKey4, u32>::try_from(map).unwrap().remove(&Key::new(64, key)).unwrap();
    }

    fn owner(port: u16, protocol: u8) -> FlowKey {
        let (_, destination) = octets(EGRESS4);
        let [a, b] = port.to_be_bytes();
        let (source, ports, kind) = ([0; 16], [0, 0, a, b], flow_kind::INBOUND);
        FlowKey { source, destination, ports, scope: 0, protocol, family: 4, kind }
    }

    /// Who has a port of `EGRESS4`.
    pub fn entry(&mut self, port: u16, protocol: u8) -> FlowEntry {
        self.pe.flows(RED).get(&Self::owner(port, protocol), 0).unwrap()
    }

    pub fn set_entry(&mut self, port: u16, protocol: u8, entry: FlowEntry) {
        self.pe.flows(RED).insert(Self::owner(port, protocol), entry, 0).unwrap();
    }

    /// Sets an entry of one of the two lookups of policies.
    pub fn prefix(&mut self, map: &str, vrf: u32, prefix: &str, value: u32) {
        let (address, length) = prefix.split_once('/').unwrap();
        let (length, vrf): (u32, _) = (32 + length.parse::<u32>().unwrap(), vrf.to_be_bytes());
        match address.parse().unwrap() {
            IpAddr::V4(address) => {
                let key = FibKey4 { vrf, addr: address.octets() };
                self.pe.trie(&format!("{map}4"), length, key, value);
            }
            IpAddr::V6(address) => {
                let key = FibKey6 { vrf, addr: address.octets() };
                self.pe.trie(&format!("{map}6"), length, key, value);
            }
        }
    }

    /// Sends a host's packet; the port (or identifier) and source that it leaves with.
    pub fn leaves(&mut self, packet: &Ip) -> (IpAddr, u16) {
        let red1 = self.pe.red1;
        self.leaves_by(red1, packet)
    }

    pub fn leaves_by(&mut self, ifindex: u32, packet: &Ip) -> (IpAddr, u16) {
        let run = self.pe.on_circuit(ifindex, packet);
        assert_eq!(run.action, REDIRECT, "{packet:?}: dropped so far: {:?}", run.drops);
        let echo = matches!(packet.protocol, ICMP | ICMPV6);
        source(run.ip(), if echo { 4 } else { 0 })
    }

    /// Sends from red2.
    pub fn answer(&mut self, packet: &Ip) -> Run {
        let red2 = self.pe.red2;
        self.pe.on_circuit(red2, packet)
    }

    /// A packet of a host leaves as `out`, and what answers that comes back to the host, octet by octet.
    pub fn assert_there_and_back(&mut self, what: &str, packet: &Ip, out: (&str, u16)) {
        let (host, far) = (end(packet, 0), end(packet, 2));
        let there = packet.clone().between(out, (&far.0, far.1));
        self.pe.circuit(packet).assert_sent(what, &there.clone().ttl(63));
        let answer = there.between((&far.0, far.1), out);
        let back = answer.clone().between((&far.0, far.1), (&host.0, host.1));
        self.answer(&answer).assert_sent(&format!("{what}, answer"), &back.ttl(63));
    }

    /// Dropped, and the sender told so.
    #[track_caller]
    pub fn assert_refused(&mut self, what: &str, run: &Run, reason: srv6_types::DropReason, code: u8) {
        assert_eq!(run.action, REDIRECT, "{what}: action; dropped so far: {:?}", run.drops);
        assert_eq!(run.drops, [(RED, reason.word(), 1)], "{what}");
        let (unreachable, at) = if run.ip()[0] >> 4 == 4 { (3, 20) } else { (1, 40) };
        assert_eq!(run.ip()[at..at + 2], [unreachable, code], "{what}: ICMP");
        self.pe.forget_drops();
    }

    #[track_caller]
    pub fn assert_dropped(&mut self, what: &str, run: &Run, reason: srv6_types::DropReason) {
        assert_eq!(run.action, SHOT, "{what}: action; dropped so far: {:?}", run.drops);
        assert_eq!(run.drops, [(RED, reason.word(), 1)], "{what}");
        self.pe.forget_drops();
    }
}

fn end(packet: &Ip, at: usize) -> (String, u16) {
    let address = if at == 0 { packet.source } else { packet.destination };
    (address.to_string(), u16::from_be_bytes([packet.payload[at], packet.payload[at + 1]]))
}

/// Source of a packet, and what stands at `at` behind its IP header.
pub fn source(ip: &[u8], at: usize) -> (IpAddr, u16) {
    let (address, transport) = match ip[0] >> 4 {
        4 => (IpAddr::from(<[u8; 4]>::try_from(&ip[12..16]).unwrap()), 20),
        _ => (IpAddr::from(<[u8; 16]>::try_from(&ip[8..24]).unwrap()), 40),
    };
    (address, u16::from_be_bytes([ip[transport + at], ip[transport + at + 1]]))
}

pub fn host_prefix(ip: &str) -> String {
    if ip.contains(':') { format!("{ip}/128") } else { format!("{ip}/32") }
}

pub fn octets(address: &str) -> (u32, [u8; 16]) {
    match address.parse().unwrap() {
        IpAddr::V4(address) => (4, [&address.octets()[..], &[0; 12]].concat().try_into().unwrap()),
        IpAddr::V6(address) => (6, address.octets()),
    }
}

/// First port of the block of a host.
pub fn block(host: &str) -> u16 {
    let (family, octets) = octets(host);
    let at = if family == 4 { 0 } else { 12 };
    let number = u32::from_be_bytes(octets[at..at + 4].try_into().unwrap());
    (FIRST_PORT + number % BLOCKS * BLOCK) as u16
}

/// Where the search for a port begins.
pub fn first_choice(host: &str, port: u16) -> u16 {
    block(host) + port.wrapping_sub(block(host)) % BLOCK as u16
}
