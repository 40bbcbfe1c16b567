//! TCP MD5 signatures, RFC 2385.

use std::time::Duration;

use bgp_core::config::{Secret, SpeakerConfig};
use tokio::time::{Instant, timeout_at};

use super::{Pe, Reflector, is_down, is_up, speaker};

const HOST: u16 = 5;
/// Both ends try once a second.
const SILENCE: Duration = Duration::from_secs(3);

pub(super) async fn sessions_are_signed(reflector: &Reflector) {
    for we_connect in [true, false] {
        let passive = if we_connect { "" } else { "no " };
        tell(
            reflector,
            &["peer-group PE", "password right"],
            &format!("{passive}neighbor fd00:99::5 passive"),
        );
        let mut pe = Pe::spawn(HOST, config(we_connect, Some("right")));
        pe.until(&[], is_up).await;

        pe.handle.configure(config(we_connect, Some("wrong"))).await.unwrap().unwrap();
        pe.until(&[], is_down).await;
        stays_down(&mut pe, "passwords differ").await;
        tell(reflector, &["password wrong"], "exit");
        pe.until(&[], is_up).await;

        pe.handle.configure(config(we_connect, None)).await.unwrap().unwrap();
        pe.until(&[], is_down).await;
        stays_down(&mut pe, "FRR signs, and we do not").await;
        reflector.configure(&["router bgp 65000", "no neighbor fd00:99::5 password"]);
        pe.until(&[], is_up).await;

        pe.handle.configure(config(we_connect, Some("right"))).await.unwrap().unwrap();
        pe.until(&[], is_down).await;
        stays_down(&mut pe, "we sign, and FRR does not").await;
        pe.handle.shutdown(false).await.unwrap();
        reflector.configure(&["router bgp 65000", "no neighbor fd00:99::5"]);
    }
}

fn tell(reflector: &Reflector, of_neighbor: &[&str], last: &str) {
    let of_neighbor: Vec<_> =
        of_neighbor.iter().map(|words| format!("neighbor fd00:99::5 {words}")).collect();
    let lines = ["router bgp 65000"].into_iter().chain(of_neighbor.iter().map(String::as_str)).chain([last]);
    reflector.configure(&lines.collect::<Vec<_>>());
}

fn config(we_connect: bool, password: Option<&str>) -> SpeakerConfig {
    let mut config = speaker(HOST, false);
    for peer in config.peers.values_mut() {
        peer.passive = !we_connect;
        peer.transport.password = password.map(|password| Secret(password.into()));
    }
    config
}

async fn stays_down(pe: &mut Pe, why: &str) {
    let end = Instant::now() + SILENCE;
    while let Ok(event) = timeout_at(end, pe.events.recv()).await {
        let event = event.unwrap();
        assert!(!is_up(&event), "{why}: {event:?}");
    }
}
