use srv6_types::Label;

use super::attributes::SetId;
use crate::config::PeerId;

const LABEL: u32 = (1 << Label::BITS) - 1;
const LABELLED: u32 = 1 << 30;
const STALE: u32 = 1 << 31;

/// One path to a destination, in 16 octets: a full table holds a million of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) set: SetId,
    pub(crate) peer: PeerId,
    /// RFC 7911; for our own VPN routes the VRF's number.
    pub(crate) path_id: u32,
    bits: u32,
}

impl Path {
    pub(crate) fn new(set: SetId, peer: PeerId, path_id: u32, label: Option<Label>) -> Self {
        let bits = label.map_or(0, |label| label.value() | LABELLED);
        Self { set, peer, path_id, bits }
    }

    pub(crate) fn label(&self) -> Option<Label> {
        (self.bits & LABELLED != 0).then(|| Label::truncated(self.bits & LABEL))
    }

    pub(crate) fn is_stale(&self) -> bool {
        self.bits & STALE != 0
    }

    pub(crate) fn set_stale(&mut self) {
        self.bits |= STALE;
    }

    /// Whether it is the same path of the same peer, whatever it leads to.
    pub(crate) fn replaces(&self, other: &Self) -> bool {
        self.peer == other.peer && self.path_id == other.path_id
    }

    /// Whether peers would see no difference.
    pub(crate) fn advertises_like(&self, other: &Self) -> bool {
        self.set == other.set && self.peer == other.peer && self.label() == other.label()
    }
}

/// The paths of one destination. Nearly all have one, which then costs no allocation.
#[derive(Debug, Default)]
pub(crate) enum Paths {
    #[default]
    None,
    One(Path),
    #[expect(clippy::box_collection, reason = "the box keeps the common case at 24 octets")]
    Many(Box<Vec<Path>>),
}

impl Paths {
    pub(crate) fn as_slice(&self) -> &[Path] {
        match self {
            Self::None => &[],
            Self::One(path) => std::slice::from_ref(path),
            Self::Many(paths) => paths,
        }
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [Path] {
        match self {
            Self::None => &mut [],
            Self::One(path) => std::slice::from_mut(path),
            Self::Many(paths) => paths,
        }
    }

    pub(crate) fn push(&mut self, path: Path) {
        match self {
            Self::None => *self = Self::One(path),
            Self::One(first) => *self = Self::Many(Box::new(vec![*first, path])),
            Self::Many(paths) => paths.push(path),
        }
    }

    pub(crate) fn remove(&mut self, at: usize) {
        match self {
            Self::None => {}
            Self::One(_) => *self = Self::None,
            Self::Many(paths) => {
                paths.remove(at);
                if let [last] = paths[..] {
                    *self = Self::One(last);
                }
            }
        }
    }
}
