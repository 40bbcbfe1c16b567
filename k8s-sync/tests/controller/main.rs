//! Controllers against a real API server: who leads, what is written, and what is not.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod cluster;
mod node_state;

use std::{sync::Arc, time::Duration};

use k8s_sync::{api, status::NodeStateWriter, world::World};
use kube::{
    Api, ResourceExt,
    api::{Patch, PatchParams},
};
use serde_json::json;
use testapi::{ApiServer, Request};
use tokio::{sync::watch, time::sleep};

use cluster::{
    Controller, add_nodes, allocations, conditions, create, create_pool, create_vrf, events, eventually,
    history, known, leader, namespace, on_cluster, version,
};
use node_state::{create_node, holding};

fn worlds(world: &World) -> watch::Sender<Option<Arc<World>>> {
    watch::channel(Some(Arc::new(world.clone()))).0
}

fn tell(worlds: &watch::Sender<Option<Arc<World>>>, world: &World) {
    worlds.send_replace(Some(Arc::new(world.clone())));
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_leader_is_killed_the_other_goes_on_and_no_locator_moves() {
    on_cluster(async |cluster| {
        let (client, pool, namespace) = (&cluster.client, &cluster.name("pool"), &namespace(cluster).await);
        let mut world = World::default();
        create_pool(client, &mut world, pool, "fc00:1::/32").await;
        add_nodes(&mut world, ["pe1", "pe2"].map(String::from));
        let worlds = worlds(&world);
        let start = |identity: &str| Controller::start(namespace, identity, &worlds);
        let (one, other) = (start("one"), start("other"));

        let given = async |count| Some(allocations(client, pool).await).filter(|given| given.len() == count);
        let first = eventually("locators", async || given(2).await).await;
        let led = leader(client, namespace).await.unwrap();
        let (leads, waits) = if led == "one" { (one, other) } else { (other, one) };
        leads.kill();
        add_nodes(&mut world, ["pe0".to_owned()]);
        tell(&worlds, &world);
        let later = eventually("a third locator", async || given(3).await).await;
        assert!(first.iter().all(|(node, locator)| later.get(node) == Some(locator)), "{first:?} {later:?}");
        assert_ne!(leader(client, namespace).await.unwrap(), led);

        waits.stop().await;
        assert_eq!(leader(client, namespace).await, None, "the Lease is given back");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_both_lead_and_see_different_nodes_never_give_one_locator_twice() {
    on_cluster(async |cluster| {
        let (client, pool) = (&cluster.client, &cluster.name("pool"));
        let mut world = World::default();
        create_pool(client, &mut world, pool, "fc00:2::/32").await;
        let history = history(client, pool);
        // Leases of their own: as if an election had gone wrong.
        let mut halves = Vec::new();
        for side in ["a", "b"] {
            let (worlds, namespace) = (worlds(&world), namespace(cluster).await);
            let controller = Controller::start(&namespace, side, &worlds);
            halves.push((side, world.clone(), worlds, controller));
        }
        for n in 1..=15 {
            for (side, world, worlds, _) in &mut halves {
                add_nodes(world, [format!("{side}{n}")]);
                tell(worlds, world);
            }
            sleep(Duration::from_millis(250)).await;
        }
        let given = async || Some(allocations(client, pool).await).filter(|given| given.len() == 30);
        let given = eventually("30 locators", given).await;
        let last = given.into_iter().map(|(node, locator)| (locator, node)).collect();
        let ever = history.lock().unwrap().clone();
        assert_eq!(ever, last, "what was ever given stays");
        for (_, _, _, controller) in halves {
            controller.stop().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_says_why_and_what_is_right_works_beside_it() {
    on_cluster(async |cluster| {
        let client = &cluster.client;
        let (refused, right) = (&cluster.name("refused"), &cluster.name("right"));
        let mut world = World::default();
        let routes = json!([{ "prefix": "10.0.0.0/8", "via": "192.0.2.1" }]);
        let targets = json!(["65000:1"]);
        let spec = json!({ "importRouteTargets": targets, "staticRoutes": routes });
        create_vrf(client, &mut world, refused, spec).await;
        create_vrf(client, &mut world, right, json!({ "importRouteTargets": targets })).await;
        let worlds = worlds(&world);
        let controller = Controller::start(&namespace(cluster).await, "one", &worlds);

        let accepted = async |vrf: &str, status: &str| {
            let told = conditions(client, vrf).await.into_iter().find(|told| told.type_ == "Accepted")?;
            (told.status == status).then_some(told)
        };
        let refusal = eventually("a refusal", async || accepted(refused, "False").await).await;
        assert_eq!(refusal.reason, "NotFound");
        assert!(refusal.message.starts_with("spec.staticRoutes[0]"), "{}", refusal.message);
        assert_eq!(refusal.observed_generation, Some(1));
        eventually("the other one accepted", async || accepted(right, "True").await).await;

        let patch = Patch::Merge(json!({ "spec": { "staticRoutes": [] } }));
        let api = Api::<api::Vrf>::all(client.clone());
        let repaired = api.patch(refused, &PatchParams::default(), &patch).await.unwrap();
        world.vrfs.insert(refused.clone(), known(&repaired, repaired.spec.clone()));
        tell(&worlds, &world);
        let accepted = eventually("acceptance", async || accepted(refused, "True").await).await;
        assert_eq!(accepted.observed_generation, Some(2));

        let uid = repaired.metadata.uid.unwrap();
        let told = async || Some(events(client, &uid).await).filter(|told| told.len() == 2);
        let told = eventually("two Events", told).await;
        assert_eq!(told[0], ("NotFound".into(), refusal.message));
        assert_eq!(told[1].0, "Accepted");
        controller.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn statuses_are_not_written_again_when_nothing_has_changed_also_not_by_the_next_leader() {
    on_cluster(async |cluster| {
        let (client, name, namespace) = (&cluster.client, &cluster.name("quiet"), &namespace(cluster).await);
        let mut world = World::default();
        create_vrf(client, &mut world, name, json!({})).await;
        let spec = json!({ "instances": [{ "name": "main", "localAsn": 65000 }] });
        let bgp: api::BgpCluster = create(client, name, spec).await;
        world.bgp_clusters.insert(name.clone(), known(&bgp, bgp.spec.clone()));
        let worlds = worlds(&world);
        let controller = Controller::start(namespace, "one", &worlds);
        let told = async || Some(conditions(client, name).await).filter(|told| told.len() == 3);
        eventually("conditions", told).await;
        let written = version(client, name).await;
        for _ in 0..10 {
            tell(&worlds, &world);
            sleep(Duration::from_millis(250)).await;
        }
        controller.stop().await;
        let next = Controller::start(namespace, "two", &worlds);
        let leads = async || leader(client, namespace).await.filter(|holder| holder == "two");
        eventually("a next leader", leads).await;
        sleep(Duration::from_secs(2)).await;
        assert_eq!(version(client, name).await, written);
        next.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_of_the_api_server_are_given_locators_and_a_vrf_is_ready_when_they_say_so() {
    // It answers whatever objects there are: not on a server that others use.
    let Some(server) = ApiServer::start() else { return };
    let (client, name) = (&server.client().await, "pe1".to_owned());
    testapi::install(client, &k8s_sync::crds()).await;
    create_node(client, &name).await;
    let selector = json!({ "matchLabels": { "kubernetes.io/hostname": name } });
    let pool: api::LocatorPool =
        create(client, &name, json!({ "prefix": "fc00:3::/32", "nodeSelector": selector })).await;
    let srv6 = json!({ "locatorPools": [name], "coreInterfaces": ["eth*"] });
    let instances = json!([{ "name": "main", "localAsn": 65000 }]);
    let spec = json!({ "nodeSelector": selector, "srv6": srv6, "instances": instances });
    let _: api::BgpCluster = create(client, &name, spec).await;
    let vrf: api::Vrf = create(client, &name, json!({ "importRouteTargets": ["65000:1"] })).await;
    let controller = Controller::start_with_its_own_eyes(server.kubeconfig());
    let given = async || allocations(client, &pool.name_any()).await.remove(&name);
    assert_eq!(eventually("a locator", given).await, "fc00:3:1::/48");

    let reason = async |kind: &str| {
        let told = conditions(client, &name).await.into_iter().find(|told| told.type_ == kind)?;
        Some(told.reason)
    };
    let until = async |kind: &str, wanted: &str| {
        eventually(wanted, async || reason(kind).await.filter(|reason| reason == wanted)).await
    };
    until("Programmed", "Pending").await;
    let writer = NodeStateWriter::new(client.clone(), &name);
    writer.write(holding(&vrf));
    until("Programmed", "Programmed").await;
    until("Ready", "Ready").await;
    controller.stop().await;

    let by_controller = |request: &Request| request.verb == "patch" && request.resource == "vrfs";
    let writes = server.requests().into_iter().filter(by_controller).count();
    assert!((2..=3).contains(&writes), "{writes} writes for what has changed two or three times");
}
