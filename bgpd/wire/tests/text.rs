//! What operators read and write: prefixes, route distinguishers, route targets.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod common;

use bgp_wire::{
    attribute::{AsPath, Community, ExtendedCommunity, RouteTarget, Segment, SegmentKind},
    nlri::{Prefix, RouteDistinguisher},
};
use common::{families, prefixes};
use proptest::prelude::*;

#[test]
fn the_three_layouts_are_told_apart() {
    let rows: [(&str, [u8; 8]); 4] = [
        ("65000:70000", [0, 0, 0xfd, 0xe8, 0, 1, 0x11, 0x70]),
        ("10.0.0.1:7", [0, 1, 10, 0, 0, 1, 0, 7]),
        ("4200000000:1", [0, 2, 0xfa, 0x56, 0xea, 0, 0, 1]),
        ("65000L:1", [0, 2, 0, 0, 0xfd, 0xe8, 0, 1]),
    ];
    for (text, octets) in rows {
        assert_eq!(text.parse(), Ok(RouteDistinguisher(octets)));
        assert_eq!(RouteDistinguisher(octets).to_string(), text);
        let [_, kind, rest @ ..] = octets;
        let mut target = [kind, 2, 0, 0, 0, 0, 0, 0];
        target[2..].copy_from_slice(&rest);
        assert_eq!(text.parse(), Ok(RouteTarget(target)));
        assert_eq!(RouteTarget(target).to_string(), text);
    }
}

#[test]
fn errors_name_the_remedy() {
    for text in ["65000:70000:1", "65000", "65000:", "70000:70000", "10.0.0.1:70000", "+1:1", "", ":1", "a:b"]
    {
        let target = text.parse::<RouteTarget>().unwrap_err().to_string();
        assert!(target.contains("write AS:number (65000:70000"), "{target}");
        let rd = text.parse::<RouteDistinguisher>().unwrap_err().to_string();
        assert!(rd.contains(text) && rd.contains("write AS:number (65000:1"), "{rd}");
    }
    let error = |text: &str| text.parse::<Prefix>().unwrap_err().to_string();
    assert_eq!(error("10.1.1.5/24"), "10.1.1.5/24 has bits set beyond its length; write 10.1.1.0/24");
    assert_eq!(error("10.1.1.5"), "\"10.1.1.5\" is not an IPv4 prefix; write address/length (10.1.1.0/24)");
    assert!(error("2001:db8::/129").contains("2001:db8:1::/48"));
}

#[test]
fn as_paths_are_counted_as_the_decision_process_does() {
    let segment = |kind, asns: &[u32]| Segment { kind, asns: asns.to_vec() };
    let mut path = AsPath(vec![
        segment(SegmentKind::ConfedSequence, &[64512, 64513]),
        segment(SegmentKind::Sequence, &[65001, 65002]),
        segment(SegmentKind::Set, &[1, 2, 3]),
    ]);
    assert_eq!(path.length(), 3);
    assert_eq!(path.first_as(), Some(65001));
    assert!(path.contains(2) && path.contains(64513) && !path.contains(4));
    assert_eq!(path.to_string(), "(64512 64513) 65001 65002 {1,2,3}");
    path.prepend(65000);
    assert_eq!(path.to_string(), "65000 (64512 64513) 65001 65002 {1,2,3}");
}

/// RFC 4271 section 5.1.2: a segment holds 255.
#[test]
fn prepending_to_a_full_segment_begins_another() {
    let mut path = AsPath::sequence(std::iter::repeat_n(1, 255));
    path.prepend(2);
    path.prepend(3);
    assert_eq!(path.0.len(), 2);
    assert_eq!(path.0[0].asns, [3, 2]);
    assert_eq!(path.length(), 257);
}

#[test]
fn well_known_communities_have_names() {
    let rows = [
        ("no-export", 0xffff_ff01),
        ("no-advertise", 0xffff_ff02),
        ("no-export-subconfed", 0xffff_ff03),
        ("no-peer", 0xffff_ff04),
        ("blackhole", 0xffff_029a),
        ("graceful-shutdown", 0xffff_0000),
        ("65000:7", 65000 << 16 | 7),
    ];
    for (text, value) in rows {
        assert_eq!((Community(value).to_string(), text.parse()), (text.to_owned(), Ok(Community(value))));
    }
    assert_eq!("65535:65281".parse(), Ok(Community::NO_EXPORT));
    for text in ["65536:1", "1:65536", "1", "1:", ":1", "+1:1", "1:2:3", "noexport", ""] {
        let error = text.parse::<Community>().unwrap_err().to_string();
        assert!(error.contains(text) && error.contains("write AS:number (65000:100"), "{error}");
    }
}

/// RFC 9012 section 4.3.
#[test]
fn a_color_is_a_transitive_opaque_extended_community() {
    let color = ExtendedCommunity([0x03, 0x0b, 0, 0, 0, 1, 0x11, 0x70]);
    assert_eq!((ExtendedCommunity::of_color(70_000), color.color()), (color, Some(70_000)));
    assert!(color.is_transitive());
    assert_eq!(color.to_string(), "color:70000");
    let flagged = ExtendedCommunity([0x03, 0x0b, 0x40, 0, 0, 0, 0, 5]);
    assert_eq!((flagged.color(), flagged.to_string()), (Some(5), "color:5/0x4000".to_owned()));
    assert_eq!(ExtendedCommunity([0x00, 0x02, 0xfd, 0xe8, 0, 0, 0, 1]).color(), None);
}

proptest! {
    #[test]
    fn prefixes_read_back(prefix in families().prop_flat_map(prefixes)) {
        prop_assert_eq!(prefix.to_string().parse(), Ok(prefix));
        prop_assert_eq!(Prefix::from(ipnet::IpNet::try_from(prefix).unwrap()), prefix);
    }

    #[test]
    fn distinguishers_read_back(kind in 0..3u8, rest: [u8; 6]) {
        let mut octets = [0; 8];
        octets[1] = kind;
        octets[2..].copy_from_slice(&rest);
        let rd = RouteDistinguisher(octets);
        prop_assert_eq!(rd.to_string().parse(), Ok(rd));
    }
}
