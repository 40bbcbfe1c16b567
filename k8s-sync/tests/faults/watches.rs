//! What can happen to a watch.

use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;

use crate::{
    scene::{SOON, Scene, has, pod, vrf},
    server::{Cut, Fault},
};

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_cut_goes_on_where_it_was() {
    for how in [Cut::End, Cut::Reset, Cut::MidLine, Cut::MidLineReset, Cut::Error(500), Cut::Error(410)] {
        let mut scene = Scene::start().await;
        scene.server.cut("pods", how);
        scene.server.put("pods", pod("new", "Running"));
        scene.until(|world| has(world, "new")).await;
        // And once more, with a deletion that nobody was told of.
        scene.server.cut("pods", how);
        scene.server.delete("pods", "red/new");
        scene.until(|world| !has(world, "new")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_deleted_while_the_history_was_lost_is_gone_and_nothing_else() {
    let mut scene = Scene::start().await;
    scene.server.put("pods", pod("victim", "Running"));
    scene.until(|world| has(world, "victim")).await;
    scene.server.cut("pods", Cut::Reset);
    scene.server.delete("pods", "red/victim");
    scene.server.put("pods", pod("heir", "Running"));
    scene.server.compact();
    let world = scene.until(|world| !has(world, "victim")).await;
    assert!(has(&world, "heir"), "one list says both");
}

#[tokio::test(start_paused = true)]
async fn a_410_in_place_of_a_watch_leads_to_a_list() {
    let mut scene = Scene::start().await;
    let lists = lists_of_pods(&scene);
    scene.server.next_watch("pods", Fault::Status(410));
    scene.server.cut("pods", Cut::End);
    scene.settle().await;
    assert!(lists_of_pods(&scene) > lists, "kube alone would ask for the same version for ever");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_was_set_back_and_refuses_the_version_is_asked_for_a_list() {
    let mut scene = Scene::start().await;
    (0..3).for_each(|_| scene.server.next_watch("pods", Fault::Status(500)));
    let lists = lists_of_pods(&scene);
    scene.server.cut("pods", Cut::End);
    scene.settle().await;
    assert!(lists_of_pods(&scene) > lists);
}

fn lists_of_pods(scene: &Scene) -> usize {
    scene.server.requests("pods").iter().filter(|uri| !uri.contains("watch=true")).count()
}

#[tokio::test(start_paused = true)]
async fn events_that_come_twice_or_late_change_nothing() {
    let mut scene = Scene::start().await;
    let before = scene.sync.world().unwrap();
    for event in ["ADDED", "MODIFIED", "ADDED"] {
        scene.server.replay("pods", event, "red/a");
    }
    scene.server.bookmark("pods");
    let told = timeout(Duration::from_secs(60), async {
        // The first is the one that `start` has seen.
        scene.sync.changed().await;
        scene.sync.changed().await;
    });
    assert!(told.await.is_err(), "nothing has changed, and somebody was woken");
    assert_eq!(scene.sync.world().unwrap(), before);
}

#[tokio::test(start_paused = true)]
async fn a_bookmark_saves_the_list_when_the_history_was_lost() {
    let mut scene = Scene::start().await;
    let lists = lists_of_pods(&scene);
    scene.server.compact();
    scene.server.bookmark("pods");
    tokio::time::sleep(Duration::from_secs(1)).await;
    scene.server.cut("pods", Cut::End);
    scene.settle().await;
    assert_eq!(lists_of_pods(&scene), lists);
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_of_a_node_wakes_nobody() {
    let scene = Scene::start().await;
    let node = |time: &str, ready: &str| {
        let condition = json!({"type": "Ready", "status": ready, "lastHeartbeatTime": time});
        let object = json!({"metadata": {"name": "n1"}, "status": {"conditions": [condition]}});
        scene.server.put("nodes", object);
    };
    let mut sync = k8s_sync::watch::Sync::start(scene.server.client(), crate::scene::options(None));
    node("2026-01-01T00:00:00Z", "True");
    while !sync.world().is_some_and(|world| world.nodes.get("n1").is_some_and(|node| node.ready)) {
        timeout(SOON, sync.changed()).await.unwrap();
    }
    sync.world();
    let _ = timeout(Duration::from_secs(1), sync.changed()).await;
    node("2026-01-01T00:00:10Z", "True");
    assert!(timeout(Duration::from_secs(60), sync.changed()).await.is_err());
    node("2026-01-01T00:00:20Z", "False");
    assert!(timeout(Duration::from_secs(60), sync.changed()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_object_that_cannot_be_read_keeps_what_was_known_and_hides_no_other() {
    let mut scene = Scene::start().await;
    let mut odd = vrf("red");
    odd["spec"]["encapsulation"] = json!("OfTheNextVersion");
    scene.server.put("vrfs", odd);
    scene.server.put("vrfs", vrf("blue"));
    scene.until(|world| world.vrfs.contains_key("blue")).await;
    let told = scene.sync.unreadable();
    assert!(told.len() == 1 && told[0].to_string().starts_with("Vrf red: cannot be read"), "{told:?}");
    // Also over a list.
    scene.server.cut("vrfs", Cut::Error(410));
    scene.server.put("vrfs", vrf("green"));
    scene.until(|world| world.vrfs.contains_key("green")).await;
    scene.server.put("vrfs", vrf("red"));
    scene.server.delete("vrfs", "/blue");
    scene.until(|world| !world.vrfs.contains_key("blue")).await;
    assert_eq!(scene.sync.unreadable(), []);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_ends_is_gone() {
    let mut scene = Scene::start().await;
    scene.server.put("pods", pod("job", "Running"));
    scene.until(|world| has(world, "job")).await;
    scene.server.put("pods", pod("job", "Succeeded"));
    scene.until(|world| !has(world, "job")).await;
}
