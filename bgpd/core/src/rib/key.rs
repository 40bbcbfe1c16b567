use std::{fmt::Debug, hash::Hash};

use bgp_wire::{
    Family,
    nlri::{Entries, Entry, Nlri, NlriList, Prefix, Prefix4, Prefix6, RouteDistinguisher, WirePrefix},
};
use srv6_types::Label;

/// What a table is keyed by: no wider than its family needs.
pub(crate) trait Key: Copy + Debug + Eq + Hash + Ord + Send + 'static {
    type Prefix: KeyPrefix;

    fn new(rd: RouteDistinguisher, prefix: Self::Prefix) -> Self;
    fn rd(&self) -> Option<RouteDistinguisher>;
    fn prefix(&self) -> Self::Prefix;

    fn from_entry(entry: &Entry<Self::Prefix>) -> Self {
        Self::new(entry.rd, entry.prefix)
    }

    /// `None` when the NLRI is of another family.
    fn from_nlri(nlri: &Nlri) -> Option<Self> {
        Self::Prefix::from_prefix(nlri.prefix).map(|prefix| Self::new(nlri.rd.unwrap_or_default(), prefix))
    }

    fn nlri(&self, label: Option<Label>) -> Nlri {
        Nlri { path_id: 0, rd: self.rd(), label, prefix: self.prefix().into() }
    }
}

/// A prefix with the lists that it stands in.
pub(crate) trait KeyPrefix: WirePrefix + Debug + Eq + Hash + Ord + Send + 'static {
    fn entries(list: &NlriList) -> Entries<'_, Self>;
    fn from_prefix(prefix: Prefix) -> Option<Self>;
}

impl KeyPrefix for Prefix4 {
    fn entries(list: &NlriList) -> Entries<'_, Self> {
        list.iter4()
    }

    fn from_prefix(prefix: Prefix) -> Option<Self> {
        if let Prefix::V4(prefix) = prefix { Some(prefix) } else { None }
    }
}

impl KeyPrefix for Prefix6 {
    fn entries(list: &NlriList) -> Entries<'_, Self> {
        list.iter6()
    }

    fn from_prefix(prefix: Prefix) -> Option<Self> {
        if let Prefix::V6(prefix) = prefix { Some(prefix) } else { None }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Unicast<P>(P);

/// Ordered by prefix first, as the CLI shows VPN routes of one prefix beside each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Vpn<P> {
    prefix: P,
    rd: RouteDistinguisher,
}

impl<P: KeyPrefix> Key for Unicast<P> {
    type Prefix = P;

    fn new(_: RouteDistinguisher, prefix: P) -> Self {
        Self(prefix)
    }

    fn rd(&self) -> Option<RouteDistinguisher> {
        None
    }

    fn prefix(&self) -> P {
        self.0
    }
}

impl<P: KeyPrefix> Key for Vpn<P> {
    type Prefix = P;

    fn new(rd: RouteDistinguisher, prefix: P) -> Self {
        Self { prefix, rd }
    }

    fn rd(&self) -> Option<RouteDistinguisher> {
        Some(self.rd)
    }

    fn prefix(&self) -> P {
        self.prefix
    }
}

/// The index of a family in arrays, in the order of [`Family::ALL`].
pub(crate) const fn family_index(family: Family) -> usize {
    family as usize
}
