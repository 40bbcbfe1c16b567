//! RFC 6793 section 4.2.3: what a speaker with 2-octet AS numbers passed on is put together again.

use bgp_wire::{
    Context,
    attribute::{Attributes, RawAttributes},
};
use bytes::Bytes;

const AS_TRANS: u32 = 23456;

fn path(code: u8, width: usize, asns: &[u32]) -> Vec<u8> {
    let numbers: Vec<u8> = asns.iter().flat_map(|asn| asn.to_be_bytes()[4 - width..].to_vec()).collect();
    let flags = if code == 2 { 0x40 } else { 0xc0 };
    [&[flags, code, numbers.len() as u8 + 2, 2, asns.len() as u8][..], &numbers].concat()
}

fn decoded(parts: &[Vec<u8>], four_octet_as: bool) -> Attributes {
    let raw = RawAttributes(Bytes::from(parts.concat()));
    let (attributes, faults) = Attributes::decode(&raw, &Context { four_octet_as, ..Context::default() });
    assert_eq!(faults, []);
    attributes
}

#[test]
fn the_front_comes_from_as_path_and_the_rest_from_as4_path() {
    let parts = [path(2, 2, &[65001, AS_TRANS, 65002]), path(17, 4, &[4_200_000_000, 65002])];
    assert_eq!(decoded(&parts, false).as_path.to_string(), "65001 4200000000 65002");
    assert_eq!(decoded(&parts, false).as_path.0.len(), 1);
}

#[test]
fn a_longer_as4_path_is_not_believed() {
    let parts = [path(2, 2, &[AS_TRANS]), path(17, 4, &[1, 2, 3])];
    assert_eq!(decoded(&parts, false).as_path.to_string(), "23456");
}

/// Section 4.1: between speakers that both have the extension it has no place.
#[test]
fn as4_path_is_ignored_from_a_speaker_with_the_extension() {
    let parts = [path(2, 4, &[65001, 65002]), path(17, 4, &[7])];
    assert_eq!(decoded(&parts, true).as_path.to_string(), "65001 65002");
}

#[test]
fn an_aggregator_without_the_extension_voids_both() {
    let aggregator = |asn: u16| [&[0xc0, 7, 6][..], &asn.to_be_bytes(), &[10, 0, 0, 1]].concat();
    let real = vec![0xc0, 18, 8, 0, 1, 0, 0, 10, 0, 0, 2];
    let paths = [path(2, 2, &[AS_TRANS]), path(17, 4, &[65536])].concat();
    let voided = decoded(&[paths.clone(), aggregator(65001), real.clone()], false);
    assert_eq!(
        (voided.aggregator.map(|by| by.asn), voided.as_path.to_string()),
        (Some(65001), "23456".into())
    );
    let merged = decoded(&[paths, aggregator(23456), real], false);
    assert_eq!(
        (merged.aggregator.map(|by| by.asn), merged.as_path.to_string()),
        (Some(65536), "65536".into())
    );
}
