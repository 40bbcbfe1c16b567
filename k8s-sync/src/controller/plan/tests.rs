use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};

use super::*;
use crate::{api::NodeStateSpec, render::Reason, world::Node};

/// Two provider edges, pe1 and pe2, one VRF of each, one pool.
struct Cluster {
    world: World,
    problems: Vec<Problem>,
    unreadable: Vec<Problem>,
    node_states: BTreeMap<String, NodeState>,
    standing: BTreeMap<ObjectRef, Standing>,
    now: Timestamp,
}

fn object<S: serde::de::DeserializeOwned>(generation: i64, spec: Value) -> Object<S> {
    Object {
        generation,
        uid: "u".into(),
        labels: BTreeMap::new(),
        spec: serde_json::from_value(spec).unwrap(),
    }
}

fn standing(generation: i64) -> Standing {
    Standing { uid: "u".into(), generation, resource_version: "10".into(), status: AnyStatus::default() }
}

/// Node, generation of the VRF that it holds, whether it is ready.
type Holding<'a> = &'a [(&'a str, i64, &'a str)];

fn vrf() -> ObjectRef {
    ObjectRef::cluster("Vrf", "red")
}

impl Cluster {
    fn new() -> Self {
        let node = || Node { ready: true, ..Node::default() };
        let nodes = ["pe1", "pe2"].map(|name| (name.to_owned(), node())).into();
        let mut world = World { nodes, ..World::default() };
        let bgp = json!({ "srv6": { "locatorPools": ["core"], "coreInterfaces": [] }, "instances": [] });
        world.bgp_clusters.insert("main".into(), object(1, bgp));
        world.vrfs.insert("red".into(), object(3, json!({})));
        let pool = json!({ "spec": { "prefix": "fc00::/32" }, "allocations": [] });
        world.locator_pools.insert("core".into(), object(1, pool));
        let kinds = [("Vrf", "red", 3), ("BgpCluster", "main", 1), ("LocatorPool", "core", 1)];
        let standing =
            kinds.map(|(kind, name, generation)| (ObjectRef::cluster(kind, name), standing(generation)));
        let now = Timestamp::from_second(1000).unwrap();
        Self {
            world,
            problems: vec![],
            unreadable: vec![],
            node_states: BTreeMap::new(),
            standing: standing.into(),
            now,
        }
    }

    fn node_state(&mut self, node: &str, status: Value) {
        let mut state = NodeState::new(node, NodeStateSpec {});
        let mut status: Value = status;
        status["version"] = json!("1");
        state.status = Some(serde_json::from_value(status).unwrap());
        self.node_states.insert(node.into(), state);
    }

    fn holds(&mut self, node: &str, generation: i64, ready: &str) {
        let condition = |kind: &str, status: &str| {
            let time = "2026-01-01T00:00:00Z";
            json!({ "type": kind, "status": status, "reason": "R", "message": "", "lastTransitionTime": time })
        };
        let conditions = [condition("Programmed", "True"), condition("Ready", ready)];
        let vrfs = [json!({ "name": "red", "observedGeneration": generation, "circuits": 0, "routes": 0 })];
        self.node_state(node, json!({ "conditions": conditions, "vrfs": vrfs }));
    }

    fn plan(&self) -> Vec<Write> {
        plan(&Facts {
            world: &self.world,
            problems: &self.problems,
            unreadable: &self.unreadable,
            node_states: &self.node_states,
            standing: &self.standing,
            now: self.now,
        })
    }

    /// Writes what is planned, as the API server would take it.
    fn settle(&mut self) -> Vec<Write> {
        let writes = self.plan();
        for write in &writes {
            let standing = self.standing.get_mut(&write.object).unwrap();
            standing.status = match write.status.clone() {
                Status::Common(status) => {
                    AnyStatus { conditions: status.conditions, nodes: status.nodes, allocations: vec![] }
                }
                Status::Pool { status, over } => {
                    assert_eq!(over, standing.resource_version);
                    AnyStatus {
                        conditions: status.conditions,
                        allocations: status.allocations,
                        nodes: Nodes::default(),
                    }
                }
            };
        }
        writes
    }

    /// As in `Accepted=True Accepted`.
    fn told(&self, object: &ObjectRef) -> Vec<String> {
        let conditions = self.standing[object].status.conditions.iter();
        conditions.map(|told| format!("{}={} {}", told.type_, told.status, told.reason)).collect()
    }

    fn since(&self, object: &ObjectRef, kind: &str) -> Time {
        let condition =
            self.standing[object].status.conditions.iter().find(|told| told.type_ == kind).unwrap();
        condition.last_transition_time.clone()
    }
}

#[test]
fn a_vrf_is_programmed_when_all_its_nodes_hold_its_generation_and_ready_when_they_are() {
    let cases: [(Holding<'_>, &str, [&str; 3]); 4] = [
        (&[], "0/2", ["Accepted=True Accepted", "Programmed=False Pending", "Ready=False NotProgrammed"]),
        (
            &[("pe1", 3, "True"), ("pe2", 2, "True")],
            "1/2",
            ["Accepted=True Accepted", "Programmed=False Pending", "Ready=False NotProgrammed"],
        ),
        (
            &[("pe1", 3, "True"), ("pe2", 3, "False")],
            "2/2",
            ["Accepted=True Accepted", "Programmed=True Programmed", "Ready=False NodesNotReady"],
        ),
        (
            &[("pe1", 3, "True"), ("pe2", 3, "True")],
            "2/2",
            ["Accepted=True Accepted", "Programmed=True Programmed", "Ready=True Ready"],
        ),
    ];
    for (nodes, summary, expected) in cases {
        let mut cluster = Cluster::new();
        nodes.iter().for_each(|(node, generation, ready)| cluster.holds(node, *generation, ready));
        cluster.settle();
        assert_eq!(cluster.told(&vrf()), expected, "{nodes:?}");
        assert_eq!(cluster.standing[&vrf()].status.nodes.summary, summary);
    }
}

#[test]
fn a_node_that_is_down_is_not_ready_whatever_its_agent_said_last() {
    let mut cluster = Cluster::new();
    cluster.holds("pe1", 3, "True");
    cluster.holds("pe2", 3, "True");
    cluster.world.nodes.get_mut("pe2").unwrap().ready = false;
    cluster.settle();
    assert_eq!(cluster.told(&vrf())[2], "Ready=False NodesNotReady");
}

#[test]
fn what_a_node_refuses_is_told_with_its_reason_once_it_has_looked_at_this_generation() {
    for (looked_at, expected) in [(3, "Programmed=False Refused"), (2, "Programmed=False Pending")] {
        let mut cluster = Cluster::new();
        cluster.holds("pe1", 3, "True");
        let refused = json!({
            "kind": "Vrf", "name": "red", "observedGeneration": looked_at, "reason": "Conflict", "message": "the table is the kernel's"
        });
        cluster.node_state("pe2", json!({ "objects": [refused] }));
        cluster.settle();
        assert_eq!(cluster.told(&vrf())[1], expected);
        let message = &cluster.standing[&vrf()].status.conditions[1].message;
        assert_eq!(message == "refused by pe2: the table is the kernel's", looked_at == 3, "{message}");
    }
}

#[test]
fn an_object_that_no_node_is_to_hold_says_so() {
    let mut cluster = Cluster::new();
    cluster.world.bgp_clusters.clear();
    cluster.settle();
    assert_eq!(cluster.told(&vrf())[1], "Programmed=False NoNodes");
}

#[test]
fn a_second_plan_writes_nothing_and_a_new_generation_is_observed() {
    let mut cluster = Cluster::new();
    assert_eq!(cluster.settle().len(), 3);
    cluster.now = Timestamp::from_second(2000).unwrap();
    assert_eq!(cluster.plan(), []);
    cluster.world.vrfs.get_mut("red").unwrap().generation = 4;
    assert_eq!(cluster.plan(), [], "the standing one is of generation 3 still");
    cluster.standing.get_mut(&vrf()).unwrap().generation = 4;
    cluster.settle();
    let accepted = cluster.standing[&vrf()].status.conditions[0].clone();
    assert_eq!(accepted.observed_generation, Some(4));
    assert_eq!(accepted.last_transition_time, Time(Timestamp::from_second(1000).unwrap()));
}

#[test]
fn what_is_wrong_is_told_once_and_what_is_right_again_too() {
    let mut cluster = Cluster::new();
    let told = |writes: Vec<Write>| -> Vec<bool> {
        writes.into_iter().filter_map(|write| write.turned).map(|turned| turned.accepted).collect()
    };
    assert_eq!(told(cluster.settle()), [false; 0], "what is accepted from the first is no news");
    cluster.now = Timestamp::from_second(2000).unwrap();
    let problem = |message: &str| Problem { object: vrf(), reason: Reason::Invalid, message: message.into() };
    cluster.problems = vec![problem("spec.rd: no"), problem("spec.maxFlows: no")];
    assert_eq!(told(cluster.settle()), [false]);
    assert_eq!(
        cluster.told(&vrf()),
        ["Accepted=False Invalid", "Programmed=False NotAccepted", "Ready=False NotAccepted"]
    );
    assert_eq!(cluster.standing[&vrf()].status.conditions[0].message, "spec.rd: no; spec.maxFlows: no");
    assert_eq!(cluster.since(&vrf(), ACCEPTED), Time(cluster.now));
    assert_eq!(cluster.told(&ObjectRef::cluster("BgpCluster", "main"))[0], "Accepted=True Accepted");
    cluster.problems.clear();
    assert_eq!(told(cluster.settle()), [true]);
    assert_eq!(told(cluster.settle()), [false; 0]);
}

#[test]
fn what_cannot_be_read_is_told_of_its_newest_generation() {
    let mut cluster = Cluster::new();
    cluster.standing.get_mut(&vrf()).unwrap().generation = 4;
    let message = "cannot be read".to_owned();
    cluster.unreadable = vec![Problem { object: vrf(), reason: Reason::Invalid, message }];
    cluster.settle();
    assert_eq!(cluster.told(&vrf())[0], "Accepted=False Invalid");
    assert_eq!(cluster.standing[&vrf()].status.conditions[0].observed_generation, Some(4));
}

#[test]
fn a_pool_gives_locators_and_says_when_it_is_exhausted() {
    let pool = ObjectRef::cluster("LocatorPool", "core");
    let mut cluster = Cluster::new();
    cluster.settle();
    assert_eq!(cluster.told(&pool), ["Accepted=True Accepted", "Ready=True Allocated"]);
    let given: Vec<&str> =
        cluster.standing[&pool].status.allocations.iter().map(|given| given.locator.as_str()).collect();
    assert_eq!(given, ["fc00:0:1::/48", "fc00:0:2::/48"]);

    cluster.world.locator_pools.get_mut("core").unwrap().spec.spec.prefix = "fc00::/47".into();
    cluster.standing.get_mut(&pool).unwrap().status.allocations.pop();
    cluster.settle();
    assert_eq!(cluster.told(&pool), ["Accepted=True Accepted", "Ready=False Exhausted"]);
    let message = cluster.standing[&pool].status.conditions[1].message.clone();
    assert!(message.starts_with("no locator is left for pe2; "), "{message}");
}

#[test]
fn what_the_review_says_of_a_place_in_a_pool_is_not_said_again() {
    let pool = ObjectRef::cluster("LocatorPool", "core");
    let mut cluster = Cluster::new();
    cluster.world.locator_pools.get_mut("core").unwrap().spec.spec.prefix = "nonsense".into();
    cluster.problems = crate::render::review(&cluster.world);
    cluster.settle();
    assert_eq!(cluster.told(&pool), ["Accepted=False Invalid", "Ready=False NotAccepted"]);
    let message = &cluster.standing[&pool].status.conditions[0].message;
    assert_eq!(message.matches("spec.prefix").count(), 1, "{message}");
}

#[test]
fn a_pool_goes_by_its_own_status_and_not_by_what_the_world_knew() {
    let pool = ObjectRef::cluster("LocatorPool", "core");
    let mut cluster = Cluster::new();
    let newer = Allocation { node: "pe2".into(), locator: "fc00:0:9::/48".into(), index: 9 };
    cluster.standing.get_mut(&pool).unwrap().status.allocations = vec![newer.clone()];
    cluster.settle();
    assert!(cluster.standing[&pool].status.allocations.contains(&newer));
}

#[test]
fn messages_name_a_few_nodes_and_count_the_others() {
    let all: Vec<String> = (1..=7).map(|n| format!("pe{n}")).collect();
    assert_eq!(names(&all[..2]), "pe1, pe2");
    assert_eq!(names(&all[..6]), "pe1, pe2, pe3, pe4, pe5 and 1 other");
    assert_eq!(names(&all), "pe1, pe2, pe3, pe4, pe5 and 2 others");
}
