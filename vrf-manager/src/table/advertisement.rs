use std::cmp::Ordering;

use bgp_core::rib::LocalRoute;
use bgp_wire::nlri::Prefix;
use srv6_types::VrfId;

/// What has to be told to the speaker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Advertisements {
    /// New, or with another SID, LOCAL_PREF, colour or communities.
    pub announce: Vec<LocalRoute>,
    /// Originated no more.
    pub withdraw: Vec<(VrfId, Prefix)>,
}

impl Advertisements {
    /// From what is advertised to what shall be; both in the order of VRF and prefix, as [`crate::Desired`] has them.
    pub fn between(from: &[LocalRoute], to: &[LocalRoute]) -> Self {
        let key = |route: &LocalRoute| (route.vrf, route.prefix);
        let mut this = Self::default();
        let (mut old, mut new) = (from.iter().peekable(), to.iter().peekable());
        loop {
            let order = match (old.peek(), new.peek()) {
                (None, None) => return this,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(a), Some(b)) => key(a).cmp(&key(b)),
            };
            let gone = if order == Ordering::Greater { None } else { old.next() };
            let wanted = if order == Ordering::Less { None } else { new.next() };
            match (gone, wanted) {
                (Some(gone), None) => this.withdraw.push(key(gone)),
                (gone, Some(wanted)) if gone != Some(wanted) => this.announce.push(wanted.clone()),
                _ => {}
            }
        }
    }
}
