//! Connections that are to be signed, or cannot be what they are to be.

use bgp_core::config::{Secret, SpeakerConfig, Transport};

use super::*;

fn with(mut config: SpeakerConfig, peer: IpAddr, transport: &Transport) -> SpeakerConfig {
    config.peers.get_mut(&peer).unwrap().transport = transport.clone();
    config
}

fn password(text: &str) -> Transport {
    Transport { hop_limit: None, password: Some(Secret(text.into())) }
}

/// As it is where the kernel does not sign: nothing is spoken with this peer in either direction, and it is told why.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_cannot_be_spoken_with_as_configured_says_why_and_the_others_go_on() {
    let net = Addresses(78);
    let impossible = Transport { hop_limit: Some(0), password: None };
    let (one, mut events_of_one) = spawn(with(net.config(1, &[2, 3]), net.host(2), &impossible));
    let (_two, mut events_of_two) = spawn(net.config(2, &[1]));
    let (_three, mut events_of_three) = spawn(net.config(3, &[1]));
    until_up(&mut events_of_three).await;
    until_up(&mut events_of_one).await;
    let views = one.peers().await.unwrap();
    let (_, why) = views[0].last_error.clone().expect("an attempt has failed");
    assert!(why.starts_with("the hop limit cannot be set: EINVAL"), "{why}");
    // It has connected to us more than once meanwhile.
    let silence = timeout(Duration::from_secs(3), until_up(&mut events_of_two)).await;
    assert!(silence.is_err(), "came up without its hop limit");
    assert_eq!(views[1].state, "Established");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_password_resets_the_session_and_is_asked_for_at_listeners_new_and_old() {
    let net = Addresses(79);
    let one = |transport: &Transport| with(net.config(1, &[2]), net.host(2), transport);
    let two = |transport: &Transport| with(net.config(2, &[1]), net.host(1), transport);
    let (first, mut events) = spawn(one(&password("old")));
    let (second, _events) = spawn(two(&password("old")));
    until_up(&mut events).await;
    for transport in [password("new"), Transport::default(), password("last")] {
        first.configure(one(&transport)).await.unwrap().unwrap();
        until_down(&mut events).await;
        second.configure(two(&transport)).await.unwrap().unwrap();
        until_up(&mut events).await;
    }
    // Whoever does not sign hears nothing, also where the listener is new.
    let mut moved = one(&password("last"));
    moved.listen.port += 1;
    first.configure(moved).await.unwrap().unwrap();
    let at = SocketAddr::new(net.host(1), Addresses::PORT + 1);
    let unsigned = tokio::net::TcpSocket::new_v4().unwrap();
    unsigned.bind(SocketAddr::new(net.host(2), 0)).unwrap();
    assert!(
        timeout(Duration::from_secs(2), unsigned.connect(at)).await.is_err(),
        "accepted without a signature"
    );
}
