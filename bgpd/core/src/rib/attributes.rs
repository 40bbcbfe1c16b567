//! Attribute sets, held once however many routes carry them: as octets, with what the decision process, the
//! export rules and the import ask of every path already worked out. The decoded form is made again when it is
//! needed, which is once per set and group, and would cost more memory than all the rest.

use std::{
    hash::BuildHasher,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use bgp_wire::{
    attribute::{Attributes, Community, Origin, PrefixSid, RawAttributes, RouteTarget, ServiceSid},
    message::{Context, NextHop},
};
use bytes::Bytes;
use hashbrown::{DefaultHashBuilder, HashTable};
use rustc_hash::FxHashSet;

use super::next_hops::{NextHops, resolved_by};
use crate::config::PeerId;

/// LOCAL_PREF of a route that came without, as every implementation has it.
pub const DEFAULT_LOCAL_PREF: u32 = 100;

/// Names a set for as long as somebody holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SetId(u32);

/// What sort of peer a route came from: RFC 4456 section 6 and RFC 4271 section 9.2 turn on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum SourceKind {
    Local,
    External,
    Internal,
    Client,
}

/// Where sets come from: one session of a peer, or this node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) peer: PeerId,
    pub(crate) kind: SourceKind,
    pub(crate) router_id: Ipv4Addr,
    pub(crate) address: IpAddr,
    /// Our addresses on the session.
    pub(crate) local: [Option<IpAddr>; 2],
    pub(crate) context: Context,
}

/// What the decision process compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rank {
    /// Originated by this node, and without a LOCAL_PREF to be compared by.
    pub(crate) prevails: bool,
    pub(crate) local_pref: u32,
    pub(crate) path_length: u32,
    pub(crate) origin: Origin,
    pub(crate) med: u32,
    /// Neighbouring AS; 0 where there is none.
    pub(crate) neighbor: u32,
    pub(crate) originator: Ipv4Addr,
    pub(crate) clusters: u32,
}

/// How far well-known communities let a route go, RFC 1997.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    /// NO_ADVERTISE.
    Nobody,
    /// NO_EXPORT and NO_EXPORT_SUBCONFED.
    Internal,
    Everybody,
}

/// One distinct set of attributes with one next hop from one source.
#[derive(Debug)]
pub(crate) struct AttributeSet {
    raw: RawAttributes,
    pub(crate) next_hop: NextHop,
    /// What the underlay must lead to; `None`: routes of this node, and what is on a link.
    pub(crate) resolved_by: Option<IpAddr>,
    pub(crate) source: Arc<Source>,
    pub(crate) rank: Rank,
    pub(crate) scope: Scope,
    pub(crate) targets: Box<[RouteTarget]>,
    pub(crate) service: Option<ServiceSid>,
}

impl AttributeSet {
    /// Takes the decoded form apart; keeps a copy of the octets, for they point into a receive buffer.
    pub(crate) fn new(
        raw: &RawAttributes,
        next_hop: NextHop,
        source: &Arc<Source>,
        decoded: Attributes,
    ) -> Self {
        let targets: Box<[_]> =
            decoded.extended_communities.iter().filter_map(|community| community.route_target()).collect();
        // Plain unicast routes are forwarded to their next hop, whatever SID they carry.
        let carried = decoded.prefix_sid.as_ref().filter(|_| !targets.is_empty());
        let learnt = source.kind != SourceKind::Local;
        Self {
            raw: RawAttributes(Bytes::copy_from_slice(&raw.0)),
            next_hop,
            resolved_by: learnt.then(|| resolved_by(&next_hop, carried)).flatten(),
            rank: Rank::new(&decoded, source),
            scope: Scope::new(&decoded.communities),
            targets,
            service: decoded.prefix_sid.as_ref().and_then(PrefixSid::service),
            source: Arc::clone(source),
        }
    }

    /// The decoded form; what was found faulty when the set came in is left out again.
    pub(crate) fn decode(&self) -> Attributes {
        Attributes::decode(&self.raw, &self.source.context).0
    }
}

impl Rank {
    fn new(attributes: &Attributes, source: &Source) -> Self {
        // RFC 8326 section 4.1: from outside, the last resort.
        let leaving = attributes.communities.contains(&Community::GRACEFUL_SHUTDOWN);
        let default = if leaving && source.kind == SourceKind::External { 0 } else { DEFAULT_LOCAL_PREF };
        Self {
            prevails: source.kind == SourceKind::Local && attributes.local_pref.is_none(),
            local_pref: attributes.local_pref.unwrap_or(default),
            path_length: u32::try_from(attributes.as_path.length()).unwrap_or(u32::MAX),
            origin: attributes.origin,
            med: attributes.med.unwrap_or(0),
            neighbor: attributes.as_path.first_as().unwrap_or(0),
            originator: attributes.originator_id.unwrap_or(source.router_id),
            clusters: u32::try_from(attributes.cluster_list.len()).unwrap_or(u32::MAX),
        }
    }
}

impl Scope {
    fn new(communities: &[Community]) -> Self {
        let scope = |community: &Community| match *community {
            Community::NO_ADVERTISE => Self::Nobody,
            Community::NO_EXPORT | Community::NO_EXPORT_SUBCONFED => Self::Internal,
            _ => Self::Everybody,
        };
        communities.iter().map(scope).min().unwrap_or(Self::Everybody)
    }
}

/// The sets, counted by reference.
#[derive(Debug, Default)]
pub(crate) struct AttributeSets {
    slots: Vec<Slot>,
    free: Vec<u32>,
    index: HashTable<u32>,
    /// Where they lead.
    pub(crate) next_hops: NextHops,
    /// Seeded: peers choose the octets.
    hasher: DefaultHashBuilder,
}

/// Some of the sets.
#[derive(Debug)]
pub(crate) struct SetMask(Vec<bool>);

impl SetMask {
    pub(crate) fn contains(&self, id: SetId) -> bool {
        self.0.get(id.0 as usize).copied().unwrap_or(false)
    }
}

#[derive(Debug)]
struct Slot {
    references: u32,
    set: Option<Box<AttributeSet>>,
}

impl AttributeSets {
    /// The set as it is held already, with one more reference.
    pub(crate) fn find(
        &mut self,
        raw: &RawAttributes,
        next_hop: &NextHop,
        source: &Arc<Source>,
    ) -> Option<SetId> {
        let same = |set: &AttributeSet| set.raw == *raw && set.next_hop == *next_hop && set.source == *source;
        let hash = hash(&self.hasher, raw, next_hop, source.peer);
        let found = self.index.find(hash, |at| self.slot_set(*at).is_some_and(same));
        let id = SetId(*found?);
        self.retain(id);
        Some(id)
    }

    /// Holds a set that [`AttributeSets::find`] did not know, with one reference.
    pub(crate) fn insert(&mut self, set: AttributeSet) -> SetId {
        let hash = set.hash(&self.hasher);
        set.resolved_by.into_iter().for_each(|address| self.next_hops.acquire(address));
        let slot = Slot { references: 1, set: Some(Box::new(set)) };
        let at = match self.free.pop() {
            Some(at) => {
                self.slots[at as usize] = slot;
                at
            }
            None => {
                self.slots.push(slot);
                (self.slots.len() - 1) as u32
            }
        };
        let (slots, hasher) = (&self.slots, &self.hasher);
        let rehash = |at: &u32| slots[*at as usize].set.as_ref().map_or(0, |set| set.hash(hasher));
        self.index.insert_unique(hash, at, rehash);
        SetId(at)
    }

    pub(crate) fn retain(&mut self, id: SetId) {
        self.slots[id.0 as usize].references += 1;
    }

    /// Gives a reference back; the set goes with the last.
    pub(crate) fn release(&mut self, id: SetId) {
        let slot = &mut self.slots[id.0 as usize];
        slot.references -= 1;
        if slot.references > 0 {
            return;
        }
        if let Some(set) = slot.set.take()
            && let Ok(entry) = self.index.find_entry(set.hash(&self.hasher), |at| *at == id.0)
        {
            entry.remove();
            self.free.push(id.0);
            set.resolved_by.into_iter().for_each(|address| self.next_hops.release(address));
        }
        // The memory of a full table goes with its last route.
        if self.index.is_empty() {
            *self = Self { next_hops: std::mem::take(&mut self.next_hops), ..Self::default() };
        }
    }

    /// The sets that one of these resolves.
    pub(crate) fn resolved_by_any(&self, next_hops: &FxHashSet<IpAddr>) -> SetMask {
        let by_any = |slot: &Slot| {
            let address = slot.set.as_ref().and_then(|set| set.resolved_by);
            address.is_some_and(|address| next_hops.contains(&address))
        };
        SetMask(self.slots.iter().map(by_any).collect())
    }

    /// Number of distinct sets held.
    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    fn slot_set(&self, at: u32) -> Option<&AttributeSet> {
        self.slots[at as usize].set.as_deref()
    }
}

impl std::ops::Index<SetId> for AttributeSets {
    type Output = AttributeSet;

    #[expect(
        clippy::expect_used,
        reason = "an id is handed out with a reference, and the set stays while there is one"
    )]
    fn index(&self, id: SetId) -> &AttributeSet {
        self.slot_set(id.0).expect("a set is held while it is referred to")
    }
}

impl AttributeSet {
    fn hash(&self, hasher: &DefaultHashBuilder) -> u64 {
        hash(hasher, &self.raw, &self.next_hop, self.source.peer)
    }
}

fn hash(hasher: &DefaultHashBuilder, raw: &RawAttributes, next_hop: &NextHop, peer: PeerId) -> u64 {
    hasher.hash_one((raw, next_hop, peer))
}
