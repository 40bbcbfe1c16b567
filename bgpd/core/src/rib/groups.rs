//! Peers that are told the same, and how far each of them has got. There is no copy of what a peer was sent: it
//! follows from the best paths, the class, the peer that a path came from, and a place in the table.

use bgp_wire::Family;

use super::{export::ExportClass, key::family_index};
use crate::config::PeerId;

/// `told` of a family whose table the peers hold whole.
pub(crate) const WHOLE: u32 = u32::MAX;

/// Peers of one export class.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) class: ExportClass,
    pub(crate) cohorts: Vec<Cohort>,
}

/// Peers of a group that hold the same part of the tables: late joiners are a cohort of their own until they have
/// caught up.
#[derive(Debug, Default)]
pub(crate) struct Cohort {
    pub(crate) members: Vec<PeerId>,
    /// Per family: destinations below this index have been sent, and changes to them are.
    pub(crate) told: [u32; 4],
    /// Per family: routes the members hold, before each one's own are left out.
    pub(crate) sent: [u64; 4],
}

impl Group {
    /// Lets cohorts that have caught up become one: they hold the same.
    pub(crate) fn merge(&mut self) {
        if self.cohorts.len() < 2 {
            return;
        }
        let has_joined = |cohort: &Cohort| cohort.has_joined(&self.class);
        let (joined, joining): (Vec<_>, Vec<_>) = self.cohorts.drain(..).partition(has_joined);
        let merged = joined.into_iter().reduce(|mut all, mut cohort| {
            all.members.append(&mut cohort.members);
            all
        });
        self.cohorts.extend(merged.into_iter().chain(joining));
    }
}

impl Cohort {
    fn is_fresh(&self) -> bool {
        self.told == [0; 4]
    }

    fn has_joined(&self, class: &ExportClass) -> bool {
        Family::ALL
            .into_iter()
            .all(|family| !class.speaks(family) || self.told[family_index(family)] == WHOLE)
    }
}

/// All groups that have members.
#[derive(Debug, Default)]
pub(crate) struct Groups(Vec<Group>);

impl Groups {
    /// Puts the peer where it belongs; peers that join before the first has been sent anything join together.
    pub(crate) fn join(&mut self, peer: PeerId, class: ExportClass) {
        let at = self.0.iter().position(|group| group.class == class).unwrap_or_else(|| {
            self.0.push(Group { class, cohorts: Vec::new() });
            self.0.len() - 1
        });
        let cohorts = &mut self.0[at].cohorts;
        match cohorts.iter_mut().find(|cohort| cohort.is_fresh()) {
            Some(cohort) => cohort.members.push(peer),
            None => cohorts.push(Cohort { members: vec![peer], ..Cohort::default() }),
        }
    }

    pub(crate) fn leave(&mut self, peer: PeerId) {
        for group in &mut self.0 {
            group.cohorts.iter_mut().for_each(|cohort| cohort.members.retain(|member| *member != peer));
        }
        self.tidy();
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Group> {
        self.0.iter_mut()
    }

    /// Group and cohort of a peer.
    pub(crate) fn find(&self, peer: PeerId) -> Option<(&Group, &Cohort)> {
        let cohorts = self.0.iter().flat_map(|group| group.cohorts.iter().map(move |cohort| (group, cohort)));
        cohorts.into_iter().find(|(_, cohort)| cohort.members.contains(&peer))
    }

    fn tidy(&mut self) {
        self.0.iter_mut().for_each(|group| group.cohorts.retain(|cohort| !cohort.members.is_empty()));
        self.0.retain(|group| !group.cohorts.is_empty());
    }
}
