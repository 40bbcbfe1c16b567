//! Our speakers with FRR 8.4 as route reflector between them. Needs root and Debian's frr.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod leaving;
mod reflector;
mod secret;

use std::{
    collections::BTreeMap,
    fs::File,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use bgp_core::{
    config::{GracefulRestartConfig, Listen, PeerConfig, SpeakerConfig, Transport, VrfPolicy},
    rib::{LocalRoute, LocalSid, VpnPath},
};
use bgp_wire::{Family, nlri::Prefix};
use bgpd::{Event, Handle, RouteChange};
use reflector::{Reflector, SPEAKERS};
use srv6_types::{Behavior, Sid, SidStructure, Transposition, VrfId};
use tokio::{
    sync::mpsc::Receiver,
    time::{Instant, timeout_at},
};

const PATIENCE: Duration = Duration::from_secs(30);
const RED: VrfId = VrfId(1);

fn address(host: u16) -> IpAddr {
    Ipv6Addr::new(0xfd00, 0x99, 0, 0, 0, 0, 0, host).into()
}

/// fcbb:bb00:`host`:1::, function 1.
fn sid(host: u16) -> Sid {
    Sid(Ipv6Addr::new(0xfcbb, 0xbb00, host, 1, 0, 0, 0, 0).octets())
}

fn graceful(restarted: bool) -> GracefulRestartConfig {
    let second = Duration::from_secs(1);
    let (restart_time, stale_time) = (second * 60, second * 60);
    GracefulRestartConfig { restart_time, stale_time, restarted, forwarding_kept: true }
}

fn speaker(host: u16, restarted: bool) -> SpeakerConfig {
    let router_id = Ipv4Addr::from(0x0a63_0000 + u32::from(host));
    let target = "65000:1".parse().unwrap();
    let red = VrfPolicy {
        name: "red".into(),
        rd: format!("65000:{host}").parse().unwrap(),
        import: [target].into(),
        export: [target].into(),
        next_hop: None,
    };
    let rr = PeerConfig {
        asn: 65000,
        port: 179,
        local_address: Some(address(host)),
        passive: false,
        hold_time: Duration::from_secs(9),
        keepalive: Duration::from_secs(3),
        connect_retry: Duration::from_secs(1),
        families: [Family::Vpnv4, Family::Vpnv6].into(),
        route_reflector_client: false,
        next_hop_self: false,
        max_prefixes: None,
        transport: Transport::default(),
        description: "rr".into(),
    };
    SpeakerConfig {
        asn: 65000,
        router_id,
        cluster_id: router_id,
        listen: Listen { port: 179, addresses: vec![address(host)] },
        graceful_restart: Some(graceful(restarted)),
        peers: [(address(1), rr)].into(),
        vrfs: [(RED, red)].into(),
        next_hop_tracking: false,
    }
}

struct Pe {
    host: u16,
    handle: Handle,
    events: Receiver<Event>,
    red: BTreeMap<Prefix, VpnPath>,
}

impl Pe {
    fn start(host: u16, restarted: bool) -> Self {
        Self::spawn(host, speaker(host, restarted))
    }

    fn spawn(host: u16, config: SpeakerConfig) -> Self {
        let (handle, events) = bgpd::spawn(config).unwrap();
        Self { host, handle, events, red: BTreeMap::new() }
    }

    async fn announce(&self, prefixes: &[&str]) {
        self.handle.announce(prefixes.iter().map(|p| self.route(p)).collect()).await.unwrap();
    }

    fn route(&self, text: &str) -> LocalRoute {
        let structure = SidStructure::new(32, 16, 16, 0, Transposition::NONE).unwrap();
        let structure = structure.with_function_transposed();
        let sid = LocalSid { sid: sid(self.host), structure, behavior: Behavior::END_DT46 };
        LocalRoute {
            vrf: RED,
            prefix: prefix(text),
            sid: Some(sid),
            med: None,
            local_pref: None,
            communities: Vec::new(),
            color: None,
        }
    }

    /// Takes events until the VRF holds these prefixes and no others, and a session change as wanted was seen.
    async fn until(&mut self, wanted: &[&str], seen: impl Fn(&Event) -> bool) -> Vec<Event> {
        let wanted: Vec<_> = wanted.iter().map(|p| prefix(p)).collect();
        let deadline = Instant::now() + PATIENCE;
        let mut events = Vec::new();
        let mut done = false;
        while !done || !self.red.keys().eq(wanted.iter()) {
            let event = timeout_at(deadline, self.events.recv()).await;
            let event = event.unwrap_or_else(|_| panic!("{:?}, not {wanted:?}: {events:?}", self.red));
            let event = event.unwrap();
            done |= seen(&event);
            self.learn(&event);
            events.push(event);
        }
        events
    }

    async fn until_holds(&mut self, wanted: &[&str]) {
        let wanted_keys: Vec<_> = wanted.iter().map(|p| prefix(p)).collect();
        if !self.red.keys().eq(wanted_keys.iter()) {
            self.until(wanted, |_| true).await;
        }
    }

    fn learn(&mut self, event: &Event) {
        let Event::Routes(changes) = event else { return };
        for change in changes {
            let RouteChange::Vrf(route) = change else { continue };
            match &route.path {
                Some(path) => self.red.insert(route.prefix, path.clone()),
                None => self.red.remove(&route.prefix),
            };
        }
    }
}

fn prefix(text: &str) -> Prefix {
    text.parse().map(Prefix::V4).or_else(|_| text.parse().map(Prefix::V6)).unwrap()
}

const OF_TWO: &[&str] = &["10.2.0.0/24", "2001:db8:2::/64"];
const OF_THREE: &[&str] = &["10.3.0.0/24", "2001:db8:3::/64"];

fn is_up(event: &Event) -> bool {
    matches!(event, Event::PeerUp { .. })
}

fn is_down(event: &Event) -> bool {
    matches!(event, Event::PeerDown { .. })
}

async fn story(reflector: &Reflector) {
    let mut two = Pe::start(2, false);
    let mut three = Pe::start(3, false);
    routes_go_both_ways(&mut two, &mut three).await;
    withdrawn_routes_go(&two, &mut three).await;
    secret::sessions_are_signed(reflector).await;
    leaving::a_pe_that_leaves_is_relieved_in_one_step(reflector, &two, &three).await;
    sessions_flap(reflector, &mut two, &mut three).await;
    the_reflector_crashes(reflector, &mut two, &mut three).await;
    let two = we_restart_and_frr_helps(two, &mut three).await;

    two.handle.shutdown(false).await.unwrap();
    three.until(&[], |_| true).await;
    let summary = reflector.vtysh("show bgp neighbors fd00:99::2");
    assert!(summary.contains("Administrative Shutdown") || summary.contains("Hard Reset"), "{summary}");
}

/// With the SID folded again and the next hop of the other PE.
async fn routes_go_both_ways(two: &mut Pe, three: &mut Pe) {
    two.announce(OF_TWO).await;
    three.announce(OF_THREE).await;
    two.until_holds(OF_THREE).await;
    three.until_holds(OF_TWO).await;
    for (pe, other) in [(&two, 3), (&three, 2)] {
        for path in pe.red.values() {
            assert_eq!((path.sid, path.next_hop), (Some(sid(other)), address(other)));
        }
    }
    let views = two.handle.peers().await.unwrap();
    let session = views[0].session.as_ref().unwrap();
    assert_eq!(session.families, [(Family::Vpnv4, true), (Family::Vpnv6, false)]);
}

async fn withdrawn_routes_go(two: &Pe, three: &mut Pe) {
    two.handle.withdraw(vec![(RED, prefix(OF_TWO[0]))]).await.unwrap();
    three.until_holds(&OF_TWO[1..]).await;
    two.announce(&OF_TWO[..1]).await;
    three.until_holds(OF_TWO).await;
}

/// One that FRR resets, one that we reset; routes come back with them.
async fn sessions_flap(reflector: &Reflector, two: &mut Pe, three: &mut Pe) {
    reflector.vtysh("clear bgp fd00:99::2");
    two.until(&[], is_down).await;
    two.until(OF_THREE, is_up).await;
    three.until_holds(OF_TWO).await;
    three.handle.clear(address(1)).await.unwrap();
    three.until(OF_TWO, is_up).await;
    two.until_holds(OF_THREE).await;
}

async fn the_reflector_crashes(reflector: &Reflector, two: &mut Pe, three: &mut Pe) {
    reflector.kill_bgpd();
    two.until(&[], is_down).await;
    three.until(&[], is_down).await;
    reflector.start_bgpd();
    two.until(OF_THREE, is_up).await;
    three.until(OF_TWO, is_up).await;
}

/// The other PE sees nothing of it.
async fn we_restart_and_frr_helps(two: Pe, three: &mut Pe) -> Pe {
    three.until_holds(OF_TWO).await;
    two.handle.shutdown(true).await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut two = Pe::start(2, true);
    two.announce(OF_TWO).await;
    two.until(OF_THREE, |e| *e == Event::RestartComplete).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    while let Ok(event) = three.events.try_recv() {
        let lost = |c: &RouteChange| matches!(c, RouteChange::Vrf(r) if r.path.is_none());
        assert!(!matches!(&event, Event::Routes(changes) if changes.iter().any(lost)), "{event:?}");
    }
    two
}

#[test]
fn frr_reflects_vpn_routes_between_two_speakers_over_flaps_and_restarts() {
    let reflector = Reflector::start();
    let namespace = File::open(format!("/run/netns/{SPEAKERS}")).unwrap();
    nix::sched::setns(namespace, nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
    // One thread: every socket belongs to the namespace that it has entered.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(story(&reflector));
}
