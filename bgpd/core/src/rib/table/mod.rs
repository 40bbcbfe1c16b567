//! The table of one family: every path of every destination, the best first.
//!
//! Destinations have an index that stays while they live, so a walk over the table can stop and go on later.
//! Nothing is selected when paths come and go: the destination is queued once with the best path that everybody
//! has been told, and [`RibTable::resolve`] finds out what that has become.

mod keyed;

use std::fmt::Debug;

use bgp_wire::nlri::{Nlri, NlriList, Prefix};
pub(crate) use keyed::Table;
use srv6_types::Label;

use super::{
    attributes::{AttributeSets, SetMask},
    decision::Decision,
    path::Path,
};
use crate::config::PeerId;

/// A destination whose best path may have changed. Holds a reference to the set of `old`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change {
    pub(crate) index: u32,
    /// Best path that was told last.
    pub(crate) old: Option<Path>,
    /// Best path now.
    pub(crate) new: Option<Path>,
}

/// Which paths of a peer are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    All,
    Stale,
}

/// A table of any family. Calls are per UPDATE or per batch, not per route.
pub(crate) trait RibTable: Debug + Send {
    /// Adds or replaces `path` of its peer for every entry; returns how many are new.
    fn announce(&mut self, list: &NlriList, path: Path, sets: &mut AttributeSets) -> usize;
    /// Removes the peer's paths for every entry; returns how many there were.
    fn withdraw(&mut self, list: &NlriList, peer: PeerId, sets: &mut AttributeSets) -> usize;
    /// Adds or replaces one path.
    fn insert(&mut self, nlri: &Nlri, path: Path, sets: &mut AttributeSets);
    /// Removes one path.
    fn remove(&mut self, nlri: &Nlri, peer: PeerId, path_id: u32, sets: &mut AttributeSets);
    /// Removes paths of a peer wherever they stand; returns how many.
    fn remove_peer(&mut self, peer: PeerId, which: Which, sets: &mut AttributeSets) -> usize;
    /// Marks all paths of a peer.
    fn mark_stale(&mut self, peer: PeerId, sets: &mut AttributeSets);
    /// Queues every destination with a path of one of these sets.
    fn reconsider(&mut self, affected: &SetMask, sets: &mut AttributeSets);
    /// Selects for up to `limit` queued destinations. [`RibTable::settle`] must follow.
    fn resolve(&mut self, limit: usize, decision: Decision<'_>) -> Vec<Change>;
    /// Everybody has been told of `changes`.
    fn settle(&mut self, changes: &[Change], sets: &mut AttributeSets);
    /// Whether destinations are queued.
    fn is_changed(&self) -> bool;
    /// Best path of a destination that is not queued.
    fn best(&self, index: u32) -> Option<Path>;
    /// The NLRI of a destination.
    fn nlri(&self, index: u32, label: Option<Label>) -> Nlri;
    /// All paths of a destination.
    fn paths(&self, index: u32) -> &[Path];
    /// One more than the highest index in use.
    fn end(&self) -> u32;
    /// Indexes of destinations with paths, ordered by key; of one prefix only where given.
    fn sorted(&self, prefix: Option<Prefix>) -> Vec<u32>;
}
