//! Nanoseconds per packet, printed and not judged.

use super::{lab::*, support::packet::*};

const TIMES: usize = 4000;

/// The median.
fn cost(lab: &mut Lab, packets: impl Iterator<Item = Ip>) -> u128 {
    let red1 = lab.pe.red1;
    let mut all: Vec<_> = packets.map(|packet| lab.pe.nanoseconds(red1, &packet)).collect();
    all.sort_unstable();
    all[all.len() / 2]
}

#[test]
fn cost_of_a_packet() {
    let mut lab = Lab::with_ports(1024, 64_512, 1);
    let from = |port| ip(HOST4, OUTSIDE4).checked_udp(port, 53, 100);
    let excepted = ip(HOST4, "10.1.9.9").checked_udp(5000, 53, 100);
    lab.leaves(&from(5000));
    let established = cost(&mut lab, std::iter::repeat_n(from(5000), TIMES));
    let not_held = cost(&mut lab, std::iter::repeat_n(excepted.clone(), TIMES));
    let new = cost(&mut lab, (6000..).take(1000).map(from));
    lab.pe.vrf(1, 1, 0);
    let plain = cost(&mut lab, std::iter::repeat_n(excepted, TIMES));
    println!("plain VRF {plain} ns; asked, not held {not_held}; translated {established}; new mapping {new}");
}
