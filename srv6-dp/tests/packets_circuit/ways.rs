//! Ways that do not lead into the core, and what does not fit into it.

use super::*;

#[test]
fn between_circuits() {
    let mut pe = pe();
    for (what, packet) in [
        ("gateway", ip(HOST4, "10.5.0.1")),
        ("gateway, IPv6", ip(HOST6, "2001:db8:5::1")),
        ("IPv4 by an IPv6 neighbour", ip(HOST4, "10.50.0.1")),
        ("connected", ip("10.9.0.2", "10.1.0.9")),
    ] {
        pe.circuit(&packet).assert_sent(what, &packet.clone().ttl(63));
    }
    assert_eq!(pe.counter(RED, vrf_counter::DELIVERED).0, 4);
    let big = ip(HOST4, "10.5.0.1").udp(1, 2, 1400 - 28 + 1).fragment(0x4000);
    assert_refused(&mut pe, "too big", DropReason::TooBig, &big, &error4(3, 4, 1400, &big));
    // Short by its own account, but the frame would go out as long as it came in.
    let short = ip(HOST4, "10.5.0.1");
    let long = [short.bytes(), vec![0; 1400]].concat();
    let run = pe.run("circuit_ingress", pe.red1, &frame(RED1_MAC, HOST, 0x0800, &long), 0);
    run.assert_sent("a long tail", &error4(3, 4, 1400, &short));
    let big = ip(HOST6, "2001:db8:5::1").udp(1, 2, 1400 - 48 + 1);
    assert_refused(&mut pe, "too big, IPv6", DropReason::TooBig, &big, &error6(2, 0, 1400, &big));
}

/// RFC 1812 section 5.3.4: or every station on the link would be answered with an error.
#[test]
fn what_came_by_broadcast_is_not_routed() {
    let mut pe = pe();
    for (mac, packet) in [
        ([0xff; 6], ip(HOST4, "10.2.0.2")),
        ([0x33, 0x33, 0, 0, 0, 1], ip(HOST6, "2001:db8:2::2")),
        ([0x01, 0, 0x5e, 0, 0, 1], ip(HOST4, "172.16.0.1")),
    ] {
        let ethertype = if packet.source.is_ipv4() { 0x0800 } else { 0x86dd };
        let frame = frame(mac, HOST, ethertype, &packet.bytes());
        assert_eq!(pe.run("circuit_ingress", pe.red1, &frame, 0).action, SHOT, "{mac:?}");
    }
    assert_eq!(pe.drops(RED, DropReason::MulticastUnsupported), 3);
}

/// An interface that goes over to another tenant is that tenant's before the last route has left it.
#[test]
fn no_route_leads_out_of_another_tenants_circuit() {
    let mut pe = pe();
    let blue1 = pe.blue1;
    pe.route(RED, "10.20.0.0/16", on(kind::CONNECTED, blue1));
    pe.route(RED, "10.21.0.0/16", gateway(blue1, "10.1.0.2"));
    assert_silent(&mut pe, "connected", DropReason::NoSuchCircuit, &ip(HOST4, "10.20.0.1"));
    assert_silent(&mut pe, "gateway", DropReason::NoSuchCircuit, &ip(HOST4, "10.21.0.1"));
}

#[test]
fn leaked_into_another_vrf() {
    let mut pe = pe();
    let blue1 = pe.blue1;
    pe.route(BLUE, "10.8.0.0/16", on(kind::CONNECTED, blue1));
    let packet = ip(HOST4, "10.8.0.1");
    pe.circuit(&packet).assert_sent("delivered there", &packet.clone().ttl(63));
    assert_eq!(pe.counter(BLUE, vrf_counter::DELIVERED).0, 1);
    assert_eq!(pe.counter(RED, vrf_counter::FROM_CIRCUIT).0, 1);
}

#[test]
fn path_mtu_of_the_underlay() {
    let mut pe = pe();
    let fits = |target: &str, header: usize, mtu: usize| {
        ip(if header == 28 { HOST4 } else { HOST6 }, target).udp(1, 2, mtu - header)
    };
    let packet = fits("10.2.0.2", 28, 1460);
    pe.circuit(&packet).assert_encapsulated("to the octet", outer(NODE, REMOTE, &packet.clone().ttl(63)));
    let big = fits("10.2.0.2", 28, 1461).fragment(0x4000);
    assert_refused(&mut pe, "interface MTU", DropReason::TooBig, &big, &error4(3, 4, 1460, &big));
    let big = fits("2001:db8:2::2", 48, 1461);
    assert_refused(&mut pe, "interface MTU, IPv6", DropReason::TooBig, &big, &error6(2, 0, 1460, &big));

    pe.route(RED, "10.3.0.0/16", encapsulate(kind::ENCAPS_RED, &["fc00:0:3:46::"]));
    let big = fits("10.3.0.2", 28, 1261);
    assert_refused(&mut pe, "route MTU, without DF", DropReason::TooBig, &big, &error4(3, 4, 1260, &big));
    pe.route(RED, "10.3.0.0/16", encapsulate(kind::ENCAPS_RED, &["fc00:0:2:e::", "fc00:0:2:f::", REMOTE]));
    let big = fits("10.3.0.2", 28, 1421);
    assert_refused(&mut pe, "with an SRH of 40", DropReason::TooBig, &big, &error4(3, 4, 1420, &big));
}

#[test]
fn super_packets_are_measured_by_their_segments() {
    let mut pe = pe();
    let tcp = |octets: usize| {
        [&[0, 1, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0x80, 0x10, 0xff, 0xff][..], &pattern(16 + octets)].concat()
    };
    let packet = ip(HOST4, "10.2.0.2").payload(TCP, tcp(3000));
    let bytes = frame(RED1_MAC, HOST, 0x0800, &packet.bytes());
    // 20 of IPv4, 32 of TCP: 1409 is one more than fits.
    let run = pe.run("circuit_ingress", pe.red1, &bytes, 1409);
    run.assert_sent("too big", &error4(3, 4, 1460, &packet));
    assert_eq!(pe.drops(RED, DropReason::TooBig), 1);
    // BPF_PROG_TEST_RUN gives the buffer no GSO type, and the kernel refuses to grow it: beyond the check it is.
    assert_eq!(pe.run("circuit_ingress", pe.red1, &bytes, 1408).action, SHOT);
    assert_eq!(pe.drops(RED, DropReason::AdjustRoomFailed), 1);
}
