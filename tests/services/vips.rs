//! Who serves whom, and what ICMP says of it.

use std::{collections::BTreeSet, io, net::SocketAddr};

use lab::Signal;

use crate::{
    hosts::{Answer, Connection, ask},
    net::{Net, TENANTS, Vip, backends, host, names},
    peers::items,
};

/// So many that each of three backends gets one of them, all but once in a hundred thousand times.
const REQUESTS: u16 = 30;

/// Asks from the same ports in both tenants, who thus have all five parts of the tuple in common.
#[track_caller]
fn assert_served(net: &Net, vip: Vip, site: u8, expected: impl Fn(&str, &BTreeSet<&str>) -> bool, tcp: bool) {
    for to in vip.sockets() {
        let mut open: Vec<Connection> = Vec::new();
        let mut answers = [Vec::new(), Vec::new()];
        // Other ports for each VIP: the backends, which are the same, tell clients apart by port.
        let first = 20_000 + 1000 * vip as u16;
        for port in first..first + REQUESTS {
            for (tenant, answers) in TENANTS.iter().zip(&mut answers) {
                answers.push(if tcp {
                    open.push(net.connect(tenant, site, port, to));
                    open.last().unwrap().answer.clone()
                } else {
                    net.ask(tenant, site, port, to)
                });
                assert_eq!(answers.last().unwrap().sees, SocketAddr::new(host(site, to.is_ipv4()), port));
            }
        }
        for (tenant, answers) in TENANTS.iter().zip(&answers) {
            assert!(expected(tenant, &names(answers)), "{tenant}, {to}: {:?}", names(answers));
        }
        open.iter_mut().for_each(|connection| connection.echoes().unwrap());
    }
}

/// That all of these backends have answered, and no others.
fn all_of(numbers: &'static [u8]) -> impl Fn(&str, &BTreeSet<&str>) -> bool {
    |tenant, answered| {
        backends(tenant, numbers).iter().map(String::as_str).collect::<BTreeSet<_>>() == *answered
    }
}

#[test]
fn tenants_with_the_same_vips_are_served_by_their_own_backends_which_see_the_client() {
    let net = Net::up("vips");
    for site in [1, 3] {
        assert_served(&net, Vip::Web, site, all_of(&[1, 2, 3]), true);
        assert_served(&net, Vip::Dns, site, all_of(&[1, 2, 3]), false);
    }
    for tcp in [true, false] {
        assert_served(&net, Vip::Shop, 1, all_of(&[1, 2]), tcp);
        let behind_one_node = |tenant: &str, answered: &BTreeSet<&str>| {
            all_of(&[1, 2])(tenant, answered) || all_of(&[3])(tenant, answered)
        };
        assert_served(&net, Vip::Shop, 3, behind_one_node, tcp);
    }
    assert_sids_say_who_chooses(&net);
}

/// Under Cluster policy a VIP has a SID of its own, under Local the VRF's ordinary one.
#[track_caller]
fn assert_sids_say_who_chooses(net: &Net) {
    let sids = |prefix: &str| -> BTreeSet<String> {
        let paths = net.pe("pe3").paths("vpnv4", prefix);
        paths.iter().map(|path| path["sid"].as_str().unwrap().to_owned()).collect()
    };
    let ordinary: BTreeSet<_> = sids("10.0.11.0/24").union(&sids("10.0.13.0/24")).cloned().collect();
    assert_eq!(ordinary.len(), 4, "two nodes, two tenants");
    assert_eq!(sids("10.100.0.3/32"), ordinary);
    let of_cluster = sids("10.100.0.1/32");
    assert_eq!(of_cluster.len(), 4);
    assert!(of_cluster.is_disjoint(&ordinary), "{of_cluster:?} {ordinary:?}");
    let all = net.pe("pe1").show(&["sids"]);
    let balancing = items(&all["sids"]).filter(|sid| of_cluster.contains(sid["sid"].as_str().unwrap()));
    assert_eq!(balancing.count(), 2);
}

#[test]
fn what_icmp_says_of_a_backend_is_said_of_the_vip() {
    let net = Net::up("icmp");
    let refusal =
        |site: u8, to: SocketAddr| -> io::Result<Answer> { ask(&net.node(&format!("red-c{site}")), 0, to) };
    for to in Vip::Dns.addresses() {
        net.node("red-c3").check(["ping", "-n", "-c", "2", "-i", "0.1", "-W", "2", &to.to_string()]);
    }
    for number in [1, 2, 3] {
        net.node(&format!("red-b{number}")).kill_main(Signal::SIGKILL).unwrap();
    }
    for to in Vip::Dns.sockets() {
        for site in [1, 3] {
            // Several: by way of every backend. The kernel of the client takes it for its own only if the quote is right.
            for _ in 0..8 {
                let error = refusal(site, to).unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused, "red-c{site} to {to}: {error}");
            }
        }
        net.ask("blue", 3, 0, to);
    }
}
