//! RFC 7606, attribute by attribute: what is wrong, and what becomes of it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use bgp_wire::{
    Context, Family,
    attribute::{Attributes, Fault, Verdict},
    message::{Notification, Update},
};
use bytes::Bytes;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn context(external: bool) -> Context {
    Context { four_octet_as: true, external, ..Context::default() }
}

const ORIGIN: &str = "40010100";
const AS_PATH: &str = "400206 0201 0000fde9";
const NEXT_HOP: &str = "400304 c0000201";
const REACH: &str = "800e1e 0001 80 0c 0000000000000000c0000201 00 60 000011 0000fde900000001 0a";

/// A body with the attributes given and 10.0.0.0/8 in the classic field.
fn classic(attributes: &str) -> Bytes {
    body(attributes, "08 0a")
}

fn body(attributes: &str, nlri: &str) -> Bytes {
    let attributes = hex(attributes);
    let length = (attributes.len() as u16).to_be_bytes();
    [&[0, 0][..], &length, &attributes, &hex(nlri)].concat().into()
}

/// The UPDATE, and everything that was wrong with it.
fn received(body: Bytes, external: bool) -> (Update, Vec<Fault>, Option<Verdict>) {
    let update = Update::parse(body, &context(external));
    let (_, faults) = Attributes::decode(&update.attributes, &context(external));
    let verdict = update.verdict(&faults);
    let all = update.faults.iter().chain(&faults).cloned().collect();
    (update, all, verdict)
}

/// Each row: an attribute beside the mandatory ones, from an internal peer.
#[test]
fn an_attribute_gets_the_verdict_of_its_section() {
    use Verdict::{AttributeDiscard as Discard, TreatAsWithdraw as Withdraw};
    let rows: &[(&str, &str, u8, Verdict)] = &[
        ("7.4 MED of three octets", "800403 000000", 4, Withdraw),
        ("7.5 LOCAL_PREF of two octets", "400502 0000", 5, Withdraw),
        ("7.6 ATOMIC_AGGREGATE with a value", "400601 00", 6, Discard),
        ("7.7 AGGREGATOR of six octets", "c00706 fde9 0a000001", 7, Discard),
        ("7.8 COMMUNITIES of three octets", "c00803 000000", 8, Withdraw),
        ("7.8 COMMUNITIES, empty", "c00800", 8, Withdraw),
        ("7.9 ORIGINATOR_ID of five octets", "800905 0000000000", 9, Withdraw),
        ("7.10 CLUSTER_LIST of six octets", "800a06 000000000000", 10, Withdraw),
        ("7.10 CLUSTER_LIST, empty", "800a00", 10, Withdraw),
        ("7.14 EXTENDED COMMUNITIES of seven octets", "c01007 00000000000000", 16, Withdraw),
        ("7.14 EXTENDED COMMUNITIES, empty", "c01000", 16, Withdraw),
        ("RFC 8092 LARGE_COMMUNITY of four octets", "c02004 00000000", 32, Withdraw),
        ("RFC 8092 LARGE_COMMUNITY, empty", "c02000", 32, Withdraw),
        ("RFC 6793 AS4_PATH cut short", "c01103 020100", 17, Discard),
        ("RFC 7607 AGGREGATOR of AS 0", "c00708 00000000 0a000001", 7, Discard),
        ("RFC 7607 AS4_PATH with AS 0", "c01106 0201 00000000", 17, Discard),
        ("RFC 7607 AS4_AGGREGATOR of AS 0", "c01208 00000000 0a000001", 18, Discard),
        ("RFC 6793 AS4_AGGREGATOR of six octets", "c01206 000000000000", 18, Discard),
        ("3 c MED flagged transitive", "c00404 00000000", 4, Withdraw),
        ("3 c COMMUNITIES flagged well-known", "400804 00000000", 8, Withdraw),
        ("3 g ORIGIN twice", ORIGIN, 1, Discard),
        ("RFC 8669 TLV over the end", "c02803 010007", 40, Discard),
        ("RFC 9252 service TLV over the end", "c02803 050007", 40, Withdraw),
        ("RFC 9252 service TLV without reserved octet", "c02803 050000", 40, Withdraw),
        ("RFC 9252 sub-TLV over the end", "c02807 050004 00 010001", 40, Withdraw),
        ("RFC 9252 SID Information of two octets", "c02809 050006 00 010002 0000", 40, Withdraw),
        ("4 length over the end of the attributes", "c00808 0000", 8, Withdraw),
        ("4 half a header", "c0", 0, Withdraw),
    ];
    for (what, attribute, code, expected) in rows {
        let (update, faults, verdict) =
            received(classic(&format!("{ORIGIN}{AS_PATH}{NEXT_HOP}{attribute}")), false);
        assert_eq!(verdict.as_ref(), Some(expected), "{what}: {faults:?}");
        assert_eq!(faults[0].attribute.unwrap_or(0), *code, "{what}");
        assert_eq!(update.announced[0].nlri.len(), 1, "{what}: the routes stay known");
    }
}

#[test]
fn a_mandatory_attribute_that_is_wrong_or_missing_withdraws() {
    let rows = [
        ("7.1 ORIGIN 3", format!("40010103{AS_PATH}{NEXT_HOP}"), 1),
        ("7.1 ORIGIN of two octets", format!("4001020000{AS_PATH}{NEXT_HOP}"), 1),
        ("7.2 AS_PATH segment type 5", format!("{ORIGIN}400206 0501 0000fde9{NEXT_HOP}"), 2),
        ("7.2 AS_PATH segment without members", format!("{ORIGIN}400202 0200{NEXT_HOP}"), 2),
        ("7.2 AS_PATH segment over the end", format!("{ORIGIN}400206 0202 0000fde9{NEXT_HOP}"), 2),
        ("RFC 7607 AS_PATH with AS 0", format!("{ORIGIN}400206 0201 00000000{NEXT_HOP}"), 2),
        ("7.3 NEXT_HOP of three octets", format!("{ORIGIN}{AS_PATH}400303 c00002"), 3),
        ("RFC 4271 6.3 NEXT_HOP 0.0.0.0", format!("{ORIGIN}{AS_PATH}400304 00000000"), 3),
        ("3 d no ORIGIN", format!("{AS_PATH}{NEXT_HOP}"), 1),
        ("3 d no AS_PATH", format!("{ORIGIN}{NEXT_HOP}"), 2),
        ("3 d no NEXT_HOP", format!("{ORIGIN}{AS_PATH}"), 3),
    ];
    for (what, attributes, code) in rows {
        let (_, faults, verdict) = received(classic(&attributes), false);
        assert_eq!(verdict, Some(Verdict::TreatAsWithdraw), "{what}: {faults:?}");
        assert_eq!(faults[0].attribute, Some(code), "{what}");
    }
}

/// Sections 7.5, 7.9 and 7.10.
#[test]
fn what_belongs_inside_an_as_is_discarded_from_outside() {
    for attribute in ["400504 00000064", "800904 0a000001", "800a04 0a000001"] {
        let attributes = format!("{ORIGIN}{AS_PATH}{NEXT_HOP}{attribute}");
        assert_eq!(received(classic(&attributes), true).2, Some(Verdict::AttributeDiscard));
        assert_eq!(received(classic(&attributes), false).2, None);
    }
}

/// The fault stands before MP_REACH_NLRI: a walk that ended there would keep the stale routes.
#[test]
fn routes_behind_a_fault_are_still_withdrawn() {
    let (update, _, verdict) = received(body(&format!("800403 000000{ORIGIN}{AS_PATH}{REACH}"), ""), true);
    assert_eq!(verdict, Some(Verdict::TreatAsWithdraw));
    let withdrawn = update.into_withdrawn().withdrawn;
    let routes: Vec<_> = withdrawn[0].nlri.iter().collect();
    assert_eq!(withdrawn[0].nlri.family(), Family::Vpnv4);
    assert_eq!(routes[0].prefix.to_string(), "10.0.0.0/8");
    assert_eq!(routes[0].label, None);
}

/// RFC 4760 section 3: some speakers write one of zeros there.
#[test]
fn a_next_hop_attribute_beside_mp_reach_nlri_is_ignored() {
    for next_hop in ["400304 00000000", "400303 c00002", NEXT_HOP] {
        let (update, faults, verdict) =
            received(body(&format!("{REACH}{ORIGIN}{AS_PATH}{next_hop}"), ""), true);
        assert_eq!((verdict, update.announced.len()), (None, 1), "{faults:?}");
    }
}

#[test]
fn what_hides_the_routes_resets_the_session() {
    let valid = format!("{ORIGIN}{AS_PATH}{NEXT_HOP}");
    let rows = [
        ("3 g MP_REACH_NLRI twice", body(&format!("{REACH}{REACH}{ORIGIN}{AS_PATH}"), ""), 1),
        ("3 g MP_UNREACH_NLRI twice", body("800f03 000180 800f03 000180", ""), 1),
        ("7.11 next hop of five octets", body(&format!("800e0a 0001 80 05 0000000000 00{valid}"), ""), 9),
        ("7.11 MP_REACH_NLRI of two octets", body(&format!("800e02 0001{valid}"), ""), 9),
        ("7.12 MP_UNREACH_NLRI of two octets", body("800f02 0001", ""), 9),
        ("5.3 VPN route of 87 bits", body("800f04 0001 80 57", ""), 9),
        ("5.3 VPN route over the end", body("800f07 0001 80 60 000000", ""), 9),
        ("5.3 33 bits of IPv4", body(&valid, "21 0a00000000"), 10),
        ("5.3 route over the end", body(&valid, "18 0a00"), 10),
        ("5.2 fault and no routes", body("800403 000000", ""), 1),
        ("6.3 unknown well-known attribute", classic(&format!("{valid}40c800")), 2),
        ("withdrawn routes over the end", hex("0005 0000").into(), 1),
        ("attributes over the end", hex("0000 0005 40010100").into(), 1),
        ("nothing at all", Bytes::new(), 1),
    ];
    for (what, body, subcode) in rows {
        let (_, faults, verdict) = received(body, false);
        let Some(Verdict::SessionReset(notification)) = verdict else { panic!("{what}: {faults:?}") };
        assert_eq!((notification.code, notification.subcode), (Notification::UPDATE, subcode), "{what}");
    }
}

/// Section 3 h.
#[test]
fn the_strongest_verdict_wins() {
    let attributes = format!("{ORIGIN}{AS_PATH}{NEXT_HOP}c00706 000000000000 800403 000000");
    let (_, faults, verdict) = received(classic(&attributes), false);
    assert_eq!(faults.len(), 2);
    assert_eq!(verdict, Some(Verdict::TreatAsWithdraw));
}

/// RFC 9252 section 3.2.1: lengths that do not make a SID, and bits transposed beyond it or beyond a label.
#[test]
fn a_sid_structure_that_cannot_be_withdraws() {
    let information = "00 fc000000000100000000000000000000 00 0014 00";
    for structure in ["40402001 0000", "20101000 1530", "20101000 1078", "20101000 10ff"] {
        let sid = format!("c02825 050022 00 01001e {information} 010006 {structure}");
        let (_, faults, verdict) = received(classic(&format!("{ORIGIN}{AS_PATH}{NEXT_HOP}{sid}")), true);
        assert_eq!(verdict, Some(Verdict::TreatAsWithdraw), "{structure}: {faults:?}");
    }
}

#[test]
fn a_well_formed_update_has_no_verdict() {
    assert_eq!(received(classic(&format!("{ORIGIN}{AS_PATH}{NEXT_HOP}")), true).2, None);
    assert_eq!(received(body(&format!("{REACH}{ORIGIN}{AS_PATH}"), ""), true).2, None);
}
