//! Controllers against a real API server: who leads, what is written, and what is not.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod cluster;

use std::{sync::Arc, time::Duration};

use k8s_openapi::api::coordination::v1::Lease;
use k8s_sync::{api, world::World};
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
};
use serde_json::json;
use tokio::{sync::watch, time::sleep};

use cluster::{
    Controller, add_nodes, allocations, conditions, create, create_pool, create_vrf, events, eventually,
    known, version,
};

async fn config() -> Option<kube::Config> {
    kube::Config::infer().await.ok()
}

fn worlds(world: &World) -> watch::Sender<Option<Arc<World>>> {
    watch::channel(Some(Arc::new(world.clone()))).0
}

fn tell(worlds: &watch::Sender<Option<Arc<World>>>, world: &World) {
    worlds.send_replace(Some(Arc::new(world.clone())));
}

async fn leader(client: &Client, namespace: &str) -> Option<String> {
    let lease =
        Api::<Lease>::namespaced(client.clone(), namespace).get_opt("sixedge-controller").await.unwrap()?;
    lease.spec?.holder_identity.filter(|holder| !holder.is_empty())
}

fn names(prefix: &str, numbers: std::ops::RangeInclusive<u32>) -> Vec<String> {
    numbers.map(|n| format!("{prefix}{n}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_leader_is_killed_the_other_goes_on_and_no_locator_moves() {
    let Some(config) = config().await else { return };
    let client = Client::try_from(config.clone()).unwrap();
    cluster::install(&client).await;
    let mut world = World::default();
    create_pool(&client, &mut world, "takeover", "fc00:1::/32").await;
    add_nodes(&mut world, names("takeover-", 1..=2));
    let worlds = worlds(&world);
    let start = |identity: &str| Controller::start(&config, "takeover", identity, &worlds);
    let (one, other) = (start("one"), start("other"));

    let first = eventually("locators", async || {
        Some(allocations(&client, "takeover").await).filter(|given| given.len() == 2)
    })
    .await;
    let held_by = leader(&client, "takeover").await.unwrap();
    let (leads, waits) = if held_by == "one" { (one, other) } else { (other, one) };
    leads.kill();
    add_nodes(&mut world, names("takeover-", 0..=0));
    tell(&worlds, &world);
    let later = eventually("a third locator", async || {
        Some(allocations(&client, "takeover").await).filter(|given| given.len() == 3)
    })
    .await;
    assert!(first.iter().all(|(node, locator)| later.get(node) == Some(locator)), "{first:?} {later:?}");
    assert_ne!(leader(&client, "takeover").await.unwrap(), held_by);

    waits.stop().await;
    assert_eq!(leader(&client, "takeover").await, None, "the Lease is given back");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_both_lead_and_see_different_nodes_never_give_one_locator_twice() {
    let Some(config) = config().await else { return };
    let client = Client::try_from(config.clone()).unwrap();
    cluster::install(&client).await;
    let mut world = World::default();
    create_pool(&client, &mut world, "split", "fc00:2::/32").await;
    // Leases of their own: as if an election had gone wrong.
    let mut halves = ["split-a", "split-b"].map(|side| {
        let worlds = worlds(&world);
        let controller = Controller::start(&config, side, side, &worlds);
        (side, world.clone(), worlds, controller)
    });
    for n in 1..=15 {
        for (side, world, worlds, _) in &mut halves {
            add_nodes(world, [format!("{side}-{n}")]);
            tell(worlds, world);
        }
        sleep(Duration::from_millis(250)).await;
    }
    let given = eventually("30 locators", async || {
        Some(allocations(&client, "split").await).filter(|given| given.len() == 30)
    })
    .await;
    let mut locators: Vec<&String> = given.values().collect();
    locators.sort();
    locators.dedup();
    assert_eq!(locators.len(), 30, "{given:?}");
    for (_, _, _, controller) in halves {
        controller.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_says_why_and_what_is_right_works_beside_it() {
    let Some(config) = config().await else { return };
    let client = Client::try_from(config.clone()).unwrap();
    cluster::install(&client).await;
    let mut world = World::default();
    create_vrf(
        &client,
        &mut world,
        "refused",
        json!({ "importRouteTargets": ["65000:1"], "staticRoutes": [
        { "prefix": "10.0.0.0/8", "via": "192.0.2.1" },
    ] }),
    )
    .await;
    create_vrf(&client, &mut world, "right", json!({ "importRouteTargets": ["65000:1"] })).await;
    let worlds = worlds(&world);
    let controller = Controller::start(&config, "refused", "one", &worlds);

    let accepted = async |vrf: &str, status: &str| {
        let told = conditions(&client, vrf).await.into_iter().find(|told| told.type_ == "Accepted")?;
        (told.status == status).then_some(told)
    };
    let refusal = eventually("a refusal", async || accepted("refused", "False").await).await;
    assert_eq!(refusal.reason, "NotFound");
    assert!(refusal.message.starts_with("spec.staticRoutes[0]"), "{}", refusal.message);
    assert_eq!(refusal.observed_generation, Some(1));
    eventually("the other one accepted", async || accepted("right", "True").await).await;

    let patch = json!({ "spec": { "staticRoutes": [] } });
    let api = Api::<api::Vrf>::all(client.clone());
    let repaired = api.patch("refused", &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    world.vrfs.insert("refused".into(), known(&repaired, repaired.spec.clone()));
    tell(&worlds, &world);
    let accepted = eventually("acceptance", async || accepted("refused", "True").await).await;
    assert_eq!(accepted.observed_generation, Some(2));

    let uid = repaired.metadata.uid.unwrap();
    let told =
        eventually("two Events", async || Some(events(&client, &uid).await).filter(|told| told.len() == 2))
            .await;
    assert_eq!(told[0], ("NotFound".into(), refusal.message));
    assert_eq!(told[1].0, "Accepted");
    controller.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn statuses_are_not_written_again_when_nothing_has_changed_also_not_by_the_next_leader() {
    let Some(config) = config().await else { return };
    let client = Client::try_from(config.clone()).unwrap();
    cluster::install(&client).await;
    let mut world = World::default();
    create_vrf(&client, &mut world, "quiet", json!({})).await;
    let cluster: api::BgpCluster = create(
        &client,
        "quiet",
        json!({ "instances": [{ "name": "main", "localASN": 65000, "localAsn": 65000 }] }),
    )
    .await;
    world.bgp_clusters.insert("quiet".into(), known(&cluster, cluster.spec.clone()));
    let worlds = worlds(&world);
    let controller = Controller::start(&config, "quiet", "one", &worlds);
    eventually("conditions", async || {
        Some(conditions(&client, "quiet").await).filter(|told| told.len() == 3)
    })
    .await;
    let written = version(&client, "quiet").await;
    for _ in 0..10 {
        tell(&worlds, &world);
        sleep(Duration::from_millis(250)).await;
    }
    controller.stop().await;
    let next = Controller::start(&config, "quiet", "two", &worlds);
    eventually("a next leader", async || leader(&client, "quiet").await.filter(|holder| holder == "two"))
        .await;
    sleep(Duration::from_secs(2)).await;
    assert_eq!(version(&client, "quiet").await, written);
    next.stop().await;
}
