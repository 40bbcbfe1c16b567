//! An API server that is not there.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::scene::{Scene, has, pod};

const HOURS: Duration = Duration::from_secs(6 * 3600);

#[tokio::test(start_paused = true)]
async fn hours_without_an_api_server_change_nothing_and_then_the_difference_is_told() {
    for is_compacted in [false, true] {
        let mut scene = Scene::start().await;
        scene.server.put("pods", pod("victim", "Running"));
        let before = scene.until(|world| has(world, "victim")).await;
        scene.server.down(true);
        assert!(timeout(HOURS, scene.sync.changed()).await.is_err(), "nothing is known to have changed");
        assert_eq!(scene.sync.world().unwrap(), before);
        assert!(scene.sync.synced());
        assert!(
            scene.sync.health().iter().all(|health| health.trouble.is_some()),
            "{:?}",
            scene.sync.health()
        );

        scene.server.delete("pods", "red/victim");
        scene.server.put("pods", pod("heir", "Running"));
        if is_compacted {
            scene.server.compact();
        }
        scene.server.down(false);
        scene.until(|world| has(world, "heir") && !has(world, "victim")).await;
        sleep(Duration::from_secs(60)).await;
        assert!(
            scene.sync.health().iter().all(|health| health.trouble.is_none()),
            "{:?}",
            scene.sync.health()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_return_in_which_nothing_has_changed_is_noticed_too() {
    let scene = Scene::start().await;
    scene.server.down(true);
    sleep(HOURS).await;
    scene.server.down(false);
    sleep(Duration::from_secs(60)).await;
    assert!(scene.sync.health().iter().all(|health| health.trouble.is_none()), "{:?}", scene.sync.health());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_accepts_and_never_answers_is_given_up() {
    let mut scene = Scene::start().await;
    let hang = crate::server::Fault::Slow(HOURS);
    scene.server.next_watch("pods", hang);
    scene.server.cut("pods", crate::server::Cut::Reset);
    scene.server.put("pods", pod("new", "Running"));
    scene.until(|world| has(world, "new")).await;
}
