//! The decision process, RFC 4271 section 9.1.2.2 and RFC 4456 section 9.
//!
//! Paths are eliminated step by step, all at once and not pair by pair: the result does not depend on the order
//! in which paths came, MULTI_EXIT_DISC included. A stale path (RFC 4724) is as good as a fresh one: it is kept
//! so that nothing changes.

use std::{fmt, net::IpAddr};

use rustc_hash::FxHashMap;

use super::{
    Reachability,
    attributes::{AttributeSet, AttributeSets, SourceKind},
    path::Path,
};

/// Where a path lost, in the order of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The next hop cannot be reached.
    NextHop,
    /// Another path is originated by this node, which has not said by LOCAL_PREF how it compares.
    Local,
    /// LOCAL_PREF, the higher wins.
    LocalPref,
    /// AS_PATH length, a set counting one.
    AsPathLength,
    /// ORIGIN, the lower wins.
    Origin,
    /// MULTI_EXIT_DISC among paths of one neighbouring AS, the lower wins.
    Med,
    /// External over internal.
    External,
    /// Cost to the next hop.
    IgpCost,
    /// ORIGINATOR_ID, or the peer's BGP identifier, the lower wins.
    RouterId,
    /// CLUSTER_LIST length, the shorter wins.
    ClusterList,
    /// Peer address, the lower wins.
    PeerAddress,
    /// Path identifier, the lower wins.
    PathId,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NextHop => "next hop unreachable",
            Self::Local => "not originated here",
            Self::LocalPref => "lower LOCAL_PREF",
            Self::AsPathLength => "longer AS_PATH",
            Self::Origin => "higher ORIGIN",
            Self::Med => "higher MED",
            Self::External => "internal",
            Self::IgpCost => "higher cost to the next hop",
            Self::RouterId => "higher router id",
            Self::ClusterList => "longer CLUSTER_LIST",
            Self::PeerAddress => "higher peer address",
            Self::PathId => "higher path id",
        })
    }
}

const STEPS: [Step; 12] = [
    Step::NextHop,
    Step::Local,
    Step::LocalPref,
    Step::AsPathLength,
    Step::Origin,
    Step::Med,
    Step::External,
    Step::IgpCost,
    Step::RouterId,
    Step::ClusterList,
    Step::PeerAddress,
    Step::PathId,
];

/// Compares paths.
#[derive(Clone, Copy)]
pub(crate) struct Decision<'a> {
    pub(crate) sets: &'a AttributeSets,
}

impl Decision<'_> {
    /// Index of the best path; `None` where none is usable.
    pub(crate) fn best(&self, paths: &[Path]) -> Option<usize> {
        match paths {
            [] => None,
            [path] => self.reachable(path).then_some(0),
            _ => self.eliminate(paths, |_, _| ()),
        }
    }

    /// The step that each path lost at; `None` for the best.
    pub(crate) fn explain(&self, paths: &[Path]) -> Vec<Option<Step>> {
        let mut lost = vec![None; paths.len()];
        self.eliminate(paths, |at, step| lost[at] = Some(step));
        lost
    }

    fn eliminate(&self, paths: &[Path], mut lost: impl FnMut(usize, Step)) -> Option<usize> {
        let mut left: Vec<usize> = (0..paths.len()).collect();
        for step in STEPS {
            if left.len() < 2 && step != Step::NextHop {
                break;
            }
            let lowest = self.lowest(step, &left, paths);
            left.retain(|at| {
                let path = &paths[*at];
                let stays = self.rank(step, path) == lowest(self.set(path).rank.neighbor);
                if !stays {
                    lost(*at, step);
                }
                stays
            });
        }
        left.first().copied()
    }

    /// The rank that a path must have to stay, by its neighbouring AS.
    fn lowest(&self, step: Step, left: &[usize], paths: &[Path]) -> impl Fn(u32) -> u128 + use<> {
        let ranks = left.iter().map(|at| self.rank(step, &paths[*at]));
        let overall = if step == Step::NextHop { 0 } else { ranks.min().unwrap_or(0) };
        let mut by_neighbor = FxHashMap::default();
        if step == Step::Med {
            for path in left.iter().map(|at| &paths[*at]) {
                let med = self.rank(step, path);
                by_neighbor
                    .entry(self.set(path).rank.neighbor)
                    .and_modify(|low: &mut u128| *low = med.min(*low))
                    .or_insert(med);
            }
        }
        move |neighbor| by_neighbor.get(&neighbor).copied().unwrap_or(overall)
    }

    /// What a step compares; the lower wins.
    fn rank(&self, step: Step, path: &Path) -> u128 {
        let set = self.set(path);
        let rank = &set.rank;
        match step {
            Step::NextHop => u128::from(!self.reachable(path)),
            Step::Local => u128::from(!rank.prevails),
            Step::LocalPref => u128::from(u32::MAX - rank.local_pref),
            Step::AsPathLength => u128::from(rank.path_length),
            Step::Origin => rank.origin as u128,
            Step::Med => u128::from(rank.med),
            Step::External => u128::from(set.source.kind != SourceKind::External),
            Step::IgpCost => match self.reachability(path) {
                Reachability::Cost(cost) => u128::from(cost),
                Reachability::Unreachable => u128::MAX,
            },
            Step::RouterId => u128::from(rank.originator.to_bits()),
            Step::ClusterList => u128::from(rank.clusters),
            Step::PeerAddress => address_bits(set.source.address),
            Step::PathId => u128::from(path.path_id),
        }
    }

    fn reachable(&self, path: &Path) -> bool {
        self.reachability(path) != Reachability::Unreachable
    }

    fn reachability(&self, path: &Path) -> Reachability {
        self.sets.next_hops.reachability(self.set(path).resolved_by)
    }

    fn set(&self, path: &Path) -> &AttributeSet {
        &self.sets[path.set]
    }
}

fn address_bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}
