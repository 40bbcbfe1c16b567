//! Which backend a flow has, and for how long.

use std::collections::BTreeSet;

use srv6_types::maps::{backend_flag, flow_kind};

use super::*;

fn request(port: u16, flags: u8) -> Ip {
    ip(CLIENT4, VIP4).tcp(port, 80, flags, 5)
}

fn three() -> [At; 3] {
    [at(1, BACKENDS4[0]), at(2, BACKENDS4[1]), at(3, BACKENDS4[2])]
}

#[test]
fn flows_spread_and_keep_their_backend() {
    let mut lab = Lab::new();
    lab.service(RED, VIP4, 80, TCP, &three());
    let had: Vec<_> = (1000..1060).map(|port| lab.backend_of(&request(port, SYN))).collect();
    for backend in BACKENDS4 {
        let share = had.iter().filter(|had| had.to_string() == backend).count();
        assert!((10..=30).contains(&share), "{backend} has {share} of 60");
    }
    // The table turns round; who has a backend keeps it.
    let [a, b, c] = three();
    lab.service(RED, VIP4, 80, TCP, &[b, c, a]);
    let has: Vec<_> = (1000..1060).map(|port| lab.backend_of(&request(port, ACK))).collect();
    assert_eq!(has, had);
}

#[test]
fn a_draining_backend_keeps_its_flows_and_gets_none() {
    let mut lab = Lab::new();
    let [a, b, _] = three();
    lab.service(RED, VIP4, 80, TCP, &[a]);
    assert_eq!(lab.backend_of(&request(1000, SYN)).to_string(), a.address);
    lab.service(RED, VIP4, 80, TCP, &[b]);
    lab.backend(At { weight: 0, ..a }, 1);
    assert_eq!(lab.backend_of(&request(1000, ACK)).to_string(), a.address);
    assert_eq!(lab.backend_of(&request(1001, SYN)).to_string(), b.address);
    assert_eq!(lab.backend_of(&request(1000, FIN_ACK)).to_string(), a.address);
    assert_eq!(lab.backend_of(&request(1000, ACK)).to_string(), a.address, "the last word");
    assert_eq!(lab.backend_of(&request(1000, SYN)).to_string(), b.address, "the port used again");
}

#[test]
fn flows_of_a_removed_backend_move() {
    let mut lab = Lab::new();
    let [a, b, c] = three();
    lab.service(RED, VIP4, 80, TCP, &[a]);
    assert_eq!(lab.backend_of(&request(1000, SYN)).to_string(), a.address);
    assert_eq!(lab.backend_of(&request(1001, SYN)).to_string(), a.address);
    lab.service(RED, VIP4, 80, TCP, &[b]);
    lab.backend(At { flags: 0, ..a }, 1);
    assert_eq!(lab.backend_of(&request(1000, ACK)).to_string(), b.address, "gone");
    // The slot is another's, and its address is of some other service.
    lab.backend(At { generation: 2, flags: backend_flag::LIVE, slot: a.slot, ..c }, 9);
    assert_eq!(lab.backend_of(&request(1001, ACK)).to_string(), b.address, "the slot is another's");
}

#[test]
fn a_client_keeps_its_backend_under_affinity() {
    let mut lab = Lab::new();
    let affine = |lab: &mut Lab, backends: &[At]| {
        lab.set(RED, VIP4, 80, TCP, backends, backends, |service| service.affinity = 3600);
    };
    affine(&mut lab, &three());
    let backends = |lab: &mut Lab, client: &str, ports: std::ops::Range<u16>| -> BTreeSet<String> {
        let of = |port| lab.backend_of(&ip(client, VIP4).tcp(port, 80, SYN, 5)).to_string();
        ports.map(of).collect()
    };
    let had = backends(&mut lab, CLIENT4, 1000..1030);
    assert_eq!(had.len(), 1, "one client, one backend");
    let clients: Vec<_> = (2..40).map(|host| format!("10.1.0.{host}")).collect();
    let all: BTreeSet<_> = clients.iter().flat_map(|client| backends(&mut lab, client, 7..8)).collect();
    assert_eq!(all.len(), 3, "many clients, all backends");

    let keeps = three().into_iter().find(|at| had.contains(at.address)).unwrap();
    let others: Vec<_> = three().into_iter().filter(|at| at.slot != keeps.slot).collect();
    let [d, e] = [others[0], others[1]];
    affine(&mut lab, &[d, e, keeps, d, e]);
    assert_eq!(backends(&mut lab, CLIENT4, 2000..2030), had, "another table, the same backend");
    affine(&mut lab, &others);
    lab.backend(At { weight: 0, ..keeps }, 1);
    assert!(backends(&mut lab, CLIENT4, 3000..3030).is_disjoint(&had), "a draining backend gets no flows");
}

/// The backend could not tell the two flows apart, nor could we its answers.
#[test]
fn one_port_of_a_client_towards_two_vips_of_one_backend() {
    let mut lab = Lab::new();
    lab.service(RED, VIP4, 80, TCP, &[at(1, BACKENDS4[0])]);
    lab.service(RED, OTHER_VIP4, 80, TCP, &[at(2, BACKENDS4[0])]);
    lab.service(RED, VIP4, 80, SCTP, &[At { port: 80, ..at(3, BACKENDS4[0]) }]);
    lab.service(RED, OTHER_VIP4, 80, SCTP, &[At { port: 80, ..at(4, BACKENDS4[0]) }]);
    lab.assert_balanced("the first", &request(1000, SYN), (BACKENDS4[0], 8080));

    let second = ip(CLIENT4, OTHER_VIP4).tcp(1000, 80, SYN, 5);
    let run = lab.pe.circuit(&second);
    let port = u16::from_be_bytes([run.ip()[20], run.ip()[21]]);
    assert!(port > 1023 && port != 1000, "{port}");
    let there = second.clone().between((CLIENT4, port), (BACKENDS4[0], 8080));
    run.assert_sent("the second", &there.clone().ttl(63));
    lab.pe.circuit(&second).assert_sent("the second, again", &there.clone().ttl(63));
    let answer = there.between((BACKENDS4[0], 8080), (CLIENT4, port));
    let back = answer.clone().between((OTHER_VIP4, 80), (CLIENT4, 1000)).ttl(63);
    let red2 = lab.pe.red2;
    lab.pe.on_circuit(red2, &answer).assert_sent("its answer", &back);
    lab.assert_balanced("the first, again", &request(1000, ACK), (BACKENDS4[0], 8080));

    // The checksum of SCTP covers every octet: its ports stay.
    assert_eq!(lab.pe.circuit(&ip(CLIENT4, VIP4).sctp(1000, 80)).action, REDIRECT);
    assert_eq!(lab.pe.circuit(&ip(CLIENT4, OTHER_VIP4).sctp(1000, 80)).action, SHOT);
    assert_eq!(lab.pe.drops(RED, DropReason::Untranslatable), 1);
}

#[test]
fn no_way_to_a_backend_is_no_backend() {
    let mut lab = Lab::new();
    for (port, backend) in [
        (80, at(1, "172.16.0.1")),
        (81, at(2, VIP4)),
        // Behind another node, that is not told to take it as it is, nor is there an address to translate its source to.
        (82, at(3, REMOTE4)),
    ] {
        let before = lab.pe.drops(RED, DropReason::NoBackend);
        lab.service(RED, VIP4, port, TCP, &[backend]);
        lab.pe.circuit(&ip(CLIENT4, VIP4).tcp(1000, port, SYN, 5));
        assert_eq!(lab.pe.drops(RED, DropReason::NoBackend), before + 1, "{}", backend.address);
    }
}

/// A full table forgets what was used least recently, be it one direction of a flow.
#[test]
fn a_direction_that_was_forgotten_is_remembered_again() {
    let mut lab = Lab::with_one_backend();
    let request = request(1000, SYN);
    lab.assert_balanced("new", &request, (BACKENDS4[0], 8080));
    assert_eq!(lab.pe.forget_flows(RED, flow_kind::REPLY), 1);
    // The other entry is told at most once a second.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    lab.assert_balanced("without the answers' entry", &request, (BACKENDS4[0], 8080));
    assert_eq!(lab.pe.forget_flows(RED, flow_kind::BALANCED), 1);
    lab.assert_balanced("without the requests' entry", &request, (BACKENDS4[0], 8080));
}
