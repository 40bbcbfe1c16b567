//! What stays on the link: ARP, neighbour discovery, pings of the gateway, and what is the kernel's.

use super::*;

#[test]
fn what_is_for_the_kernel_goes_on_untouched() {
    let mut pe = pe();
    let nd = |kind, to| ip("fe80::2", to).ttl(255).icmp(kind, 0, 0, &pattern(16));
    for (what, packet) in [
        ("advertisement to the kernel's address", nd(136, "fe80::1")),
        ("solicitation of the kernel's address", nd(135, "ff02::1:ff00:1")),
        ("solicitation of somebody else", nd(135, "ff02::1:ff00:99")),
    ] {
        let run = pe.circuit(&packet);
        assert_eq!((run.action, run.ip()), (NEXT, &packet.bytes()[..]), "{what}");
    }
    let packet = ip(HOST4, "10.2.0.2").bytes();
    let others = frame([2, 9, 9, 9, 9, 9], HOST, 0x0800, &packet);
    assert_eq!(pe.run("circuit_ingress", pe.red1, &others, 0).action, NEXT, "another station's");
    let strange = frame(CORE_MAC, HOST, 0x0800, &packet);
    assert_eq!(pe.run("circuit_ingress", pe.core0, &strange, 0).action, NEXT, "not a circuit");
    assert_eq!(pe.counter(RED, vrf_counter::FROM_CIRCUIT).0, 0);
}

/// Whatever listens on all addresses of the node (BGP, SSH) would hear it.
#[test]
fn nothing_on_the_link_reaches_the_node() {
    let mut pe = pe();
    let nd = |kind, to| ip("fe80::2", to).ttl(255).icmp(kind, 0, 0, &pattern(16));
    for (what, packet) in [
        ("DHCP", ip("0.0.0.0", "255.255.255.255").udp(68, 67, 240)),
        ("to this host", ip(HOST4, "127.0.0.1")),
        ("to no host", ip(HOST4, "0.0.0.1")),
        ("to this host, IPv6", ip(HOST6, "::1")),
        ("to no host, IPv6", ip(HOST6, "::")),
        ("OSPF hello", ip(HOST4, "224.0.0.5").ttl(1)),
        ("mDNS", ip(HOST4, "224.0.0.251").udp(5353, 5353, 60)),
        ("TCP to the kernel's address", ip("fe80::2", "fe80::1").payload(TCP, pattern(20))),
        ("ping of the kernel's address", ip("fe80::2", "fe80::1").echo_request(8)),
        ("the same from elsewhere", ip(HOST6, "fe80::1").echo_request(8)),
        ("ping of all nodes", ip("fe80::2", "ff02::1").echo_request(8)),
        ("DHCPv6", ip("fe80::2", "ff02::1:2").udp(546, 547, 60)),
        ("MLD report", ip("fe80::2", "ff02::16").ttl(1).payload(0, pattern(28))),
        ("discovery from beyond the link", nd(136, "fe80::1").ttl(254)),
        ("router solicitation", nd(133, "ff02::2")),
        ("router advertisement", nd(134, "ff02::1")),
        ("router advertisement to us alone", nd(134, "fe80::1")),
        ("redirect", nd(137, "fe80::1")),
    ] {
        assert_silent(&mut pe, what, DropReason::LinkScope, &packet);
    }
}

pub(super) fn arp(
    operation: u8,
    sender: [u8; 4],
    target_mac: [u8; 6],
    target: [u8; 4],
    sender_mac: [u8; 6],
) -> Vec<u8> {
    [&[0, 1, 8, 0, 6, 4, 0, operation][..], &sender_mac, &sender, &target_mac, &target].concat()
}

#[test]
fn arp_for_the_gateway_is_answered() {
    let mut pe = pe();
    let broadcast = [0xff; 6];
    let ask = |target| frame(broadcast, HOST, 0x0806, &arp(1, [10, 1, 0, 2], [0; 6], target, HOST));
    let run = pe.run("circuit_ingress", pe.red1, &ask([10, 1, 0, 1]), 0);
    let reply = frame(HOST, RED1_MAC, 0x0806, &arp(2, [10, 1, 0, 1], HOST, [10, 1, 0, 2], RED1_MAC));
    assert_eq!((run.action, run.frame), (REDIRECT, reply));
    assert_eq!(pe.counter(RED, vrf_counter::ANSWERED), (1, 28));
    for (what, ifindex, ask) in [
        ("a neighbour", pe.red1, ask([10, 1, 0, 9])),
        ("no route at all", pe.red1, ask([172, 16, 0, 1])),
        ("our address on another circuit", pe.red2, ask([10, 1, 0, 1])),
        ("another tenant, who has no such address", pe.blue1, ask([10, 1, 0, 1])),
        (
            "a reply",
            pe.red1,
            frame(RED1_MAC, HOST, 0x0806, &arp(2, [10, 1, 0, 2], HOST, [10, 1, 0, 1], HOST)),
        ),
    ] {
        let run = pe.run("circuit_ingress", ifindex, &ask, 0);
        assert_eq!((run.action, run.frame), (NEXT, ask), "{what}");
    }
}

/// The kernel asks for neighbours in the name of whatever address it has.
#[test]
fn the_kernel_asks_for_neighbours_as_the_gateway() {
    let mut pe = pe();
    let ask = |sender| frame([0xff; 6], RED1_MAC, 0x0806, &arp(1, sender, [0; 6], [10, 1, 0, 2], RED1_MAC));
    let reply = frame(HOST, RED1_MAC, 0x0806, &arp(2, [192, 0, 2, 1], HOST, [10, 1, 0, 2], RED1_MAC));
    let unspecified = u32::MAX;
    for (what, interface, sent, seen) in [
        ("in the node's name", pe.red1, ask([192, 0, 2, 1]), ask([10, 1, 0, 1])),
        ("a probe", pe.red1, ask([0; 4]), ask([10, 1, 0, 1])),
        ("on a circuit without gateway", pe.red2, ask([192, 0, 2, 1]), ask([0; 4])),
        ("elsewhere", pe.core0, ask([192, 0, 2, 1]), ask([192, 0, 2, 1])),
        ("an answer", pe.red1, reply.clone(), reply),
    ] {
        let run = pe.run("circuit_egress", interface, &sent, 0);
        assert_eq!((run.action, run.frame), (unspecified, seen), "{what}");
    }
}

#[test]
fn solicitations_for_the_gateway_are_answered() {
    let mut pe = pe();
    let target = octets6(GATEWAY6);
    let source_option = [&[1, 1][..], &HOST].concat();
    let with_option = [&target[..], &source_option].concat();
    let advertisement = |to: &str, flags: u32| {
        let body = [&target[..], &[2, 1], &RED1_MAC].concat();
        ip(GATEWAY6, to).ttl(255).icmp(136, 0, flags, &body)
    };
    for (what, ask, answer, mac) in [
        (
            "to the solicited-node group",
            ip("fe80::2", "ff02::1:ff00:1").ttl(255).icmp(135, 0, 0, &with_option),
            advertisement("fe80::2", 0xe000_0000),
            HOST,
        ),
        (
            "a unicast probe without option",
            ip(HOST6, GATEWAY6).ttl(255).icmp(135, 0, 0, &target),
            advertisement(HOST6, 0xe000_0000),
            HOST,
        ),
        (
            "duplicate address detection",
            ip("::", "ff02::1:ff00:1").ttl(255).icmp(135, 0, 0, &target),
            advertisement("ff02::1", 0xa000_0000),
            [0x33, 0x33, 0, 0, 0, 1],
        ),
    ] {
        let run = pe.circuit(&ask);
        run.assert_sent(what, &answer);
        assert_eq!(run.frame[..12], [mac, RED1_MAC].concat(), "{what}: MAC addresses");
    }
    let others = octets6("2001:db8:1::99");
    for (kind, asked) in [(133, others), (134, others), (135, others), (136, target), (137, others)] {
        let packet = ip(HOST6, GATEWAY6).ttl(255).icmp(kind, 0, 0, &asked);
        let run = pe.circuit(&packet);
        assert_ne!(run.action, NEXT, "type {kind} to our address: the kernel would route it");
    }
    assert_eq!(pe.drops(RED, DropReason::NotListening), 5);
    let elsewhere = ip(HOST6, "2001:db8:2::2").ttl(255).icmp(136, 0, 0, &target);
    let inner = elsewhere.clone().ttl(254);
    pe.circuit(&elsewhere).assert_encapsulated("stays in the VRF", outer(NODE, REMOTE, &inner));
    let routed = ip(HOST6, GATEWAY6).ttl(254).icmp(135, 0, 0, &target);
    assert_refused(
        &mut pe,
        "from beyond the link",
        DropReason::NotListening,
        &routed,
        &error6(1, 4, 0, &routed),
    );
}

#[test]
fn gateway_answers_pings() {
    let mut pe = pe();
    for octets in [0, 1, 56, 1400] {
        let what = format!("{octets} octets");
        let pong = ip(GATEWAY4, HOST4).icmp(0, 0, 0x0007_0001, &pattern(octets));
        pe.circuit(&ip(HOST4, GATEWAY4).ttl(1).echo_request(octets)).assert_sent(&what, &pong);
        let pong = ip(GATEWAY6, HOST6).icmp(129, 0, 0x0007_0001, &pattern(octets));
        pe.circuit(&ip(HOST6, GATEWAY6).ttl(255).echo_request(octets)).assert_sent(&what, &pong);
    }
    let pong = ip(GATEWAY6, "fe80::2").icmp(129, 0, 0x0007_0001, &pattern(8));
    pe.circuit(&ip("fe80::2", GATEWAY6).echo_request(8)).assert_sent("a link-local asker", &pong);
    let request = ip(HOST4, GATEWAY4).echo_request(16);
    let first = request.clone().fragment(0x2000);
    let reply = ip(GATEWAY4, HOST4).icmp(0, 0, 0x0007_0001, &pattern(16)).fragment(0x2000);
    pe.circuit(&first).assert_sent("first fragment", &reply);
    let later = request.fragment(3).payload(ICMP, pattern(16));
    let mirrored = ip(GATEWAY4, HOST4).fragment(3).payload(ICMP, pattern(16));
    pe.circuit(&later).assert_sent("later fragment", &mirrored);
    assert_silent(
        &mut pe,
        "an error",
        DropReason::NotListening,
        &ip(HOST4, GATEWAY4).icmp(3, 3, 0, &[0; 28]),
    );
}
