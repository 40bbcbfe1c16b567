//! Whatever peers send: no panic, nothing faulty goes out, nothing is left behind.

use bgp_wire::attribute::{Community, PrefixSid, UnknownAttribute};
use proptest::prelude::*;
use srv6_types::{Behavior, Sid, SidStructure};

use super::*;

/// An UPDATE with a bit of everything.
fn rich(vpn: bool) -> Vec<u8> {
    let structure = SidStructure::new(32, 16, 16, 0, Default::default()).unwrap().with_function_transposed();
    let attributes = Attributes {
        med: Some(1),
        local_pref: Some(100),
        communities: vec![Community(1), Community(2)],
        originator_id: Some(Ipv4Addr::new(1, 1, 1, 1)),
        cluster_list: vec![Ipv4Addr::new(2, 2, 2, 2)],
        extended_communities: vec![bgp_wire::attribute::ExtendedCommunity([0, 2, 0, 1, 0, 0, 0, 1])],
        prefix_sid: Some(PrefixSid::l3(Sid([7; 16]), structure, Behavior::END_DT46).0),
        unknown: vec![UnknownAttribute { flags: 0xc0, code: 200, value: Bytes::from_static(b"opaque") }],
        ..path(&[7, 8, 70_000])
    };
    let (mut octets, mut message) = (Vec::new(), Vec::new());
    attributes.encode(None, &context(false), &mut octets);
    let rd = vpn.then_some(RouteDistinguisher([0, 0, 0, 1, 0, 0, 0, 1]));
    let routes = ["10.0.0.0/8", "192.0.2.0/24"].map(|text| Nlri { rd, ..unicast(text) });
    let family = if vpn { Family::Vpnv4 } else { Family::Ipv4Unicast };
    UpdateWriter::new(family, &context(false))
        .announce(next_hop_of(77), &octets, routes, &mut message)
        .unwrap();
    message
}

/// Behind the header, so that the message is still an UPDATE of its length.
fn damage(message: &mut [u8], at: prop::sample::Index, value: u8) {
    let body = &mut message[19..];
    body[at.index(body.len())] = value;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn damaged_updates_do_no_harm(
        updates in prop::collection::vec(
            (1..=4u8, any::<bool>(), prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4)),
            1..12,
        ),
    ) {
        let mut old = session(4, 65004);
        old.receive.four_octet_as = false;
        let mut speaker = Speaker::with([client(1), session(2, AS), session(3, 65003), old]);
        let policy = crate::config::VrfPolicy {
            name: String::new(),
            rd: RouteDistinguisher::default(),
            import: [bgp_wire::attribute::RouteTarget([0, 2, 0, 1, 0, 0, 0, 1])].into(),
            export: BTreeSet::new(),
            next_hop: None,
        };
        speaker.rib.set_vrfs([(VrfId(1), policy)].into());
        for (peer, vpn, places) in updates {
            let mut message = rich(vpn);
            places.into_iter().for_each(|(at, value)| damage(&mut message, at, value));
            speaker.receive(peer, message);
            speaker.flush();
        }
        for peer in 1..=4 {
            speaker.down(peer, &[]);
        }
        speaker.flush();
        prop_assert_eq!(speaker.rib.attribute_sets(), 0);
        prop_assert!(speaker.vrfs.is_empty() && speaker.unicast.is_empty());
        prop_assert!(speaker.rib.peers.is_empty());
    }
}
