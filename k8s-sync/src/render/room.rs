//! What the maps of the node have no room for, all VRFs together: left out and told, so that everything else goes on.
//!
//! Who comes first by name has it. A pod whose rules find no room is cut off where a policy isolates it.

use std::{collections::BTreeSet, mem, net::IpAddr};

use srv6_dp::{filter::compile, model::Action};
use vrf_manager::intent::{Circuit, EgressPolicy, Service, limits};

use super::{
    Problem, Reason,
    draft::{Draft, Origin},
    network_policy,
};

/// What is left.
struct Room {
    vip_ports: usize,
    backends: usize,
    egress_addresses: usize,
    egress_policies: usize,
    egress_sources: [usize; 2],
    filter_rules: usize,
    filter_matches: usize,
}

/// Makes the VRFs of a node fit.
pub(super) fn fit(draft: &mut Draft, problems: &mut Vec<Problem>) {
    let mut room = Room {
        vip_ports: limits::VIP_PORTS,
        backends: limits::BACKENDS,
        egress_addresses: limits::EGRESS_ADDRESSES,
        egress_policies: limits::EGRESS_POLICIES,
        egress_sources: [limits::EGRESS_SOURCES; 2],
        filter_rules: limits::FILTER_RULES,
        filter_matches: limits::FILTER_MATCHES,
    };
    for (vrf, origins) in draft.intent.vrfs.iter_mut().zip(&mut draft.vrfs) {
        let of_service = |service: &Service| room.takes_service(service);
        keep(&mut vrf.services, &mut origins.services, of_service, problems);
        let mut owned = BTreeSet::new();
        let of_policy = |policy: &EgressPolicy| room.takes_policy(policy, &mut owned);
        keep(&mut vrf.egress, &mut origins.egress, of_policy, problems);
        for (circuit, origin) in vrf.circuits.iter_mut().zip(&origins.circuits) {
            if !room.takes_filter(circuit) {
                // What isolates the pod.
                circuit.filter.retain(|rule| rule.action == Action::Drop);
                let rules = "the rules of its NetworkPolicies: it is cut off where they isolate it";
                problems.push(no_room(origin, rules));
            }
        }
    }
}

fn keep<T>(
    parts: &mut Vec<T>,
    origins: &mut Vec<Origin>,
    mut fits: impl FnMut(&T) -> bool,
    problems: &mut Vec<Problem>,
) {
    let all = mem::take(parts).into_iter().zip(mem::take(origins));
    let (kept, left_out): (Vec<_>, Vec<_>) = all.partition(|(part, _)| fits(part));
    (*parts, *origins) = kept.into_iter().unzip();
    problems.extend(left_out.iter().map(|(_, origin)| no_room(origin, "it, and leaves it out")));
}

fn no_room(Origin { object, path }: &Origin, what: &str) -> Problem {
    let message = format!(
        "{path}: the node has no room for {what}; remove what is not needed, or give its VRFs fewer nodes each"
    );
    Problem::new(object.clone(), Reason::LimitExceeded, message)
}

/// Takes all of it or nothing.
fn take<const N: usize>(rooms: [(&mut usize, usize); N]) -> bool {
    let fits = rooms.iter().all(|(left, wanted)| **left >= *wanted);
    if fits {
        rooms.into_iter().for_each(|(left, wanted)| *left -= wanted);
    }
    fits
}

impl Room {
    fn takes_service(&mut self, service: &Service) -> bool {
        let ports = service.addresses.len() * service.ports.len();
        take([(&mut self.vip_ports, ports), (&mut self.backends, limits::backends_of(service))])
    }

    /// `owned` are the VRF's addresses that are counted already.
    fn takes_policy(&mut self, policy: &EgressPolicy, owned: &mut BTreeSet<IpAddr>) -> bool {
        let of_gateway = policy.gateway.iter().flat_map(|gateway| &gateway.addresses);
        let own: BTreeSet<_> = of_gateway.filter(|address| !owned.contains(address)).copied().collect();
        let of_family = |v4| policy.sources.iter().filter(|net| net.addr().is_ipv4() == v4).count();
        let [v4, v6] = &mut self.egress_sources;
        let taken = take([
            (&mut self.egress_policies, 1),
            (&mut self.egress_addresses, own.len()),
            (v4, of_family(true)),
            (v6, of_family(false)),
        ]);
        if taken {
            owned.extend(own);
        }
        taken
    }

    fn takes_filter(&mut self, circuit: &Circuit) -> bool {
        let filter = network_policy::of_each_family(&circuit.filter);
        // What cannot be compiled alone was told of before.
        let matches = compile(&filter).map_or(usize::MAX, |compiled| compiled.matches.len());
        take([(&mut self.filter_rules, filter.rules.len()), (&mut self.filter_matches, matches)])
    }
}

#[cfg(test)]
mod tests {
    use srv6_dp::model::Direction;
    use vrf_manager::intent::{self, FilterRule};

    use super::*;

    fn room() -> Room {
        Room {
            vip_ports: 4,
            backends: 8,
            egress_addresses: 1,
            egress_policies: 2,
            egress_sources: [1, 1],
            filter_rules: 5,
            filter_matches: 2,
        }
    }

    fn service(vips: &[&str], backends: &[&str]) -> Service {
        let address = |text: &&str| text.parse().unwrap();
        let backend = |text| intent::Backend { address: address(text), weight: 1, state: Default::default() };
        let port =
            |port| intent::ServicePort { transport: srv6_dp::model::Transport::Tcp, port, target_port: port };
        Service {
            name: "web".into(),
            addresses: vips.iter().map(address).collect(),
            ports: vec![port(80), port(81)],
            backends: backends.iter().map(backend).collect(),
            traffic_policy: Default::default(),
            affinity: None,
            remote: Default::default(),
            advertise: None,
            graceful_shutdown: false,
        }
    }

    #[test]
    fn services_take_ports_of_vips_and_backends_of_each() {
        let mut room = room();
        assert!(!room.takes_service(&service(&["10.0.0.1", "10.0.0.2", "10.0.0.3"], &[])), "6 of 4 ports");
        assert!(!room.takes_service(&service(&["10.0.0.1"], &["10.1.0.1"; 5])), "10 of 8 backends");
        assert!(room.takes_service(&service(&["10.0.0.1"], &["10.1.0.1", "10.1.0.2", "fd00::1"])));
        assert_eq!((room.vip_ports, room.backends), (2, 4));
    }

    #[test]
    fn an_address_that_two_policies_of_a_vrf_share_takes_one_place() {
        let gateway = intent::EgressGateway {
            addresses: vec!["192.0.2.7".parse().unwrap()],
            attributes: Default::default(),
            ports: (1024, 65535),
            port_block: 128,
            graceful_shutdown: false,
        };
        let mut policy = EgressPolicy {
            name: "internet".into(),
            sources: vec![],
            circuits: vec![],
            destinations: vec![],
            except: vec![],
            addresses: gateway.addresses.clone(),
            gateway: Some(gateway),
        };
        let (mut room, mut owned) = (room(), BTreeSet::new());
        assert!(room.takes_policy(&policy, &mut owned));
        assert!(!room.takes_policy(&policy, &mut BTreeSet::new()), "of another VRF it is another address");
        policy.sources = vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        assert!(room.takes_policy(&policy, &mut owned));
        assert!(!room.takes_policy(&policy, &mut owned), "a third policy");
    }

    #[test]
    fn filters_take_rules_of_each_family() {
        let drops = FilterRule {
            name: "all".into(),
            direction: Direction::In,
            prefix: None,
            protocol: None,
            ports: None,
            action: Action::Drop,
        };
        let circuit = |filter| Circuit {
            interface: "veth0".into(),
            addresses: vec![],
            hosts: vec![],
            host_mac: None,
            proxy: false,
            probes: true,
            filter,
        };
        let web = FilterRule { protocol: Some(6), ports: Some((80, 80)), ..drops.clone() };
        let mut room = room();
        assert!(room.takes_filter(&circuit(vec![drops.clone(), drops.clone()])));
        assert!(!room.takes_filter(&circuit(vec![drops.clone()])), "2 of 1 rule");
        room.filter_rules = 8;
        assert!(!room.takes_filter(&circuit(vec![web])), "4 of 2 matches");
        assert!(room.takes_filter(&circuit(vec![])));
    }
}
