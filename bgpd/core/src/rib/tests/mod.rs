//! A speaker with peers that hold what they are sent, and that object to what makes no sense.

mod decision;
mod groups;
mod hostile;
mod model;
mod next_hops;
mod originate;
mod reflection;
mod restart;
mod vpn;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr},
};

use bgp_wire::{
    Family, Message,
    attribute::{AsPath, Attributes, Origin},
    message::{Context, NextHop, UpdateWriter, frame_length},
    nlri::{Nlri, Prefix, RouteDistinguisher},
};
use bytes::Bytes;
use srv6_types::{Label, VrfId};

use super::{NextHopUse, PeerSession, Rib, RibOutput, UnicastPath, UpdateOutcome, VpnPath};
use crate::config::PeerId;

pub(super) const AS: u32 = 65000;

/// What a peer holds of one route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) attributes: Attributes,
    pub(super) next_hop: NextHop,
    pub(super) label: Option<Label>,
}

pub(super) type Key = (Family, Option<RouteDistinguisher>, Prefix);
pub(super) type HeldTable = BTreeMap<Key, Held>;

pub(super) struct Speaker {
    pub(super) rib: Rib,
    pub(super) held: BTreeMap<PeerId, HeldTable>,
    pub(super) vrfs: BTreeMap<(VrfId, Prefix), VpnPath>,
    pub(super) unicast: BTreeMap<Prefix, UnicastPath>,
    /// Next hops to look up.
    pub(super) watched: BTreeSet<IpAddr>,
    pub(super) ended: BTreeSet<(PeerId, Family)>,
    /// Every run of messages that went out.
    pub(super) sent: Vec<(Vec<PeerId>, Bytes)>,
}

pub(super) fn context(external: bool) -> Context {
    Context { four_octet_as: true, external, ..Context::default() }
}

/// Peer `n` has address and identifier 10.0.0.n.
pub(super) fn session(n: u8, asn: u32) -> PeerSession {
    PeerSession {
        asn,
        router_id: Ipv4Addr::new(10, 0, 0, n),
        address: Ipv4Addr::new(10, 0, 0, n).into(),
        local_address: Ipv4Addr::new(10, 0, 0, 254).into(),
        local_v6: Some("2001:db8::fe".parse().unwrap()),
        families: Family::ALL.map(|family| (family, true)).to_vec(),
        receive: context(asn != AS),
        send: context(asn != AS),
        route_reflector_client: false,
        next_hop_self: false,
    }
}

pub(super) fn client(n: u8) -> PeerSession {
    PeerSession { route_reflector_client: true, ..session(n, AS) }
}

pub(super) fn path(asns: &[u32]) -> Attributes {
    Attributes {
        origin: Origin::Igp,
        as_path: AsPath::sequence(asns.iter().copied()),
        ..Attributes::default()
    }
}

pub(super) fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
}

pub(super) fn unicast(text: &str) -> Nlri {
    Nlri { path_id: 0, rd: None, label: None, prefix: prefix(text) }
}

pub(super) fn family(nlri: &Nlri) -> Family {
    match (nlri.prefix, nlri.rd) {
        (Prefix::V4(_), None) => Family::Ipv4Unicast,
        (Prefix::V6(_), None) => Family::Ipv6Unicast,
        (Prefix::V4(_), Some(_)) => Family::Vpnv4,
        (Prefix::V6(_), Some(_)) => Family::Vpnv6,
    }
}

pub(super) fn next_hop_of(n: u8) -> NextHop {
    NextHop::V4(Ipv4Addr::new(10, 0, 0, n))
}

impl Speaker {
    pub(super) fn new() -> Self {
        let rib = Rib::new(AS, Ipv4Addr::new(10, 0, 0, 254), Ipv4Addr::new(10, 9, 9, 9));
        Self {
            rib,
            held: BTreeMap::new(),
            vrfs: BTreeMap::new(),
            unicast: BTreeMap::new(),
            watched: BTreeSet::new(),
            ended: BTreeSet::new(),
            sent: Vec::new(),
        }
    }

    /// With these sessions; peer `n` is the one with address 10.0.0.n.
    pub(super) fn with(sessions: impl IntoIterator<Item = PeerSession>) -> Self {
        let mut speaker = Self::new();
        sessions.into_iter().for_each(|session| speaker.up(session));
        speaker.flush();
        speaker
    }

    pub(super) fn up(&mut self, session: PeerSession) {
        let IpAddr::V4(address) = session.address else { panic!("tests use IPv4 sessions") };
        let peer = PeerId(address.octets()[3].into());
        self.held.insert(peer, HeldTable::new());
        self.rib.peer_up(peer, session);
    }

    pub(super) fn down(&mut self, n: u32, retain: &[Family]) {
        self.held.remove(&PeerId(n));
        self.rib.peer_down(PeerId(n), retain);
    }

    pub(super) fn announce(&mut self, n: u8, nlri: Nlri, attributes: &Attributes) -> UpdateOutcome {
        let next_hop = match nlri.rd.is_some() || matches!(nlri.prefix, Prefix::V6(_)) {
            true => NextHop::V6 { global: format!("2001:db8::{n}").parse().unwrap(), link_local: None },
            false => next_hop_of(n),
        };
        self.announce_via(n, nlri, next_hop, attributes)
    }

    pub(super) fn announce_via(
        &mut self,
        n: u8,
        nlri: Nlri,
        next_hop: NextHop,
        attributes: &Attributes,
    ) -> UpdateOutcome {
        let (mut octets, mut message) = (Vec::new(), Vec::new());
        attributes.encode(None, &context(false), &mut octets);
        let writer = UpdateWriter::new(family(&nlri), &context(false));
        writer.announce(next_hop, &octets, [nlri], &mut message).unwrap();
        self.receive(n, message)
    }

    pub(super) fn withdraw(&mut self, n: u8, nlri: Nlri) -> UpdateOutcome {
        let mut message = Vec::new();
        UpdateWriter::new(family(&nlri), &context(false)).withdraw([nlri], &mut message);
        self.receive(n, message)
    }

    fn receive(&mut self, n: u8, message: Vec<u8>) -> UpdateOutcome {
        let peer = PeerId(n.into());
        let context = self.rib.peers.get(&peer).map(|state| state.source.context.clone()).unwrap_or_default();
        match Message::decode(message.into(), &context) {
            Ok(Message::Update(update)) => self.rib.update(peer, update),
            other => panic!("not an UPDATE: {other:?}"),
        }
    }

    pub(super) fn flush(&mut self) {
        while self.flush_once() {}
    }

    pub(super) fn flush_once(&mut self) -> bool {
        let mut out = Vec::new();
        let more = self.rib.flush(&mut out);
        for output in out {
            match output {
                RibOutput::Send { peers, messages } => self.deliver(peers, messages),
                RibOutput::Vrf(route) => set(&mut self.vrfs, (route.vrf, route.prefix), route.path),
                RibOutput::Unicast(route) => set(&mut self.unicast, route.prefix, route.path),
                RibOutput::NextHops(uses) => uses.into_iter().for_each(|moved| self.watch(moved)),
            }
        }
        more
    }

    fn watch(&mut self, NextHopUse { address, used }: NextHopUse) {
        let moved = if used { self.watched.insert(address) } else { self.watched.remove(&address) };
        assert!(moved, "told twice of {address}");
    }

    fn deliver(&mut self, peers: Vec<PeerId>, messages: Bytes) {
        let mut rest = messages.clone();
        while let Some(length) = frame_length(&rest).unwrap() {
            let frame = rest.split_to(length);
            let extended = Context { extended_message: true, ..context(false) };
            let Ok(Message::Update(update)) = Message::decode(frame, &extended) else {
                panic!("not an UPDATE")
            };
            assert_eq!(update.faults, [], "we sent something faulty");
            for peer in &peers {
                let Some(held) = self.held.get_mut(peer) else { panic!("{peer:?} has no session") };
                self.ended.extend(update.end_of_rib.map(|family| (*peer, family)));
                for withdrawn in &update.withdrawn {
                    for nlri in withdrawn.nlri.iter() {
                        let key = (withdrawn.nlri.family(), nlri.rd, nlri.prefix);
                        assert!(held.remove(&key).is_some(), "stray withdraw of {key:?} to {peer:?}");
                    }
                }
                let attributes = Attributes::decode(&update.attributes, &context(false));
                assert_eq!(attributes.1, [], "we sent something faulty");
                for announced in &update.announced {
                    for nlri in announced.nlri.iter() {
                        let (attributes, next_hop) = (attributes.0.clone(), announced.next_hop);
                        let key = (announced.nlri.family(), nlri.rd, nlri.prefix);
                        held.insert(key, Held { attributes, next_hop, label: nlri.label });
                    }
                }
            }
        }
        self.sent.push((peers, messages));
    }

    /// What peer `n` holds of a unicast prefix.
    pub(super) fn at(&self, n: u32, text: &str) -> Option<&Held> {
        let nlri = unicast(text);
        self.held[&PeerId(n)].get(&(family(&nlri), None, nlri.prefix))
    }

    /// Peers that hold a unicast prefix.
    pub(super) fn holders(&self, text: &str) -> Vec<u32> {
        self.held.keys().map(|peer| peer.0).filter(|n| self.at(*n, text).is_some()).collect()
    }
}

fn set<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, value: Option<V>) {
    match value {
        Some(value) => {
            map.insert(key, value);
        }
        None => {
            assert!(map.remove(&key).is_some(), "told that a route is gone which was never there");
        }
    }
}
