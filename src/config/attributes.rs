use std::collections::BTreeSet;

use bgp_wire::attribute::Community;
use vrf_manager::intent::RouteAttributes;

use super::{
    kind::{BOOL, Kind, number, word},
    list::set,
    reader::{At, Fields, Read},
};

const COMMUNITY: Kind<Community> = word(
    "a community",
    "AS:number (65000:100), no-export, no-advertise, no-export-subconfed, no-peer, blackhole or graceful-shutdown",
    |text| text.parse().ok(),
);

/// `communities`, `color` and `localPreference` among the keys of something that is advertised.
pub(super) fn among(fields: &Fields<'_>) -> Option<RouteAttributes> {
    let communities = fields.or("communities", BTreeSet::new(), set(COMMUNITY));
    // RFC 9256 section 2.1: 0 is no colour.
    let color = fields.maybe("color", number("a colour", 1..=u64::from(u32::MAX)));
    let local_preference = fields.maybe("localPreference", number("a LOCAL_PREF", 0..=u64::from(u32::MAX)));
    Some(RouteAttributes { communities: communities?, color: color?, local_preference: local_preference? })
}

/// Whether something is advertised, or with which attributes.
pub(super) fn advertise(at: &At<'_>) -> Option<Option<RouteAttributes>> {
    if at.scalar().is_some() {
        return BOOL.read(at).map(|wanted| wanted.then(RouteAttributes::default));
    }
    among(&at.fields(&["communities", "color", "localPreference"])?).map(Some)
}
