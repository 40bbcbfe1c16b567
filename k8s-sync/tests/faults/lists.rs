//! What can happen to a list.

use std::time::Duration;

use k8s_sync::watch::Trouble;

use crate::{
    scene::{Scene, has, pod, tenant},
    server::{Cut, Fault},
};

const FAULTS: [Fault; 8] = [
    Fault::Status(500),
    Fault::Status(409),
    Fault::Status(410),
    Fault::Status(503),
    Fault::Busy(7),
    Fault::Reset,
    Fault::Garbage,
    Fault::Slow(Duration::from_secs(20)),
];

#[tokio::test(start_paused = true)]
async fn the_first_list_is_told_when_it_is_whole_whatever_happens_to_its_pages() {
    for fault in FAULTS {
        let server = tenant();
        // The first page, then a later one: a continue token that has expired is a 410 there.
        server.next_list("pods", fault);
        server.next_list("pods", Fault::Slow(Duration::ZERO));
        server.next_list("pods", fault);
        let mut scene = Scene::begin(server, None);
        scene.until(|_| true).await;
        assert!(scene.sync.synced(), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_begun_anew_takes_nothing_away_until_it_is_whole() {
    for fault in FAULTS {
        let mut scene = Scene::start().await;
        scene.server.put("pods", pod("victim", "Running"));
        scene.until(|world| has(world, "victim")).await;
        scene.server.next_list("pods", Fault::Slow(Duration::from_secs(20)));
        scene.server.next_list("pods", fault);
        scene.server.cut("pods", Cut::Reset);
        scene.server.delete("pods", "red/victim");
        scene.server.compact();
        scene.until(|world| !has(world, "victim")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_continue_token_expires_while_objects_change() {
    let server = tenant();
    server.next_list("pods", Fault::Slow(Duration::ZERO));
    server.next_list("pods", Fault::Slow(Duration::from_secs(5)));
    let mut scene = Scene::begin(server, None);
    tokio::time::sleep(Duration::from_secs(1)).await;
    scene.server.put("pods", pod("new", "Running"));
    scene.server.compact();
    let world = scene.until(|_| true).await;
    assert!(has(&world, "new"));
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_is_refused_stops_no_other_and_is_told_with_its_remedy() {
    for (status, remedy) in [(403, "grant get, list and watch"), (404, "apply the CRDs")] {
        let server = tenant();
        server.refuse("egresspolicies", status);
        let mut scene = Scene::begin(server, None);
        scene.until(|_| true).await;
        assert!(scene.sync.synced());
        let troubles: Vec<_> =
            scene.sync.health().into_iter().filter(|health| health.trouble.is_some()).collect();
        assert!(troubles.len() == 1 && troubles[0].kind == "EgressPolicy", "{troubles:?}");
        assert!(troubles[0].to_string().contains(remedy), "{}", troubles[0]);
        scene.server.refuse("egresspolicies", 200);
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(scene.sync.health().iter().all(|health| health.trouble.is_none() && health.listed));
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_known_of_a_kind_that_is_refused_later_stays() {
    let mut scene = Scene::start().await;
    scene.server.refuse("vrfs", 403);
    scene.server.cut("vrfs", Cut::Error(410));
    tokio::time::sleep(Duration::from_secs(3600)).await;
    scene.settle().await;
    let refused = |trouble: &Trouble| matches!(trouble, Trouble::Refused { status: 403, .. });
    assert!(scene.sync.health().iter().any(|health| health.trouble.as_ref().is_some_and(refused)));
}

#[tokio::test(start_paused = true)]
async fn without_a_snapshot_nothing_is_told_before_every_kind_has_been() {
    let server = tenant();
    server.refuse("pods", 500);
    let scene = Scene::begin(server, None);
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert!(scene.sync.world().is_none() && !scene.sync.synced());
    let mut scene = scene;
    scene.server.refuse("pods", 200);
    scene.until(|_| true).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_cannot_select_pods_by_phase_is_asked_for_all_and_what_has_ended_is_left_out() {
    let server = tenant();
    server.put("pods", pod("job", "Failed"));
    server.next_list("pods", Fault::Status(400));
    let mut scene = Scene::begin(server, None);
    let world = scene.until(|_| true).await;
    assert!(!has(&world, "job"));
    let asked = scene.server.requests("pods");
    assert!(
        asked[0].contains("fieldSelector") && !asked.last().unwrap().contains("fieldSelector"),
        "{asked:?}"
    );
    scene.settle().await;
}
