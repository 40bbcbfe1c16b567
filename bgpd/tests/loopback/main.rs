//! Speakers over real sockets on 127.0.0.0/8.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod raw;
mod transport;

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

use bgp_core::{
    config::{GracefulRestartConfig, Listen, PeerConfig, SpeakerConfig, Transport},
    rib::LocalRoute,
    speaker::ConfigureError,
};
use bgp_wire::{Context, Family, Message, message::Notification, nlri::Prefix};
use bgpd::{Event, Handle, RouteChange};
use raw::{RawPeer, routes_received, updates};
use srv6_types::VrfId;
use tokio::{sync::mpsc::Receiver, time::timeout};

const PATIENCE: Duration = Duration::from_secs(20);

/// Each test has addresses of its own: 127.`test`.0.`host`.
#[derive(Clone, Copy)]
struct Addresses(u8);

impl Addresses {
    const PORT: u16 = 11790;

    fn host(self, host: u8) -> IpAddr {
        Ipv4Addr::new(127, self.0, 0, host).into()
    }

    fn config(self, host: u8, peers: &[u8]) -> SpeakerConfig {
        let router_id = Ipv4Addr::new(10, 0, 0, host);
        SpeakerConfig {
            asn: 65000,
            router_id,
            cluster_id: router_id,
            listen: Listen { port: Self::PORT, addresses: vec![self.host(host)] },
            graceful_restart: None,
            peers: peers.iter().map(|p| (self.host(*p), self.peer(host))).collect(),
            vrfs: BTreeMap::new(),
            next_hop_tracking: false,
        }
    }

    fn peer(self, local: u8) -> PeerConfig {
        PeerConfig {
            asn: 65000,
            port: Self::PORT,
            local_address: Some(self.host(local)),
            passive: false,
            hold_time: Duration::from_secs(9),
            keepalive: Duration::from_secs(3),
            connect_retry: Duration::from_secs(1),
            families: [Family::Ipv4Unicast].into(),
            route_reflector_client: true,
            next_hop_self: false,
            max_prefixes: None,
            transport: Transport::default(),
            description: String::new(),
        }
    }
}

fn prefix(text: &str) -> Prefix {
    Prefix::V4(text.parse().unwrap())
}

fn route(text: &str) -> LocalRoute {
    LocalRoute {
        vrf: VrfId::GLOBAL,
        prefix: prefix(text),
        sid: None,
        med: None,
        local_pref: None,
        communities: Vec::new(),
        color: None,
    }
}

async fn next(events: &mut Receiver<Event>) -> Event {
    timeout(PATIENCE, events.recv()).await.expect("an event in time").expect("a running speaker")
}

async fn until_up(events: &mut Receiver<Event>) {
    while !matches!(next(events).await, Event::PeerUp { .. }) {}
}

async fn until_down(events: &mut Receiver<Event>) -> String {
    loop {
        if let Event::PeerDown { reason, .. } = next(events).await {
            return reason;
        }
    }
}

/// Takes events until so many prefixes are reachable.
async fn until_reachable(events: &mut Receiver<Event>, count: usize) {
    let mut reachable = std::collections::BTreeSet::new();
    while reachable.len() != count {
        let Event::Routes(changes) = next(events).await else { continue };
        for change in changes {
            let RouteChange::Unicast(route) = change else { continue };
            match route.path {
                Some(_) => reachable.insert(route.prefix),
                None => reachable.remove(&route.prefix),
            };
        }
    }
}

async fn until_gone(events: &mut Receiver<Event>, prefix: Prefix) {
    loop {
        let Event::Routes(changes) = next(events).await else { continue };
        let gone =
            |c: &RouteChange| matches!(c, RouteChange::Unicast(r) if r.prefix == prefix && r.path.is_none());
        if changes.iter().any(gone) {
            return;
        }
    }
}

fn spawn(config: SpeakerConfig) -> (Handle, Receiver<Event>) {
    bgpd::spawn(config).expect("addresses of the loopback can be bound")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_speakers_exchange_routes_and_part_in_order() {
    let net = Addresses(71);
    let (one, mut one_events) = spawn(net.config(1, &[2]));
    let (two, mut two_events) = spawn(net.config(2, &[1]));
    one.announce(vec![route("192.0.2.0/24"), route("198.51.100.0/24")]).await.unwrap();
    until_up(&mut one_events).await;
    until_reachable(&mut two_events, 2).await;
    one.withdraw(vec![(VrfId::GLOBAL, prefix("192.0.2.0/24"))]).await.unwrap();
    until_gone(&mut two_events, prefix("192.0.2.0/24")).await;

    let views = two.peers().await.unwrap();
    assert_eq!(views[0].state, "Established");
    assert_eq!(views[0].routes[0].accepted, 1);
    assert_eq!(two.routes(Family::Ipv4Unicast, None).await.unwrap().len(), 1);

    assert_eq!(one.clear(net.host(2)).await, Ok(true));
    assert_eq!(one.clear(net.host(9)).await, Ok(false));
    let reset = until_down(&mut two_events).await;
    assert_eq!(reset, "received Hard Reset: Cease (6), Administrative Reset (4)");
    until_up(&mut two_events).await;

    one.shutdown(false).await.unwrap();
    let reason = until_down(&mut two_events).await;
    assert_eq!(reason, "received Hard Reset: Cease (6), Administrative Shutdown (2)");
    assert!(one.peers().await.is_err(), "the speaker has ended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_with_kept_routes_is_not_seen_by_the_helper() {
    let net = Addresses(72);
    let graceful = |restarted, config| {
        let second = Duration::from_secs(1);
        let times = GracefulRestartConfig {
            restart_time: second * 30,
            stale_time: second * 30,
            restarted,
            forwarding_kept: true,
        };
        SpeakerConfig { graceful_restart: Some(times), ..config }
    };
    let (one, _events) = spawn(graceful(false, net.config(1, &[2])));
    let (_two, mut two_events) = spawn(graceful(false, net.config(2, &[1])));
    one.announce(vec![route("192.0.2.0/24"), route("198.51.100.0/24")]).await.unwrap();
    until_reachable(&mut two_events, 2).await;
    one.shutdown(true).await.unwrap();
    assert_eq!(until_down(&mut two_events).await, "connection lost");

    let (one, mut one_events) = spawn(graceful(true, net.config(1, &[2])));
    one.announce(vec![route("192.0.2.0/24")]).await.unwrap();
    let mut changes = Vec::new();
    loop {
        match next(&mut two_events).await {
            Event::Routes(routes) => changes.extend(routes),
            Event::EndOfRib { .. } => break,
            _ => {}
        }
    }
    let gone = |c: &RouteChange| match c {
        RouteChange::Unicast(route) if route.path.is_none() => Some(route.prefix),
        _ => None,
    };
    let gone: Vec<_> = changes.iter().filter_map(gone).collect();
    assert_eq!(gone, [prefix("198.51.100.0/24")], "what did not come again, and nothing else");
    while next(&mut one_events).await != Event::RestartComplete {}
}

fn passive(net: Addresses, host: u8, peers: &[u8]) -> SpeakerConfig {
    let mut config = net.config(host, peers);
    config.peers.values_mut().for_each(|peer| peer.passive = true);
    config
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_tail_in_tiny_segments_is_handled_to_the_last_octet() {
    let net = Addresses(73);
    let (_speaker, mut events) = spawn(passive(net, 1, &[2]));
    let sender = std::thread::spawn(move || {
        let mut peer = RawPeer::establish(net, 2, 1);
        let octets = updates(2000);
        let (bulk, tail) = octets.split_at(octets.len() - 300);
        peer.0.write_all(bulk).unwrap();
        for octet in tail {
            peer.0.write_all(&[*octet]).unwrap();
            std::thread::sleep(Duration::from_micros(300));
        }
        peer
    });
    until_reachable(&mut events, 2000).await;
    drop(sender.join().unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_peer_that_does_not_read_holds_up_nobody_and_gets_everything_when_it_reads_again() {
    const ROUTES: u32 = 60_000;
    let net = Addresses(74);
    let (_speaker, mut events) = spawn(passive(net, 1, &[2, 3, 4]));
    let work = std::thread::spawn(move || {
        let mut lazy = RawPeer::establish(net, 4, 1);
        let mut eager = RawPeer::establish(net, 3, 1);
        let mut sender = RawPeer::establish(net, 2, 1);
        let writer = std::thread::spawn(move || {
            sender.0.write_all(&updates(ROUTES)).unwrap();
            sender
        });
        let eager_got = routes_received(&mut eager, ROUTES);
        let lazy_got = routes_received(&mut lazy, ROUTES);
        drop(writer.join().unwrap());
        (eager_got, lazy_got)
    });
    let drain = tokio::spawn(async move { while events.recv().await.is_some() {} });
    let got = timeout(PATIENCE * 3, tokio::task::spawn_blocking(move || work.join().unwrap())).await;
    assert_eq!(got.expect("in time").unwrap(), (ROUTES, ROUTES));
    drain.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_are_told_why_and_closed() {
    let net = Addresses(75);
    let (_speaker, _events) = spawn(net.config(1, &[]));
    let refused = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(SocketAddr::new(net.host(1), Addresses::PORT)).unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        Message::decode(all.into(), &Context::default()).unwrap()
    });
    assert_eq!(refused.await.unwrap(), Message::Notification(Notification::new(6, 5, &[])));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_in_use_is_an_error_that_names_it() {
    let net = Addresses(76);
    let (_speaker, _events) = spawn(net.config(1, &[]));
    let error = bgpd::spawn(net.config(1, &[])).expect_err("the port is taken").to_string();
    assert!(error.starts_with("cannot listen at 127.76.0.1:11790: "), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn addresses_listened_at_change_without_a_restart() {
    let net = Addresses(77);
    let (speaker, _events) = spawn(net.config(1, &[]));
    let mut moved = net.config(1, &[]);
    moved.listen.addresses = vec![IpAddr::V4(Ipv4Addr::UNSPECIFIED)];
    moved.listen.port += 1;
    let reachable = |port| TcpStream::connect(SocketAddr::new(net.host(1), port)).is_ok();
    assert!(reachable(Addresses::PORT));
    speaker.configure(moved.clone()).await.unwrap().unwrap();
    assert!(!reachable(Addresses::PORT) && reachable(moved.listen.port));
    // From every address to one of them: the port is the same, so the old socket must be gone first.
    moved.listen.addresses = vec![net.host(1)];
    speaker.configure(moved.clone()).await.unwrap().unwrap();
    assert!(reachable(moved.listen.port));

    moved.asn += 1;
    assert_eq!(speaker.configure(moved).await, Ok(Err(ConfigureError::Identity)));
}
