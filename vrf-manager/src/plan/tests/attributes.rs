//! With which attributes routes are originated.

use super::*;
use crate::{
    intent::{EgressGateway, Network, Service},
    testing::{gateway, service},
};

fn attributes(color: u32) -> RouteAttributes {
    RouteAttributes {
        communities: [Community(65000 << 16 | color), Community::NO_EXPORT].into(),
        color: Some(color),
        local_preference: Some(color),
    }
}

fn of_color(routes: &[LocalRoute], color: u32) -> Vec<String> {
    let wanted = attributes(color);
    let communities: Vec<_> = wanted.communities.into_iter().collect();
    let same = |route: &&LocalRoute| {
        (route.color, route.local_pref) == (Some(color), Some(color)) && route.communities == communities
    };
    routes.iter().filter(same).map(|route| route.prefix.to_string()).collect()
}

#[test]
fn every_route_is_originated_as_its_source_says() {
    let mut red = vrf("red").circuit("eth1", &["10.0.0.1/24"]).route("10.9.0.0/16", Via::Blackhole);
    red.redistribute = [(Source::Connected, attributes(1)), (Source::Static, attributes(2))].into();
    let web = service("web", &["10.100.0.1"], &["10.0.0.2"]);
    red.services.push(Service { advertise: Some(attributes(3)), ..web });
    let mut policy = gateway("internet", &["192.0.2.7"]);
    let own = policy.gateway.take().unwrap();
    policy.gateway = Some(EgressGateway { attributes: attributes(4), ..own });
    red.egress.push(policy);
    let mut intent = intent(vec![red]);
    intent.bgp.networks = vec![Network { prefix: net("198.51.100.0/24"), attributes: attributes(5) }];

    let routes = replan(&intent, &links(&["eth1"]), &mut Allocations::default()).advertise;
    assert_eq!(of_color(&routes, 1), ["10.0.0.0/24"]);
    assert_eq!(of_color(&routes, 2), ["10.9.0.0/16"]);
    assert_eq!(of_color(&routes, 3), ["10.100.0.1/32"]);
    assert_eq!(of_color(&routes, 4), ["192.0.2.7/32"]);
    assert_eq!(of_color(&routes, 5), ["198.51.100.0/24"]);
}

#[test]
fn a_change_of_attributes_alone_is_announced_and_nothing_is_withdrawn() {
    let mut red = vrf("red").circuit("eth1", &["10.0.0.1/24"]).route("10.9.0.0/16", Via::Blackhole);
    let before = planned(vec![red.clone()], &["eth1"]).advertise;
    red.redistribute.insert(Source::Static, attributes(2));
    let after = planned(vec![red], &["eth1"]).advertise;
    let told = Advertisements::between(&before, &after);
    assert_eq!(told.withdraw, []);
    assert_eq!(of_color(&told.announce, 2), ["10.9.0.0/16"]);
    assert_eq!(told.announce.len(), 1);
}
