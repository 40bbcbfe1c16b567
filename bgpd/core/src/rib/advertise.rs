//! From changed best paths to messages: once per group of alike peers and attribute set.

use std::{cell::Cell, ops::Range};

use bgp_wire::{Family, message::UpdateWriter};
use bytes::Bytes;
use rustc_hash::FxHashMap;
use srv6_types::Label;

use super::{
    RibOutput,
    attributes::{AttributeSets, SetId},
    export::{ExportClass, Speaker},
    flush::Refresh,
    groups::{Cohort, WHOLE},
    key::family_index,
    path::Path,
    peers::Peer,
    table::{Change, RibTable},
};
use crate::config::PeerId;

/// Which members of a cohort are told: a route never goes back to the peer that it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Audience {
    All,
    Except(PeerId),
    Only(PeerId),
}

/// One destination to withdraw (no set) or to announce. In the order of the fields, what can share a message
/// stands together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Item {
    audience: Audience,
    set: Option<SetId>,
    index: u32,
    label: Option<Label>,
}

/// Tells peers of one export class about one family.
pub(crate) struct Teller<'a> {
    class: &'a ExportClass,
    family: Family,
    table: &'a dyn RibTable,
    sets: &'a AttributeSets,
    speaker: &'a Speaker,
    /// The set asked for last, and whether it is exported: neighbours in the table mostly share theirs.
    asked: Cell<Option<(SetId, bool)>>,
}

impl<'a> Teller<'a> {
    pub(crate) fn new(
        class: &'a ExportClass,
        family: Family,
        table: &'a dyn RibTable,
        sets: &'a AttributeSets,
        speaker: &'a Speaker,
    ) -> Self {
        Self { class, family, table, sets, speaker, asked: Cell::new(None) }
    }

    /// What `changes` mean to a cohort.
    pub(crate) fn changes(
        &self,
        changes: &[Change],
        cohort: &mut Cohort,
        peers: &mut FxHashMap<PeerId, Peer>,
        out: &mut Vec<RibOutput>,
    ) {
        let mut items = Vec::new();
        let held = cohort.told[family_index(self.family)];
        for change in changes.iter().filter(|change| change.index < held) {
            let (old, new) =
                (change.old.filter(|path| self.exports(path)), change.new.filter(|path| self.exports(path)));
            self.count(cohort, old, new, peers);
            difference(change.index, old, new, &cohort.members, &mut items);
        }
        self.send(&cohort.members, items, out);
    }

    /// The next part of the table for a cohort that does not hold it whole, and End-of-RIB after the last. Returns
    /// whether there is more to come.
    pub(crate) fn dump(
        &self,
        cohort: &mut Cohort,
        limit: u32,
        peers: &mut FxHashMap<PeerId, Peer>,
        out: &mut Vec<RibOutput>,
    ) -> bool {
        let from = cohort.told[family_index(self.family)];
        if from == WHOLE {
            return false;
        }
        let part = self.part(from, limit);
        let mut items = Vec::new();
        for (index, path) in self.exported(part.clone()) {
            self.count(cohort, None, Some(path), peers);
            difference(index, None, Some(path), &cohort.members, &mut items);
        }
        self.send(&cohort.members, items, out);
        let more = part.end < self.table.end();
        cohort.told[family_index(self.family)] = if more { part.end } else { WHOLE };
        if !more {
            let mut messages = Vec::new();
            self.writer().end_of_rib(&mut messages);
            out.push(RibOutput::Send { peers: cohort.members.clone(), messages: Bytes::from(messages) });
        }
        more
    }

    /// The next part of the table for a peer that holds it all. Returns whether there is more to come.
    pub(crate) fn refresh(&self, refresh: &mut Refresh, limit: u32, out: &mut Vec<RibOutput>) -> bool {
        let part = self.part(refresh.next, limit);
        refresh.next = part.end;
        let theirs = |(_, path): &(u32, Path)| path.peer != refresh.peer;
        let items = self
            .exported(part)
            .filter(theirs)
            .map(|(index, path)| Item::new(Audience::All, index, Some(path)));
        self.send(&[refresh.peer], items.collect(), out);
        refresh.next < self.table.end()
    }

    fn exports(&self, path: &Path) -> bool {
        match self.asked.get() {
            Some((set, exported)) if set == path.set => exported,
            _ => {
                let exported = self.class.exports(&self.sets[path.set], self.family);
                self.asked.set(Some((path.set, exported)));
                exported
            }
        }
    }

    fn part(&self, from: u32, limit: u32) -> Range<u32> {
        from..self.table.end().min(from.saturating_add(limit)).max(from)
    }

    fn exported(&self, part: Range<u32>) -> impl Iterator<Item = (u32, Path)> {
        let best = part.filter_map(|index| self.table.best(index).map(|path| (index, path)));
        best.filter(|(_, path)| self.exports(path))
    }

    /// Keeps count of what the cohort holds and of what its members do not hold because it is theirs.
    fn count(
        &self,
        cohort: &mut Cohort,
        old: Option<Path>,
        new: Option<Path>,
        peers: &mut FxHashMap<PeerId, Peer>,
    ) {
        let family = family_index(self.family);
        if let Some(old) = old {
            cohort.sent[family] -= 1;
            if cohort.members.contains(&old.peer)
                && let Some(peer) = peers.get_mut(&old.peer)
            {
                peer.own[family] -= 1;
            }
        }
        if let Some(new) = new {
            cohort.sent[family] += 1;
            if cohort.members.contains(&new.peer)
                && let Some(peer) = peers.get_mut(&new.peer)
            {
                peer.own[family] += 1;
            }
        }
    }

    /// Packs the items into as few messages as their attribute sets allow, each audience's apart.
    fn send(&self, members: &[PeerId], mut items: Vec<Item>, out: &mut Vec<RibOutput>) {
        items.sort_unstable();
        for told in items.chunk_by(|a, b| a.audience == b.audience) {
            let peers = told[0].audience.among(members);
            if peers.is_empty() {
                continue;
            }
            let mut messages = Vec::new();
            for alike in told.chunk_by(|a, b| a.set == b.set) {
                self.pack(alike, &mut messages);
            }
            if !messages.is_empty() {
                out.push(RibOutput::Send { peers, messages: Bytes::from(messages) });
            }
        }
    }

    /// Items of one audience and set.
    fn pack(&self, alike: &[Item], out: &mut Vec<u8>) {
        let routes = || alike.iter().map(|item| self.table.nlri(item.index, item.label));
        let Some(set) = alike.first().and_then(|item| item.set).map(|id| &self.sets[id]) else {
            return self.writer().withdraw(routes(), out);
        };
        let Some(next_hop) = self.class.next_hop(set, self.family) else { return };
        let mut attributes = Vec::new();
        self.class.attributes(set, self.family, self.speaker).encode(
            None,
            &self.class.context,
            &mut attributes,
        );
        // What does not fit in a message cannot be announced, so nothing older may stay at the peers either.
        if self.writer().announce(next_hop, &attributes, routes(), out).is_err() {
            self.writer().withdraw(routes(), out);
        }
    }

    fn writer(&self) -> UpdateWriter {
        UpdateWriter::new(self.family, &self.class.context)
    }
}

impl Audience {
    /// Everybody but `peer`, said the same way for all who are no members: they then share messages.
    fn without(peer: PeerId, members: &[PeerId]) -> Self {
        if members.contains(&peer) { Self::Except(peer) } else { Self::All }
    }

    fn among(self, members: &[PeerId]) -> Vec<PeerId> {
        let told = |member: &&PeerId| match self {
            Self::All => true,
            Self::Except(peer) => **member != peer,
            Self::Only(peer) => **member == peer,
        };
        members.iter().filter(told).copied().collect()
    }
}

impl Item {
    /// Withdraws without a path.
    fn new(audience: Audience, index: u32, path: Option<Path>) -> Self {
        Self { audience, set: path.map(|path| path.set), index, label: path.and_then(|path| path.label()) }
    }
}

/// Brings members that hold `old` to hold `new`.
fn difference(index: u32, old: Option<Path>, new: Option<Path>, members: &[PeerId], items: &mut Vec<Item>) {
    match (old, new) {
        (Some(old), Some(new)) if old.advertises_like(&new) => {}
        (_, Some(new)) => {
            let audience = Audience::without(new.peer, members);
            items.push(Item::new(audience, index, Some(new)));
            // The peer that now has the best path itself must forget ours.
            if let (Some(old), Audience::Except(peer)) = (old, audience)
                && old.peer != peer
            {
                items.push(Item::new(Audience::Only(peer), index, None));
            }
        }
        (Some(old), None) => items.push(Item::new(Audience::without(old.peer, members), index, None)),
        (None, None) => {}
    }
}
