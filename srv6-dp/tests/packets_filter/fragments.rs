//! Fragments: the first has the ports, the later ones go by it.

use super::{Verdict::Passes, *};

const MORE: u16 = 0x2000;

/// Both fragments of a UDP datagram with 64 octets.
fn fragments(source: &str, destination: &str, port: u16) -> [Ip; 2] {
    let whole = ip(source, destination).udp(4000, port, 64);
    let (first, rest) = whole.payload.split_at(32);
    if whole.source.is_ipv4() {
        let part = |fragment, octets: &[u8]| whole.clone().fragment(fragment).payload(UDP, octets.to_vec());
        return [part(MORE, first), part(32 / 8, rest)];
    }
    let part = |offset: u16, octets: &[u8]| {
        let header = [&[UDP, 0][..], &offset.to_be_bytes(), &[0, 0, 0, 9]].concat();
        whole.clone().payload(FRAGMENT, [&header[..], octets].concat())
    };
    [part(1, first), part(32, rest)]
}

#[test]
fn later_fragments_share_the_fate_of_the_first() {
    let mut pe = filtered("in 0.0.0.0/0 udp 53 drop no-dns\nin ::/0 udp 53 drop no-dns6");
    for (host, far, rule) in [(HOST4, FAR4, "no-dns"), (HOST6, FAR6, "no-dns6")] {
        for (port, verdict) in [(53, denied(rule)), (54, Passes)] {
            for fragment in fragments(host, far, port) {
                assert_eq!(sends(&mut pe, &fragment), verdict, "{host} {port}");
            }
        }
    }
}

#[test]
fn a_later_fragment_alone_is_dropped_only_where_a_port_decides() {
    for (host, far) in [(HOST4, FAR4), (HOST6, FAR6)] {
        let mut pe = filtered(
            "in 0.0.0.0/0 udp 53 drop no-dns
             in ::/0 udp 53 drop no-dns",
        );
        let [_, later] = fragments(host, far, 54);
        assert_eq!(sends(&mut pe, &later), Verdict::Dropped(DropReason::FragmentBeforeFirst), "{host}");
        set_filter(&mut pe, 1, 2, "in 0.0.0.0/0 tcp 53 drop no-tcp\nin ::/0 tcp 53 drop no-tcp");
        assert_eq!(sends(&mut pe, &later), Passes, "{host}: rules for another protocol");
        set_filter(&mut pe, 1, 3, "in 0.0.0.0/0 udp any drop no-udp\nin ::/0 udp any drop no-udp");
        assert_eq!(sends(&mut pe, &later), denied("no-udp"), "{host}: whatever the port");
    }
}

#[test]
fn fragments_of_an_answer_pass_as_well() {
    let mut pe = filtered("out 0.0.0.0/0 any any drop no-entry\nout ::/0 any any drop no-entry6");
    for (host, far, rule) in [(HOST4, FAR4, "no-entry"), (HOST6, FAR6, "no-entry6")] {
        let answer = fragments(far, host, 53);
        assert_eq!(gets(&mut pe, &answer[0]), denied(rule));
        assert_eq!(sends(&mut pe, &udp(host, far, 53, 4000)), Passes);
        for fragment in &answer {
            assert_eq!(gets(&mut pe, fragment), Passes, "{host}");
        }
    }
}

/// RFC 1858 section 3: a first fragment too short for its ports hides them.
#[test]
fn a_header_cut_short_is_not_let_through() {
    let mut pe = filtered("in 0.0.0.0/0 udp 53 drop no-dns");
    let stub = ip(HOST4, FAR4).payload(UDP, vec![0x0f, 0xa0, 0, 53]).fragment(MORE);
    assert_eq!(sends(&mut pe, &stub), Verdict::Dropped(DropReason::Malformed));
}
