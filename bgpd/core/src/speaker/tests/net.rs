//! Speakers joined in memory: virtual time, seeded latency, each direction of a connection in order.

use std::{
    collections::{BTreeMap, HashMap},
    net::{IpAddr, Ipv4Addr},
    time::{Duration, Instant},
};

use bgp_wire::Family;

use super::super::*;
use crate::{
    config::{GracefulRestartConfig, Listen, PeerConfig, Transport},
    rib::LocalRoute,
};

pub(super) const SECOND: Duration = Duration::from_secs(1);

/// Where a connection ends.
type End = (usize, ConnectionId);

enum Delivery {
    /// To the one that asked for it; the other end is accepted on arrival.
    Connect {
        from: End,
        to: usize,
    },
    Input(End, Input),
}

pub(super) struct Net {
    pub(super) now: Instant,
    pub(super) speakers: Vec<Option<Speaker>>,
    /// What each speaker has told, but for what went to the transport.
    pub(super) told: Vec<Vec<Output>>,
    /// Nothing arrives any more, nobody is told.
    pub(super) cut: bool,
    queue: BTreeMap<(Instant, u64), Delivery>,
    ends: HashMap<End, End>,
    /// When the last thing sent to this end arrives.
    last: HashMap<End, Instant>,
    random: u64,
    sequence: u64,
}

pub(super) fn address(speaker: usize) -> IpAddr {
    Ipv4Addr::new(10, 0, 0, 1 + speaker as u8).into()
}

pub(super) fn peer() -> PeerConfig {
    PeerConfig {
        asn: 65000,
        port: 179,
        local_address: None,
        passive: false,
        hold_time: SECOND * 9,
        keepalive: SECOND * 3,
        connect_retry: SECOND * 5,
        families: [Family::Ipv4Unicast, Family::Ipv6Unicast].into(),
        route_reflector_client: false,
        next_hop_self: false,
        max_prefixes: None,
        transport: Transport::default(),
        description: String::new(),
    }
}

pub(super) fn config(speaker: usize, peers: &[usize]) -> SpeakerConfig {
    let router_id = Ipv4Addr::new(1, 1, 1, 1 + speaker as u8);
    SpeakerConfig {
        asn: 65000,
        router_id,
        cluster_id: router_id,
        listen: Listen { port: 179, addresses: Vec::new() },
        graceful_restart: None,
        peers: peers.iter().map(|p| (address(*p), peer())).collect(),
        vrfs: BTreeMap::new(),
        next_hop_tracking: false,
    }
}

pub(super) fn graceful(restarted: bool, forwarding_kept: bool, config: SpeakerConfig) -> SpeakerConfig {
    let (restart_time, stale_time) = (SECOND * 60, SECOND * 120);
    let gr = GracefulRestartConfig { restart_time, stale_time, restarted, forwarding_kept };
    SpeakerConfig { graceful_restart: Some(gr), ..config }
}

impl Net {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            now: Instant::now(),
            speakers: Vec::new(),
            told: Vec::new(),
            cut: false,
            queue: BTreeMap::new(),
            ends: HashMap::new(),
            last: HashMap::new(),
            random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            sequence: 0,
        }
    }

    /// Two speakers that are each other's peers.
    pub(super) fn pair(seed: u64, change: impl Fn(SpeakerConfig) -> SpeakerConfig) -> Self {
        let mut net = Self::new(seed);
        net.start(0, change(config(0, &[1])));
        net.start(1, change(config(1, &[0])));
        net
    }

    /// Starts a speaker, or starts it again.
    pub(super) fn start(&mut self, index: usize, config: SpeakerConfig) {
        let mut out = Vec::new();
        let speaker = Speaker::new(config, self.now, &mut out);
        self.speakers.resize_with(self.speakers.len().max(index + 1), || None);
        self.told.resize_with(self.speakers.len(), Vec::new);
        self.speakers[index] = Some(speaker);
        self.carry_out(index, out);
        self.flush(index);
    }

    /// The process dies; the kernel closes its connections.
    pub(super) fn crash(&mut self, index: usize) {
        self.speakers[index] = None;
        let ends: Vec<_> = self.ends.keys().copied().filter(|end| end.0 == index).collect();
        ends.into_iter().for_each(|end| self.close(end));
    }

    /// Every connection of a speaker is lost.
    pub(super) fn break_connections(&mut self, index: usize) {
        let ends: Vec<_> = self.ends.keys().copied().filter(|end| end.0 == index).collect();
        for end in ends {
            self.later(end, Input::Closed { connection: end.1 });
            self.close(end);
        }
    }

    pub(super) fn input(&mut self, index: usize, input: Input) {
        let Some(speaker) = &mut self.speakers[index] else { return };
        let mut out = Vec::new();
        speaker.handle(input, self.now, &mut out);
        self.carry_out(index, out);
        self.flush(index);
    }

    pub(super) fn configure(&mut self, index: usize, config: SpeakerConfig) {
        let mut out = Vec::new();
        let speaker = self.speakers[index].as_mut().unwrap();
        speaker.configure(config, self.now, &mut out).unwrap();
        self.carry_out(index, out);
        self.flush(index);
    }

    pub(super) fn announce(&mut self, index: usize, prefixes: &[&str]) {
        let route = |prefix: &&str| LocalRoute {
            vrf: srv6_types::VrfId::GLOBAL,
            prefix: bgp_wire::nlri::Prefix::V4(prefix.parse().unwrap()),
            sid: None,
            med: None,
            local_pref: None,
            communities: Vec::new(),
            color: None,
        };
        self.input(index, Input::Announce(prefixes.iter().map(route).collect()));
    }

    /// Lets time pass.
    pub(super) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            let arrival = self.queue.keys().next().map(|(at, _)| *at);
            let timers = self.speakers.iter().flatten().filter_map(Speaker::next_deadline).min();
            match [arrival, timers].into_iter().flatten().min().filter(|at| *at <= end) {
                None => break,
                Some(at) => self.now = self.now.max(at),
            }
            if arrival.is_some_and(|at| at <= self.now) {
                self.deliver();
            } else {
                (0..self.speakers.len()).for_each(|index| self.input(index, Input::Tick));
            }
        }
        self.now = end;
    }

    fn deliver(&mut self) {
        let Some((_, delivery)) = self.queue.pop_first() else { return };
        match delivery {
            Delivery::Connect { from, to } => self.arrive(from, to),
            Delivery::Input((index, _), input) => self.input(index, input),
        }
    }

    fn arrive(&mut self, from: End, to: usize) {
        let connection = from.1;
        if self.cut || self.speakers.get(to).is_none_or(Option::is_none) {
            return self.later(from, Input::Closed { connection });
        }
        self.sequence += 1;
        let accepted = (to, ConnectionId::Incoming(self.sequence));
        self.ends.insert(from, accepted);
        self.ends.insert(accepted, from);
        self.later(from, Input::Connected { connection, local: address(from.0) });
        let (remote, local) = (address(from.0), address(to));
        self.input(to, Input::Accepted { connection: accepted.1, remote, local });
    }

    fn flush(&mut self, index: usize) {
        let Some(speaker) = &mut self.speakers[index] else { return };
        let mut out = Vec::new();
        while speaker.flush(&mut out) {}
        self.carry_out(index, out);
    }

    fn carry_out(&mut self, index: usize, out: Vec<Output>) {
        for output in out {
            match output {
                Output::Connect { connection, remote, .. } => {
                    let to = (0..self.speakers.len()).find(|i| address(*i) == remote).unwrap_or(usize::MAX);
                    self.schedule(None, Delivery::Connect { from: (index, connection), to });
                }
                Output::Send { connection, messages } => {
                    if let Some(other) = self.ends.get(&(index, connection)).copied() {
                        let received = Input::Received { connection: other.1, frames: messages };
                        self.later(other, received);
                    }
                }
                Output::Close { connection } => self.close((index, connection)),
                told => self.told[index].push(told),
            }
        }
    }

    fn close(&mut self, end: End) {
        if let Some(other) = self.ends.remove(&end) {
            self.ends.remove(&other);
            self.later(other, Input::Closed { connection: other.1 });
        }
    }

    fn later(&mut self, end: End, input: Input) {
        if !self.cut {
            return self.schedule(Some(end), Delivery::Input(end, input));
        }
        // TCP loses nothing in between: what is lost is the last that the connection carried.
        if let Some(other) = self.ends.remove(&end) {
            self.ends.remove(&other);
        }
    }

    /// Up to 50 ms, and never before what was sent to the same end earlier.
    fn schedule(&mut self, end: Option<End>, delivery: Delivery) {
        let mut at = self.now + Duration::from_micros(self.dice() % 50_000);
        if let Some(end) = end {
            let last = self.last.entry(end).or_insert(at);
            at = at.max(*last);
            *last = at;
        }
        self.sequence += 1;
        self.queue.insert((at, self.sequence), delivery);
    }

    pub(super) fn dice(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    pub(super) fn clear(&mut self, index: usize, peer: PeerId) {
        self.input(index, Input::Stop { peer, subcode: 4 });
        self.input(index, Input::Start { peer });
    }

    pub(super) fn state(&self, index: usize, peer: usize) -> &'static str {
        self.view(index, peer).state
    }

    pub(super) fn view(&self, index: usize, peer: usize) -> PeerView {
        let views = self.speakers[index].as_ref().unwrap().peer_views(self.now);
        views.into_iter().find(|view| view.address == address(peer)).unwrap()
    }

    /// Prefixes that a speaker has a best unicast route for, by what it has told.
    pub(super) fn reachable(&self, index: usize) -> Vec<String> {
        let mut best = BTreeMap::new();
        for output in &self.told[index] {
            if let Output::Unicast(route) = output {
                best.insert(route.prefix, route.path.is_some());
            }
        }
        best.into_iter().filter(|(_, path)| *path).map(|(prefix, _)| prefix.to_string()).collect()
    }

    /// How often a session came up and went down.
    pub(super) fn flaps(&self, index: usize) -> (usize, Vec<String>) {
        let up = self.told[index].iter().filter(|o| matches!(o, Output::PeerUp { .. })).count();
        let down = self.told[index].iter().filter_map(|o| match o {
            Output::PeerDown { reason, .. } => Some(reason.clone()),
            _ => None,
        });
        (up, down.collect())
    }
}
