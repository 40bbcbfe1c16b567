//! What the model finds contradictory comes back to its place in the file.

use super::{HEAD, mistake_after_head, mistakes};

#[test]
fn the_place_is_that_of_the_value() {
    assert_eq!(
        mistake_after_head(
            "bgp:\n  neighbors:\n  - { address: 192.0.2.2, asn: 65000, families: [vpnv4] }\n  \
             - { asn: 65000, families: [vpnv6], address: 192.0.2.2 }\n"
        ),
        "8:47: bgp.neighbors[1].address: 192.0.2.2 is bgp.neighbors[0] already; remove one of the two"
    );
}

#[test]
fn a_value_that_is_not_written_is_looked_for_at_its_parent() {
    assert_eq!(
        mistakes(
            "router: { asn: 1, routerId: 192.0.2.1 }\nsrv6: { source: 2001:db8::1 }\nvrfs:\n- name: red\n"
        ),
        ["4:3: vrfs[0].locator: there is no locator to take SIDs from; add one to srv6.locators"]
    );
}

#[test]
fn several_are_in_the_order_of_the_lines() {
    let text = format!(
        "{HEAD}vrfs:\n- {{ name: red, locator: far, rd: 1:1 }}\n- {{ name: red, locator: far, rd: 1:1 }}\n\
         bgp: {{ clusterId: 0.0.0.0 }}\n"
    );
    let places: Vec<_> = mistakes(&text)
        .iter()
        .map(|line| line.splitn(4, ':').take(3).collect::<Vec<_>>().join(":"))
        .collect();
    assert_eq!(
        places,
        [
            "6:25: vrfs[0].locator",
            "7:11: vrfs[1].name",
            "7:25: vrfs[1].locator",
            "7:34: vrfs[1].rd",
            "8:19: bgp.clusterId"
        ]
    );
}

#[test]
fn a_pattern_has_no_hosts() {
    assert_eq!(
        mistake_after_head(
            "vrfs:\n- name: red\n  attachmentCircuits: [{ interface: tap*, hosts: [10.0.0.1] }]\n"
        ),
        "7:50: vrfs[0].attachmentCircuits[0].hosts: tap* may match several interfaces; \
         write the name of the interface that this is on, as a circuit of its own"
    );
}
