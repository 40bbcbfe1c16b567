//! What is refused before a session is up: RFC 4271 sections 6.1 and 6.2.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use bgp_wire::{
    Context, Family, Message,
    capability::Capability,
    message::{Notification, Open, frame_length},
};

const ROUTER_ID: [u8; 4] = [10, 0, 0, 1];

fn framed(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = (19 + body.len() as u16).to_be_bytes();
    [&[0xff; 16][..], &length, &[kind], body].concat()
}

fn decoded(frame: &[u8]) -> Result<Message, Notification> {
    Message::decode(frame.to_vec().into(), &Context::default())
}

fn refusal(frame: &[u8]) -> (u8, u8, Vec<u8>) {
    let notification = decoded(frame).unwrap_err();
    (notification.code, notification.subcode, notification.payload.to_vec())
}

/// `parameters` with the length octet before them.
fn open(version: u8, asn: u16, hold_time: u16, router_id: [u8; 4], parameters: &[u8]) -> Vec<u8> {
    let (asn, hold_time) = (asn.to_be_bytes(), hold_time.to_be_bytes());
    framed(1, &[&[version][..], &asn, &hold_time, &router_id, parameters].concat())
}

#[test]
fn an_open_that_cannot_be_is_refused_with_its_subcode() {
    let rows = [
        ("version 3", open(3, 1, 90, ROUTER_ID, &[0]), 1, vec![0, 4]),
        ("AS 0, RFC 7607", open(4, 0, 90, ROUTER_ID, &[0]), 2, vec![]),
        ("4-octet AS 0", open(4, 1, 90, ROUTER_ID, &[8, 2, 6, 65, 4, 0, 0, 0, 0]), 2, vec![]),
        ("identifier 0.0.0.0", open(4, 1, 90, [0; 4], &[0]), 3, vec![]),
        ("parameter of type 1", open(4, 1, 90, ROUTER_ID, &[2, 1, 0]), 4, vec![]),
        ("hold time 1", open(4, 1, 1, ROUTER_ID, &[0]), 6, vec![]),
        ("hold time 2", open(4, 1, 2, ROUTER_ID, &[0]), 6, vec![]),
        ("parameters over the end", open(4, 1, 90, ROUTER_ID, &[4, 2, 0]), 0, vec![]),
        ("capability over the end", open(4, 1, 90, ROUTER_ID, &[4, 2, 2, 2, 9]), 0, vec![]),
        ("octets behind the parameters", open(4, 1, 90, ROUTER_ID, &[0, 7]), 0, vec![]),
    ];
    for (what, frame, subcode, payload) in rows {
        assert_eq!(refusal(&frame), (Notification::OPEN, subcode, payload), "{what}");
    }
}

#[test]
fn hold_times_of_zero_and_three_are_fine() {
    for hold_time in [0, 3] {
        assert!(decoded(&open(4, 1, hold_time, ROUTER_ID, &[0])).is_ok());
    }
}

/// One per parameter, all in one parameter, or with the extended lengths of RFC 9072.
#[test]
fn capabilities_mean_the_same_in_any_grouping() {
    let groupings: [&[u8]; 3] = [
        &[12, 2, 6, 1, 4, 0, 1, 0, 128, 2, 2, 2, 0],
        &[10, 2, 8, 1, 4, 0, 1, 0, 128, 2, 0],
        &[255, 255, 0, 11, 2, 0, 8, 1, 4, 0, 1, 0, 128, 2, 0],
    ];
    for parameters in groupings {
        let Ok(Message::Open(open)) = decoded(&open(4, 1, 90, ROUTER_ID, parameters)) else {
            panic!("refused")
        };
        assert_eq!(open.capabilities, [Capability::family(Family::Vpnv4), Capability::RouteRefresh]);
    }
}

#[test]
fn more_capabilities_than_255_octets_take_the_extended_form() {
    let capabilities = vec![Capability::Unknown { code: 200, value: vec![7; 60] }; 10];
    let open = Open { my_as: 1, hold_time: 90, router_id: ROUTER_ID.into(), capabilities };
    let mut frame = Vec::new();
    Message::Open(open.clone()).encode(&Context::default(), &mut frame);
    assert_eq!(frame[28..30], [255, 255]);
    assert_eq!(decoded(&frame), Ok(Message::Open(open)));
}

#[test]
fn a_capability_of_the_wrong_form_is_kept_as_unknown() {
    let frame = open(4, 1, 90, ROUTER_ID, &[7, 2, 5, 65, 3, 1, 2, 3]);
    let Ok(Message::Open(open)) = decoded(&frame) else { panic!("refused") };
    assert_eq!(open.capabilities, [Capability::Unknown { code: 65, value: vec![1, 2, 3] }]);
    assert_eq!((open.asn(), open.families()), (1, vec![Family::Ipv4Unicast]));
}

#[test]
fn a_header_out_of_form_is_refused() {
    let mut marker = framed(4, &[]);
    marker[3] = 0;
    let mut short = framed(4, &[]);
    short[17] = 18;
    let rows = [
        ("marker", marker, 1, vec![]),
        ("length 18", short, 2, vec![0, 18]),
        ("KEEPALIVE with a body", framed(4, &[0]), 2, vec![0, 20]),
        ("UPDATE of 22 octets", framed(2, &[0; 3]), 2, vec![0, 22]),
        ("UPDATE of 4097 octets", framed(2, &[0; 4078]), 2, vec![0x10, 1]),
        ("type 6", framed(6, &[]), 3, vec![6]),
    ];
    for (what, frame, subcode, payload) in rows {
        assert_eq!(refusal(&frame), (Notification::HEADER, subcode, payload), "{what}");
    }
}

/// RFC 8654 section 4: OPEN and KEEPALIVE stay short also where it was negotiated.
#[test]
fn long_messages_are_for_who_negotiated_them() {
    let context = Context { extended_message: true, ..Context::default() };
    let long = framed(2, &[0; 5000]);
    assert!(Message::decode(long.into(), &context).is_ok());
    let long = framed(1, &[4; 5000]);
    assert_eq!(Message::decode(long.into(), &context).unwrap_err().subcode, 2);
}

/// RFC 7313 section 5.
#[test]
fn a_route_refresh_of_the_wrong_length_is_quoted() {
    let frame = framed(5, &[0, 1, 1]);
    assert_eq!(refusal(&frame), (Notification::ROUTE_REFRESH, 1, frame));
}

/// The longest quote would make the answer longer than the length field can say.
#[test]
fn what_a_notification_quotes_is_cut_to_what_the_peer_takes() {
    for (extended_message, longest) in [(false, 4096), (true, 65_535)] {
        let context = Context { extended_message, ..Context::default() };
        let notification = Notification::new(Notification::ROUTE_REFRESH, 1, &framed(5, &[0; 65_516]));
        let mut frame = Vec::new();
        Message::Notification(notification).encode(&context, &mut frame);
        assert_eq!((frame.len(), frame_length(&frame)), (longest, Ok(Some(longest))));
    }
}

#[test]
fn a_frame_is_known_as_soon_as_its_header_is_there() {
    let frame = framed(4, &[]);
    assert_eq!(frame_length(&frame[..18]), Ok(None));
    assert_eq!(frame_length(&frame), Ok(Some(19)));
    assert!(frame_length(&[0xff, 0xfe]).is_err(), "out of step is seen before the header is whole");
}
