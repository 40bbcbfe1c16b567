use std::{collections::BTreeMap, net::Ipv4Addr};

use proptest::prelude::*;

use super::*;

fn candidate(host: u32, weight: u16) -> Candidate {
    Candidate { at: (Ipv4Addr::from(0x0a01_0000 + host).into(), 8080), weight }
}

fn equal(hosts: impl IntoIterator<Item = u32>) -> Vec<Candidate> {
    hosts.into_iter().map(|host| candidate(host, 1)).collect()
}

/// The backend of each entry.
fn backends(candidates: &[Candidate]) -> Vec<Candidate> {
    table(candidates).into_iter().map(|position| candidates[position]).collect()
}

fn entries_of(candidates: &[Candidate]) -> BTreeMap<Candidate, usize> {
    let mut entries: BTreeMap<_, _> = candidates.iter().map(|candidate| (*candidate, 0)).collect();
    for backend in backends(candidates) {
        *entries.entry(backend).or_default() += 1;
    }
    entries
}

/// Another version, on another node, has to make this very table.
#[test]
fn the_table_is_the_same_for_ever() {
    let two = table(&equal([1, 2]));
    assert_eq!(
        (two.len(), &two[..24]),
        (251, &[0, 0, 0, 1, 0, 1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 0, 0, 0, 0][..])
    );
    let v6 = |host: u16| Candidate {
        at: (std::net::Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, host).into(), 53),
        weight: 1,
    };
    assert_eq!(
        &table(&[v6(1), v6(2), v6(3)])[..24],
        [2, 2, 2, 1, 0, 1, 1, 1, 1, 1, 0, 1, 2, 2, 1, 2, 2, 1, 0, 0, 0, 1, 0, 1]
    );
}

#[test]
fn no_backend_makes_no_table_and_one_takes_all() {
    assert_eq!(table(&[]), []);
    assert_eq!(table(&equal([7])), vec![0; 251]);
}

#[test]
fn the_table_grows_with_backends_and_with_unlike_weights() {
    let sizes: Vec<_> = [1, 2, 3, 5, 10, 20, 100, 655, 5000].map(|number| size(&equal(0..number))).into();
    assert_eq!(sizes, [251, 251, 509, 509, 1021, 2039, 16_381, 65_521, 65_521]);
    assert_eq!(size(&[candidate(1, 100), candidate(2, 100)]), 251);
    assert_eq!(size(&[candidate(1, 256), candidate(2, 1)]), 4093);
    assert!(SIZES.iter().all(|size| (2..*size).take_while(|n| n * n <= *size).all(|n| size % n != 0)));
}

#[test]
fn equal_backends_have_equal_shares() {
    for number in [2, 3, 7, 50, 300] {
        let entries = entries_of(&equal(0..number));
        let (least, most) = (entries.values().min().unwrap(), entries.values().max().unwrap());
        assert!(most - least <= 1, "{number} backends have {least} to {most} entries");
    }
}

#[test]
fn shares_are_as_weights() {
    let candidates = [candidate(1, 1), candidate(2, 2), candidate(3, 7)];
    let (size, entries) = (size(&candidates) as usize, entries_of(&candidates));
    for candidate in candidates {
        let share = size * usize::from(candidate.weight) / 10;
        assert!(
            entries[&candidate].abs_diff(share) <= 2,
            "{candidate:?} has {} of {size}",
            entries[&candidate]
        );
    }
}

/// The paper's figure 12 has some hundredths for tables a hundred times as large as the number of backends.
#[test]
fn a_backend_that_goes_moves_few_entries_of_the_others() {
    let all = equal(0..10);
    let before = backends(&all);
    for gone in 0..10 {
        let left: Vec<_> = all.iter().filter(|candidate| **candidate != all[gone]).copied().collect();
        assert_eq!(size(&left), size(&all), "of another size tables have nothing in common");
        let after = backends(&left);
        let moved = before
            .iter()
            .zip(&after)
            .filter(|(before, after)| **before != all[gone] && before != after)
            .count();
        assert!(moved * 10 < before.len(), "without {gone} {moved} of {} moved", before.len());
    }
}

fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
    prop::collection::btree_map(0u32..1000, 1u16..=256, 1..40)
        .prop_map(|weights| weights.into_iter().map(|(host, weight)| candidate(host, weight)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn every_backend_has_a_share_near_its_weight(candidates in candidates()) {
        let (size, entries) = (f64::from(size(&candidates)), entries_of(&candidates));
        let sum: u32 = candidates.iter().map(|candidate| u32::from(candidate.weight)).sum();
        for (candidate, entries) in entries {
            let share = size * f64::from(candidate.weight) / f64::from(sum);
            prop_assert!((entries as f64 - share).abs() <= 2.0 + share / 100.0, "{candidate:?}: {entries}, not {share}");
        }
    }
}
