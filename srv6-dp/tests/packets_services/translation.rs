//! Whatever a packet is: its checksums stay right, and what was translated there and back is what it was.
//!
//! VRF red has a VIP whose backend is B; VRF blue has B as a VIP whose backend is red's VIP. A packet that has been through
//! both is what it was but for its TTL.

use std::net::IpAddr;

use proptest::prelude::*;

use super::*;

const UPPERS: [u8; 3] = [TCP, UDP, SCTP];

/// Octets of an IP packet in wire order, and where its transport header lies.
#[derive(Clone, Debug)]
struct Wire {
    ip: Vec<u8>,
    transport: usize,
    upper: u8,
}

fn there_and_back() -> Lab {
    let mut lab = Lab::new();
    for (at, protocol) in UPPERS.into_iter().enumerate() {
        let slot = 10 * at as u32;
        let port = if protocol == SCTP { 80 } else { 8080 };
        let to = |slot, address, port| At { port, ..super::at(slot, address) };
        lab.service(RED, VIP4, 80, protocol, &[to(slot, "10.9.0.2", port)]);
        lab.service(RED, VIP6, 80, protocol, &[to(slot + 1, BACKENDS6[0], port)]);
        lab.service(BLUE, "10.9.0.2", port, protocol, &[to(slot + 2, VIP4, 80)]);
        lab.service(BLUE, BACKENDS6[0], port, protocol, &[to(slot + 3, VIP6, 80)]);
    }
    lab
}

impl Lab {
    fn pass(&mut self, circuit: u32, ip: &[u8]) -> Vec<u8> {
        let ethertype = if ip[0] >> 4 == 4 { 0x0800 } else { 0x86dd };
        let run = self.pe.run("circuit_ingress", circuit, &frame(RED1_MAC, HOST, ethertype, ip), 0);
        assert_eq!(run.action, REDIRECT, "dropped so far: {:?}", run.drops);
        run.frame[14..].to_vec()
    }

    /// Through red and blue, with everything that must hold on the way.
    fn assert_comes_back(&mut self, wire: &Wire, quoted: Option<&Wire>) {
        let (red1, blue1) = (self.pe.red1, self.pe.blue1);
        let there = self.pass(red1, &wire.ip);
        assert_eq!(there.len(), wire.ip.len());
        assert_ne!(destination(&there), destination(&wire.ip));
        assert_checksums(&there, wire);
        if let Some(quoted) = quoted {
            assert_checksums(&there[wire.transport + 8..], quoted);
        }
        let back = self.pass(blue1, &there);
        assert_eq!(older(&back, 2), wire.ip, "on the way: {there:02x?}");
    }
}

fn destination(ip: &[u8]) -> &[u8] {
    if ip[0] >> 4 == 4 { &ip[16..20] } else { &ip[24..40] }
}

/// The packet as it was `hops` ago.
fn older(ip: &[u8], hops: u8) -> Vec<u8> {
    let mut ip = ip.to_vec();
    match ip[0] >> 4 {
        4 => {
            ip[8] += hops;
            seal4(&mut ip);
        }
        _ => ip[7] += hops,
    }
    ip
}

fn seal4(ip: &mut [u8]) {
    let header = usize::from(ip[0] & 0xf) * 4;
    ip[10..12].fill(0);
    let sum = checksum(&ip[..header]);
    ip[10..12].copy_from_slice(&sum.to_be_bytes());
}

fn addresses(ip: &[u8]) -> (IpAddr, IpAddr) {
    let v4 = |at: usize| IpAddr::from(<[u8; 4]>::try_from(&ip[at..at + 4]).unwrap());
    let v6 = |at: usize| IpAddr::from(<[u8; 16]>::try_from(&ip[at..at + 16]).unwrap());
    if ip[0] >> 4 == 4 { (v4(12), v4(16)) } else { (v6(8), v6(24)) }
}

/// Sums over everything that a checksum covers, that itself included, are zero.
fn assert_checksums(ip: &[u8], wire: &Wire) {
    if ip[0] >> 4 == 4 {
        assert_eq!(checksum(&ip[..usize::from(ip[0] & 0xf) * 4]), 0, "header");
    }
    let message = &ip[wire.transport..];
    let (source, destination) = addresses(ip);
    let sum = || transport_checksum(source, destination, wire.upper, message);
    match wire.upper {
        SCTP => assert_eq!(message[8..12], wire.ip[wire.transport..][8..12]),
        UDP if message[6..8] == [0, 0] => assert_eq!(wire.ip[wire.transport..][6..8], [0, 0]),
        _ => assert_eq!(sum(), 0, "transport"),
    }
}

/// IPv4 options and IPv6 extension headers, whatever stands in them.
fn headers(v6: bool, upper: u8, options: &[u8], extensions: &[(u8, Vec<u8>)]) -> (Vec<u8>, u8) {
    if !v6 {
        return (options.to_vec(), upper);
    }
    let mut chain = vec![];
    for (at, (_, body)) in extensions.iter().enumerate() {
        let next = extensions.get(at + 1).map_or(upper, |next| next.0);
        chain.extend([next, (body.len() / 8) as u8]);
        chain.extend(body);
    }
    (chain, extensions.first().map_or(upper, |first| first.0))
}

fn assemble(ip: &Ip, options: &[u8], extensions: &[(u8, Vec<u8>)]) -> Wire {
    let v6 = ip.source.is_ipv6();
    let (middle, first) = headers(v6, ip.protocol, options, extensions);
    if v6 {
        let payload = [middle.clone(), ip.payload.clone()].concat();
        let wire = ip.clone().payload(first, payload).bytes();
        return Wire { ip: wire, transport: 40 + middle.len(), upper: ip.protocol };
    }
    let bytes = ip.bytes();
    let mut wire = [&bytes[..20], &middle, &bytes[20..]].concat();
    wire[0] = 0x45 + (middle.len() / 4) as u8;
    let length = (wire.len() as u16).to_be_bytes();
    wire[2..4].copy_from_slice(&length);
    seal4(&mut wire);
    Wire { ip: wire, transport: 20 + middle.len(), upper: ip.protocol }
}

prop_compose! {
    fn transport()(
        v6: bool, upper in prop::sample::select(&UPPERS[..]), port: u16, flags: u8, no_checksum: bool,
        client in 2_u8..250, ttl in 3_u8.., class: u8, flow_label in 0_u32..0x10_0000,
        data in prop::collection::vec(any::<u8>(), 0..64),
    ) -> Ip {
        let (client, vip) = if v6 {
            (format!("2001:db8:1::{client:x}"), VIP6)
        } else {
            (format!("10.1.0.{client}"), VIP4)
        };
        let ip = ip(&client, vip).ttl(ttl).class(class & !3);
        let ip = match upper {
            TCP => ip.tcp(port, 80, flags, 0),
            UDP if no_checksum => ip.udp(port, 80, 0),
            UDP => ip.checked_udp(port, 80, 0),
            _ => ip.sctp(port, 80),
        };
        let payload = [ip.payload.clone(), data].concat();
        Ip { flow_label: if v6 { flow_label } else { 0 }, payload, ..ip }.sealed()
    }
}

fn options() -> impl Strategy<Value = Vec<u8>> {
    // No operation and end of list, and an option that nobody knows.
    prop::sample::select(vec![vec![], vec![1, 1, 1, 0], vec![0x9e, 6, 1, 2, 3, 4, 0, 0], vec![1; 40]])
}

fn extensions() -> impl Strategy<Value = Vec<(u8, Vec<u8>)>> {
    let padding = |octets: u8| [vec![1, octets - 4], vec![0; usize::from(octets) - 4]].concat();
    let hop_by_hop = (0_u8, padding(8));
    let options = (60_u8, padding(16));
    // Nothing left to visit, and a fragment that is the whole packet.
    let routing = (ROUTING, vec![4, 0, 0, 0, 0, 0]);
    let atomic = (FRAGMENT, vec![0, 0, 1, 2, 3, 4]);
    prop::sample::subsequence(vec![hop_by_hop, options, routing, atomic], 0..=4)
}

fn wire() -> impl Strategy<Value = Wire> {
    (transport(), options(), extensions())
        .prop_map(|(ip, options, extensions)| assemble(&ip, &options, &extensions))
}

/// An error from the client, or from a router before it, about what the VIP has sent to the client.
/// With the packet that it quotes, where it quotes all of it.
fn error() -> impl Strategy<Value = (Wire, Option<Wire>)> {
    let errors4 = vec![(3, 4), (3, 3), (11, 0), (12, 0), (5, 1)];
    let errors6 = vec![(1, 4), (2, 0), (3, 0), (4, 1)];
    let kinds = (prop::sample::select(errors4), prop::sample::select(errors6));
    let quote = (transport(), options(), extensions(), 8_usize..128, any::<bool>());
    (quote, kinds, any::<u32>(), options(), extensions()).prop_map(
        |((asked, inside, between, most, by_router), (kind4, kind6), rest, options, extensions)| {
            let (client, vip) = (asked.source.to_string(), asked.destination.to_string());
            let port = u16::from_be_bytes([asked.payload[0], asked.payload[1]]);
            let about = assemble(&asked.between((&vip, 80), (&client, port)), &inside, &between);
            let quoted = &about.ip[..about.ip.len().min(about.transport + most)];
            let v6 = about.ip[0] >> 4 == 6;
            let (kind, code) = if v6 { kind6 } else { kind4 };
            let router = if v6 { "2001:db8:1::ffff" } else { "10.1.0.254" };
            let from = if by_router { router } else { &client };
            let error = ip(from, &vip).icmp(kind, code, rest, quoted);
            // What a checksum covers must be read in one piece, and headers are not read farther in than this.
            let room = about.transport < 100;
            let (options, extensions) = if room { (options, extensions) } else { (vec![], vec![]) };
            let whole = quoted.len() == about.ip.len();
            (assemble(&error, &options, &extensions), whole.then(|| about.clone()))
        },
    )
}

#[test]
fn packets_come_back_as_they_were() {
    let lab = std::cell::RefCell::new(there_and_back());
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(2000));
    runner
        .run(&wire(), |wire| {
            lab.borrow_mut().assert_comes_back(&wire, None);
            Ok(())
        })
        .unwrap();
}

#[test]
fn errors_come_back_as_they_were() {
    let lab = std::cell::RefCell::new(there_and_back());
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(2000));
    runner
        .run(&error(), |(wire, quoted)| {
            lab.borrow_mut().assert_comes_back(&wire, quoted.as_ref());
            Ok(())
        })
        .unwrap();
}
