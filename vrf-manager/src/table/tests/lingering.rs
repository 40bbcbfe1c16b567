//! VIPs and egress addresses are withdrawn first, then removed.

use srv6_dp::model::{ServiceId, Transport};

use super::*;
use crate::{
    intent::{BackendState, Service, TrafficPolicy},
    testing::{gateway, policy, service, vrf},
};

fn red() -> Vrf {
    vrf("red").circuit("eth1", &["10.0.0.1/24"])
}

fn web() -> Service {
    service("web", &["10.100.0.1"], &["10.0.0.2"])
}

fn withdrawn(transition: &Transition) -> Vec<String> {
    transition.withdraw.iter().map(|(_, prefix)| prefix.to_string()).collect()
}

const VIP: &str = "10.100.0.1/32";
const WEB: ServiceId = ServiceId {
    vrf: RED,
    address: std::net::IpAddr::V4(std::net::Ipv4Addr::new(10, 100, 0, 1)),
    transport: Transport::Tcp,
    port: 80,
};

#[test]
fn a_vip_that_goes_serves_until_others_have_heard() {
    let mut pe = Pe::new(vec![red().service(web())], &["eth1"]);
    let before = pe.dataplane.clone();
    let transition = pe.configure(&intent(vec![red()]));
    assert_eq!((withdrawn(&transition), transition.lingers), (vec![VIP.to_owned()], true));
    assert_eq!((&transition.make, &transition.remove), (&vec![], &vec![]));
    assert_eq!(pe.dataplane, before, "its service, its route, its SID and the flow table stay");
    assert_eq!(pe.tables.state(), before, "so does whoever brings the dataplane back into step");
    assert!(pe.tables.lingers());
    let gone = pe.let_go();
    assert!(gone.contains(&Change::RemoveService(WEB)), "{gone:?}");
    assert_eq!((pe.route(RED, VIP), pe.dataplane.vrfs[&RED].flows), (None, None));
    assert_eq!(pe.dataplane.sids.len(), 1, "the SID that balances is gone");
    assert!(!pe.tables.lingers() && pe.let_go().is_empty());
}

#[test]
fn a_vip_that_comes_back_in_time_was_never_away() {
    let mut pe = Pe::new(vec![red().service(web())], &["eth1"]);
    pe.configure(&intent(vec![red()]));
    let back = pe.configure(&intent(vec![red().service(web())]));
    assert_eq!((back.make, back.remove, back.announce.len()), (vec![], vec![], 1));
    assert!(!pe.tables.lingers());
}

#[test]
fn what_lingers_is_not_cut_short_by_another_plan() {
    let mut pe = Pe::new(vec![red().service(web())], &["eth1"]);
    pe.configure(&intent(vec![red()]));
    let other = pe.configure(&intent(vec![red(), vrf("blue")]));
    assert_eq!((other.remove, other.lingers), (vec![], false), "nothing has begun to");
    assert!(pe.dataplane.services.contains_key(&WEB));
    pe.let_go();
    assert!(pe.dataplane.services.is_empty());
}

#[test]
fn a_lingering_vip_hides_that_of_another_node_until_it_goes() {
    let mut pe = Pe::new(vec![red().service(web())], &["eth1"]);
    pe.configure(&intent(vec![red()]));
    assert_eq!(pe.learn(RED, VIP, Some(path("fc00:0:2:1::"))), None, "known here are the backends of ours");
    assert_eq!(pe.route(RED, VIP), Some(NextHop::Service));
    let gone = pe.let_go();
    assert!(!gone.contains(&Change::RemoveRoute(RED, VIP.parse().unwrap())), "never absent: {gone:?}");
    assert_eq!(pe.route(RED, VIP), Some(encapsulate("fc00:0:2:1::")));
}

#[test]
fn an_egress_address_that_goes_yields_to_another_gateway_at_once() {
    let mut pe = Pe::new(vec![red().egress(gateway("internet", &["192.0.2.7"]))], &["eth1"]);
    let transition = pe.configure(&intent(vec![red().egress(policy("internet", &["192.0.2.7"]))]));
    assert_eq!(withdrawn(&transition), ["192.0.2.7/32"]);
    assert_eq!(pe.route(RED, "192.0.2.7/32"), Some(NextHop::Egress), "answers are on their way");
    pe.learn(RED, "192.0.2.7/32", Some(path("fc00:0:2:1::")));
    assert_eq!(pe.route(RED, "192.0.2.7/32"), Some(encapsulate("fc00:0:2:1::")));
    assert_eq!(pe.dataplane.egress_addresses.len(), 1, "packets on its SID are on their way");
    pe.learn(RED, "192.0.2.7/32", None);
    assert_eq!(pe.route(RED, "192.0.2.7/32"), Some(NextHop::Egress), "the other gateway has gone");
    pe.let_go();
    assert_eq!(pe.route(RED, "192.0.2.7/32"), None);
    assert!(pe.dataplane.egress_addresses.is_empty());
}

#[test]
fn a_service_that_loses_its_last_ready_backend_is_withdrawn_and_stays() {
    let mut pe = Pe::new(vec![red().service(web())], &["eth1"]);
    for state in [BackendState::Draining, BackendState::Down] {
        let mut web = web();
        web.backends[0].state = state;
        let transition = pe.configure(&intent(vec![red().service(web)]));
        assert_eq!(withdrawn(&transition).len(), usize::from(state == BackendState::Draining));
        assert_eq!(pe.route(RED, VIP), Some(NextHop::Service), "clients are told");
        let kept = usize::from(state == BackendState::Draining);
        assert_eq!(pe.dataplane.services[&WEB].backends.len(), kept, "who drains keeps its flows");
    }
    assert!(!pe.tables.lingers());
    let back = pe.configure(&intent(vec![red().service(web())]));
    assert_eq!(back.announce.len(), 1);
}

#[test]
fn a_backend_whose_circuit_goes_down_takes_the_vip_along() {
    let mut pe = Pe::new(vec![red().service(web())], &["eth1"]);
    pe.links.0.get_mut("eth1").unwrap().up = false;
    let down = pe.configure(&intent(vec![red().service(web())]));
    assert_eq!(withdrawn(&down), ["10.0.0.0/24", VIP]);
    assert!(pe.dataplane.services[&WEB].backends.is_empty());
}

#[test]
fn services_of_a_vrf_that_goes_do_not_linger() {
    let mut pe = Pe::new(vec![red().service(web()).egress(gateway("out", &["192.0.2.7"]))], &["eth1"]);
    pe.configure(&intent(vec![vrf("blue")]));
    assert!(!pe.tables.lingers());
    assert!(pe.dataplane.services.is_empty() && pe.dataplane.egress_addresses.is_empty());
    assert!(pe.dataplane.egress_policies.is_empty());
}

#[test]
fn what_lingers_goes_with_its_vrf() {
    let mut pe = Pe::new(vec![red().service(web())], &["eth1"]);
    pe.configure(&intent(vec![red()]));
    pe.configure(&intent(vec![vrf("blue")]));
    assert!(!pe.tables.lingers() && pe.dataplane.services.is_empty());
}

/// Nothing of red may be left for a moment when its number is blue's.
#[test]
fn an_id_given_to_another_tenant_loses_all_translations_first() {
    let red = || {
        let mut red = red()
            .service(Service { traffic_policy: TrafficPolicy::Local, ..web() })
            .egress(gateway("internet", &["192.0.2.7"]))
            .rule(crate::testing::drops("all"));
        red.circuits[0].filter = vec![crate::testing::drops("own")];
        red
    };
    for lingering in [false, true] {
        let mut pe = Pe::new(vec![red()], &["eth1"]);
        if lingering {
            pe.configure(&intent(vec![vrf("red")]));
        }
        pe.allocations = Allocations::default();
        let before = pe.dataplane.clone();
        let Transition { make, .. } = pe.configure(&intent(vec![vrf("blue").service(web())]));
        let emptied = make.iter().position(|c| *c == Change::RemoveVrf(RED)).unwrap();
        let set = make.iter().position(|c| matches!(c, Change::SetVrf(..))).unwrap();
        assert!(emptied < set, "{make:?}");
        let mut between = before;
        make[..=emptied].iter().for_each(|change| between.apply(change).unwrap());
        let State { node, core, .. } = between.clone();
        assert_eq!(between, State { node, core, ..State::default() }, "lingering: {lingering}");
        assert!(!pe.tables.lingers());
    }
}

#[test]
fn an_agent_that_starts_anew_keeps_services_and_removes_those_of_an_older_plan() {
    let mut pe = Pe::new(vec![red().service(web())], &["eth1"]);
    let same = pe.restart(&intent(vec![red().service(web())]));
    assert_eq!((same.make, same.remove), (vec![], vec![]));
    let gone = pe.restart(&intent(vec![red()]));
    assert!(gone.remove.contains(&Change::RemoveService(WEB)), "{gone:?}");
    assert!(!pe.tables.lingers());
}
