//! What is logged when the API server goes away for hours. A program of its own: tests that run beside it would decide
//! for this thread, too, what is worth logging.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

#[allow(dead_code, reason = "the other program uses all of it")]
#[path = "faults/scene.rs"]
mod scene;
#[allow(dead_code, reason = "the other program uses all of it")]
#[path = "faults/server.rs"]
mod server;
#[path = "faults/wire.rs"]
mod wire;

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::sleep;

use scene::Scene;

const HOURS: Duration = Duration::from_secs(6 * 3600);

/// What was logged by us.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn lines(&self, with: &str) -> usize {
        String::from_utf8_lossy(&self.0.lock().unwrap()).lines().filter(|line| line.contains(with)).count()
    }
}

impl io::Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_loss_and_a_return_are_logged_once() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(format!("info,{}", k8s_sync::watch::LOG_FILTER))
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let scene = Scene::start().await;
    scene.server.down(true);
    sleep(HOURS).await;
    assert_eq!((log.lines("WARN"), log.lines("the API server is lost")), (1, 1));
    scene.server.down(false);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(log.lines("the API server answers again"), 1);
    assert_eq!(log.lines("WARN"), 1);
}
