use super::*;
use crate::testing::{locator, via, vrf};

fn red() -> Vrf {
    vrf("red").circuit("eth1", &["10.0.0.1/24"])
}

fn position(changes: &[Change], wanted: impl Fn(&Change) -> bool) -> usize {
    changes.iter().position(wanted).unwrap()
}

#[test]
fn the_same_plan_again_is_no_change() {
    let mut pe = Pe::new(vec![red()], &["eth1"]);
    assert!(pe.configure(&intent(vec![red()])).is_empty());
}

#[test]
fn a_vrf_is_made_before_it_is_announced() {
    let mut pe = Pe::new(vec![], &["eth1"]);
    let Transition { withdraw, make, announce, remove, lingers } = pe.configure(&intent(vec![red()]));
    assert_eq!((withdraw, remove, lingers), (vec![], vec![], false));
    assert_eq!(announce.len(), 1);
    let vrf = position(&make, |c| matches!(c, Change::SetVrf(..)));
    let circuit = position(&make, |c| matches!(c, Change::SetCircuit(..)));
    let route = position(&make, |c| matches!(c, Change::SetRoute(..)));
    let sid = position(&make, |c| matches!(c, Change::SetSid(..)));
    assert!(vrf < circuit && circuit < route && route < sid, "{make:?}");
}

#[test]
fn a_vrf_is_withdrawn_before_it_is_removed() {
    let mut pe = Pe::new(vec![red(), vrf("blue")], &["eth1"]);
    pe.learn(RED, "10.1.0.0/16", Some(path("fc00:0:2:1::")));
    let Transition { withdraw, make, announce, remove, lingers } = pe.configure(&intent(vec![vrf("blue")]));
    assert_eq!(withdraw, [(RED, "10.0.0.0/24".parse().unwrap())]);
    assert_eq!((make, announce), (vec![], vec![]));
    assert!(matches!(remove.first(), Some(Change::RemoveSid(_))), "{remove:?}");
    assert!(!lingers && !pe.tables.lingers(), "nothing leads into a VRF that is gone");
    assert_eq!(remove.last(), Some(&Change::RemoveVrf(RED)));
    assert!(pe.dataplane.routes.is_empty());
}

#[test]
fn a_renumbered_locator_has_both_sids_while_the_new_one_is_announced() {
    let mut pe = Pe::new(vec![red()], &["eth1"]);
    let mut moved = intent(vec![red()]);
    moved.srv6.locators = vec![locator("main", "fc00:0:9::", [32, 16, 16, 0])];
    let Transition { withdraw, make, announce, remove, lingers } = pe.configure(&moved);
    assert_eq!((withdraw, remove, lingers), (vec![], vec![], true));
    assert!(matches!(make.last(), Some(Change::SetSid(s, _)) if *s == sid("fc00:0:9:1::")), "{make:?}");
    assert_eq!(announce[0].sid.unwrap().sid, sid("fc00:0:9:1::"));
    let Some(Change::SetNode(during)) = make.first() else { panic!("{make:?}") };
    assert_eq!(during.locators.len(), 2, "the old locator is ours until its SID is gone");
    let gone = pe.let_go();
    assert!(gone.contains(&Change::RemoveSid(sid("fc00:0:1:1::"))));
    assert!(matches!(gone.last(), Some(Change::SetNode(node)) if node.locators.len() == 1), "{gone:?}");
}

#[test]
fn a_sid_found_in_the_dataplane_that_is_not_planned_does_not_linger() {
    let mut pe = Pe::new(vec![red()], &["eth1"]);
    let mut moved = intent(vec![red()]);
    moved.srv6.locators = vec![locator("main", "fc00:0:9::", [32, 16, 16, 0])];
    let Transition { remove, .. } = pe.restart(&moved);
    assert_eq!(remove.first(), Some(&Change::RemoveSid(sid("fc00:0:1:1::"))));
    assert!(!pe.tables.lingers());
}

#[test]
fn an_interface_that_changes_tenants_is_moved_in_one_step() {
    let mut pe = Pe::new(vec![red(), vrf("blue")], &["eth1"]);
    let blue = vrf("blue").circuit("eth1", &["10.0.0.1/24"]);
    let transition = pe.configure(&intent(vec![vrf("red"), blue]));
    assert_eq!(transition.withdraw, [(RED, "10.0.0.0/24".parse().unwrap())]);
    assert_eq!(transition.announce.len(), 1);
    let unset = |c: &Change| matches!(c, Change::RemoveCircuit(_));
    assert!(!transition.make.iter().chain(&transition.remove).any(unset), "{transition:?}");
}

#[test]
fn an_id_given_to_another_tenant_is_emptied_first() {
    let mut pe = Pe::new(vec![red()], &["eth1"]);
    pe.learn(RED, "10.1.0.0/16", Some(path("fc00:0:2:1::")));
    pe.allocations = Allocations::default();
    let blue = vrf("blue").route("10.0.0.0/8", crate::intent::Via::Blackhole);
    let Transition { make, .. } = pe.configure(&intent(vec![blue]));
    let emptied = position(&make, |c| *c == Change::RemoveVrf(RED));
    let set = position(&make, |c| matches!(c, Change::SetVrf(..)));
    assert!(emptied < set, "{make:?}");
    assert_eq!(pe.dataplane.routes.len(), 1, "{:?}", pe.dataplane.routes);
}

#[test]
fn a_link_that_goes_down_is_withdrawn_and_comes_back() {
    let red = || red().route("10.9.0.0/16", via("10.0.0.2"));
    let mut pe = Pe::new(vec![red()], &["eth1"]);
    pe.links.0.get_mut("eth1").unwrap().up = false;
    let down = pe.configure(&intent(vec![red()]));
    assert_eq!(down.withdraw.len(), 2);
    assert_eq!(down.make, []);
    pe.links.0.get_mut("eth1").unwrap().up = true;
    let up = pe.configure(&intent(vec![red()]));
    assert_eq!((up.make.len(), up.announce.len(), up.remove), (3, 2, vec![]));
}

#[test]
fn advertisements_differ_by_prefix_and_sid() {
    let route = |vrf, prefix: &str, med| LocalRoute {
        vrf,
        prefix: prefix.parse().unwrap(),
        sid: None,
        med,
        local_pref: None,
        communities: Vec::new(),
        color: None,
    };
    let old =
        [route(RED, "10.0.0.0/8", None), route(RED, "10.1.0.0/16", None), route(BLUE, "10.0.0.0/8", None)];
    let new =
        [route(RED, "10.0.0.0/8", Some(5)), route(RED, "10.2.0.0/16", None), route(BLUE, "10.0.0.0/8", None)];
    let steps = Advertisements::between(&old, &new);
    assert_eq!(steps.announce, new[..2]);
    assert_eq!(steps.withdraw, [(RED, "10.1.0.0/16".parse().unwrap())]);
}
