//! The first rule that matches decides, and without one the packet passes.

use super::{Verdict::Passes, *};

#[test]
fn direction_prefix_protocol_and_ports() {
    let mut pe = filtered(
        "in 10.2.0.0/16 tcp 23 drop no-telnet
         in 10.2.0.0/24 udp 1000-2000 drop no-media
         in 10.2.0.0/16 icmp any drop no-ping
         in 172.16.0.0/12 any any drop nothing-private
         out 10.2.0.0/16 tcp 22 drop no-ssh
         in 2001:db8:2::/64 tcp 80-443 drop no-web6",
    );
    let to = |destination: &str, port| tcp(HOST4, destination, (40_000, port), SYN);
    for (what, packet, verdict) in [
        ("the port", to(FAR4, 23), denied("no-telnet")),
        ("another port", to(FAR4, 24), Passes),
        ("another protocol", udp(HOST4, FAR4, 40_000, 23), Passes),
        ("another host of the prefix", to("10.2.1.2", 23), denied("no-telnet")),
        ("a direction's rule in the other", to(FAR4, 22), Passes),
        ("below the range", udp(HOST4, FAR4, 1, 999), Passes),
        ("first of the range", udp(HOST4, FAR4, 1, 1000), denied("no-media")),
        ("last of the range", udp(HOST4, FAR4, 1, 2000), denied("no-media")),
        ("above the range", udp(HOST4, FAR4, 1, 2001), Passes),
        ("beside the inner prefix", udp(HOST4, "10.2.1.2", 1, 1500), Passes),
        ("a protocol without ports", echo(HOST4, FAR4, true, 7), denied("no-ping")),
        ("all protocols", ip(HOST4, "172.16.0.1").payload(47, vec![0; 8]), denied("nothing-private")),
        ("source ports do not count", tcp(HOST4, FAR4, (23, 1), SYN), Passes),
        ("the other family", tcp(HOST6, FAR6, (1, 443), SYN), denied("no-web6")),
        ("above its range", tcp(HOST6, FAR6, (1, 444), SYN), Passes),
        ("beside its prefix", tcp(HOST6, "2001:db8:2:1::2", (1, 443), SYN), Passes),
    ] {
        assert_eq!(sends(&mut pe, &packet), verdict, "{what}");
    }
    let from = |port| tcp(FAR4, HOST4, (40_000, port), SYN);
    assert_eq!(gets(&mut pe, &from(22)), denied("no-ssh"));
    assert_eq!(gets(&mut pe, &from(23)), Passes, "a rule of the other direction");
    assert_eq!(counted(&mut pe, 100), 2, "no-telnet");
    assert_eq!(counted(&mut pe, 104), 1, "no-ssh");
    assert_eq!(counted(&mut pe, 198), 10, "what no rule matched");
    let length = udp(HOST4, FAR4, 1, 1).bytes().len() as u64;
    assert_eq!(pe.tally("FILTER_COUNTERS", 101), (2, 2 * length), "no-media, in octets");
    assert_eq!(pe.drops(RED, DropReason::Filtered), 8);
}

#[test]
fn first_match_of_nested_and_equal_prefixes() {
    let mut pe = filtered(
        "in 10.2.0.0/24 tcp 80 accept web
         in 10.2.0.0/16 tcp any drop no-tcp
         in 10.2.0.0/16 tcp 80 accept too-late
         in 10.2.0.2/32 any any drop not-this-host
         in 0.0.0.0/0 any any accept rest",
    );
    for (destination, port, verdict, rule) in [
        (FAR4, 80, Passes, 100),
        (FAR4, 81, denied("no-tcp"), 101),
        ("10.2.1.2", 80, denied("no-tcp"), 101),
        ("172.16.0.1", 80, Passes, 104),
    ] {
        let before = counted(&mut pe, rule);
        assert_eq!(sends(&mut pe, &tcp(HOST4, destination, (1, port), SYN)), verdict, "{destination} {port}");
        assert_eq!(counted(&mut pe, rule), before + 1, "{destination} {port}");
    }
    assert_eq!(sends(&mut pe, &udp(HOST4, FAR4, 1, 80)), denied("not-this-host"));
    assert_eq!(sends(&mut pe, &udp(HOST4, "10.2.0.3", 1, 80)), Passes);
    assert_eq!(counted(&mut pe, 102), 0, "behind a rule that matches the same");
}

#[test]
fn tenants_with_equal_addresses_have_filters_of_their_own() {
    let mut pe = pe();
    set_filter(&mut pe, 1, 1, "in 10.2.0.0/16 tcp 80 drop red-web");
    set_filter(&mut pe, 2, 2, "in 10.2.0.0/16 tcp 443 drop blue-tls");
    put_on_circuit(&mut pe, 1, "red1");
    put_on_circuit(&mut pe, 2, "blue1");
    let (web, tls) = (tcp(HOST4, FAR4, (1, 80), SYN), tcp(HOST4, FAR4, (1, 443), SYN));
    assert_eq!(sends(&mut pe, &web), denied("red-web"));
    assert_eq!(sends(&mut pe, &tls), Passes);
    let blue = |pe: &mut Pe, packet: &Ip| Verdict::of(pe, |pe| pe.on_circuit(pe.blue1, packet));
    assert_eq!(blue(&mut pe, &web), Passes);
    assert_eq!(blue(&mut pe, &tls), denied("blue-tls"));
}

#[test]
fn extension_headers_hide_no_port() {
    let mut pe = filtered("in ::/0 udp 53 drop no-dns");
    let datagram = udp(HOST6, FAR6, 1, 53).payload;
    let options = |next: u8| vec![next, 0, 1, 4, 0, 0, 0, 0];
    let behind = |count: usize| {
        let chain = (1..count).flat_map(|_| options(60)).chain(options(UDP)).chain(datagram.clone());
        ip(HOST6, FAR6).payload(60, chain.collect())
    };
    assert_eq!(sends(&mut pe, &behind(1)), denied("no-dns"));
    assert_eq!(sends(&mut pe, &behind(2)), denied("no-dns"));
    // A chain that the programs do not follow could hide anything.
    assert_eq!(sends(&mut pe, &behind(6)), Verdict::Dropped(DropReason::Malformed));
    set_filter(&mut pe, 1, 2, "in 3fff::/32 any any drop elsewhere");
    assert_eq!(sends(&mut pe, &behind(6)), Passes, "no rule asks what it is");
}

#[test]
fn what_is_no_transit_is_not_filtered() {
    let mut pe = filtered("in 0.0.0.0/0 any any drop all-in\nout 0.0.0.0/0 any any drop all-out");
    let ping = ip(HOST4, "10.1.0.1").echo_request(8);
    assert_eq!(sends(&mut pe, &ping), Passes, "for this node");
    let dying = udp(HOST4, "10.2.0.2", 1, 1).ttl(1);
    assert_eq!(sends(&mut pe, &dying), denied("all-in"), "before its TTL counts");
    let back = outer(FAR, DT46, &echo(HOST4, "10.1.0.1", true, 7));
    assert_eq!(Verdict::of(&mut pe, |pe| pe.core(&back)), Passes, "what the program answers, out of red1");
}

#[test]
fn a_filter_that_is_not_there_lets_nothing_pass() {
    let mut pe = pe();
    put_on_circuit(&mut pe, 9, "red1");
    assert_eq!(sends(&mut pe, &udp(HOST4, FAR4, 1, 1)), denied(""));
    assert_eq!(gets(&mut pe, &udp(FAR4, HOST4, 1, 1)), denied(""));
}
